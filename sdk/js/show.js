// show.js: values as text.

/** A value as a line of a log shows it. */
export function show(value) {
    if (typeof value === "string")
        return value;
    if (value instanceof Error)
        return value.stack ? `${value}\n${value.stack}` : String(value);
    if (typeof value === "object" && value !== null) {
        try {
            return JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? `${inner}n` : inner));
        } catch {
            return String(value);
        }
    }
    return typeof value === "bigint" ? `${value}n` : String(value);
}

// theater: actors in JavaScript and TypeScript. index.d.ts says what each function is for.

import { beginTurn, decodeText, encodeText, host, now, randomBytes, rejection, writeLog } from "#platform";
import { any, bytes, cbor, json, stringify, text } from "./codec.js";

export { bytes, cbor, encodeText, decodeText, json, now, stringify, text };

// ---- the host -------------------------------------------------------------------------------------------------------

export const log = {
    trace: (...values) => writeLog("trace", values),
    debug: (...values) => writeLog("debug", values),
    info: (...values) => writeLog("info", values),
    warn: (...values) => writeLog("warn", values),
    error: (...values) => writeLog("error", values),
};

export const random = (length) => randomBytes(length);
export const name = () => host.selfName();
export const sequence = () => host.sequence();

export function source() {
    const { tag, val } = host.source();
    switch (tag) {
    case "client":
        return { kind: "client", principal: val ?? null };
    case "actor":
        return { kind: "actor", name: val };
    case "reply":
        return { kind: "reply", request: val.request, failed: val.failed };
    default:
        return { kind: "genesis" };
    }
}

export function send(to, payload) {
    host.send(to, any.encode(payload));
}

export function request(to, payload) {
    return host.request(to, any.encode(payload));
}

// ---- turns ----------------------------------------------------------------------------------------------------------

export class Reject extends Error {
    get name() {
        return "Reject";
    }
}

class Answer {
    constructor(output, state) {
        this.output = output;
        this.state = state;
    }
}

export const reply = (output, state) => new Answer(output, state);

/** Where in the actor's sources something was thrown: the innermost place that is not the SDK's. The bundle ends with a
 * table of its lines (build.mjs). */
function placeOf(error) {
    const places = globalThis[Symbol.for("theater.places")] ?? [];
    for (const [, text] of String(error.stack ?? "").matchAll(/\.js:(\d+)/g)) {
        const line = Number(text), run = places.findLast(([from]) => from <= line);
        if (run?.[1])
            return ` (${run[1]}:${run[2] + line - run[0]})`;
    }
    return "";
}

/** The text of a rejection: what was thrown on purpose is said as it is, a mistake with its kind and place. */
function reason(error) {
    if (!(error instanceof Error))
        return typeof error === "string" ? error : `thrown: ${String(error)}`;
    if (error instanceof Reject || error.constructor === Error)
        return error.message;
    return `${error.name}: ${error.message}${placeOf(error)}`;
}

function guarded(run) {
    beginTurn();
    try {
        return run();
    } catch (error) {
        throw rejection(reason(error).toWellFormed(), error);
    }
}

function present(value, what) {
    if (typeof value?.then === "function")
        throw new TypeError(`${what} must not be async: in a turn there is nothing to wait for`);
    return value;
}

function decodeInput(codec, input, what) {
    try {
        return codec.decode(input);
    } catch (error) {
        throw new Reject(`${what}: ${error.message}`);
    }
}

/** The reply to a request: a failed one's is the reason, as text. */
function takeReply(definition, codec, input, state) {
    const { request: id, failed } = source();
    const value = failed ? decodeText(input) : decodeInput(codec, input, "the reply");
    return definition.reply(value, state, { request: id, failed });
}

function turn(definition, codecs, input, state) {
    const before = codecs.state.decode(state);
    let answer;
    if (definition.reply && host.source().tag === "reply")
        answer = takeReply(definition, codecs.reply, input, before);
    else
        answer = definition.handle(decodeInput(codecs.input, input, "the input"), before);
    present(answer, "handle");
    if (answer instanceof Answer)
        return [codecs.output.encode(answer.output), codecs.state.encode(answer.state)];
    return [codecs.output.encode(answer), codecs.state.encode(before)];
}

export function actor(definition) {
    for (const member of ["init", "handle"])
        if (typeof definition?.[member] !== "function")
            throw new TypeError(`an actor needs the function ${member}`);
    const codecs = {
        config: definition.config ?? json,
        state: definition.state ?? json,
        input: definition.input ?? json,
        output: definition.output ?? any,
        reply: definition.replies ?? definition.input ?? json,
    };
    return {
        init: (config) =>
            guarded(() => codecs.state.encode(
                present(definition.init(decodeInput(codecs.config, config, "the configuration")), "init"))),
        handle: (input, state) => guarded(() => turn(definition, codecs, input, state)),
        verifyState(state) {
            beginTurn();
            try {
                const value = codecs.state.decode(state);
                return definition.verify ? Boolean(definition.verify(value)) : true;
            } catch (error) {
                // All that a rejection says is "invalid state": why stands on the log.
                log.warn(`the state is not valid: ${reason(error)}`);
                return false;
            }
        },
    };
}

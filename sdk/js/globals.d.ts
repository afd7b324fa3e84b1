// What an actor has beside the language itself (platform.js). An actor's tsconfig.json names no library but "es2024".

declare var console: {
    log(...values: unknown[]): void;
    info(...values: unknown[]): void;
    debug(...values: unknown[]): void;
    trace(...values: unknown[]): void;
    warn(...values: unknown[]): void;
    error(...values: unknown[]): void;
};

declare var crypto: {
    /** Fills the array from the turn's random stream. */
    getRandomValues<T extends ArrayBufferView>(array: T): T;
    randomUUID(): string;
};

declare var performance: {
    /** Always 0: time does not move within a turn. */
    now(): number;
    readonly timeOrigin: number;
};

declare class TextEncoder {
    readonly encoding: "utf-8";
    encode(text?: string): Uint8Array;
    encodeInto(text: string, target: Uint8Array): { read: number; written: number };
}

declare class TextDecoder {
    constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
    readonly encoding: "utf-8";
    readonly fatal: boolean;
    readonly ignoreBOM: boolean;
    decode(source?: ArrayBuffer | ArrayBufferView): string;
}

declare function atob(text: string): string;
declare function btoa(binary: string): string;

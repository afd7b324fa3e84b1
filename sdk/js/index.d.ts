/// <reference path="./globals.d.ts" />

// theater: actors in JavaScript and TypeScript.
//
//     import { actor, text, Reject } from "theater";
//
//     export default actor({
//         input: text,
//         init: () => ({ count: 0 }),
//         handle(input, state) {
//             if (input !== "inc") throw new Reject("say: inc");
//             state.count += 1;
//             return { count: state.count };
//         },
//     });
//
// What to know:
//
// 1. The state is the only memory. Each turn runs in a fresh instance: a variable of the module is as the module left
//    it when the actor was built.
// 2. `handle` may change the state in place. If it throws, the state stays as it was before the turn, and the message
//    of the error is the reason of the rejection.
// 3. A turn sees only what the chain holds. Date, Math.random and crypto.getRandomValues give the turn's time and
//    random stream, the same for whoever runs the turn again. There are no timers, no files and no network, and
//    nothing to await.

/** A way to write values as bytes, in which equal values are equal bytes. */
export interface Codec<T> {
    /** For messages. */
    readonly name: string;
    /** Throws where a value has no place in the encoding. */
    encode(value: T): Uint8Array;
    /** Throws where the bytes are not of the encoding. */
    decode(bytes: Uint8Array): T;
}

/** Bytes as they are. As a state: what to use for large states, of which a turn changes little. */
export const bytes: Codec<Uint8Array>;
/** A string as UTF-8. */
export const text: Codec<string>;
/** JSON with sorted members. No bytes stand for undefined; numbers that are not finite, big integers, bytes, Maps and
 * class instances are refused. */
export const json: Codec<any>;
/** Deterministic CBOR (RFC 8949, section 4.2.1): as JSON, with Uint8Array, Map and 64-bit big integers, and smaller. */
export const cbor: Codec<any>;

/** What can be an output or a payload without a codec: bytes as they are, a string as UTF-8, undefined as no bytes,
 * everything else as JSON with sorted members. */
export type Payload = Uint8Array | string | number | boolean | null | undefined | object;

/** A rejection: the message is the reason, word for word, as it is of any plain Error. Errors of other classes are
 * taken for mistakes: their rejection says the class and the place too. */
export class Reject extends Error {}

/** An output with another state than the one that `handle` was given. */
export interface Answer<State> {
    readonly output: unknown;
    readonly state: State;
}
/** Makes an answer whose state replaces the old one. Without it the state that `handle` was given is kept, with what
 * was changed in it. */
export function reply<State>(output: Payload, state: State): Answer<State>;

export interface Definition<State, Input = any, Config = any, Output = Payload, Reply = Input> {
    /** Codecs. JSON when left out; of `output`: see Payload. `replies` is `input` when left out. */
    config?: Codec<Config>;
    state?: Codec<State>;
    input?: Codec<Input>;
    output?: Codec<Output>;
    replies?: Codec<Reply>;

    /** Makes the first state of the configuration. */
    init(config: Config): State;
    /** One turn: changes the state in place and returns the output, or returns `reply(output, newState)`, or throws. */
    handle(input: Input, state: State): Output | Answer<State> | void;
    /** The reply to a request of this actor. When `failed`, the value is the reason as a string. Without this
     * function, replies come to `handle`. */
    reply?(value: Reply | string, state: State, about: { request: number; failed: boolean }): Output | Answer<State> | void;
    /** Whether a state is valid: asked of every new state before it is kept, and when the actor is upgraded. When left
     * out, every state that can be decoded is. */
    verify?(state: State): boolean;
}

/** An actor as the component exports it. */
export interface Actor {
    init(config: Uint8Array): Uint8Array;
    handle(input: Uint8Array, state: Uint8Array): [Uint8Array, Uint8Array];
    verifyState(state: Uint8Array): boolean;
}

/** Makes an actor. A module's default export is what `theater build` builds. */
export function actor<State, Input = any, Config = any, Output = Payload, Reply = Input>(
    definition: Definition<State, Input, Config, Output, Reply>): Actor;

// ---- the host ----

/** Lines for whoever operates the actor. They stand in the chain as effects. Values are joined by spaces; objects are
 * written as JSON. The console writes to the same log. */
export const log: {
    trace(...values: unknown[]): void;
    debug(...values: unknown[]): void;
    info(...values: unknown[]): void;
    warn(...values: unknown[]): void;
    error(...values: unknown[]): void;
};
/** The turn's time, in milliseconds as a Date has it. It does not move within a turn. */
export function now(): Date;
/** The next bytes of the turn's random stream, at most 65,536 in a turn. Anyone who has the chain can compute them:
 * they are no secret. */
export function random(length: number): Uint8Array;
/** This actor's name. */
export function name(): string;
/** The sequence number of the element that this turn will become. */
export function sequence(): number;

/** Where the input of this turn came from. */
export type Source =
    | { kind: "genesis" }
    | { kind: "client"; principal: string | null }
    | { kind: "actor"; name: string }
    | { kind: "reply"; request: number; failed: boolean };
export function source(): Source;

/** Sends a message when this turn is committed. It is delivered exactly once, in order for each pair. A name that is
 * none, or a payload over the limit, ends the turn. */
export function send(to: string, payload: Payload): void;
/** As `send`, but the target's output, or the reason of its rejection, comes back as a later input. Gives the id that
 * the reply will have. */
export function request(to: string, payload: Payload): number;

// ---- helpers ----

/** UTF-8 of a string. */
export function encodeText(text: string): Uint8Array;
/** The string of UTF-8 bytes. Throws a TypeError where they are none. */
export function decodeText(bytes: Uint8Array): string;
/** JSON with sorted members, as the codec `json` writes it. */
export function stringify(value: unknown): string;

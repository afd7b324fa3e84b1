// What stands in payloads: descriptors, effects, the reasons of rejections.
import { BrokenRule } from "./element";
import { keyOf, nameValid, utf8 } from "./bytes";
import { CborReader } from "./cbor";
import { sha256 } from "./sha256";

export const WORLD = "theater:actor/guest@0.1.0";

export interface Limits {
    fuel: bigint;
    memory: bigint;
    state: bigint;
    message: bigint;
    effects: bigint;
}

export interface Descriptor {
    actor: string;
    component: Uint8Array;
    config: Uint8Array;
    limits: Limits;
    engine: string;
    world: string;
}

function readLimits(input: CborReader): Limits {
    if (input.map() !== 5)
        input.refuse("limits that are not five");
    const next = (key: number): bigint => {
        input.expect(key, "a limit is missing or out of order");
        return input.uint();
    };
    return { fuel: next(0), memory: next(1), state: next(2), message: next(3), effects: next(4) };
}

/** Throws `Refused` or `BrokenRule`. */
export function readDescriptor(bytes: Uint8Array): Descriptor {
    const input = new CborReader(bytes);
    if (input.map() !== 7)
        input.refuse("a map that has not seven fields");
    input.expect(0, "the version (key 0) is missing");
    input.expect(1, "a version other than 1");
    input.expect(1, "the actor's name (key 1) is missing");
    const actor = input.text();
    input.expect(2, "the component hash (key 2) is missing");
    const component = input.hash();
    input.expect(3, "the config (key 3) is missing");
    const config = input.byteString();
    input.expect(4, "the limits (key 4) are missing");
    const limits = readLimits(input);
    input.expect(5, "the engine (key 5) is missing");
    const engine = input.text();
    input.expect(6, "the world (key 6) is missing");
    const world = input.text();
    if (world !== WORLD)
        input.refuse(`another world than ${WORLD}`);
    input.end();
    if (!nameValid(actor))
        throw new BrokenRule("the actor's name is no name");
    if (Object.values(limits).some((limit) => limit === 0n))
        throw new BrokenRule("a limit of 0");
    if (BigInt(config.length) > limits.message)
        throw new BrokenRule("the config is over the message limit");
    return { actor, component, config, limits, engine, world };
}

// ---- effects

export const LOG = 0, MESSAGE_EFFECT = 1;
export const LEVELS = ["trace", "debug", "info", "warn", "error"] as const;
const REQUESTS_MAX = 65535;
/** The payload of no effects: an empty array. */
export const NO_EFFECTS = Uint8Array.of(0x80);
export const NO_EFFECTS_HASH = sha256(NO_EFFECTS);

export interface Effect {
    kind: number;
    index: number;
    /** Bytes of its encoding. */
    size: number;
    /** Of a log line. */
    level: number;
    text: string;
    /** Of a message; request 0: a plain send. */
    to: string;
    payload: Uint8Array;
    request: bigint;
}

function readMessage(input: CborReader, effect: Effect, sequence: bigint, requests: number): boolean {
    effect.to = input.text();
    if (!nameValid(effect.to))
        input.refuse("a message to what is no name");
    effect.payload = input.hash();
    effect.request = input.uint();
    if (effect.request === 0n)
        return false;
    if (sequence >> 48n || requests === REQUESTS_MAX || effect.request !== sequence * 65536n + BigInt(requests + 1))
        input.refuse("a request id that is not the next one of its element");
    return true;
}

function readEffect(input: CborReader, index: number, sequence: bigint, requests: number): Effect {
    const count = input.array(), kind = input.small();
    const effect: Effect = { kind, index, size: 0, level: 0, text: "", to: "", payload: NO_EFFECTS, request: 0n };
    if (kind < 0 || kind > MESSAGE_EFFECT)
        input.refuse("an effect of unknown kind");
    if (count !== (kind === LOG ? 3 : 4))
        input.refuse("an effect of wrong length");
    if (kind === MESSAGE_EFFECT) {
        readMessage(input, effect, sequence, requests);
        return effect;
    }
    effect.level = input.small();
    if (effect.level < 0 || effect.level > 4)
        input.refuse("a log level over 4");
    effect.text = input.text();
    return effect;
}

/** The effects of the element with this sequence, one by one; throws `Refused` where they are none. */
export function* readEffects(payload: Uint8Array, sequence: bigint): Generator<Effect, void, void> {
    const input = new CborReader(payload);
    const count = input.array();
    let requests = 0;
    for (let index = 0; count < 0 || index < count; index++) {
        const begin = input.at;
        const effect = readEffect(input, index, sequence, requests);
        effect.size = input.at - begin;
        requests += effect.request ? 1 : 0;
        yield effect;
    }
    input.end();
}

// ---- rejections

export const BY_ACTOR = 1, BAD_STATE = 2, TRAP = 3, FUEL = 4, LIMIT = 5, STACK = 6;

/** The texts that each code may have; that of code 1 is the actor's. */
const TEXTS: Record<number, readonly string[]> = {
    [BAD_STATE]: ["invalid state"],
    [TRAP]: ["unreachable", "memory", "table", "division", "integer", "abi"],
    [FUEL]: ["out of fuel"],
    [LIMIT]: ["input", "error", "output", "state", "name", "payload", "requests", "effects", "random"],
    [STACK]: ["stack overflow"],
};

export interface Rejection {
    code: number;
    message: string;
    /** Length of the message in bytes. */
    size: number;
}

/** Throws `Refused` or `BrokenRule`. */
export function readRejection(output: Uint8Array): Rejection {
    const input = new CborReader(output);
    if (input.array() !== 2)
        input.refuse("an array that is not two long");
    const code = input.small();
    if (code < BY_ACTOR || code > STACK)
        input.refuse("an unknown code");
    const message = input.text();
    input.end();
    if (code !== BY_ACTOR && !TEXTS[code]!.includes(message))
        throw new BrokenRule(`a message that code ${code} does not have`);
    return { code, message, size: code === BY_ACTOR ? utf8(message).length : message.length };
}

const byHash = new Map<string, Rejection>();
for (const [code, texts] of Object.entries(TEXTS)) {
    for (const message of texts) {
        const text = utf8(message);
        const output = Uint8Array.of(0x82, Number(code), 0x60 + text.length, ...text);
        byHash.set(keyOf(sha256(output)), { code: Number(code), message, size: text.length });
    }
}

/** The reason that an output's hash gives away, where its text is one of the fixed ones. */
export function rejectionByHash(output: Uint8Array): Rejection | undefined {
    return byHash.get(keyOf(output));
}

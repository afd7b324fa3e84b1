// What a few bytes mean, for the page to show. Decoding is strict; null stands for bytes that are not what they
// are taken for.
import { hex } from "./bytes";
import { ANSWER, decodeElementStrict, MESSAGE, problemOf, TYPE_NAMES, type Cause } from "./element";
import { LEVELS, LOG, readDescriptor, readEffects, readRejection } from "./payloads";
import { sha256 as hashOf } from "./sha256";
import { leafHash } from "./tree";
import type { CauseView, DescriptorView, EffectView, ElementView, Hex, RejectionView } from "./types";

/** Null where `read` refuses the bytes. */
function orNull<T>(read: () => T | null): T | null {
    try {
        return read();
    } catch (error) {
        problemOf(error); // anything but a refusal goes on
        return null;
    }
}

/** SHA-256 of bytes: what an element has of its input, output and effects. For large ones it takes a while. */
export function sha256(bytes: Uint8Array): Hex {
    return hex(hashOf(bytes));
}

/** The element hash of an element's exact bytes (`/v1/actors/NAME/elements/SEQ/encoding`). */
export function elementHash(encoding: Uint8Array): Hex {
    return hex(leafHash(encoding));
}

function causeView(cause: Cause): CauseView {
    const { actor, sequence, request } = cause;
    if (cause.kind === MESSAGE)
        return { kind: "message", actor, sequence, index: cause.index, hash: hex(cause.hash) };
    if (cause.kind === ANSWER)
        return { kind: "answer", actor, sequence, hash: hex(cause.hash), request, failed: cause.failed };
    return { kind: "undelivered", actor, request };
}

/** An element of version 1. */
export function decodeElement(encoding: Uint8Array): ElementView | null {
    return orNull(() => {
        const element = decodeElementStrict(encoding);
        return element && {
            version: 1,
            sequence: element.sequence,
            previous: hex(element.previous),
            type: TYPE_NAMES[element.type]!,
            timestamp: element.timestamp,
            input: hex(element.input),
            stateBefore: hex(element.stateBefore),
            stateAfter: hex(element.stateAfter),
            output: hex(element.output),
            effects: hex(element.effects),
            fuel: element.fuel,
            stateSize: element.stateSize,
            cause: element.cause && causeView(element.cause),
            principal: element.principal,
            id: element.id && element.id.slice(),
        };
    });
}

/** The input of a genesis or an upgrade. */
export function decodeDescriptor(input: Uint8Array): DescriptorView | null {
    return orNull(() => {
        const descriptor = readDescriptor(input);
        return { ...descriptor, component: hex(descriptor.component), config: descriptor.config.slice() };
    });
}

/** The effects of the element with this sequence. */
export function decodeEffects(payload: Uint8Array, sequence: bigint): EffectView[] | null {
    return orNull(() => Array.from(readEffects(payload, sequence), (effect): EffectView => {
        if (effect.kind === LOG)
            return { kind: "log", level: LEVELS[effect.level]!, text: effect.text };
        const { to, request } = effect, hash = hex(effect.payload);
        return request ? { kind: "request", to, payload: hash, request } : { kind: "send", to, payload: hash };
    }));
}

/** The output of a rejection. */
export function decodeRejection(output: Uint8Array): RejectionView | null {
    return orNull(() => {
        const { code, message } = readRejection(output);
        return { code, message };
    });
}

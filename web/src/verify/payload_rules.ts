// What the check of a chain asks of the payloads and the cause of one element, given that the element itself and
// its place in the chain are right.
import { equal, utf8 } from "./bytes";
import type { ChainVerifier } from "./chain";
import { GENESIS, problemOf, REJECTION, TRANSITION, UNDELIVERED, UPGRADE, type Element } from "./element";
import {
    BAD_STATE, BY_ACTOR, FUEL, LIMIT, LOG, NO_EFFECTS_HASH, readDescriptor, readEffects, readRejection, rejectionByHash, STACK,
    type Effect, type Rejection,
} from "./payloads";
import { sha256 } from "./sha256";

/** A payload with its SHA-256. Null: it was dropped. */
export interface Payload {
    bytes: Uint8Array;
    hash: Uint8Array;
}

export interface Payloads {
    input: Payload | null;
    output: Payload | null;
    effects: Payload | null;
}

const NO_ACTOR_HASH = sha256(utf8("no such actor"));
const REMOVED_HASH = sha256(utf8("removed"));

function checkHashes(chain: ChainVerifier, element: Element, payloads: Payloads): void {
    for (const name of ["input", "output", "effects"] as const) {
        const payload = payloads[name];
        if (payload && !equal(payload.hash, element[name]))
            chain.find(name, element.sequence, `the ${name} payload has another hash`);
    }
    for (const payload of [payloads.input, payloads.output, payloads.effects]) {
        if (payload)
            chain.counts.payloads++;
        else
            chain.counts.dropped++;
    }
}

function checkDescriptor(chain: ChainVerifier, element: Element, input: Payload | null): void {
    if (!input) {
        chain.limits = null;
        chain.nameAnyComponent();
        return;
    }
    try {
        const descriptor = readDescriptor(input.bytes);
        if (descriptor.actor !== chain.actor)
            chain.find("descriptor", element.sequence, `the descriptor is of actor ${descriptor.actor}`);
        chain.limits = descriptor.limits;
        chain.nameComponent(descriptor.component);
        chain.counts.descriptors++;
    } catch (error) {
        chain.find("descriptor", element.sequence, `descriptor: ${problemOf(error)}`);
    }
}

/** What every element keeps to, whatever it is. */
function checkLimits(chain: ChainVerifier, element: Element): void {
    const { limits } = chain;
    if (!limits)
        return;
    if (element.fuel > limits.fuel)
        chain.find("fuel", element.sequence, `fuel ${element.fuel} is over the limit of ${limits.fuel}`);
    if (element.type !== REJECTION && element.stateSize > limits.state)
        chain.find("limit", element.sequence, `the state of ${element.stateSize} bytes is over the limit of ${limits.state}`);
    chain.counts.limits++;
}

function overMessageLimit(chain: ChainVerifier, payload: Payload | null): boolean {
    return payload !== null && chain.limits !== null && BigInt(payload.bytes.length) > chain.limits.message;
}

function checkTransition(chain: ChainVerifier, element: Element, payloads: Payloads): void {
    if (overMessageLimit(chain, payloads.input))
        chain.find("limit", element.sequence, "an input over the message limit must be a rejection");
    if (overMessageLimit(chain, payloads.output))
        chain.find("limit", element.sequence, "the output is over the message limit");
}

/** An input over the limit is refused to a client and rejected for an actor, without a run, and nothing else says
 * "input". */
function checkInputLimit(chain: ChainVerifier, element: Element, input: Payload | null, rejection: Rejection): void {
    const over = overMessageLimit(chain, input);
    const named = rejection.code === LIMIT && rejection.message === "input";
    if (over && !named)
        chain.find("limit", element.sequence, "an input over the message limit must be rejected as such");
    if (!named)
        return;
    if (!element.cause)
        chain.find("limit", element.sequence, "a client's input over the message limit makes no element");
    if (!over && input && chain.limits)
        chain.find("limit", element.sequence, "the input was rejected as over the message limit and is not");
    if (!equal(element.effects, NO_EFFECTS_HASH))
        chain.find("effects", element.sequence, "an input that was not run has no effects");
}

/** The reason, from the output or, when that was dropped, from its hash; undefined for a text of the actor's own
 * that was dropped. */
function reasonOf(chain: ChainVerifier, element: Element, output: Payload | null): Rejection | undefined {
    if (!output)
        return rejectionByHash(element.output);
    try {
        return readRejection(output.bytes);
    } catch (error) {
        return chain.find("output", element.sequence, `rejection: ${problemOf(error)}`);
    }
}

function checkRejection(chain: ChainVerifier, element: Element, payloads: Payloads): void {
    const rejection = reasonOf(chain, element, payloads.output);
    if (!rejection)
        return;
    const { code } = rejection, { limits } = chain;
    const counted = code === BY_ACTOR || code === BAD_STATE;
    const fuel = code === FUEL ? limits?.fuel : 0n;
    if (!counted && fuel !== undefined && element.fuel !== fuel)
        chain.find("fuel", element.sequence, `fuel ${element.fuel} of a rejection with code ${code}, which has ${fuel}`);
    if (code === BY_ACTOR && limits && BigInt(rejection.size) > limits.message)
        chain.find("limit", element.sequence, "the error's text is over the message limit");
    if (code === STACK && !equal(element.effects, NO_EFFECTS_HASH))
        chain.find("effects", element.sequence, "a stack overflow leaves no effects");
    checkInputLimit(chain, element, payloads.input, rejection);
}

/** An actor may write to itself: then this chain is the other one, and what the cause names must be behind us. */
function checkOwnCause(chain: ChainVerifier, element: Element): void {
    const cause = element.cause!;
    if (cause.kind === UNDELIVERED || cause.actor !== chain.actor)
        return;
    if (cause.sequence >= element.sequence)
        chain.find("cause", element.sequence, `the cause is element ${cause.sequence} of this chain, which comes later`);
    if (chain.tree.kept && !equal(cause.hash, chain.tree.leaf(Number(cause.sequence))))
        chain.find("cause", element.sequence, `the cause names element ${cause.sequence} of this chain with another hash`);
}

function checkCause(chain: ChainVerifier, element: Element): void {
    const { cause } = element;
    if (!cause)
        return;
    if (cause.kind === UNDELIVERED && !equal(element.input, NO_ACTOR_HASH) && !equal(element.input, REMOVED_HASH))
        chain.find("input", element.sequence, "the input of an undelivered request is neither `no such actor` nor `removed`");
    checkOwnCause(chain, element);
    const { problem, unchecked } = chain.causes.take(cause);
    if (unchecked)
        chain.counts.uncheckedAnswers++;
    if (problem)
        chain.find("cause", element.sequence, problem);
    chain.counts.causes++;
}

function checkEffect(chain: ChainVerifier, element: Element, effect: Effect): void {
    if (effect.kind === LOG)
        return;
    if (element.type === REJECTION)
        chain.find("effects", element.sequence, `effect ${effect.index} is a message, which a rejection drops`);
    if (!chain.traffic.isOver(chain.sending.length))
        chain.sending.push(effect);
    // The format lets an answer name a request of a genesis or a transition.
    if (effect.request !== 0n && element.type !== UPGRADE)
        chain.causes.request(effect.request, effect.to);
}

function checkEffects(chain: ChainVerifier, element: Element, payload: Payload | null): void {
    if (equal(element.effects, NO_EFFECTS_HASH))
        return;
    if (!payload) {
        if (element.type === GENESIS || element.type === TRANSITION)
            chain.causes.effectsDropped(element.sequence);
        return;
    }
    let size = 0;
    const effects = readEffects(payload.bytes, element.sequence);
    for (;;) {
        let effect: Effect | undefined;
        try {
            effect = effects.next().value ?? undefined;
        } catch (error) {
            chain.find("effects", element.sequence, `effects: ${problemOf(error)}`);
        }
        if (!effect)
            break;
        size += effect.size;
        checkEffect(chain, element, effect);
        chain.counts.effects++;
    }
    if (chain.limits && BigInt(size) > chain.limits.effects)
        chain.find("limit", element.sequence, `${size} bytes of effects are over the limit of ${chain.limits.effects}`);
}

export function checkPayloads(chain: ChainVerifier, element: Element, payloads: Payloads): void {
    checkHashes(chain, element, payloads);
    if (element.type === GENESIS || element.type === UPGRADE)
        checkDescriptor(chain, element, payloads.input);
    checkLimits(chain, element);
    if (element.type === TRANSITION)
        checkTransition(chain, element, payloads);
    if (element.type === REJECTION)
        checkRejection(chain, element, payloads);
    // The cause before the effects: an element cannot answer its own request.
    checkCause(chain, element);
    checkEffects(chain, element, payloads.effects);
}

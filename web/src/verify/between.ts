// Causes against the other chains of a bundle: that a message was sent by the element that its cause names, to this
// actor and with this content, that an answer is what the other actor gave, and that no message was left out.
//
// A bundle is read once, so what this takes of each chain is remembered on the way: the messages that its elements
// sent and the elements that have a cause, a few hundred bytes each, up to a bound for the whole bundle.
import { concat, equal, fromUtf8, keyOf, utf8 } from "./bytes";
import { ANSWER, MESSAGE, REJECTION, TRANSITION, TYPE_NAMES, type Cause, type Element } from "./element";
import { BY_ACTOR, readRejection, rejectionByHash, type Effect } from "./payloads";
import type { Payloads } from "./payload_rules";
import { sha256 } from "./sha256";
import type { LogTree } from "./tree";

/** Messages and causes that are remembered, over all chains of a bundle. */
export const TRAFFIC_MAX = 1 << 19;

/** A message that an element sent. */
interface Sent {
    sequence: number;
    index: number;
    to: string;
    payload: string;
    request: bigint;
}

/** An element with a cause. */
interface Caused {
    sequence: number;
    cause: Cause;
    input: string;
    /** What an answer by this element would carry; null: a reason that was dropped. */
    answer: string | null;
    output: string;
    /** The output that a rejection with this input as its text would have; null: the input is not there. */
    asReason: string | null;
}

const EFFECTS_KNOWN = 8, UNKNOWN_VERSION = 16, TYPE = 7;

/** How much may still be remembered. */
export class Room {
    left = TRAFFIC_MAX;
}

/** What is remembered of one chain. */
export class Traffic {
    readonly causes: Caused[] = [];
    private readonly causedAt = new Map<number, Caused>();
    private readonly sent: Sent[] = [];
    /** The messages to each actor, in the order in which they were sent. */
    private readonly sentTo = new Map<string, Sent[]>();
    private readonly requests = new Map<bigint, Sent>();
    /** Type and flags of each element, a byte each. */
    private kinds = new Uint8Array(16);
    size = 0;

    constructor(readonly actor: string, readonly tree: LogTree, private readonly room: Room) {}

    /** Whether `count` messages of one element are more than there is room for: further ones need not be gathered. */
    isOver(count: number): boolean {
        return count > this.room.left;
    }

    /** Takes the next element, which was found right; null: it is of a later version. */
    add(element: Element | null, payloads: Payloads, effects: readonly Effect[]): void {
        const sequence = this.size++;
        if (sequence === this.kinds.length) {
            const grown = new Uint8Array(2 * sequence);
            grown.set(this.kinds);
            this.kinds = grown;
        }
        this.kinds[sequence] = element ? element.type | (payloads.effects ? EFFECTS_KNOWN : 0) : UNKNOWN_VERSION;
        this.room.left -= effects.length + (element?.cause ? 1 : 0);
        if (!element || this.room.left < 0)
            return;
        if (element.cause)
            this.addCause(sequence, element, payloads);
        if (effects.length > 0)
            this.addSent(sequence, effects);
    }

    private addCause(sequence: number, element: Element, payloads: Payloads): void {
        const cause = { ...element.cause!, hash: element.cause!.hash.slice() };
        const asReason = cause.failed && payloads.input ? reasonOf(payloads.input.bytes) : null;
        const caused = { sequence, cause, input: keyOf(element.input), answer: answerOf(element, payloads), output: keyOf(element.output), asReason };
        this.causes.push(caused);
        this.causedAt.set(sequence, caused);
    }

    private addSent(sequence: number, effects: readonly Effect[]): void {
        const sent = effects.map(({ index, to, payload, request }) => ({ sequence, index, to, payload: keyOf(payload), request }));
        for (const message of sent) {
            this.sent.push(message);
            if (message.request)
                this.requests.set(message.request, message);
            const list = this.sentTo.get(message.to);
            if (list)
                list.push(message);
            else
                this.sentTo.set(message.to, [message]);
        }
    }

    typeOf(sequence: number): number {
        return this.kinds[sequence]! & TYPE;
    }

    understood(sequence: number): boolean {
        return !(this.kinds[sequence]! & UNKNOWN_VERSION);
    }

    /** Whether the element's effects are there. */
    effectsKnown(sequence: number): boolean {
        return (this.kinds[sequence]! & EFFECTS_KNOWN) !== 0;
    }

    sentToActor(to: string): readonly Sent[] {
        return this.sentTo.get(to) ?? [];
    }

    /** The message that stands as this effect. */
    messageAt(sequence: number, index: number): Sent | undefined {
        const found = this.sent[lowerBound(this.sent, sequence, index)];
        return found?.sequence === sequence && found.index === index ? found : undefined;
    }

    requestOf(id: bigint): Sent | undefined {
        return this.requests.get(id);
    }

    causedBy(sequence: number): Caused | undefined {
        return this.causedAt.get(sequence);
    }
}

/** The hash of what an answer by this element carries: its output, or the text of its reason. */
function answerOf(element: Element, payloads: Payloads): string | null {
    if (element.type !== REJECTION)
        return keyOf(element.output);
    const reason = rejectionByHash(element.output) ?? (payloads.output ? readRejection(payloads.output.bytes) : null);
    return reason && keyOf(sha256(utf8(reason.message)));
}

/** The hash of the output that gives a text as an actor's reason; empty, which no hash is, where it is no text. */
function reasonOf(text: Uint8Array): string {
    const message = fromUtf8(text);
    return message === null ? "" : keyOf(sha256(concat(Uint8Array.of(0x82, BY_ACTOR), textHead(text.length), text)));
}

/** The head of a text in CBOR. */
function textHead(size: number): Uint8Array {
    if (size < 24)
        return Uint8Array.of(0x60 | size);
    if (size < 256)
        return Uint8Array.of(0x78, size);
    return size < 65536 ? Uint8Array.of(0x79, size >> 8, size) : Uint8Array.of(0x7a, size >>> 24, size >> 16, size >> 8, size);
}

/** What is wrong with a cause, and where. */
export class CauseFault extends Error {
    constructor(readonly actor: string, readonly sequence: number, message: string) {
        super(message);
    }
}

export interface BetweenReport {
    checked: number;
    /** The named chain or element is not there. */
    missing: number;
    /** What it takes was dropped, or is of a later version. */
    unchecked: number;
}

type Outcome = keyof BetweenReport;

const before = (a: Sent, sequence: number, index: number): boolean =>
    a.sequence < sequence || (a.sequence === sequence && a.index < index);

/** The place of the first message that is not before (sequence, index). */
function lowerBound(list: readonly Sent[], sequence: number, index: number): number {
    let low = 0, high = list.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (before(list[middle]!, sequence, index))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/** Checks the causes of one chain against all. */
class ChainCauses {
    private readonly last = new Map<string, { sequence: number; index: number }>();
    /** Requests of this chain that an element of it says were not delivered. */
    readonly denied: { request: Sent; sequence: number }[] = [];

    constructor(private readonly chain: Traffic, private readonly all: ReadonlyMap<string, readonly Traffic[]>) {}

    check(caused: Caused): Outcome {
        if (caused.cause.kind === MESSAGE)
            return this.message(caused);
        if (caused.cause.kind === ANSWER)
            return this.answer(caused);
        const outcome = this.ownRequest(caused, null, -1);
        if (outcome === "checked")
            this.denied.push({ request: this.chain.requestOf(caused.cause.request)!, sequence: caused.sequence });
        return outcome;
    }

    private found(caused: Caused, message: string): never {
        throw new CauseFault(this.chain.actor, caused.sequence, message);
    }

    /** Among the chains of the cause's name the one that has the element with the cause's hash, else the newest, in
     * which the check then finds the difference. */
    private chainOf(cause: Cause): Traffic | undefined {
        const named = this.all.get(cause.actor) ?? [], sequence = Number(cause.sequence);
        return named.find((chain) => sequence < chain.size && equal(chain.tree.leaf(sequence), cause.hash)) ?? named[named.length - 1];
    }

    private checkHash(caused: Caused, chain: Traffic, sequence: number, hash: Uint8Array): void {
        if (!equal(chain.tree.leaf(sequence), hash))
            this.found(caused, `element ${sequence} of actor ${chain.actor} has another hash`);
    }

    private message(caused: Caused): Outcome {
        const { cause } = caused, sequence = Number(cause.sequence), index = Number(cause.index);
        const sender = this.chainOf(cause), last = this.last.get(cause.actor);
        this.last.set(cause.actor, { sequence, index });
        if (!sender)
            return "missing";
        const mine = sender.sentToActor(this.chain.actor);
        const next = last ? mine[lowerBound(mine, last.sequence, last.index + 1)] : undefined;
        const leftOut = (): void => {
            if (next && before(next, sequence, index))
                this.found(caused, `effect ${next.index} of element ${next.sequence} of actor ${cause.actor} was left out before it`);
        };
        if (next && next.sequence < sequence)
            leftOut();
        if (sequence >= sender.size)
            return "missing";
        this.checkHash(caused, sender, sequence, cause.hash);
        if (!sender.understood(sequence))
            return "unchecked";
        if (sender.typeOf(sequence) === REJECTION)
            this.found(caused, "its cause is a rejection, which sends nothing");
        if (!sender.effectsKnown(sequence))
            return "unchecked";
        leftOut();
        const effect = sender.messageAt(sequence, index);
        if (!effect)
            return this.found(caused, `its cause has no message as effect ${cause.index}`);
        if (effect.to !== this.chain.actor)
            this.found(caused, `its cause is a message to actor ${effect.to}`);
        if (effect.payload !== caused.input)
            this.found(caused, "its input is not what its cause sent");
        return "checked";
    }

    private answer(caused: Caused): Outcome {
        const { cause } = caused, sequence = Number(cause.sequence);
        const target = this.chainOf(cause);
        if (!target || sequence >= target.size)
            return "missing";
        this.checkHash(caused, target, sequence, cause.hash);
        if (!target.understood(sequence))
            return "unchecked";
        const type = target.typeOf(sequence);
        if (type !== TRANSITION && type !== REJECTION)
            this.found(caused, "its cause is neither a transition nor a rejection");
        if (cause.failed !== (type === REJECTION))
            this.found(caused, `its cause is a ${TYPE_NAMES[type]}`);
        const other = target.causedBy(sequence);
        if (!other || other.cause.kind !== MESSAGE || other.cause.actor !== this.chain.actor || other.cause.sequence !== cause.request >> 16n)
            return this.found(caused, "its cause does not answer this actor's request");
        if (other.answer !== null && other.answer !== caused.input)
            this.found(caused, "its input is not what its cause answered");
        // A reason that was dropped and is none of the fixed ones: then it is the actor's own text.
        if (other.answer === null && caused.asReason !== null && caused.asReason !== other.output)
            this.found(caused, "its input is not the text that rejected its request");
        const own = this.ownRequest(caused, other.cause.hash, Number(other.cause.index));
        return own === "checked" && other.answer === null ? "unchecked" : own;
    }

    /** The request that a cause answers; `index` -1 stands for any effect. */
    private ownRequest(caused: Caused, hash: Uint8Array | null, index: number): Outcome {
        const { cause } = caused, sequence = Number(cause.request >> 16n);
        if (sequence >= caused.sequence || (cause.request & 0xffffn) === 0n)
            this.found(caused, "it answers a request that was not made before it");
        if (hash)
            this.checkHash(caused, this.chain, sequence, hash);
        if (!this.chain.effectsKnown(sequence))
            return "unchecked";
        const effect = this.chain.requestOf(cause.request);
        if (effect?.to !== cause.actor)
            return this.found(caused, `element ${sequence} has no such request to actor ${cause.actor}`);
        if (index >= 0 && index !== effect.index)
            this.found(caused, `its cause answers another effect of element ${sequence}`);
        return "checked";
    }
}

/** Checks the causes of all chains against each other; null: more went on than is remembered, so nothing was
 * checked. `breathe` is waited for behind each cause that took long enough for it to give a promise; what it throws
 * ends the check. Throws `CauseFault` with the first fault. */
export async function checkBetween(chains: readonly Traffic[], room: Room, breathe: () => Promise<void> | null = () => null): Promise<BetweenReport | null> {
    if (room.left < 0 || chains.some((chain) => !chain.tree.kept))
        return null;
    const report: BetweenReport = { checked: 0, missing: 0, unchecked: 0 };
    const named = new Map<string, Traffic[]>();
    for (const chain of chains) {
        const others = named.get(chain.actor);
        if (others)
            others.push(chain);
        else
            named.set(chain.actor, [chain]);
    }
    const claims = new Map<string, Claim>();
    for (const chain of chains) {
        const causes = new ChainCauses(chain, named);
        for (const caused of chain.causes) {
            report[causes.check(caused)]++;
            const pause = breathe();
            if (pause)
                await pause;
        }
        for (const { request, sequence } of causes.denied)
            claims.set(`${keyOf(chain.tree.leaf(request.sequence))} ${request.index}`, { chain, sequence });
    }
    checkClaims(chains, claims);
    return report;
}

/** An element says that a request was not delivered. */
interface Claim {
    chain: Traffic;
    sequence: number;
}

/** No element of any chain may have a request as its cause that is said to be undelivered. */
function checkClaims(chains: readonly Traffic[], claims: ReadonlyMap<string, Claim>): void {
    if (claims.size === 0)
        return;
    for (const { actor, causes } of chains) {
        for (const { cause, sequence } of causes) {
            const lie = cause.kind === MESSAGE ? claims.get(`${keyOf(cause.hash)} ${cause.index}`) : undefined;
            if (lie)
                throw new CauseFault(lie.chain.actor, lie.sequence, `the request that it says was not delivered is element ${sequence} of actor ${actor}`);
        }
    }
}

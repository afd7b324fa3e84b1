// What must be remembered of a chain to judge its causes: the last message of each sender (they ascend), the
// requests that are open, the elements that were an answer, and whose effects were dropped. The number of what is
// remembered is bounded.
import { MESSAGE, ANSWER, type Cause } from "./element";
import { Failure } from "./problem";

export const REMEMBERED_MAX = 1 << 22;

export class CauseBook {
    private readonly last = new Map<string, { sequence: bigint; index: bigint }>();
    /** Open requests, by id: to whom. */
    private readonly requests = new Map<bigint, string>();
    private readonly answers = new Set<string>();
    private readonly unknown = new Set<bigint>();
    private readonly dropped: { first: bigint; last: bigint }[] = [];

    constructor(private readonly max = REMEMBERED_MAX) {}

    private bound(): void {
        const count = this.last.size + this.requests.size + this.answers.size + this.unknown.size + this.dropped.length;
        if (count >= this.max)
            throw new Failure("too-large", `more than ${this.max} senders, open requests and answers to remember`);
    }

    /** Notes a request effect. */
    request(id: bigint, to: string): void {
        this.bound();
        this.requests.set(id, to);
    }

    /** Notes that the effects of this element are not there. */
    effectsDropped(sequence: bigint): void {
        const newest = this.dropped[this.dropped.length - 1];
        if (newest && newest.last + 1n === sequence) {
            newest.last = sequence;
            return;
        }
        this.bound();
        this.dropped.push({ first: sequence, last: sequence });
    }

    /** Takes the cause of the next element: what is wrong with it, and whether a request could not be looked at,
     * because the effects that made it were dropped. */
    take(cause: Cause): { problem: string | null; unchecked: boolean } {
        if (cause.kind === MESSAGE)
            return { problem: this.takeMessage(cause), unchecked: false };
        if (cause.kind === ANSWER) {
            const key = `${cause.sequence} ${cause.actor}`;
            if (this.answers.has(key))
                return { problem: "the same element was an answer before", unchecked: false };
            this.bound();
            this.answers.add(key);
        }
        return this.close(cause);
    }

    private takeMessage(cause: Cause): string | null {
        const sender = this.last.get(cause.actor);
        if (sender && sender.sequence === cause.sequence && sender.index === cause.index)
            return "the same message was taken in before";
        if (sender && (sender.sequence > cause.sequence || (sender.sequence === cause.sequence && sender.index > cause.index)))
            return "the messages of one sender do not ascend";
        if (!sender)
            this.bound();
        this.last.set(cause.actor, { sequence: cause.sequence, index: cause.index });
        return null;
    }

    /** Both kinds of answer close the request. */
    private close(cause: Cause): { problem: string | null; unchecked: boolean } {
        const target = this.requests.get(cause.request);
        if (target !== undefined) {
            if (target !== cause.actor)
                return { problem: "the request that it answers went to another actor", unchecked: false };
            this.requests.delete(cause.request);
            return { problem: null, unchecked: false };
        }
        if ((cause.request & 0xffffn) === 0n || !this.wasDropped(cause.request >> 16n))
            return { problem: "no earlier element has the request that it answers, or it was answered before", unchecked: false };
        if (this.unknown.has(cause.request))
            return { problem: "the request was answered before", unchecked: true };
        this.bound();
        this.unknown.add(cause.request);
        return { problem: null, unchecked: true };
    }

    private wasDropped(sequence: bigint): boolean {
        let low = 0, high = this.dropped.length;
        while (low < high) {
            const middle = (low + high) >> 1;
            if (this.dropped[middle]!.last < sequence)
                low = middle + 1;
            else
                high = middle;
        }
        return low < this.dropped.length && this.dropped[low]!.first <= sequence;
    }
}

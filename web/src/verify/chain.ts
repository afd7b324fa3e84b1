// Checks one chain from its first element to its last, in the order of a bundle, and stops at the first fault.
// The rules are those of docs/chain-format.md, "What a reader can check without running anything"; the words are
// those of `theater verify`.
//
// Invariants
//  1. After a fault nothing is looked at any more.
//  2. What is counted are exactly the elements that were found right, so `elements` is the sequence of the next.
//  3. After an element of a later version only links are followed, since nothing else is known to keep its
//     meaning.
import { Traffic, type Room } from "./between";
import { equal, fromUtf8, hex } from "./bytes";
import { CauseBook } from "./causes";
import { decodeElementStrict, decodeLink, problemOf, type Element } from "./element";
import type { Hashing } from "./hashing";
import { BadNote, hasEd25519, logNameOf, parseKey, parseNote, signatureProblem, type Note, type VerifierKey } from "./note";
import { checkPayloads, type Payloads } from "./payload_rules";
import type { Effect, Limits } from "./payloads";
import { Failure } from "./problem";
import { LogTree, stateRoot } from "./tree";
import type { ChainReport, CheckName, Fault, KeySource } from "./types";

/** Elements whose hashes are kept for the heads of old checkpoints; 64 bytes each. */
export const HASHES_MAX = 1 << 22;
/** Elements behind which a snapshot may stand. */
export const RECENT_STATES = 1 << 16;
const WAITING_COMPONENTS = 256;
const U64_MAX = (1n << 64n) - 1n;
const NO_HASH = new Uint8Array(32);

/** Ends the check of a chain with what was found. */
export class Found extends Error {
    constructor(readonly check: CheckName, readonly sequence: bigint | null, message: string) {
        super(message);
    }
}

/** What was done, in numbers; kept over all chains of a bundle. */
export class Counts {
    elements = 0;
    payloads = 0;
    dropped = 0;
    descriptors = 0;
    limits = 0;
    effects = 0;
    causes = 0;
    uncheckedAnswers = 0;
    components = 0;
    snapshots = 0;
    lateSnapshots = 0;
    treeHeads = 0;
    uncheckedHeads = 0;
    signatures = 0;
    uncheckedSignatures = 0;
    unknownVersion = 0;
}

export class ChainVerifier {
    elements = 0;
    readonly causes = new CauseBook();
    readonly tree = new LogTree(HASHES_MAX);
    /** What the check against the other chains takes. */
    readonly traffic: Traffic;
    /** The messages of the element that is being checked. */
    sending: Effect[] = [];
    /** Those in force; null: the descriptor is not there. */
    limits: Limits | null = null;
    private linksOnly = false;
    private unknownVersion = 0;
    private head: Uint8Array = NO_HASH;
    private genesis: Uint8Array = NO_HASH;
    private root: Uint8Array = NO_HASH;
    private stateSize = 0n;
    private timestamp = 0n;
    private fuel = 0n;
    /** State root and size by sequence modulo RECENT_STATES. */
    private readonly recentRoots: Uint8Array[] = [];
    private readonly recentSizes: bigint[] = [];
    private waiting: Uint8Array[] = [];
    private bundleKey: VerifierKey | null = null;
    private keySeen = false;
    private checkpoints = 0;
    private checkpointSize = 0n;
    private note: string | null = null;
    private keySource: KeySource = "none";
    private usedKey: string | null = null;

    constructor(
        readonly actor: string,
        private readonly hashing: Hashing,
        readonly counts: Counts,
        private readonly userKeys: readonly VerifierKey[],
        /** Texts of the user's keys that signed something. */
        private readonly usedKeys: Set<string>,
        room: Room,
    ) {
        this.traffic = new Traffic(actor, this.tree, room);
    }

    /** Throws the fault, with its place in front of the words. */
    find(check: CheckName, sequence: bigint | null, message: string, named = true): never {
        const place = sequence !== null && named ? `element ${sequence} of ` : "";
        throw new Found(check, sequence, `${place}actor ${this.actor}: ${message}`);
    }

    // ---- elements

    /** Takes the next element, with what payloads there are and their hashes. */
    element(encoding: Uint8Array, payloads: Payloads): void {
        const hash = this.hashing.leaf(encoding);
        if (this.linksOnly) {
            this.followLinks(encoding, hash);
            return;
        }
        const next = BigInt(this.elements);
        let element: Element | null = null;
        try {
            element = decodeElementStrict(encoding);
        } catch (error) {
            this.find("encoding", next, problemOf(error));
        }
        if (!element) {
            this.followLinks(encoding, hash);
            return;
        }
        this.checkPlace(element, next);
        this.sending = [];
        checkPayloads(this, element, payloads);
        this.traffic.add(element, payloads, this.sending);
        this.accept(hash, element);
    }

    private checkLinks(sequence: bigint, previous: Uint8Array): void {
        const next = BigInt(this.elements);
        if (sequence !== next)
            this.find("sequence", next, `the sequence is ${sequence}`);
        if (!equal(previous, this.head))
            this.find("previous", next, "previous hash differs");
    }

    private checkPlace(element: Element, next: bigint): void {
        this.checkLinks(element.sequence, element.previous);
        if (next === 0n)
            return;
        if (element.timestamp < this.timestamp)
            this.find("timestamp", next, "the timestamp is less than that of the element before");
        if (!equal(element.stateBefore, this.root))
            this.find("state", next, "state-before differs from the state-after of the element before");
        if (element.stateSize !== this.stateSize && equal(element.stateBefore, element.stateAfter))
            this.find("state", next, "the state is the same and its size is not");
    }

    private followLinks(encoding: Uint8Array, hash: Uint8Array): void {
        const next = BigInt(this.elements);
        try {
            const link = decodeLink(encoding);
            this.checkLinks(link.sequence, link.previous);
        } catch (error) {
            if (error instanceof Found)
                throw error;
            this.find("encoding", next, problemOf(error));
        }
        this.linksOnly = true;
        this.unknownVersion++;
        this.counts.unknownVersion++;
        this.traffic.add(null, { input: null, output: null, effects: null }, []);
        this.accept(hash, null);
    }

    private accept(hash: Uint8Array, element: Element | null): void {
        this.tree.append(hash);
        if (this.elements === 0)
            this.genesis = hash;
        this.head = hash;
        if (element) {
            // The element is a view of what was read; what is remembered must not keep all of that alive.
            if (!equal(this.root, element.stateAfter))
                this.root = element.stateAfter.slice();
            this.stateSize = element.stateSize;
            this.timestamp = element.timestamp;
            const fuel = this.fuel + element.fuel;
            this.fuel = fuel > U64_MAX ? U64_MAX : fuel;
            const place = this.elements % RECENT_STATES;
            this.recentRoots[place] = this.root;
            this.recentSizes[place] = this.stateSize;
        }
        this.elements++;
        this.counts.elements++;
    }

    // ---- what stands between and behind the elements

    component(hash: Uint8Array): void {
        if (this.waiting.length === WAITING_COMPONENTS)
            throw new Failure("too-large", `more than ${WAITING_COMPONENTS} components that no element has named`);
        this.waiting.push(hash);
        this.counts.components++;
    }

    /** A descriptor that was dropped may name any of them. */
    nameAnyComponent(): void {
        this.waiting = [];
    }

    /** A descriptor names it. */
    nameComponent(hash: Uint8Array): void {
        if (this.waiting.length > 0)
            this.waiting = this.waiting.filter((waiting) => !equal(waiting, hash));
    }

    snapshot(sequence: bigint, state: Uint8Array): void {
        if (sequence >= BigInt(this.elements))
            this.find("snapshot", sequence, "a snapshot comes before its element");
        if (this.linksOnly)
            return; // a later version's element may say something else about the state
        if (BigInt(this.elements) - sequence > BigInt(RECENT_STATES)) {
            this.counts.lateSnapshots++;
            return;
        }
        const place = Number(sequence) % RECENT_STATES;
        if (BigInt(state.length) !== this.recentSizes[place] || !equal(stateRoot(state), this.recentRoots[place]!))
            this.find("snapshot", sequence, "the snapshot is not the state after it");
        this.counts.snapshots++;
    }

    keyText(text: Uint8Array): void {
        if (this.keySeen)
            this.find("order", null, "a second key");
        try {
            this.bundleKey = parseKey(fromUtf8(text) ?? "");
        } catch (error) {
            if (!(error instanceof BadNote))
                throw error;
            this.find("key", null, `the bundle's key: ${error.message}`);
        }
        if (this.elements === 0 || !logNameOf(this.bundleKey.name, this.actor, this.genesis))
            this.find("key", null, "the bundle's key is of another chain");
        this.keySeen = true;
    }

    async checkpoint(bytes: Uint8Array): Promise<void> {
        let note: Note;
        try {
            note = parseNote(bytes);
        } catch (error) {
            if (!(error instanceof BadNote))
                throw error;
            this.find("checkpoint", null, error.message);
        }
        const { size } = note;
        const wrong = (words: string): never => this.find("checkpoint", null, words);
        if (this.elements === 0 || !logNameOf(note.name, this.actor, this.genesis))
            wrong(`the checkpoint of size ${size} is of another chain`);
        if (size > BigInt(this.elements))
            wrong(`the checkpoint is of size ${size}, but only ${this.elements} elements are here`);
        const head = this.tree.headAt(Number(size));
        if (head && !equal(head, note.head))
            wrong(`the checkpoint of size ${size} has another tree head`);
        const signed = await this.checkSignature(note);
        if (!head) {
            this.counts.uncheckedHeads++;
            return;
        }
        this.checkpoints++;
        this.counts.treeHeads++;
        if (size >= this.checkpointSize) {
            this.checkpointSize = size;
            if (signed)
                this.note = fromUtf8(bytes);
        }
    }

    /** Whether the note's signature was checked and is good. */
    private async checkSignature(note: Note): Promise<boolean> {
        const key = this.chooseKey(note.name);
        if (!key) {
            this.counts.uncheckedSignatures++;
            return false;
        }
        this.usedKey = key.text;
        if (!(await hasEd25519())) {
            if (note.name !== key.name)
                this.find("checkpoint", null, `checkpoint: it is of the log ${note.name}, the key of ${key.name}`);
            this.keySource = "unsupported";
            this.counts.uncheckedSignatures++;
            return false;
        }
        const problem = await signatureProblem(note, key);
        if (problem)
            this.find("checkpoint", null, problem);
        this.keySource = key === this.bundleKey ? "bundle" : "user";
        if (this.keySource === "user")
            this.usedKeys.add(key.text);
        this.counts.signatures++;
        return true;
    }

    /** The user's key for this log if the user gave any, else the bundle's. */
    private chooseKey(name: string): VerifierKey | null {
        if (this.userKeys.length === 0)
            return this.bundleKey;
        return this.userKeys.find((key) => key.name === name)
            ?? this.find("key", null, `the key that was given is not of the log ${name}`);
    }

    // ---- the end

    /** Ends the chain: the fault that only shows then, or null. */
    finish(): Fault | null {
        if (this.elements === 0)
            this.find("empty", null, "there is no element");
        if (this.waiting.length > 0 && !this.linksOnly)
            this.find("component", null, "there is a component that no later element names");
        if (!this.linksOnly)
            return null;
        const sequence = BigInt(this.elements - this.unknownVersion);
        const message = `element ${sequence} of actor ${this.actor}: a version that is not known; from there only the links were checked`;
        return { check: "version", actor: this.actor, sequence, message };
    }

    report(): ChainReport {
        return {
            actor: this.actor,
            elements: this.elements,
            genesis: hex(this.genesis),
            head: hex(this.head),
            treeHead: hex(this.tree.head()),
            stateRoot: hex(this.root),
            stateSize: this.stateSize,
            timestamp: this.timestamp,
            fuel: this.fuel,
            checkpoints: this.checkpoints,
            checkpointSize: this.checkpointSize,
            note: this.note,
            keySource: this.keySource,
            key: this.usedKey ?? this.bundleKey?.text ?? null,
        };
    }
}

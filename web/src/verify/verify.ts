// Checks a bundle as it streams in, and words the report.
//
// The work is done in slices of some tens of milliseconds, with a turn of the event loop between them, so that a
// cancellation is heard. Small payloads are hashed at once, large ones by WebCrypto, which answers later.
import { CauseFault, checkBetween, Room, type BetweenReport, type Traffic } from "./between";
import { BadBundle, BundleReader, type Item, type Source } from "./bundle";
import { ChainVerifier, Counts, Found } from "./chain";
import { Hashing } from "./hashing";
import { BadNote, parseKey, type VerifierKey } from "./note";
import type { Payload } from "./payload_rules";
import { Failure } from "./problem";
import type { ChainReport, Checked, Fault, KeySource, NotChecked, Progress, Report, Verdict } from "./types";

const SLICE_MS = 40, PROGRESS_MS = 100;
/** Chains of one bundle: each takes some 2 KiB until the end. */
export const CHAINS_MAX = 1 << 16;

export interface Settings {
    keys?: readonly string[];
    totalBytes?: number | null;
    onProgress?: (progress: Progress) => void;
    /** Asked between slices. */
    cancelled?: () => boolean;
    /** Lets other events run; resolves at once by default. */
    pause?: () => Promise<void>;
}

const now = (): number => performance.now();

function parseKeys(texts: readonly string[]): VerifierKey[] {
    return texts.map((text) => {
        try {
            return parseKey(text.trim());
        } catch (error) {
            throw error instanceof BadNote ? new Failure("argument", error.message) : error;
        }
    });
}

class BundleCheck {
    private readonly hashing = new Hashing();
    private readonly counts = new Counts();
    private readonly keys: VerifierKey[];
    private readonly usedKeys = new Set<string>();
    private readonly reader: BundleReader;
    private readonly chains: ChainReport[] = [];
    private readonly traffic: Traffic[] = [];
    private readonly geneses = new Set<string>();
    private readonly room = new Room();
    private between: BetweenReport | null = null;
    private chain: ChainVerifier | null = null;
    /** Of a later version: the verdict, if nothing worse comes. */
    private unknown: Fault | null = null;
    private readonly began = now();
    private sliceEnd = this.began + SLICE_MS;
    private nextProgress = this.began + PROGRESS_MS;

    constructor(source: Source, private readonly settings: Settings) {
        this.keys = parseKeys(settings.keys ?? []);
        this.reader = new BundleReader(source);
    }

    async run(): Promise<Report> {
        const fault = await this.findFault();
        await this.hashing.settle(true);
        this.progress();
        return this.report(fault);
    }

    /** Reads to the end or to the first fault. */
    private async findFault(): Promise<Fault | null> {
        try {
            await this.read();
            this.endChain();
            this.requireKeys();
            if (!this.unknown)
                this.between = await checkBetween(this.traffic, this.room, () => (now() > this.sliceEnd ? this.breathe() : null));
            return null;
        } catch (error) {
            if (error instanceof CauseFault) {
                const { actor, sequence } = error;
                return { check: "cause", actor, sequence: BigInt(sequence), message: `element ${sequence} of actor ${actor}: ${error.message}` };
            }
            if (error instanceof Found)
                return { check: error.check, actor: this.chain?.actor ?? "", sequence: error.sequence, message: error.message };
            if (error instanceof BadBundle) {
                const { chain } = this;
                const at = chain?.elements ? `behind element ${chain.elements - 1}` : "before element 0";
                const place = chain ? `${at} of actor ${chain.actor}: ` : "";
                const sequence = chain ? BigInt(chain.elements) : null;
                return { check: "bundle", actor: chain?.actor ?? "", sequence, message: place + error.message };
            }
            throw error;
        }
    }

    private async read(): Promise<void> {
        for (;;) {
            for (let item = this.reader.next(); item; item = this.reader.next()) {
                const later = this.take(item);
                if (later)
                    await later;
                if (now() > this.sliceEnd)
                    await this.breathe();
            }
            if (!(await this.reader.fill()))
                return;
        }
    }

    private async breathe(): Promise<void> {
        await this.hashing.settle(false);
        if (now() > this.nextProgress) {
            this.progress();
            this.nextProgress = now() + PROGRESS_MS;
        }
        await this.settings.pause?.();
        if (this.settings.cancelled?.())
            throw new Failure("cancelled", "the verification was cancelled");
        this.sliceEnd = now() + SLICE_MS;
    }

    private progress(): void {
        this.settings.onProgress?.({
            bytes: this.reader.offset,
            totalBytes: this.settings.totalBytes ?? null,
            elements: this.counts.elements,
            actor: this.chain?.actor ?? "",
            milliseconds: now() - this.began,
        });
    }

    // ---- items

    /** Takes one item; a promise where it takes one. */
    private take(item: Item): Promise<void> | null {
        if (item.kind === "header") {
            this.endChain();
            if (this.chains.length === CHAINS_MAX)
                throw new Failure("too-large", `bundle: more than ${CHAINS_MAX} chains`);
            this.chain = new ChainVerifier(item.actor, this.hashing, this.counts, this.keys, this.usedKeys, this.room);
            return null;
        }
        const chain = this.chain!; // the reader refuses a file that begins without a header
        switch (item.kind) {
            case "element":
                return this.takeElement(chain, item);
            case "component": {
                const hash = this.hashing.of(item.component);
                if (!(hash instanceof Promise)) {
                    chain.component(hash);
                    return null;
                }
                return hash.then((known) => chain.component(known));
            }
            case "snapshot":
                chain.snapshot(item.sequence, item.state);
                return null;
            case "key":
                chain.keyText(item.text);
                return null;
            case "checkpoint":
                return chain.checkpoint(item.note);
        }
    }

    private takeElement(chain: ChainVerifier, item: Extract<Item, { kind: "element" }>): Promise<void> | null {
        const input = this.payload(item.input), output = this.payload(item.output), effects = this.payload(item.effects);
        if (!(input instanceof Promise) && !(output instanceof Promise) && !(effects instanceof Promise)) {
            chain.element(item.encoding, { input, output, effects });
            return null;
        }
        return Promise.all([input, output, effects]).then(([first, second, third]) =>
            chain.element(item.encoding, { input: first, output: second, effects: third }));
    }

    private payload(bytes: Uint8Array | null): Payload | null | Promise<Payload> {
        if (!bytes)
            return null;
        const hash = this.hashing.of(bytes);
        return hash instanceof Promise ? hash.then((known) => ({ bytes, hash: known })) : { bytes, hash };
    }

    private endChain(): void {
        if (!this.chain)
            return;
        const unknown = this.chain.finish();
        this.unknown ??= unknown;
        const report = this.chain.report();
        this.chains.push(report);
        this.traffic.push(this.chain.traffic);
        this.chain = null;
        if (this.geneses.has(report.genesis))
            throw new Found("order", null, `actor ${report.actor}: the same chain stands twice in the bundle`);
        this.geneses.add(report.genesis);
    }

    /** A key that was given and checked nothing must not look like a good answer: whoever altered a bundle could
     * have left the checkpoints out. */
    private requireKeys(): void {
        const idle = this.keys.find((key) => !this.usedKeys.has(key.text));
        const actor = this.chains[0]?.actor ?? "";
        if (!idle || this.chains.some((chain) => chain.keySource === "unsupported"))
            return;
        if (this.counts.treeHeads > 0)
            throw new Found("key", null, `actor ${actor}: the given key is for ${idle.name}, and no checkpoint here is signed by it`);
        throw new Found("checkpoint", null, `actor ${actor}: there is no checkpoint that the given key (${idle.name}) could be checked with`);
    }

    // ---- the report

    private report(fault: Fault | null): Report {
        if (this.chain)
            this.chains.push(this.chain.report());
        const verdict: Verdict = fault ? "failed" : this.unknown ? "unknown-version" : "verified";
        const wrong = fault ?? this.unknown;
        return {
            verdict,
            message: wrong?.message ?? successWords(this.chains, this.counts, this.between),
            fault: wrong,
            chains: this.chains,
            elements: this.counts.elements,
            checked: checkedOf(this.counts, this.between),
            notChecked: notCheckedOf(this.chains, this.counts, this.between),
            hashes: { total: this.hashing.total, webCrypto: this.hashing.webCrypto, crossChecked: this.hashing.crossChecked },
            bytes: this.reader.offset,
            milliseconds: now() - this.began,
        };
    }
}

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;

function keyWords(chains: ChainReport[], counts: Counts): string {
    const has = (source: KeySource): boolean => chains.some((chain) => chain.keySource === source);
    if (counts.treeHeads === 0)
        return "";
    if (has("user"))
        return ", signed by the given key";
    if (has("bundle"))
        return ", signed by the key that came with the bundle";
    return has("unsupported") ? ", signatures not checked: this browser has no Ed25519" : ", signatures not checked: no key";
}

function successWords(chains: ChainReport[], counts: Counts, between: BetweenReport | null): string {
    const whose = chains.length === 1 ? chains[0]!.actor : `${chains.length} chains`;
    const dropped = counts.dropped ? `, ${counts.dropped} payloads were dropped` : "";
    const causes = between ? `, ${plural(between.checked, "cause")} checked, ${between.missing + between.unchecked} not there to check` : "";
    return `${whose}: ${plural(counts.elements, "element")} verified, ${plural(counts.treeHeads, "checkpoint")}${keyWords(chains, counts)}${dropped}${causes}`;
}

function checkedOf(counts: Counts, between: BetweenReport | null): Checked[] {
    const known = counts.elements - counts.unknownVersion;
    const all: Checked[] = [
        { name: "elements", what: "elements decoded in the one right form, with the rules of the type", count: known },
        { name: "links", what: "links: each sequence, and the hash of the element before", count: counts.elements },
        { name: "states", what: "states against the one before, and timestamps that do not go back", count: known },
        { name: "payloads", what: "inputs, outputs and effects against the hashes in their elements", count: counts.payloads },
        { name: "descriptors", what: "descriptors", count: counts.descriptors },
        { name: "limits", what: "elements against the limits in force", count: counts.limits },
        { name: "effects", what: "effects: log lines, messages, request ids", count: counts.effects },
        { name: "causes", what: "causes: order, repetition, and that an answer was asked for", count: counts.causes },
        { name: "other-chains", what: "causes against the chain that they name: sent to this actor, with this content, none left out", count: between?.checked ?? 0 },
        { name: "components", what: "components, by the hash that a descriptor names", count: counts.components },
        { name: "snapshots", what: "snapshots against the state root of the element", count: counts.snapshots },
        { name: "tree-heads", what: "tree heads of checkpoints", count: counts.treeHeads },
        { name: "signatures", what: "Ed25519 signatures of checkpoints", count: counts.signatures },
    ];
    return all.filter((entry) => entry.count > 0).map((entry) => ({ ...entry, what: counted(entry.count, entry.what) }));
}

/** The words behind a count, for one thing in the singular where they begin with its name. */
const counted = (count: number, what: string): string =>
    count === 1 ? what.replace(/^(element|descriptor|link|state|effect|cause|component|snapshot|tree head|Ed25519 signature)s\b/, "$1") : what;

function notCheckedOf(chains: ChainReport[], counts: Counts, between: BetweenReport | null): NotChecked[] {
    const found: NotChecked[] = [{
        name: "execution",
        what: "that outputs, states, effects and fuel are those that the component makes",
        why: "only running the turns again shows it: `theater replay`",
        count: null,
    }];
    const add = (count: number, name: NotChecked["name"], what: string, why: string): void => {
        if (count > 0)
            found.push({ name, what, why, count });
    };
    add(counts.dropped, "dropped-payloads", "payloads that are not there", "they were dropped, or left out of the bundle; their hashes stand in the elements");
    if (between)
        add(between.missing + between.unchecked, "other-chains", "causes in other chains", "the bundle does not hold what shows that the message was sent: `theater verify --all`");
    else
        add(counts.causes, "other-chains", "causes against the chains that they name", "there is a fault before, or this page keeps no more in memory: `theater verify --all`");
    add(counts.uncheckedAnswers, "answers", "answers to requests that cannot be seen", "the effects that made the requests were dropped");
    add(counts.uncheckedHeads + counts.lateSnapshots, "tree-heads", "tree heads and snapshots of a long way back", "this page keeps no more hashes in memory: `theater verify`");
    const unsupported = chains.some((chain) => chain.keySource === "unsupported");
    add(counts.uncheckedSignatures, "signatures", "signatures of checkpoints", unsupported ? "this browser has no Ed25519" : "there is no key");
    if (chains.some((chain) => chain.keySource === "bundle"))
        found.push({ name: "key", what: "whose key it is", why: "the key came with the bundle: it shows that the file is whole, not who made it", count: null });
    if (chains.some((chain) => chain.checkpointSize < BigInt(chain.elements)))
        found.push({ name: "length", what: "that nothing was cut off at the end", why: "no checkpoint covers the last elements", count: null });
    return found;
}

/** Checks all chains of a bundle. Faults are in the report; throws `Failure` when there can be no verdict, and
 * what the source throws. */
export async function verifyBundle(source: Source, settings: Settings = {}): Promise<Report> {
    return new BundleCheck(source, settings).run();
}

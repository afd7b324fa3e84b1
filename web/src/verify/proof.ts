// Inclusion and consistency proofs as text (docs/proofs.md): reading, and checking them step by step.
import { equal, fromBase64, fromHex, hex, utf8 } from "./bytes";
import { decodeElementStrict, problemOf, TYPE_NAMES, type Element } from "./element";
import { BadNote, hasEd25519, parseKey, parseNote, signatureProblem, type Note, type VerifierKey } from "./note";
import { Failure } from "./problem";
import { consistencyHolds, inclusionHolds, leafHash } from "./tree";
import type { Hex, ProofReport } from "./types";
import { decodeElement } from "./views";

const INCLUSION = "c2sp.org/tlog-proof@v1", CONSISTENCY = "theater-consistency-proof@v1";
/** The longest element, and the most hashes that any proof has. */
const ELEMENT_MAX = 453, HASHES_MAX = 65, NOTE_MAX = 16384;
const TEXT_MAX = 2 * NOTE_MAX + 8192;

interface ProofText {
    kind: "inclusion" | "consistency";
    element: Uint8Array;
    index: bigint;
    older: Uint8Array;
    hashes: Uint8Array[];
    note: Uint8Array;
}

/** A text that is no proof. */
class BadProof extends Error {}

class Lines {
    private at = 0;
    number = 0;

    constructor(private readonly text: string) {}

    /** The next line without its newline; null when none ends. */
    next(): string | null {
        const end = this.text.indexOf("\n", this.at);
        if (end < 0)
            return null;
        const line = this.text.slice(this.at, end);
        this.at = end + 1;
        this.number++;
        return line;
    }

    /** What stands behind `word` in the next line. */
    after(word: string, otherwise: string): string {
        const line = this.next();
        if (line === null || !line.startsWith(word))
            this.bad(otherwise);
        return line.slice(word.length);
    }

    bad(what: string): never {
        throw new BadProof(`proof, line ${this.number}: ${what}`);
    }

    rest(): string {
        return this.text.slice(this.at);
    }
}

function readHashes(lines: Lines): Uint8Array[] {
    const hashes: Uint8Array[] = [];
    for (let line = lines.next(); line !== null; line = lines.next()) {
        if (line === "")
            return hashes;
        if (hashes.length === HASHES_MAX)
            lines.bad("more hashes than any proof has");
        const hash = fromBase64(line);
        if (hash?.length !== 32)
            return lines.bad("not a hash of 32 bytes in base64");
        hashes.push(hash);
    }
    lines.number++;
    return lines.bad("an empty line and a checkpoint are missing");
}

function parseProof(text: string): ProofText {
    const lines = new Lines(text);
    const none = new Uint8Array();
    const first = text.length > TEXT_MAX ? null : lines.next();
    if (first === INCLUSION) {
        const words = '"extra" with the element is missing behind it';
        const element = fromBase64(lines.after("extra ", words));
        if (!element || element.length > ELEMENT_MAX)
            return lines.bad("the element is not in base64, or longer than any element");
        const index = lines.after("index ", '"index" with a number is missing');
        if (!/^(0|[1-9][0-9]{0,18})$/.test(index))
            lines.bad('"index" with a number is missing');
        const hashes = readHashes(lines);
        return { kind: "inclusion", element, index: BigInt(index), older: none, hashes, note: utf8(lines.rest()) };
    }
    if (first === CONSISTENCY) {
        const older = fromBase64(lines.after("older ", '"older" with a checkpoint in base64 is missing behind it'));
        const hashes = readHashes(lines);
        if (!older)
            throw new BadProof("proof, line 2: the older checkpoint is not in base64");
        return { kind: "consistency", element: none, index: 0n, older, hashes, note: utf8(lines.rest()) };
    }
    throw new BadProof(`this is no proof: the first line is neither ${INCLUSION} nor ${CONSISTENCY}`);
}

/** Collects steps; the first that fails ends the check. */
class Steps {
    readonly list: ProofReport["steps"] = [];

    check(what: string, problem: string | null): void {
        this.list.push({ what, ok: problem === null });
        if (problem !== null)
            throw new BadProof(problem);
    }
}

const reading = (read: () => void): string | null => {
    try {
        read();
        return null;
    } catch (error) {
        return error instanceof BadNote ? error.message : problemOf(error);
    }
};

interface Context {
    key: VerifierKey | null;
    signatures: boolean;
    steps: Steps;
    report: ProofReport;
}

/** Reads a checkpoint and checks its signature; `which` is "older " or "newer " or nothing. */
async function checkNote(context: Context, bytes: Uint8Array, which: string): Promise<Note> {
    let note!: Note;
    const { key, steps } = context;
    const prefix = which ? `${which}checkpoint: ` : "";
    const within = (problem: string | null): string | null => (problem === null ? null : prefix + problem);
    steps.check(`the ${which}checkpoint is a signed note`, within(reading(() => (note = parseNote(bytes)))));
    if (key && context.signatures)
        steps.check(`the ${which}checkpoint is signed by the key`, within(await signatureProblem(note, key)));
    else if (key)
        steps.check(`the ${which}checkpoint is of the key's log`, within(note.name === key.name ? null : `it is of the log ${note.name}`));
    return note;
}

async function checkInclusion(context: Context, text: ProofText, shown: Hex | null): Promise<string> {
    const { steps, report } = context;
    const note = await checkNote(context, text.note, "");
    report.log = note.name;
    report.size = note.size;
    let element: Element | null = null;
    steps.check("the proof holds an element of the chain format", reading(() => (element = decodeElementStrict(text.element))));
    const known = element as Element | null;
    steps.check("of a version that this page knows", known ? null : "the element is of a later version");
    steps.check("its sequence is the proof's index", known!.sequence === text.index ? null
        : `the element has the sequence ${known!.sequence}, the proof the index ${text.index}`);
    const leaf = leafHash(text.element);
    report.element = decodeElement(text.element)!;
    report.elementHash = hex(leaf);
    if (shown !== null)
        steps.check("it is the element that is shown", equal(leaf, fromHex(shown) ?? leaf.subarray(0, 0)) ? null
            : "the proof is of another element than the one that is shown");
    steps.check(`its hash and ${text.hashes.length} more lead to the tree head`,
        inclusionHolds(text.index, note.size, leaf, text.hashes, note.head) ? null
            : `the element is not element ${text.index} of the chain that was signed`);
    return `element ${known!.sequence} (${TYPE_NAMES[known!.type]}, ${hex(leaf)}) is one of the ${note.size} that ${note.name} has signed`;
}

async function checkConsistency(context: Context, text: ProofText): Promise<string> {
    const { steps, report } = context;
    const older = await checkNote(context, text.older, "older ");
    const newer = await checkNote(context, text.note, "newer ");
    report.log = newer.name;
    report.size = newer.size;
    report.oldSize = older.size;
    steps.check("both are of one log", older.name === newer.name ? null : `the older checkpoint is of ${older.name}, the newer one of ${newer.name}`);
    steps.check(`${text.hashes.length} hashes lead to both tree heads`,
        consistencyHolds(older.size, newer.size, older.head, newer.head, text.hashes) ? null
            : `the chain of size ${newer.size} does not begin with the chain of size ${older.size}`);
    return `the chain of ${newer.size} elements that ${newer.name} has signed begins with its chain of ${older.size}`;
}

/** Checks a proof. What is wrong with it is in the report; throws `Failure` for a key that is none. */
export async function verifyProof(text: string, keyText: string | null, shown: Hex | null = null): Promise<ProofReport> {
    let key: VerifierKey | null = null;
    try {
        key = keyText === null ? null : parseKey(keyText.trim());
    } catch (error) {
        throw error instanceof BadNote ? new Failure("argument", error.message) : error;
    }
    const signatures = key !== null && (await hasEd25519());
    const steps = new Steps();
    const report: ProofReport = {
        kind: text.startsWith("theater-consistency-proof@") ? "consistency" : "inclusion",
        valid: false, message: "", steps: steps.list, log: "", size: 0n, signatureChecked: signatures,
    };
    const context = { key, signatures, steps, report };
    try {
        const parsed = parseProof(text);
        report.message = parsed.kind === "inclusion" ? await checkInclusion(context, parsed, shown) : await checkConsistency(context, parsed);
        report.valid = true;
    } catch (error) {
        if (!(error instanceof BadProof))
            throw error;
        report.message = error.message;
        if (steps.list.length === 0 || steps.list[steps.list.length - 1]!.ok)
            steps.list.push({ what: "the text is a proof", ok: false });
    }
    return report;
}

// Checkpoints: C2SP signed notes with Ed25519 keys, and verifier keys.
import { equal, fromBase64, fromUtf8, hex, utf8 } from "./bytes";
import { sha256 } from "./sha256";

const NOTE_MAX = 16384, SIGNATURES_MAX = 32, ORIGIN_MAX = 256, LOG_NAME_MAX = ORIGIN_MAX + 1 + 128 + 1 + 16;
const ED25519 = 1;

/** What a note says; `text` is what was signed. */
export interface Note {
    name: string;
    size: bigint;
    head: Uint8Array;
    text: Uint8Array;
    signatures: { name: string; id: string; signature: Uint8Array }[];
}

export interface VerifierKey {
    name: string;
    /** The first four bytes of its hash, in hex. */
    id: string;
    publicKey: Uint8Array;
    text: string;
}

/** A note or key that is none; the message says why. */
export class BadNote extends Error {}

/** Whether the text may name a key: no Unicode space, no control character, no +. */
function keyNameValid(name: string, max: number): boolean {
    const size = utf8(name).length;
    return size >= 1 && size <= max && !/[+\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/.test(name);
}

/** Whether a log's name is `<origin>/<actor>/<16 digits of the genesis>`. */
export function logNameOf(name: string, actor: string, genesis: Uint8Array): boolean {
    const tail = `/${actor}/${hex(genesis.subarray(0, 8))}`;
    return name.endsWith(tail) && keyNameValid(name.slice(0, -tail.length), ORIGIN_MAX);
}

function keyId(name: string, publicKey: Uint8Array): string {
    return hex(sha256(Uint8Array.of(...utf8(name), 0x0a, ED25519, ...publicKey)).subarray(0, 4));
}

/** `name+hash+base64`. Throws `BadNote`. */
export function parseKey(text: string): VerifierKey {
    const match = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/s.exec(text);
    const typed = match ? fromBase64(match[3]!) : null;
    if (!match || !typed || typed.length !== 33 || !keyNameValid(match[1]!, LOG_NAME_MAX))
        throw new BadNote("not a verifier key (name+hash+key)");
    if (typed[0] !== ED25519)
        throw new BadNote(`a verifier key of type ${typed[0]}; only Ed25519 (1) is known`);
    const key = { name: match[1]!, id: match[2]!, publicKey: typed.slice(1), text };
    if (key.id !== keyId(key.name, key.publicKey))
        throw new BadNote("a verifier key whose hash is not that of its name and key");
    return key;
}

function parseSignature(line: string): Note["signatures"][number] | null {
    const match = /^\u2014 ([^ ]*) ([^ ]*)$/.exec(line);
    const bytes = match ? fromBase64(match[2]!) : null;
    if (!match || !bytes || bytes.length < 5 || !keyNameValid(match[1]!, NOTE_MAX))
        return null;
    return { name: match[1]!, id: hex(bytes.subarray(0, 4)), signature: bytes.slice(4) };
}

function parseSize(line: string): bigint | null {
    if (!/^(0|[1-9][0-9]{0,19})$/.test(line))
        return null;
    const size = BigInt(line);
    return size >> 64n ? null : size;
}

/** Throws `BadNote` with what is wrong. */
export function parseNote(note: Uint8Array): Note {
    const bad = (problem: string): never => {
        throw new BadNote(`checkpoint: ${problem}`);
    };
    if (note.length > NOTE_MAX)
        bad("too long");
    const whole = fromUtf8(note) ?? bad("the first line is no log's name");
    const lines = whole.split("\n");
    if (lines.length < 4)
        bad("fewer than three lines");
    const [name, sizeLine, headLine, blank] = lines as [string, string, string, string];
    if (!keyNameValid(name, LOG_NAME_MAX))
        bad("the first line is no log's name");
    const size = parseSize(sizeLine) ?? bad("the second line is no size");
    const head = fromBase64(headLine);
    if (!head || head.length !== 32)
        return bad("the third line is no hash");
    if (blank !== "" || lines.length < 5)
        bad("no blank line behind the third");
    const signatures: Note["signatures"] = [];
    const rest = lines.slice(4);
    const unended = rest.pop() !== "";
    for (const line of rest) {
        if (signatures.length === SIGNATURES_MAX)
            bad("too many signatures");
        signatures.push(parseSignature(line) ?? bad("a signature line that is none"));
    }
    if (unended)
        bad(signatures.length === SIGNATURES_MAX ? "too many signatures" : "a signature line that is none");
    if (signatures.length === 0)
        bad("no signature");
    if (!signatures.some((signature) => signature.name === name))
        bad("no signature by the key that the first line names");
    return { name, size, head, text: utf8(`${name}\n${sizeLine}\n${headLine}\n`), signatures };
}

// ---- Ed25519 by WebCrypto

/** Test 1 of RFC 8032, section 7.1: whoever says no to this has no Ed25519. */
const PROBE_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const PROBE_SIGNATURE = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text.match(/../g)!, (pair) => parseInt(pair, 16));

async function verifyRaw(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
    const subtle = crypto.subtle;
    const key = await subtle.importKey("raw", publicKey as Uint8Array<ArrayBuffer>, { name: "Ed25519" }, false, ["verify"]);
    return subtle.verify({ name: "Ed25519" }, key, signature as Uint8Array<ArrayBuffer>, message as Uint8Array<ArrayBuffer>);
}

let probed: Promise<boolean> | undefined;

/** Whether this browser can check Ed25519 signatures. Never rejects. */
export function hasEd25519(): Promise<boolean> {
    const probe = async (): Promise<boolean> => {
        try {
            return await verifyRaw(bytesOf(PROBE_KEY), new Uint8Array(), bytesOf(PROBE_SIGNATURE));
        } catch {
            return false;
        }
    };
    return (probed ??= probe());
}

/** Whether one of the note's signatures is by this key and good; null when all is well. Signatures by other keys
 * are skipped; one that claims to be by this key has to be right. Ed25519 must be there. */
export async function signatureProblem(note: Note, key: VerifierKey): Promise<string | null> {
    if (note.name !== key.name)
        return `checkpoint: it is of the log ${note.name}, the key of ${key.name}`;
    let good = 0;
    for (const { name, id, signature } of note.signatures) {
        if (name !== key.name || id !== key.id)
            continue;
        let valid = false;
        try {
            valid = signature.length === 64 && (await verifyRaw(key.publicKey, note.text, signature));
        } catch {
            valid = false; // a public key that is no point of the curve
        }
        if (!valid)
            return "checkpoint: the signature does not verify";
        good++;
    }
    return good > 0 ? null : `checkpoint: no signature of the key ${key.name}+${key.id}`;
}

/** Whether two notes say the same of the same log. */
export function sameHead(a: Note, b: Note): boolean {
    return a.name === b.name && a.size === b.size && equal(a.head, b.head);
}

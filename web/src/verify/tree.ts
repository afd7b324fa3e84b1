// The Merkle trees of the chain format (RFC 9162, section 2.1): over the chunks of a state and over the elements
// of a chain; and the proofs over the second.
import { equal } from "./bytes";
import { EMPTY_HASH } from "./element";
import { sha256 } from "./sha256";

export const leafHash = (bytes: Uint8Array): Uint8Array => sha256(bytes, 0);

const pair = new Uint8Array(64);

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
    pair.set(left);
    pair.set(right, 32);
    return sha256(pair, 1);
}

const CHUNK = 4096;

/** The root of a state. */
export function stateRoot(state: Uint8Array): Uint8Array {
    const tree = new LogTree(0);
    for (let at = 0; at < state.length; at += CHUNK)
        tree.append(leafHash(state.subarray(at, at + CHUNK)));
    return tree.head();
}

/** Hashes one behind another, 32 bytes each, in pieces. The last piece grows as it fills: a bundle may hold many
 * chains of a few elements, and each has lists of its own. */
class HashList {
    private readonly pieces: Uint8Array[] = [];
    private static readonly PIECE = 4096;
    private static readonly LEAST = 8;
    count = 0;

    push(hash: Uint8Array): void {
        const place = this.count % HashList.PIECE;
        if (place === 0)
            this.pieces.push(new Uint8Array(HashList.LEAST * 32));
        let piece = this.pieces[this.pieces.length - 1]!;
        if (place * 32 === piece.length) {
            const grown = new Uint8Array(2 * piece.length);
            grown.set(piece);
            this.pieces[this.pieces.length - 1] = piece = grown;
        }
        piece.set(hash, place * 32);
        this.count++;
    }

    /** A view, good until the next `push`; `index` is below `count`. */
    get(index: number): Uint8Array {
        const place = (index % HashList.PIECE) * 32;
        return this.pieces[Math.floor(index / HashList.PIECE)]!.subarray(place, place + 32);
    }
}

/** The tree over the elements of a chain. As long as there are at most `maxKept` it keeps the hash of every
 * complete subtree, 64 bytes an element in sum, and can give the head of every smaller size too; past that only
 * the head of its own size. */
export class LogTree {
    size = 0;
    /** levels[k] holds the hashes of the complete subtrees of 2^k leaves. */
    private levels: HashList[] = [];
    /** The complete subtrees that the tree is made of, the largest first, and the level of each. */
    private range: { level: number; hash: Uint8Array }[] = [];

    constructor(private readonly maxKept: number) {}

    /** Whether the hashes of all leaves are here. */
    get kept(): boolean {
        return this.size <= this.maxKept;
    }

    append(leaf: Uint8Array): void {
        if (this.size === this.maxKept)
            this.levels = [];
        const keep = this.size < this.maxKept;
        let level = 0, hash = leaf;
        if (keep)
            this.keep(0, hash);
        while (this.range.length > 0 && this.range[this.range.length - 1]!.level === level) {
            hash = nodeHash(this.range.pop()!.hash, hash);
            level++;
            if (keep)
                this.keep(level, hash);
        }
        this.range.push({ level, hash });
        this.size++;
    }

    private keep(level: number, hash: Uint8Array): void {
        (this.levels[level] ??= new HashList()).push(hash);
    }

    /** A view, good until the next `append`; all leaves are kept. */
    leaf(index: number): Uint8Array {
        return this.levels[0]!.get(index);
    }

    head(): Uint8Array {
        let hash: Uint8Array | null = null;
        for (let i = this.range.length - 1; i >= 0; i--)
            hash = hash ? nodeHash(this.range[i]!.hash, hash) : this.range[i]!.hash;
        return hash ?? EMPTY_HASH;
    }

    /** The head at a smaller size, or null when it is not known any more. */
    headAt(size: number): Uint8Array | null {
        if (size === this.size)
            return this.head();
        if (!this.kept)
            return null;
        // The complete subtrees from the right: one for each bit of the size, the smallest last.
        let hash: Uint8Array | null = null;
        for (let level = 0, left = size; left > 0; level++, left = Math.floor(left / 2)) {
            if (left % 2 === 0)
                continue;
            const subtree = this.levels[level]!.get(left - 1);
            hash = hash ? nodeHash(subtree, hash) : subtree;
        }
        return hash ?? EMPTY_HASH;
    }
}

// ---- proofs

/** RFC 9162, section 2.1.3.2. */
export function inclusionHolds(index: bigint, size: bigint, leaf: Uint8Array, proof: Uint8Array[], root: Uint8Array): boolean {
    if (index >= size)
        return false;
    let place = index, last = size - 1n, hash = leaf;
    for (const sibling of proof) {
        if (last === 0n)
            return false;
        if (place & 1n || place === last) {
            hash = nodeHash(sibling, hash);
            while (!(place & 1n) && place !== 0n)
                place >>= 1n, last >>= 1n;
        } else {
            hash = nodeHash(hash, sibling);
        }
        place >>= 1n, last >>= 1n;
    }
    return last === 0n && equal(hash, root);
}

/** RFC 9162, section 2.1.4.2; of equal sizes the proof is empty, and so is that of the empty tree. */
export function consistencyHolds(oldSize: bigint, size: bigint, oldRoot: Uint8Array, root: Uint8Array, proof: Uint8Array[]): boolean {
    if (oldSize > size)
        return false;
    if (oldSize === 0n)
        return proof.length === 0 && equal(oldRoot, EMPTY_HASH);
    if (oldSize === size)
        return proof.length === 0 && equal(oldRoot, root);
    const path = [...proof];
    // A complete old tree is itself a node of the new one, which the proof leaves out.
    if ((oldSize & (oldSize - 1n)) === 0n)
        path.unshift(oldRoot);
    let place = oldSize - 1n, last = size - 1n;
    while (place & 1n)
        place >>= 1n, last >>= 1n;
    const first = path.shift();
    if (!first)
        return false;
    let oldHash = first, newHash = first;
    for (const hash of path) {
        if (last === 0n)
            return false;
        if (place & 1n || place === last) {
            oldHash = nodeHash(hash, oldHash);
            newHash = nodeHash(hash, newHash);
            while (!(place & 1n) && place !== 0n)
                place >>= 1n, last >>= 1n;
        } else {
            newHash = nodeHash(newHash, hash);
        }
        place >>= 1n, last >>= 1n;
    }
    return last === 0n && equal(oldHash, oldRoot) && equal(newHash, root);
}

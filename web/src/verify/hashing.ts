// SHA-256 by the browser's WebCrypto, beside our own (sha256.ts): what is large goes there, and of the small
// inputs a part is computed there once more. If the two ever differ, there is no verdict.
import { equal } from "./bytes";
import { Failure } from "./problem";
import { sha256 } from "./sha256";

/** From this size on WebCrypto is faster than we are. */
const LARGE = 16384;
/** One small input in so many is computed a second time. */
const CHECK_EVERY = 128;
/** Second computations under way at the most. */
const WAITING_MAX = 256;

export class Hashing {
    total = 0;
    webCrypto = 0;
    crossChecked = 0;
    private leaves = 0;
    private readonly subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle;
    /** Whether each came out the same; none of them rejects. */
    private waiting: Promise<boolean>[] = [];

    /** SHA-256 of bytes that may be large; a promise only where it takes one. */
    of(bytes: Uint8Array): Uint8Array | Promise<Uint8Array> {
        this.total++;
        return bytes.length >= LARGE && this.subtle ? this.byWebCrypto(bytes) : sha256(bytes);
    }

    /** leaf(bytes), of small bytes. */
    leaf(bytes: Uint8Array): Uint8Array {
        const hash = sha256(bytes, 0);
        this.total++;
        if (this.leaves++ % CHECK_EVERY === 0)
            this.checkAgain(bytes, hash);
        return hash;
    }

    /** Waits for the second computations; throws when one came out otherwise. */
    async settle(all: boolean): Promise<void> {
        if (this.waiting.length === 0 || (!all && this.waiting.length < WAITING_MAX))
            return;
        const waiting = this.waiting;
        this.waiting = [];
        if ((await Promise.all(waiting)).includes(false))
            throw new Failure("internal", "the browser's SHA-256 and this page's differ: neither can be relied on");
    }

    private async byWebCrypto(bytes: Uint8Array): Promise<Uint8Array> {
        this.webCrypto++;
        return new Uint8Array(await this.subtle!.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
    }

    private checkAgain(bytes: Uint8Array, hash: Uint8Array): void {
        if (!this.subtle)
            return;
        const prefixed = new Uint8Array(bytes.length + 1);
        prefixed.set(bytes, 1);
        this.crossChecked++;
        this.waiting.push(this.byWebCrypto(prefixed).then((again) => equal(again, hash), () => false));
    }
}

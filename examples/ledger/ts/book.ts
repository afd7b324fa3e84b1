// book.ts: the ledger's state, byte for byte as ../book.h describes it, and account numbers as ../iban.h does.

const CURRENCY = 8, DECIMALS = 11, ACCOUNTS = 12, SLOTS = 16, SUPPLY = 24, TREASURY = 32, HEADER = 64;
const RECORD = 32, BALANCE = 24, SLOTS_MIN = 16, SLOTS_MAX = 65536;
const MAGIC = 0x315247444c454854n; // "THELDGR1"
const MASK = 0xffffffffffffffffn;

export const AMOUNT_MAX = (1n << 48n) - 1n;

// ---- account numbers ------------------------------------------------------------------------------------------------

/** An account: 24 bytes as three integers. */
export type Key = [bigint, bigint, bigint];

/** The key of an IBAN, 24 bytes as three integers, or null: its characters without the check digits, six bits each. */
export function parseIban(text: string): Key | null {
    if (!/^[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}$/.test(text))
        return null;
    const moved = text.slice(4) + text.slice(0, 4);
    if (BigInt(moved.replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55))) % 97n !== 1n)
        return null;
    let key = 0n, shift = 0n;
    for (let i = 0; i < moved.length - 2; i++, shift += 6n)
        key |= BigInt(parseInt(moved.charAt(i), 36) + 1) << shift;
    return [key & MASK, (key >> 64n) & MASK, key >> 128n];
}

function hashOf([first, second, third]: Key): number {
    let hash = ((first * 0x9e3779b97f4a7c15n) ^ (second * 0xc2b2ae3d27d4eb4fn) ^ (third * 0x165667b19e3779f9n)) & MASK;
    hash = ((hash ^ (hash >> 32n)) * 0xd6e8feb86659fd93n) & MASK;
    return Number(hash >> 32n);
}

// ---- the book -------------------------------------------------------------------------------------------------------

export class Book {
    readonly view: DataView;
    accounts = 0;
    slots = 0;

    constructor(readonly bytes: Uint8Array) {
        this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        if (bytes.length >= HEADER) {
            this.accounts = this.view.getUint32(ACCOUNTS, true);
            this.slots = this.view.getUint32(SLOTS, true);
        }
    }
    /** An empty book whose treasury holds the supply. */
    static make(currency: string, decimals: number, supply: bigint): Book {
        const book = new Book(new Uint8Array(HEADER + 2 * SLOTS_MIN));
        book.view.setBigUint64(0, MAGIC, true);
        for (let i = 0; i < 3; i++)
            book.bytes[CURRENCY + i] = currency.charCodeAt(i);
        book.bytes[DECIMALS] = decimals;
        book.slots = SLOTS_MIN;
        book.view.setUint32(SLOTS, SLOTS_MIN, true);
        book.view.setBigUint64(SUPPLY, supply, true);
        book.view.setBigUint64(TREASURY, supply, true);
        return book;
    }
    get currency(): string {
        return String.fromCharCode(...this.bytes.subarray(CURRENCY, CURRENCY + 3));
    }
    get decimals(): number {
        return this.bytes[DECIMALS];
    }
    get supply(): bigint {
        return this.view.getBigUint64(SUPPLY, true);
    }
    get treasury(): bigint {
        return this.view.getBigUint64(TREASURY, true);
    }
    get isFull(): boolean {
        return this.slots === SLOTS_MAX && this.accounts >= (SLOTS_MAX / 4) * 3;
    }
    balance(record: number): bigint {
        return this.view.getBigUint64(record + BALANCE, true);
    }
    setBalance(record: number, amount: bigint): void {
        this.view.setBigUint64(record + BALANCE, amount, true);
    }
    recordAt(place: number): number {
        return HEADER + 2 * this.slots + RECORD * (place - 1);
    }
    /** Where an account's record is, or 0, and the index slot where it is or would be entered. */
    find(key: Key): { record: number; slot: number } {
        for (let slot = hashOf(key) & (this.slots - 1); ; slot = (slot + 1) & (this.slots - 1)) {
            const place = this.view.getUint16(HEADER + 2 * slot, true);
            if (place === 0)
                return { record: 0, slot };
            const record = this.recordAt(place);
            if (key.every((word, i) => this.view.getBigUint64(record + 8 * i, true) === word))
                return { record, slot };
        }
    }
    /** The same book with room for a record, and with twice the index slots where they are three quarters full. */
    grown(): Book {
        const records = HEADER + 2 * this.slots, size = RECORD * this.accounts;
        const double = this.accounts >= (this.slots / 4) * 3, slots = double ? 2 * this.slots : this.slots;
        const bytes = new Uint8Array(HEADER + 2 * slots + size + RECORD);
        bytes.set(this.bytes.subarray(0, double ? HEADER : records));
        bytes.set(this.bytes.subarray(records, records + size), HEADER + 2 * slots);
        const book = new Book(bytes);
        if (!double)
            return book;
        book.slots = slots;
        book.view.setUint32(SLOTS, slots, true);
        for (let place = 1; place <= book.accounts; place++) {
            const record = book.recordAt(place);
            let slot = hashOf([0, 8, 16].map((at) => book.view.getBigUint64(record + at, true)) as Key) & (slots - 1);
            while (book.view.getUint16(HEADER + 2 * slot, true) !== 0)
                slot = (slot + 1) & (slots - 1);
            book.view.setUint16(HEADER + 2 * slot, place, true);
        }
        return book;
    }
    /** The book with one account more, whose balance comes from the treasury. */
    append(key: Key, balance: bigint): Book {
        const book = this.grown(), { slot } = book.find(key);
        book.accounts += 1;
        const record = book.recordAt(book.accounts);
        key.forEach((word, i) => book.view.setBigUint64(record + 8 * i, word, true));
        book.setBalance(record, balance);
        book.view.setUint16(HEADER + 2 * slot, book.accounts, true);
        book.view.setUint32(ACCOUNTS, book.accounts, true);
        book.view.setBigUint64(TREASURY, book.treasury - balance, true);
        return book;
    }
    /** Whether the bytes are a book in which all money is accounted for. */
    isValid(): boolean {
        const { bytes, view, accounts, slots } = this;
        if (bytes.length < HEADER || view.getBigUint64(0, true) !== MAGIC || this.decimals > 4)
            return false;
        if (slots < SLOTS_MIN || slots > SLOTS_MAX || (slots & (slots - 1)) !== 0 || accounts > (slots / 4) * 3)
            return false;
        if (bytes.length !== HEADER + 2 * slots + RECORD * accounts)
            return false;
        let sum = this.treasury;
        if (sum > AMOUNT_MAX || this.supply > AMOUNT_MAX)
            return false;
        for (let place = 1; place <= accounts; place++) {
            const balance = this.balance(this.recordAt(place));
            if (balance > AMOUNT_MAX)
                return false;
            sum += balance;
        }
        return sum === this.supply;
    }
}

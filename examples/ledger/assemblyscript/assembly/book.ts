// The ledger's state: who has how much. Its layout, and why it is so, stand in ../../book.h.
import { Text } from "./json";

const MAGIC: u64 = 0x315247444c454854; // "THELDGR1"
export const AMOUNT_MAX: u64 = (1 << 48) - 1;

const CURRENCY = 8;
const DECIMALS = 11;
const ACCOUNTS = 12;
const SLOTS = 16;
const SUPPLY = 24;
const TREASURY = 32;
const HEADER: u32 = 64;
const RECORD: u32 = 32;
const BALANCE = 24; // in a record
const SLOTS_MIN: u32 = 16;
const SLOTS_MAX: u32 = 65536;

/** An account number, packed as ../../iban.h says. */
export class Key {
  words: StaticArray<u64> = new StaticArray<u64>(4);

  hash(): u32 {
    let h = this.words[0] * 0x9e3779b97f4a7c15 ^ this.words[1] * 0xc2b2ae3d27d4eb4f ^ this.words[2] * 0x165667b19e3779f9;
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93;
    return <u32>(h >> 32);
  }
}

/** The number that a character stands for in the check (ISO 7064, mod 97-10); 36 for anything else. */
function valueOf(c: u8): u64 {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  return c >= 0x41 && c <= 0x5a ? c - 0x41 + 10 : 36;
}

/** Checks an IBAN (ISO 13616) and packs it. Null when it is none. */
export function parseIban(text: Text): Key | null {
  if (text.length < 15 || text.length > 34) return null;
  const key = new Key();
  let remainder: u64 = 0, bit = 0;
  for (let i = 4; i < text.length + 4; i++) {
    const at = i < text.length ? i : i - text.length, value = valueOf(text.at(at)), digits = at == 2 || at == 3;
    // The country is two letters, the check digits are digits, and the rest is either.
    if (value > 35 || (at < 2 && value < 10) || (digits && value > 9)) return null;
    remainder = (remainder * (value < 10 ? 10 : 100) + value) % 97;
    if (digits) continue;
    const word = bit / 64, shift = bit % 64;
    key.words[word] |= (value + 1) << shift;
    if (shift > 58) key.words[word + 1] |= (value + 1) >> (64 - shift);
    bit += 6;
  }
  return remainder == 1 ? key : null;
}

export class Book {
  constructor(public state: Uint8Array) {}

  /** An empty book whose treasury holds the supply. */
  static make(currency: Text, decimals: u8, supply: u64): Book {
    const book = new Book(new Uint8Array(HEADER + 2 * SLOTS_MIN));
    book.put64(0, MAGIC);
    for (let i = 0; i < 3; i++) book.state[CURRENCY + i] = currency.at(i);
    book.state[DECIMALS] = decimals;
    book.put32(SLOTS, SLOTS_MIN);
    book.put64(SUPPLY, supply);
    book.put64(TREASURY, supply);
    return book;
  }

  // WebAssembly is little-endian, as the layout is.
  private get16(at: i32): u32 { return load<u16>(this.state.dataStart + at); }
  private put16(at: i32, value: u32): void { store<u16>(this.state.dataStart + at, <u16>value); }
  private get32(at: i32): u32 { return load<u32>(this.state.dataStart + at); }
  private put32(at: i32, value: u32): void { store<u32>(this.state.dataStart + at, value); }
  private get64(at: i32): u64 { return load<u64>(this.state.dataStart + at); }
  private put64(at: i32, value: u64): void { store<u64>(this.state.dataStart + at, value); }

  get currency(): string { return String.UTF8.decodeUnsafe(this.state.dataStart + CURRENCY, 3); }
  get decimals(): u32 { return this.state[DECIMALS]; }
  get accounts(): u32 { return this.get32(ACCOUNTS); }
  get supply(): u64 { return this.get64(SUPPLY); }
  get treasury(): u64 { return this.get64(TREASURY); }
  private get slots(): u32 { return this.get32(SLOTS); }

  balance(record: i32): u64 { return this.get64(record + BALANCE); }
  setBalance(record: i32, value: u64): void { this.put64(record + BALANCE, value); }

  private recordOf(place: u32): i32 {
    return HEADER + 2 * this.slots + RECORD * (place - 1);
  }

  private has(record: i32, key: Key): bool {
    return this.get64(record) == key.words[0] && this.get64(record + 8) == key.words[1] && this.get64(record + 16) == key.words[2];
  }

  /** The index slot of an account's entry, or where it would go. The index has free slots always, so the search ends. */
  private slotOf(key: Key): u32 {
    const mask = this.slots - 1;
    let slot = key.hash() & mask;
    let place = this.get16(HEADER + 2 * slot);
    while (place && !this.has(this.recordOf(place), key)) {
      slot = (slot + 1) & mask;
      place = this.get16(HEADER + 2 * slot);
    }
    return slot;
  }

  /** The place of an account's record; 0 when there is none. */
  find(key: Key): i32 {
    const place = this.get16(HEADER + 2 * this.slotOf(key));
    return place ? this.recordOf(place) : 0;
  }

  isFull(): bool {
    return this.slots == SLOTS_MAX && this.accounts >= SLOTS_MAX / 4 * 3;
  }

  /** Twice the index slots. */
  private double(): void {
    const old = this.slots, index = HEADER + 2 * old;
    const larger = new Uint8Array(this.state.length + 2 * old);
    memory.copy(larger.dataStart, this.state.dataStart, HEADER);
    memory.copy(larger.dataStart + HEADER + 4 * old, this.state.dataStart + index, this.state.length - index);
    this.state = larger;
    this.put32(SLOTS, 2 * old);
    const mask = 2 * old - 1, key = new Key();
    for (let place: u32 = 1; place <= this.accounts; place++) {
      for (let i = 0; i < 3; i++) key.words[i] = this.get64(this.recordOf(place) + 8 * i);
      let slot = key.hash() & mask;
      while (this.get16(HEADER + 2 * slot)) slot = (slot + 1) & mask;
      this.put16(HEADER + 2 * slot, place);
    }
  }

  /** Appends an account that is not there yet, in a book that is not full. Money moves from the treasury, which must have it. */
  append(key: Key, balance: u64): void {
    if (this.accounts >= this.slots / 4 * 3) this.double();
    const slot = this.slotOf(key), record = this.state.length, count = this.accounts + 1;
    const larger = new Uint8Array(record + RECORD);
    memory.copy(larger.dataStart, this.state.dataStart, record);
    this.state = larger;
    for (let i = 0; i < 3; i++) this.put64(record + 8 * i, key.words[i]);
    this.setBalance(record, balance);
    this.put16(HEADER + 2 * slot, count);
    this.put32(ACCOUNTS, count);
    this.put64(TREASURY, this.treasury - balance);
  }

  /** Whether the bytes are a book in which all money is accounted for. */
  isValid(): bool {
    const size: u32 = this.state.length;
    if (size < HEADER || this.get64(0) != MAGIC || this.decimals > 4) return false;
    const accounts = this.accounts, slots = this.slots;
    if (slots < SLOTS_MIN || slots > SLOTS_MAX || (slots & (slots - 1)) != 0 || accounts > slots / 4 * 3) return false;
    if (size != HEADER + 2 * slots + RECORD * accounts) return false;
    let sum = this.treasury, all = sum | this.supply;
    for (let place: u32 = 1; place <= accounts; place++) {
      const balance = this.balance(this.recordOf(place));
      sum += balance;
      all |= balance;
    }
    return all <= AMOUNT_MAX && sum == this.supply;
  }
}

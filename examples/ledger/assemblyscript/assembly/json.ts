// JSON (RFC 8259) read member by member, without a tree. The first thing that is not as asked for, or is no JSON, sets `failed`; from then on
// every function gives nothing, so it is enough to ask once at the end. Texts are UTF-8 bytes as they stand: a ledger never has to look into them.

/** How deep a value that is skipped may nest. */
const DEPTH = 16;

/** A part of some bytes. */
export class Text {
  constructor(public bytes: Uint8Array, public from: i32, public end: i32) {}

  get length(): i32 {
    return this.end - this.from;
  }
  at(i: i32): u8 {
    return unchecked(this.bytes[this.from + i]);
  }
  is(text: string): bool {
    if (text.length != this.length) return false;
    for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) != this.at(i)) return false;
    return true;
  }
  toString(): string {
    return String.UTF8.decodeUnsafe(this.bytes.dataStart + this.from, this.length);
  }
}

/** Whether all of it is UTF-8 (RFC 3629): no overlong forms, no surrogates. */
export function isUtf8(text: Uint8Array): bool {
  for (let i = 0; i < text.length; ) {
    const c = unchecked(text[i++]);
    if (c < 0x80) continue;
    let more = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    if (c < 0xc2 || c > 0xf4 || more > text.length - i) return false;
    let low: u8 = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80, high: u8 = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    for (; more > 0; more--) {
      const next = unchecked(text[i++]);
      if (next < low || next > high) return false;
      low = 0x80;
      high = 0xbf;
    }
  }
  return true;
}

export class Reader {
  place: i32 = 0;
  first: bool = false;
  failed: bool = false;

  constructor(public text: Uint8Array) {}

  private fail(): Text | null {
    this.failed = true;
    return null;
  }

  private byte(): u8 {
    if (this.place >= this.text.length) {
      this.failed = true;
      return 0;
    }
    return unchecked(this.text[this.place++]);
  }

  private here(): u8 {
    return this.place < this.text.length ? unchecked(this.text[this.place]) : 0;
  }

  /** The next byte that is no space, not taken; 0 at the end and after a failure. */
  peek(): u8 {
    while (this.here() == 0x20 || this.here() == 9 || this.here() == 13 || this.here() == 10) this.place++;
    return this.failed ? 0 : this.here();
  }

  private take(c: u8): bool {
    if (this.peek() != c || c == 0) {
      this.failed = true;
      return false;
    }
    this.place++;
    return true;
  }

  /** Everything was read, nothing but space is left, and nothing failed. */
  end(): bool {
    this.peek();
    return !this.failed && this.place == this.text.length;
  }

  object(): void {
    this.first = this.take(0x7b);
  }

  private next(close: u8): bool {
    const first = this.first;
    this.first = false;
    if (this.peek() == close) {
      this.place++;
      return false;
    }
    return !this.failed && (first || this.take(0x2c));
  }

  /** The key of the next member, whose value is to be read next; null at the end of the object. */
  member(): Text | null {
    if (!this.next(0x7d)) return null;
    const key = this.string();
    return this.take(0x3a) ? key : null;
  }

  private hex4(): u32 {
    let value: u32 = 0;
    for (let i = 0; i < 4; i++) {
      const c = this.byte(), letter = (c | 32) - 0x61;
      if (c >= 0x30 && c <= 0x39) value = value << 4 | (c - 0x30);
      else if (letter <= 5) value = value << 4 | (letter + 10);
      else this.failed = true;
    }
    return value;
  }

  private unicode(to: Uint8Array, at: i32): i32 {
    let point = this.hex4();
    if (point >= 0xd800 && point < 0xdc00) {
      if (this.byte() != 0x5c || this.byte() != 0x75) this.failed = true;
      const low = this.hex4();
      if (low < 0xdc00 || low > 0xdfff) this.failed = true;
      point = 0x10000 + ((point - 0xd800) << 10) + ((low - 0xdc00) & 0x3ff);
    } else if (point >= 0xdc00 && point < 0xe000) {
      this.failed = true;
    }
    if (point < 0x80) {
      to[at++] = <u8>point;
      return at;
    }
    if (point >= 0x10000) {
      to[at++] = <u8>(0xf0 | point >> 18);
      to[at++] = <u8>(0x80 | (point >> 12 & 63));
    } else if (point >= 0x800) {
      to[at++] = <u8>(0xe0 | point >> 12);
    }
    to[at++] = <u8>(point >= 0x800 ? 0x80 | (point >> 6 & 63) : 0xc0 | point >> 6);
    to[at++] = <u8>(0x80 | (point & 63));
    return at;
  }

  private escape(to: Uint8Array, at: i32): i32 {
    const c = this.byte();
    switch (c) {
      case 0x22: case 0x5c: case 0x2f: to[at] = c; break;
      case 0x62: to[at] = 8; break;
      case 0x66: to[at] = 12; break;
      case 0x6e: to[at] = 10; break;
      case 0x72: to[at] = 13; break;
      case 0x74: to[at] = 9; break;
      case 0x75: return this.unicode(to, at);
      default: this.failed = true;
    }
    return at + 1;
  }

  /** A string. Without escapes it is a part of the text; what it stands for is never longer than that. */
  string(): Text | null {
    if (!this.take(0x22)) return null;
    const start = this.place;
    let c: u8 = 0;
    while (!this.failed) {
      c = this.byte();
      if (c == 0x22) return this.failed ? null : new Text(this.text, start, this.place - 1);
      if (c < 0x20) return this.fail();
      if (c == 0x5c) break;
    }
    const room = new Uint8Array(this.text.length - start + 4);
    let size = this.place - 1 - start;
    memory.copy(room.dataStart, this.text.dataStart + start, size);
    this.place--;
    while (!this.failed) {
      c = this.byte();
      if (c == 0x22) return this.failed ? null : new Text(room, 0, size);
      if (c < 0x20) return this.fail();
      if (c == 0x5c) size = this.escape(room, size);
      else room[size++] = c;
    }
    return null;
  }

  private digits(): i32 {
    const from = this.place;
    while (this.here() >= 0x30 && this.here() <= 0x39) this.place++;
    return this.place - from;
  }

  /** A number as it is written. */
  number(): Text | null {
    this.peek();
    const start = this.place;
    if (this.here() == 0x2d) this.place++;
    const zero = this.here() == 0x30, count = this.digits();
    if (this.failed || count == 0 || (count > 1 && zero)) return this.fail();
    if (this.here() == 0x2e) {
      this.place++;
      if (this.digits() == 0) return this.fail();
    }
    if ((this.here() | 32) == 0x65) {
      this.place++;
      if (this.here() == 0x2b || this.here() == 0x2d) this.place++;
      if (this.digits() == 0) return this.fail();
    }
    return new Text(this.text, start, this.place);
  }

  private word(expected: string): void {
    for (let i = 0; i < expected.length; i++) if (this.byte() != expected.charCodeAt(i)) this.failed = true;
  }

  /** Reads a value of any kind and forgets it. */
  skip(depth: i32 = DEPTH): void {
    const c = this.peek();
    if (depth == 0) {
      this.failed = true;
    } else if (c == 0x7b) {
      this.object();
      while (this.member()) this.skip(depth - 1);
    } else if (c == 0x5b) {
      this.first = this.take(0x5b);
      while (this.next(0x5d)) this.skip(depth - 1);
    } else if (c == 0x22) {
      this.string();
    } else if (c == 0x74) {
      this.word("true");
    } else if (c == 0x66) {
      this.word("false");
    } else if (c == 0x6e) {
      this.word("null");
    } else {
      this.number();
    }
  }
}

/** A JSON string with its quotes. */
export function quote(text: Text): string {
  let out = "\"";
  const all = text.toString();
  for (let i = 0; i < all.length; i++) {
    const c = all.charCodeAt(i);
    if (c == 0x22 || c == 0x5c) out += "\\" + String.fromCharCode(c);
    else if (c < 0x20) out += "\\u00" + (c < 16 ? "0" : "") + c.toString(16);
    else out += String.fromCharCode(c);
  }
  return out + "\"";
}

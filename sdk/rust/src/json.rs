//! JSON (RFC 8259) read member by member, without a tree and without another crate, and strings written.
//!
//! ```
//! use theater_actor::json::Reader;
//!
//! fn amount(input: &[u8]) -> Option<String> {
//!     let mut json = Reader::new(input);
//!     let mut amount = None;
//!     json.object()?;
//!     while let Some(key) = json.member()? {
//!         match &*key {
//!             "amount" => amount = Some(json.string()?.into_owned()),
//!             _ => json.skip()?,
//!         }
//!     }
//!     json.end()?;
//!     amount
//! }
//! assert_eq!(amount(br#"{"to":{"a":[1]},"amount":"12.34"}"#).as_deref(), Some("12.34"));
//! assert_eq!(amount(br#"{"amount":1}"#), None);
//! ```
//!
//! Every function gives None when what stands there is not what was asked for, or is no JSON.

use std::borrow::Cow;

/// How deep a value that is skipped may nest.
pub const DEPTH: usize = 16;

/// A place in a text.
pub struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    first: bool,
}

impl<'a> Reader<'a> {
    pub fn new(text: &'a [u8]) -> Self {
        Reader { text, at: 0, first: false }
    }

    /// The next byte that is no space, not taken; None at the end.
    pub fn peek(&mut self) -> Option<u8> {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Nothing is left but space.
    pub fn end(&mut self) -> Option<()> {
        self.peek().is_none().then_some(())
    }

    /// Enters an object; [`Reader::member`] then gives its keys.
    pub fn object(&mut self) -> Option<()> {
        self.first = true;
        self.take(b'{')
    }

    /// Enters an array; [`Reader::item`] then says whether there is another item.
    pub fn array(&mut self) -> Option<()> {
        self.first = true;
        self.take(b'[')
    }

    fn next(&mut self, close: u8) -> Option<bool> {
        let first = core::mem::take(&mut self.first);
        if self.peek()? == close {
            self.at += 1;
            return Some(false);
        }
        if !first {
            self.take(b',')?;
        }
        Some(true)
    }

    /// The key of the next member, whose value is to be read next; `Some(None)` at the end of the object.
    pub fn member(&mut self) -> Option<Option<Cow<'a, str>>> {
        if !self.next(b'}')? {
            return Some(None);
        }
        let key = self.string()?;
        self.take(b':')?;
        Some(Some(key))
    }

    /// Whether there is another item, which is to be read next.
    pub fn item(&mut self) -> Option<bool> {
        self.next(b']')
    }

    /// A string. Without escapes it is a part of the text.
    pub fn string(&mut self) -> Option<Cow<'a, str>> {
        self.take(b'"')?;
        let start = self.at;
        let plain = self.text[start..].iter().position(|&c| c == b'"' || c == b'\\' || c < 0x20)?;
        self.at += plain;
        if self.text[self.at] == b'"' {
            self.at += 1;
            return Some(Cow::Borrowed(core::str::from_utf8(&self.text[start..self.at - 1]).ok()?));
        }
        let mut bytes = self.text[start..self.at].to_vec();
        loop {
            let c = *self.text.get(self.at)?;
            self.at += 1;
            match c {
                b'"' => return Some(Cow::Owned(String::from_utf8(bytes).ok()?)),
                b'\\' => self.escape(&mut bytes)?,
                0..=0x1f => return None,
                _ => bytes.push(c),
            }
        }
    }

    fn escape(&mut self, bytes: &mut Vec<u8>) -> Option<()> {
        let c = *self.text.get(self.at)?;
        self.at += 1;
        let plain = match c {
            b'"' | b'\\' | b'/' => c,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let mut point = self.hex4()?;
                if (0xd800..0xdc00).contains(&point) {
                    if self.text.get(self.at..self.at + 2)? != b"\\u" {
                        return None;
                    }
                    self.at += 2;
                    let low = self.hex4()?;
                    if !(0xdc00..0xe000).contains(&low) {
                        return None;
                    }
                    point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
                }
                let mut room = [0; 4];
                bytes.extend_from_slice(char::from_u32(point)?.encode_utf8(&mut room).as_bytes());
                return Some(());
            }
            _ => return None,
        };
        bytes.push(plain);
        Some(())
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        digits.iter().try_fold(0, |value, &c| Some(value << 4 | (c as char).to_digit(16)?))
    }

    fn digits(&mut self) -> usize {
        let from = self.at;
        while matches!(self.text.get(self.at), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - from
    }

    /// A number as it is written, for [`crate::text::parse_fixed`] and the like.
    pub fn number(&mut self) -> Option<&'a str> {
        self.peek()?;
        let start = self.at;
        if self.text[self.at] == b'-' {
            self.at += 1;
        }
        let whole = self.at;
        let count = self.digits();
        if count == 0 || (count > 1 && self.text[whole] == b'0') {
            return None;
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            (self.digits() > 0).then_some(())?;
        }
        if matches!(self.text.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.text.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            (self.digits() > 0).then_some(())?;
        }
        core::str::from_utf8(&self.text[start..self.at]).ok()
    }

    /// Reads a value of any kind and forgets it.
    pub fn skip(&mut self) -> Option<()> {
        self.skip_at(DEPTH)
    }

    fn skip_at(&mut self, depth: usize) -> Option<()> {
        let below = depth.checked_sub(1)?;
        match self.peek()? {
            b'{' => {
                self.object()?;
                while self.member()?.is_some() {
                    self.skip_at(below)?;
                }
            }
            b'[' => {
                self.array()?;
                while self.item()? {
                    self.skip_at(below)?;
                }
            }
            b'"' => drop(self.string()?),
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            b'n' => self.word(b"null")?,
            _ => drop(self.number()?),
        }
        Some(())
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        (self.text.get(self.at..self.at + word.len())? == word).then(|| self.at += word.len())
    }
}

/// A JSON string with its quotes.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\0'..='\x1f' => out.push_str(&format!("\\u{:04x}", c as u32)),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skips(text: &str) -> bool {
        let mut json = Reader::new(text.as_bytes());
        json.skip().and_then(|()| json.end()).is_some()
    }

    #[test]
    fn what_is_json_is_read_and_what_is_not_is_refused() {
        for good in ["{}", " [ 1 , -0.5E+1, \"\\ud83d\\ude00\\n\" ] ", "{\"a\":{\"b\":[true,false,null]}}", "0"] {
            assert!(skips(good), "{good}");
        }
        for bad in ["", "{", "[1,]", "{\"a\"}", "01", "1.", "\"\n\"", "\"\\x\"", "\"\\ud800\"", "tru", "\"\\", "[1]x", "{\"a\":1,}"] {
            assert!(!skips(bad), "{bad}");
        }
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(skips(&nested(DEPTH)));
        assert!(!skips(&nested(DEPTH + 1)));
    }

    #[test]
    fn strings_come_back() {
        let text = "a\"b\\c\u{1}é😀";
        let quoted = quote(text);
        assert_eq!(Reader::new(quoted.as_bytes()).string().as_deref(), Some(text));
        assert!(Reader::new(b"\"\xff\"").string().is_none());
    }
}

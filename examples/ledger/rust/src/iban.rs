//! Account numbers by ISO 13616: two letters of the country, two check digits, and up to 30 letters and digits.

/// An IBAN without its check digits, which follow from the rest, packed in six bits a character: 0 for none, 1 to 10 for digits, 11 to 36
/// for letters. 32 characters fill 24 bytes exactly, so no two accounts share a key.
#[derive(PartialEq, Eq)]
pub struct Key(pub [u64; 3]);

/// The number that a character stands for in the check (ISO 7064, mod 97-10).
fn value_of(c: u8) -> Option<u64> {
    match c {
        b'0'..=b'9' => Some(u64::from(c - b'0')),
        b'A'..=b'Z' => Some(u64::from(c - b'A') + 10),
        _ => None,
    }
}

impl Key {
    /// Checks an IBAN and packs it. The check reads the characters from the fifth on and then the first four as one long decimal number,
    /// whose remainder by 97 must be 1.
    pub fn parse(text: &str) -> Option<Key> {
        let text = text.as_bytes();
        if !(15..=34).contains(&text.len()) {
            return None;
        }
        let (mut remainder, mut words, mut bit) = (0, [0u64; 3], 0);
        for at in (4..text.len()).chain(0..4) {
            let value = value_of(text[at])?;
            // The country is two letters, the check digits are digits, and the rest is either.
            if (at < 2 && value < 10) || ((2..4).contains(&at) && value > 9) {
                return None;
            }
            remainder = (remainder * if value < 10 { 10 } else { 100 } + value) % 97;
            if (2..4).contains(&at) {
                continue;
            }
            let (word, shift) = (bit / 64, bit % 64);
            words[word] |= (value + 1) << shift;
            if shift > 58 {
                words[word + 1] |= (value + 1) >> (64 - shift);
            }
            bit += 6;
        }
        (remainder == 1).then_some(Key(words))
    }
}

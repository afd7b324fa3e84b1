//! A state that is any type of serde's, as JSON or as CBOR. The same value gives the same bytes: members and keys stand in order, whatever
//! the order of a `HashMap`.

use crate::{finite::Finite, Codec};
use serde::{de::DeserializeOwned, Serialize};
use serde_json::{Map, Number, Value};

/// How deep what is read may nest; serde_json has the same bound.
const DEPTH: usize = 128;

/// Whether it nests no deeper than what can be read.
fn is_flat(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(items) => depth + 1 < DEPTH && items.iter().all(|item| is_flat(item, depth + 1)),
        Value::Object(members) => depth + 1 < DEPTH && members.values().all(|member| is_flat(member, depth + 1)),
        _ => true,
    }
}

/// The value as a tree. None: it could not be read back as what it is, and the actor would have no state any more.
fn tree<T: Serialize>(state: T) -> Option<Value> {
    state.serialize(Finite).ok()?;
    serde_json::to_value(state).ok().filter(|value| is_flat(value, 0))
}

/// JSON: members in the order of their names, no spaces. To be read by people, and by the other languages' JSON codecs.
pub struct Json;

impl<T: Serialize + DeserializeOwned> Codec<T> for Json {
    fn decode(state: Vec<u8>) -> Option<T> {
        serde_json::from_slice(&state).ok()
    }

    fn encode(state: T) -> Option<Vec<u8>> {
        // serde_json's map is a tree, ordered by key.
        serde_json::to_vec(&tree(state)?).ok()
    }
}

/// CBOR, by the core deterministic encoding of RFC 8949, section 4.2.1: smaller than JSON, and faster to read. Bytes in any other form are no
/// state.
pub struct Cbor;

impl<T: Serialize + DeserializeOwned> Codec<T> for Cbor {
    fn decode(state: Vec<u8>) -> Option<T> {
        let mut reader = Reader { bytes: &state, at: 0 };
        let value = reader.value(0)?;
        (reader.at == state.len()).then_some(())?;
        serde_json::from_value(value).ok()
    }

    fn encode(state: T) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        put(&tree(state)?, &mut out);
        Some(out)
    }
}

fn put_head(major: u8, value: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    match value {
        0..=23 => out.push(major | value as u8),
        24..=0xff => out.extend([major | 24, value as u8]),
        0x100..=0xffff => {
            out.push(major | 25);
            out.extend((value as u16).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(major | 26);
            out.extend((value as u32).to_be_bytes());
        }
        _ => {
            out.push(major | 27);
            out.extend(value.to_be_bytes());
        }
    }
}

/// The half-precision form of a value that has one exactly.
fn half(value: f64) -> Option<u16> {
    let bits = value.to_bits();
    let (sign, exponent, fraction) = ((bits >> 48 & 0x8000) as u16, (bits >> 52 & 0x7ff) as i32 - 1023, bits & ((1 << 52) - 1));
    match exponent {
        -1023 if fraction == 0 => Some(sign),
        1024 if fraction == 0 => Some(sign | 0x7c00),
        -14..=15 if fraction & ((1 << 42) - 1) == 0 => Some(sign | ((exponent + 15) as u16) << 10 | (fraction >> 42) as u16),
        -24..=-15 => {
            // Without a leading one: the fraction stands further right.
            let shift = 42 + (-14 - exponent);
            let all = fraction | 1 << 52;
            (all & ((1 << shift) - 1) == 0).then_some(sign | (all >> shift) as u16)
        }
        _ => None,
    }
}

fn from_half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 0x3ff));
    let value = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 => f64::INFINITY,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { value } else { -value }
}

/// Keys stand in the order of their encodings: shorter ones first.
fn order(a: &str, b: &str) -> core::cmp::Ordering {
    (a.len(), a).cmp(&(b.len(), b))
}

/// The shortest form that has the value.
fn put_float(value: f64, out: &mut Vec<u8>) {
    let single = value as f32;
    if let Some(half) = half(value) {
        out.push(0xf9);
        out.extend(half.to_be_bytes());
    } else if f64::from(single).to_bits() == value.to_bits() {
        out.push(0xfa);
        out.extend(single.to_be_bytes());
    } else {
        out.push(0xfb);
        out.extend(value.to_be_bytes());
    }
}

fn put_number(number: &Number, out: &mut Vec<u8>) {
    if let Some(value) = number.as_u64() {
        put_head(0, value, out);
    } else if let Some(value) = number.as_i64() {
        put_head(1, !value as u64, out);
    } else {
        put_float(number.as_f64().unwrap_or(0.0), out);
    }
}

fn put(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(value) => out.push(0xf4 + u8::from(*value)),
        Value::Number(number) => put_number(number, out),
        Value::String(text) => {
            put_head(3, text.len() as u64, out);
            out.extend(text.as_bytes());
        }
        Value::Array(items) => {
            put_head(4, items.len() as u64, out);
            items.iter().for_each(|item| put(item, out));
        }
        Value::Object(members) => {
            put_head(5, members.len() as u64, out);
            let mut keys: Vec<_> = members.iter().collect();
            keys.sort_by(|a, b| order(a.0, b.0));
            for (key, value) in keys {
                put_head(3, key.len() as u64, out);
                out.extend(key.as_bytes());
                put(value, out);
            }
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        let part = self.bytes.get(self.at..self.at.checked_add(size)?)?;
        self.at += size;
        Some(part)
    }

    fn number(&mut self, size: usize) -> Option<u64> {
        Some(self.take(size)?.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    fn text(&mut self, size: u64) -> Option<String> {
        String::from_utf8(self.take(usize::try_from(size).ok()?)?.to_vec()).ok()
    }

    /// False, true, null, or a float in its shortest form.
    fn simple(&mut self, head: u8) -> Option<Value> {
        let start = self.at - 1;
        let value = match head {
            0xf4 => return Some(Value::Bool(false)),
            0xf5 => return Some(Value::Bool(true)),
            0xf6 => return Some(Value::Null),
            0xf9 => from_half(self.number(2)? as u16),
            0xfa => f64::from(f32::from_bits(self.number(4)? as u32)),
            0xfb => f64::from_bits(self.number(8)?),
            _ => return None,
        };
        let mut shortest = Vec::new();
        put_float(value, &mut shortest);
        (value.is_finite() && shortest == self.bytes[start..self.at]).then(|| Value::from(value))
    }

    /// The argument of a head, in its shortest form.
    fn argument(&mut self, minor: u8) -> Option<u64> {
        let (size, least) = match minor {
            0..=23 => return Some(u64::from(minor)),
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            _ => return None,
        };
        self.number(size).filter(|&value| value >= least)
    }

    fn members(&mut self, count: u64, depth: usize) -> Option<Value> {
        let (mut members, mut last) = (Map::new(), None);
        for _ in 0..count {
            let Value::String(key) = self.value(depth)? else { return None };
            if last.is_some_and(|last: String| order(&last, &key).is_ge()) {
                return None;
            }
            members.insert(key.clone(), self.value(depth)?);
            last = Some(key);
        }
        Some(Value::Object(members))
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth == DEPTH {
            return None;
        }
        let head = self.take(1)?[0];
        let (major, minor) = (head >> 5, head & 31);
        if major == 7 {
            return self.simple(head);
        }
        let value = self.argument(minor)?;
        match major {
            0 => Some(Value::from(value)),
            1 => Some(Value::from(!i64::try_from(value).ok()?)),
            3 => Some(Value::String(self.text(value)?)),
            4 => (0..value).map(|_| self.value(depth + 1)).collect::<Option<Vec<_>>>().map(Value::Array),
            5 => self.members(value, depth + 1),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::HashMap;

    #[test]
    fn floats_take_the_shortest_form() {
        // Values of RFC 8949, appendix A.
        for (value, form) in [
            (0.0, "f90000"),
            (1.5, "f93e00"),
            (65504.0, "f97bff"),
            (100000.0, "fa47c35000"),
            (5.960464477539063e-8, "f90001"),
            (0.00006103515625, "f90400"),
            (-4.0, "f9c400"),
            (1.1, "fb3ff199999999999a"),
        ] {
            let mut out = Vec::new();
            put_float(value, &mut out);
            assert_eq!(out.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), form);
            assert_eq!(Reader { bytes: &out, at: 0 }.value(0), Some(Value::from(value)));
        }
    }

    #[test]
    fn what_is_not_the_one_form_is_no_state() {
        let read = |hex: &str| {
            let digits = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            <Cbor as Codec<Value>>::decode((0..hex.len()).step_by(2).map(digits).collect())
        };
        for good in ["1818", "190100", "1a00010000", "1b0000000100000000", "3818", "a2616101616202", "a261620162616102", "fb3ff199999999999a"] {
            assert!(read(good).is_some(), "{good}");
        }
        // A longer number, count or float than need be, keys out of order and twice, a key that is no text, an indefinite length, a tag,
        // bytes, undefined, no UTF-8, something behind it, infinity, no number, a half that is cut off.
        for wrong in [
            "1817", "1900ff", "1a0000ffff", "1b00000000ffffffff", "3817", "7800", "9800", "b800", "fa3fc00000", "fb3ff8000000000000",
            "a2616201616101", "a2616101616102", "a262616101616202", "a10101", "9f01ff", "bfff", "c001", "4101", "f7", "61ff", "0101", "f97c00",
            "f97e00", "fa7f800000", "fb7ff8000000000000", "f93c",
        ] {
            assert!(read(wrong).is_none(), "{wrong}");
        }
    }

    #[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
    struct Stock {
        title: String,
        left: i64,
        price: f64,
        shelves: HashMap<String, u64>,
        note: Option<String>,
    }

    fn stock() -> Stock {
        let shelves = ["b", "aa", "c", "a"].iter().map(|name| (name.to_string(), 300)).collect();
        Stock { title: "é".into(), left: -5, price: 1.1, shelves, note: None }
    }

    #[test]
    fn a_value_comes_back_and_has_one_form() {
        let json = Json::encode(stock()).unwrap();
        assert_eq!(
            String::from_utf8(json.clone()).unwrap(),
            r#"{"left":-5,"note":null,"price":1.1,"shelves":{"a":300,"aa":300,"b":300,"c":300},"title":"é"}"#
        );
        assert_eq!(<Json as Codec<Stock>>::decode(json), Some(stock()));
        let cbor = Cbor::encode(stock()).unwrap();
        assert_eq!(cbor, Cbor::encode(stock()).unwrap());
        assert_eq!(cbor[..8], [0xa5, 0x64, b'l', b'e', b'f', b't', 0x24, 0x64]);
        assert_eq!(<Cbor as Codec<Stock>>::decode(cbor.clone()), Some(stock()));
        for size in 0..cbor.len() {
            assert_eq!(<Cbor as Codec<Stock>>::decode(cbor[..size].to_vec()), None);
        }
    }

    #[test]
    fn a_float_that_is_not_finite_is_refused_wherever_it_stands() {
        #[derive(Serialize, Deserialize)]
        enum Kind {
            Unit,
            One(f64),
            Two(u8, f64),
            Named { value: Option<f32> },
        }
        fn refused<T: Serialize + DeserializeOwned>(make: impl Fn(f64) -> T) {
            for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                assert!(Json::encode(make(value)).is_none() && Cbor::encode(make(value)).is_none());
            }
            assert!(Json::encode(make(0.5)).is_some() && Cbor::encode(make(0.5)).is_some());
        }
        refused(|value| value);
        refused(|value| Some(vec![(1, value)]));
        refused(|value| HashMap::from([(7, value as f32)]));
        refused(|value| [Kind::Unit, Kind::One(value)]);
        refused(|value| Kind::Two(1, value));
        refused(|value| Kind::Named { value: Some(value as f32) });
        refused(|value| Stock { price: value, ..stock() });
        assert_eq!(Json::encode((1u128, -1i128, 'c', ())), Some(br#"[1,-1,"c",null]"#.to_vec()));
    }

    #[test]
    fn what_is_encoded_nests_no_deeper_than_what_is_decoded() {
        #[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
        struct Nest(Vec<Nest>);
        let nest = |depth| (1..depth).fold(Nest(vec![]), |inner, _| Nest(vec![inner]));
        let deepest = nest(127);
        assert_eq!(<Json as Codec<Nest>>::decode(Json::encode(deepest.clone()).unwrap()), Some(deepest.clone()));
        assert_eq!(<Cbor as Codec<Nest>>::decode(Cbor::encode(deepest.clone()).unwrap()), Some(deepest));
        assert!(Json::encode(nest(128)).is_none() && Cbor::encode(nest(128)).is_none());
    }

    #[test]
    fn every_float_comes_back_from_json() {
        for value in [31.245270191439438, 121.48791951161945, 100.78399658203125, f64::MAX, f64::MIN_POSITIVE, 5e-324, -0.0] {
            let back = <Json as Codec<f64>>::decode(Json::encode(value).unwrap()).unwrap();
            assert_eq!(back.to_bits(), value.to_bits(), "{value}");
        }
    }
}

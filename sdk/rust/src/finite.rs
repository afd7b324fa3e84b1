//! Whether a value has no float that is infinite or no number: JSON has no form of these, and serde_json's tree holds null in their place,
//! which would be read back as something else or not at all.

use serde::ser::{self, Error as _, Serialize};
use serde_json::Error;
use std::fmt::Display;

type Result = core::result::Result<(), Error>;

/// Walks a value and writes nothing.
pub struct Finite;

/// Kinds of values that hold no others.
macro_rules! nothing_in {
    ($($name:ident($type:ty)),+) => { $(fn $name(self, _: $type) -> Result { Ok(()) })+ };
}

impl ser::Serializer for Finite {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    nothing_in!(
        serialize_bool(bool), serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64), serialize_i128(i128),
        serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64), serialize_u128(u128), serialize_char(char),
        serialize_str(&str), serialize_bytes(&[u8]), serialize_unit_struct(&'static str)
    );
    fn serialize_f32(self, value: f32) -> Result {
        self.serialize_f64(f64::from(value))
    }
    fn serialize_f64(self, value: f64) -> Result {
        if value.is_finite() { Ok(()) } else { Err(Error::custom("a float that is not finite")) }
    }
    fn serialize_unit(self) -> Result {
        Ok(())
    }
    fn serialize_none(self) -> Result {
        Ok(())
    }
    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result {
        value.serialize(self)
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result {
        Ok(())
    }
    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Result {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: ?Sized + Serialize>(self, _: &'static str, _: u32, _: &'static str, value: &T) -> Result {
        value.serialize(self)
    }
    fn collect_str<T: ?Sized + Display>(self, _: &T) -> Result {
        Ok(())
    }
    fn serialize_seq(self, _: Option<usize>) -> core::result::Result<Self, Error> {
        Ok(self)
    }
    fn serialize_tuple(self, _: usize) -> core::result::Result<Self, Error> {
        Ok(self)
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> core::result::Result<Self, Error> {
        Ok(self)
    }
    fn serialize_tuple_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> core::result::Result<Self, Error> {
        Ok(self)
    }
    fn serialize_map(self, _: Option<usize>) -> core::result::Result<Self, Error> {
        Ok(self)
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> core::result::Result<Self, Error> {
        Ok(self)
    }
    fn serialize_struct_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> core::result::Result<Self, Error> {
        Ok(self)
    }
}

/// What a value that holds others asks for each of them.
macro_rules! each {
    ($($kind:ident: $name:ident($($key:ty)?)),+) => { $(
        impl ser::$kind for Finite {
            type Ok = ();
            type Error = Error;
            fn $name<T: ?Sized + Serialize>(&mut self, $(_: $key,)? value: &T) -> Result {
                value.serialize(Finite)
            }
            fn end(self) -> Result {
                Ok(())
            }
        }
    )+ };
}

each!(
    SerializeSeq: serialize_element(), SerializeTuple: serialize_element(), SerializeTupleStruct: serialize_field(),
    SerializeTupleVariant: serialize_field(), SerializeStruct: serialize_field(&'static str),
    SerializeStructVariant: serialize_field(&'static str)
);

/// A key is a string or is refused elsewhere.
impl ser::SerializeMap for Finite {
    type Ok = ();
    type Error = Error;
    fn serialize_key<T: ?Sized + Serialize>(&mut self, _: &T) -> Result {
        Ok(())
    }
    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result {
        value.serialize(Finite)
    }
    fn end(self) -> Result {
        Ok(())
    }
}

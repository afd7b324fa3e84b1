//! A state in CBOR: see codecs.test.

use std::collections::HashMap;
use theater_actor::{actor, Actor, Cbor, Result};

#[derive(serde::Serialize, serde::Deserialize)]
struct Stock {
    title: String,
    left: i64,
    price: f64,
    shelves: HashMap<String, u64>,
    note: Option<String>,
    even: Vec<bool>,
}

impl Actor for Stock {
    fn init(config: &[u8]) -> Result<Self> {
        let title = String::from_utf8(config.to_vec())?;
        Ok(Stock { title, left: 0, price: 0.5, shelves: HashMap::new(), note: None, even: Vec::new() })
    }

    fn handle(&mut self, input: &[u8]) -> Result<Vec<u8>> {
        let (name, count) = core::str::from_utf8(input)?.split_once(' ').ok_or("say: NAME COUNT")?;
        let count: u64 = count.parse()?;
        self.shelves.insert(name.into(), count);
        self.left -= count as i64;
        self.price = count as f64 + 0.5;
        self.note = (count > 0).then(|| name.into());
        self.even.push(count % 2 == 0);
        Ok(self.left.to_string().into_bytes())
    }
}

actor!(Stock, Cbor);

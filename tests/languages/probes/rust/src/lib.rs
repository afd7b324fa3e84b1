//! Asks Rust's standard library, and the host, for what no chain holds by itself.

use std::collections::HashMap;
use theater_actor::{actor, host, reject, Actor, Result, State};

/// The state: the order that a hash map had when it was asked for first.
struct Probe(Vec<u8>);

impl Actor for Probe {
    fn init(_config: &[u8]) -> Result<Self> {
        Ok(Probe(Vec::new()))
    }

    fn handle(&mut self, input: &[u8]) -> Result<Vec<u8>> {
        let text = match input {
            b"clock" => format!("{:?}", std::time::SystemTime::now()),
            b"instant" => format!("{:?}", std::time::Instant::now()),
            b"sleep" => {
                std::thread::sleep(std::time::Duration::from_secs(1));
                String::new()
            }
            b"thread" => format!("{}", std::thread::Builder::new().spawn(|| ()).is_ok()),
            b"file" => format!("{}", std::fs::read("/etc/hostname").is_ok()),
            b"environment" => format!("{}", std::env::vars().count()),
            b"hash" => {
                let map: HashMap<u32, ()> = (0..10).map(|n| (n, ())).collect();
                let order: Vec<u8> = map.keys().map(|key| *key as u8).collect();
                let seen = core::mem::replace(&mut self.0, order);
                if seen.is_empty() { "first".into() } else { (seen == self.0).to_string() }
            }
            b"host" => format!("{} {} {}", host::now(), host::random(4).len(), host::random_u64() != host::random_u64()),
            b"source" => format!("{:?} {} {}", host::source(), host::name(), host::sequence()),
            b"send" => {
                host::send("other", "a message");
                format!("{}", host::request("other", "a request"))
            }
            _ => reject!("no such probe"),
        };
        Ok(text.into_bytes())
    }
}

impl State for Probe {
    fn decode(state: Vec<u8>) -> Option<Self> {
        Some(Probe(state))
    }
    fn encode(self) -> Vec<u8> {
        self.0
    }
}

actor!(Probe);

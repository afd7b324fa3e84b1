//! inventory: what is in stock, and what of it is reserved for whom and until when.
//!
//! Nothing is sold twice: an order reserves first, which fails when too little is free, and confirms later. A reservation that nobody confirms
//! in time is gone by itself. When the free stock of an item falls below a bound, more is requested from the supplier, which is another
//! actor; its answer is what arrives. `docs/actors/inventory.md` explains it step by step.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use theater_actor::{actor, host, info, reject, Actor, Json, Result};

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The actor that is asked for more; nobody when it is missing.
    supplier: Option<String>,
    /// More is requested when less than this is free.
    #[serde(default)]
    reorder_below: u64,
    /// How much is requested at once.
    #[serde(default)]
    reorder: u64,
}

#[derive(Deserialize, Serialize)]
struct Reservation {
    sku: String,
    quantity: u64,
    /// Nanoseconds since the Unix epoch.
    until: u64,
}

/// The state, kept as JSON: what a person can read, and any language can.
#[derive(Deserialize, Serialize)]
struct Inventory {
    config: Config,
    /// On hand, reserved or not.
    stock: BTreeMap<String, u64>,
    reservations: BTreeMap<String, Reservation>,
    /// Requests to the supplier that are not answered yet.
    ordered: BTreeMap<u64, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Input {
    Receive { sku: String, quantity: u64 },
    Reserve { id: String, sku: String, quantity: u64, minutes: u64 },
    Confirm { id: String },
    Release { id: String },
    Stock { sku: String },
}

#[derive(Serialize)]
struct Stock<'a> {
    sku: &'a str,
    hand: u64,
    free: u64,
}

/// What a supplier answers: how much of what it sent.
#[derive(Deserialize)]
struct Delivery {
    quantity: u64,
}

const MINUTE: u64 = 60_000_000_000;
const LARGEST: u64 = 1 << 40; // of any number here, so that no sum can overflow
const LONGEST: u64 = 7 * 24 * 60; // minutes

impl Inventory {
    fn reserved(&self, sku: &str) -> u64 {
        self.reservations.values().filter(|reservation| reservation.sku == sku).map(|reservation| reservation.quantity).sum()
    }

    fn on_hand(&self, sku: &str) -> Result<u64> {
        self.stock.get(sku).copied().ok_or_else(|| format!("there is no item {sku}").into())
    }

    fn stock_of(&self, sku: &str) -> Result<Vec<u8>> {
        let hand = self.on_hand(sku)?;
        Ok(serde_json::to_vec(&Stock { sku, hand, free: hand - self.reserved(sku) })?)
    }

    /// What was not confirmed in time is free again. It happens whenever the actor is told something: nothing wakes it by itself.
    fn expire(&mut self) {
        let now = host::now();
        self.reservations.retain(|id, reservation| {
            let keep = reservation.until > now;
            if !keep {
                info!("the reservation {id} has expired");
            }
            keep
        });
    }

    fn receive(&mut self, sku: String, quantity: u64) -> Result<Vec<u8>> {
        let hand = self.stock.get(&sku).copied().unwrap_or(0);
        if sku.is_empty() || quantity > LARGEST - hand {
            reject!("an item has a name, and at most {LARGEST} pieces");
        }
        self.stock.insert(sku.clone(), hand + quantity);
        self.stock_of(&sku)
    }

    fn reserve(&mut self, id: String, sku: String, quantity: u64, minutes: u64) -> Result<Vec<u8>> {
        let free = self.on_hand(&sku)? - self.reserved(&sku);
        if self.reservations.contains_key(&id) {
            reject!("{id} is reserved already");
        }
        if quantity == 0 || minutes == 0 || minutes > LONGEST {
            reject!("a reservation is for at least one piece, and for 1 to {LONGEST} minutes");
        }
        if quantity > free {
            reject!("only {free} of {sku} are free");
        }
        let until = host::now() + minutes * MINUTE;
        self.reservations.insert(id, Reservation { sku: sku.clone(), quantity, until });
        self.reorder(&sku, free - quantity);
        self.stock_of(&sku)
    }

    /// Asks the supplier for more, once until it has answered.
    fn reorder(&mut self, sku: &str, free: u64) {
        let Some(supplier) = &self.config.supplier else { return };
        if free >= self.config.reorder_below || self.ordered.values().any(|ordered| ordered == sku) {
            return;
        }
        let order = serde_json::json!({ "sku": sku, "quantity": self.config.reorder });
        let request = host::request(supplier, order.to_string());
        self.ordered.insert(request, sku.to_string());
    }

    fn end(&mut self, id: &str, sold: bool) -> Result<Vec<u8>> {
        let Some(reservation) = self.reservations.remove(id) else { reject!("there is no reservation {id}, or it has expired") };
        if sold {
            let hand = self.on_hand(&reservation.sku)?;
            self.stock.insert(reservation.sku.clone(), hand - reservation.quantity);
        }
        self.stock_of(&reservation.sku)
    }

    /// The supplier's answer: what arrives, or why nothing does. A rejection would leave the state as it was, with an order that waits for an
    /// answer that has come already; so an answer of no use ends the order, too.
    fn delivered(&mut self, request: u64, failed: bool, input: &[u8]) -> Result<Vec<u8>> {
        let Some(sku) = self.ordered.remove(&request) else { reject!("nothing was ordered by {request}") };
        if failed {
            info!("the supplier sends no {sku}: {}", String::from_utf8_lossy(input));
            return Ok(Vec::new());
        }
        let received = match serde_json::from_slice::<Delivery>(input) {
            Ok(delivery) => self.receive(sku.clone(), delivery.quantity),
            Err(error) => Err(error.into()),
        };
        received.or_else(|error| {
            info!("the supplier's answer for {sku} is of no use: {}", error.0);
            Ok(Vec::new())
        })
    }
}

impl Actor for Inventory {
    fn init(config: &[u8]) -> Result<Self> {
        let config: Config = serde_json::from_slice(config)?;
        Ok(Inventory { config, stock: BTreeMap::new(), reservations: BTreeMap::new(), ordered: BTreeMap::new() })
    }

    fn handle(&mut self, input: &[u8]) -> Result<Vec<u8>> {
        self.expire();
        if let host::Source::Reply { request, failed } = host::source() {
            return self.delivered(request, failed, input);
        }
        match serde_json::from_slice(input)? {
            Input::Receive { sku, quantity } => self.receive(sku, quantity),
            Input::Reserve { id, sku, quantity, minutes } => self.reserve(id, sku, quantity, minutes),
            Input::Confirm { id } => self.end(&id, true),
            Input::Release { id } => self.end(&id, false),
            Input::Stock { sku } => self.stock_of(&sku),
        }
    }

    /// No more is reserved than there is, and nothing of what there is not.
    fn verify(&self) -> bool {
        self.stock.iter().all(|(sku, hand)| self.reserved(sku) <= *hand)
            && self.reservations.values().all(|reservation| self.stock.contains_key(&reservation.sku))
    }
}

actor!(Inventory, Json);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reserved_is_not_free_until_it_expires() {
        let mut inventory = Inventory::init(b"{}").unwrap();
        inventory.handle(br#"{"receive":{"sku":"tea","quantity":3}}"#).unwrap();
        inventory.handle(br#"{"reserve":{"id":"a","sku":"tea","quantity":2,"minutes":5}}"#).unwrap();
        assert!(inventory.handle(br#"{"reserve":{"id":"b","sku":"tea","quantity":2,"minutes":5}}"#).is_err());
        host::test::with(|host| host.now += 5 * MINUTE);
        inventory.handle(br#"{"reserve":{"id":"b","sku":"tea","quantity":2,"minutes":5}}"#).unwrap();
        assert!(inventory.verify());
    }

    #[test]
    fn an_answer_of_no_use_ends_the_order() {
        for answer in ["what", r#"{"quantity":1099511627777}"#] {
            let mut inventory = Inventory::init(br#"{"supplier":"s","reorder_below":5,"reorder":20}"#).unwrap();
            inventory.ordered.insert(131073, "tea".into());
            assert!(inventory.delivered(131073, false, answer.as_bytes()).unwrap().is_empty());
            assert!(inventory.ordered.is_empty());
        }
    }
}

//! The ledger's state: who has how much. Its layout, and why it is so, stand in ../../book.h.

use crate::iban::Key;

const MAGIC: u64 = 0x315247444c454854; // "THELDGR1"
pub const AMOUNT_MAX: u64 = (1 << 48) - 1;

const CURRENCY: usize = 8;
const DECIMALS: usize = 11;
const ACCOUNTS: usize = 12;
const SLOTS: usize = 16;
const SUPPLY: usize = 24;
const TREASURY: usize = 32;
const HEADER: usize = 64;
const RECORD: usize = 32;
const BALANCE: usize = 24; // in a record
const SLOTS_MIN: usize = 16;
const SLOTS_MAX: usize = 65536;

pub struct Book {
    pub state: Vec<u8>,
}

/// The place of an account's record in the state.
pub type Account = usize;

/// Mixes all bits of a key into the low ones.
fn hash(key: &Key) -> usize {
    let h = key.0[0].wrapping_mul(0x9e3779b97f4a7c15)
        ^ key.0[1].wrapping_mul(0xc2b2ae3d27d4eb4f)
        ^ key.0[2].wrapping_mul(0x165667b19e3779f9);
    let h = (h ^ h >> 32).wrapping_mul(0xd6e8feb86659fd93);
    (h >> 32) as usize
}

impl Book {
    /// An empty book whose treasury holds the supply.
    pub fn new(currency: &[u8], decimals: u32, supply: u64) -> Book {
        let mut book = Book { state: vec![0; HEADER + 2 * SLOTS_MIN] };
        book.put64(0, MAGIC);
        book.state[CURRENCY..CURRENCY + 3].copy_from_slice(currency);
        book.state[DECIMALS] = decimals as u8;
        book.put32(SLOTS, SLOTS_MIN as u32);
        book.put64(SUPPLY, supply);
        book.put64(TREASURY, supply);
        book
    }

    fn get16(&self, at: usize) -> usize {
        usize::from(u16::from_le_bytes([self.state[at], self.state[at + 1]]))
    }
    fn put16(&mut self, at: usize, value: u16) {
        self.state[at..at + 2].copy_from_slice(&value.to_le_bytes());
    }
    fn get32(&self, at: usize) -> usize {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&self.state[at..at + 4]);
        u32::from_le_bytes(bytes) as usize
    }
    fn put32(&mut self, at: usize, value: u32) {
        self.state[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    fn get64(&self, at: usize) -> u64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.state[at..at + 8]);
        u64::from_le_bytes(bytes)
    }
    fn put64(&mut self, at: usize, value: u64) {
        self.state[at..at + 8].copy_from_slice(&value.to_le_bytes());
    }

    pub fn currency(&self) -> &[u8] {
        &self.state[CURRENCY..CURRENCY + 3]
    }
    pub fn decimals(&self) -> u32 {
        u32::from(self.state[DECIMALS])
    }
    pub fn accounts(&self) -> usize {
        self.get32(ACCOUNTS)
    }
    pub fn supply(&self) -> u64 {
        self.get64(SUPPLY)
    }
    pub fn treasury(&self) -> u64 {
        self.get64(TREASURY)
    }
    pub fn balance(&self, account: Account) -> u64 {
        self.get64(account + BALANCE)
    }
    pub fn set_balance(&mut self, account: Account, balance: u64) {
        self.put64(account + BALANCE, balance);
    }

    fn slots(&self) -> usize {
        self.get32(SLOTS)
    }
    fn record(&self, place: usize) -> Account {
        HEADER + 2 * self.slots() + RECORD * (place - 1)
    }
    fn key(&self, account: Account) -> Key {
        Key([self.get64(account), self.get64(account + 8), self.get64(account + 16)])
    }

    /// The account, or the index slot where its entry would go. The index has free slots always, so the search ends.
    pub fn find(&self, key: &Key) -> Result<Account, usize> {
        let mask = self.slots() - 1;
        let mut slot = hash(key) & mask;
        loop {
            match self.get16(HEADER + 2 * slot) {
                0 => return Err(slot),
                place if self.key(self.record(place)) == *key => return Ok(self.record(place)),
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    pub fn is_full(&self) -> bool {
        self.slots() == SLOTS_MAX && self.accounts() >= SLOTS_MAX / 4 * 3
    }

    /// Twice the index slots.
    fn double(&mut self) {
        let (old, accounts) = (self.slots(), self.accounts());
        let mut state = Vec::with_capacity(self.state.len() + 2 * old + RECORD);
        state.extend_from_slice(&self.state[..HEADER]);
        state.resize(HEADER + 4 * old, 0);
        state.extend_from_slice(&self.state[HEADER + 2 * old..]);
        self.state = state;
        self.put32(SLOTS, 2 * old as u32);
        for place in 1..=accounts {
            let mask = 2 * old - 1;
            let mut slot = hash(&self.key(self.record(place))) & mask;
            while self.get16(HEADER + 2 * slot) != 0 {
                slot = (slot + 1) & mask;
            }
            self.put16(HEADER + 2 * slot, place as u16);
        }
    }

    /// Appends an account that is not there yet, in a book that is not full. Money moves from the treasury, which must have it.
    pub fn append(&mut self, key: &Key, balance: u64) {
        if self.accounts() >= self.slots() / 4 * 3 {
            self.double();
        }
        let Err(slot) = self.find(key) else { panic!("the account is there") };
        for word in key.0 {
            self.state.extend_from_slice(&word.to_le_bytes());
        }
        self.state.extend_from_slice(&balance.to_le_bytes());
        let accounts = self.accounts() + 1;
        self.put16(HEADER + 2 * slot, accounts as u16);
        self.put32(ACCOUNTS, accounts as u32);
        self.put64(TREASURY, self.treasury() - balance);
    }

    /// Whether the bytes are a book in which all money is accounted for.
    pub fn is_valid(&self) -> bool {
        let size = self.state.len();
        if size < HEADER || self.get64(0) != MAGIC || self.decimals() > 4 {
            return false;
        }
        let (accounts, slots) = (self.accounts(), self.slots());
        if !(SLOTS_MIN..=SLOTS_MAX).contains(&slots) || !slots.is_power_of_two() || accounts > slots / 4 * 3 {
            return false;
        }
        if size != HEADER + 2 * slots + RECORD * accounts {
            return false;
        }
        let (mut sum, mut all) = (self.treasury(), self.treasury() | self.supply());
        for record in self.state[HEADER + 2 * slots..].chunks_exact(RECORD) {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&record[BALANCE..]);
            let balance = u64::from_le_bytes(bytes);
            sum = sum.wrapping_add(balance);
            all |= balance;
        }
        all <= AMOUNT_MAX && sum == self.supply()
    }
}

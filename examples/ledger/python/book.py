"""The ledger's state, byte for byte as ../book.h describes it, and account numbers as ../iban.h does."""

import re
from struct import pack_into, unpack_from

CURRENCY, DECIMALS, ACCOUNTS, SLOTS, SUPPLY, TREASURY, HEADER = 8, 11, 12, 16, 24, 32, 64
RECORD, BALANCE = 32, 24
SLOTS_MIN, SLOTS_MAX = 16, 65536
MAGIC = 0x315247444c454854.to_bytes(8, "little")
MASK = (1 << 64) - 1
AMOUNT_MAX = (1 << 48) - 1

IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}", re.ASCII)


def parse_iban(text: str) -> bytes | None:
    """The key of an IBAN, or None: its characters without the check digits, six bits each."""
    if not IBAN.fullmatch(text):
        return None
    moved = text[4:] + text[:4]
    if int("".join(str(int(character, 36)) for character in moved)) % 97 != 1:
        return None
    key = 0
    for place, character in enumerate(moved[:-2]):
        key |= (int(character, 36) + 1) << 6 * place
    return key.to_bytes(24, "little")


def hash_of(key: bytes) -> int:
    """Mixes all bits of a key into the low ones."""
    first, second, third = unpack_from("<3Q", key)
    mixed = (first * 0x9e3779b97f4a7c15 ^ second * 0xc2b2ae3d27d4eb4f ^ third * 0x165667b19e3779f9) & MASK
    return ((mixed ^ mixed >> 32) * 0xd6e8feb86659fd93 & MASK) >> 32


class Book:
    def __init__(self, state: bytes):
        self.state = bytearray(state)
        self.accounts = self.slots = 0
        if len(state) >= HEADER:
            self.accounts, self.slots = unpack_from("<2I", state, ACCOUNTS)

    @classmethod
    def new(cls, currency: str, decimals: int, supply: int) -> "Book":
        """An empty book whose treasury holds the supply."""
        state = bytearray(HEADER + 2 * SLOTS_MIN)
        state[:CURRENCY + 3] = MAGIC + currency.encode()
        state[DECIMALS] = decimals
        pack_into("<I", state, SLOTS, SLOTS_MIN)
        pack_into("<2Q", state, SUPPLY, supply, supply)
        return cls(state)

    @property
    def currency(self) -> str:
        return self.state[CURRENCY:CURRENCY + 3].decode("ascii")

    @property
    def decimals(self) -> int:
        return self.state[DECIMALS]

    @property
    def supply(self) -> int:
        return unpack_from("<Q", self.state, SUPPLY)[0]

    @property
    def treasury(self) -> int:
        return unpack_from("<Q", self.state, TREASURY)[0]

    @property
    def is_full(self) -> bool:
        return self.slots == SLOTS_MAX and self.accounts >= SLOTS_MAX // 4 * 3

    def balance(self, record: int) -> int:
        return unpack_from("<Q", self.state, record + BALANCE)[0]

    def set_balance(self, record: int, amount: int) -> None:
        pack_into("<Q", self.state, record + BALANCE, amount)

    def record_at(self, place: int) -> int:
        return HEADER + 2 * self.slots + RECORD * (place - 1)

    def _place_in(self, slot: int) -> int:
        return unpack_from("<H", self.state, HEADER + 2 * slot)[0]

    def find(self, key: bytes) -> tuple[int, int]:
        """Where an account's record is, or 0, and the index slot where it is or would be entered."""
        slot = hash_of(key) & self.slots - 1
        while place := self._place_in(slot):
            record = self.record_at(place)
            if self.state[record:record + BALANCE] == key:
                return record, slot
            slot = slot + 1 & self.slots - 1
        return 0, slot

    def _double(self) -> None:
        """Twice the index slots."""
        records = self.state[HEADER + 2 * self.slots:]
        self.slots *= 2
        self.state[HEADER:] = bytes(2 * self.slots) + records
        pack_into("<I", self.state, SLOTS, self.slots)
        for place in range(1, self.accounts + 1):
            record = self.record_at(place)
            slot = hash_of(self.state[record:record + BALANCE]) & self.slots - 1
            while self._place_in(slot):
                slot = slot + 1 & self.slots - 1
            pack_into("<H", self.state, HEADER + 2 * slot, place)

    def append(self, key: bytes, balance: int) -> None:
        """An account more, whose balance comes from the treasury."""
        if self.accounts >= self.slots // 4 * 3:
            self._double()
        _, slot = self.find(key)
        self.accounts += 1
        self.state += key + balance.to_bytes(8, "little")
        pack_into("<H", self.state, HEADER + 2 * slot, self.accounts)
        pack_into("<I", self.state, ACCOUNTS, self.accounts)
        pack_into("<Q", self.state, TREASURY, self.treasury - balance)

    def is_valid(self) -> bool:
        """Whether the bytes are a book in which all money is accounted for."""
        state, accounts, slots = self.state, self.accounts, self.slots
        if len(state) < HEADER or state[:len(MAGIC)] != MAGIC or self.decimals > 4:
            return False
        if not SLOTS_MIN <= slots <= SLOTS_MAX or slots & slots - 1 or accounts > slots // 4 * 3:
            return False
        if len(state) != HEADER + 2 * slots + RECORD * accounts:
            return False
        words = memoryview(state)[HEADER + 2 * slots:].cast("Q")
        amounts = [self.treasury, *words[3::4].tolist()] if accounts else [self.treasury]
        return max(amounts) <= AMOUNT_MAX and self.supply <= AMOUNT_MAX and sum(amounts) == self.supply

package main

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// The state's layout, and why it is so, stand in ../book.h.
const (
	magic     = 0x315247444c454854 // "THELDGR1"
	amountMax = 1<<48 - 1

	currencyAt = 8
	decimalsAt = 11
	accountsAt = 12
	slotsAt    = 16
	supplyAt   = 24
	treasuryAt = 32
	headerSize = 64

	recordSize = 32
	balanceAt  = 24 // in a record

	slotsMin = 16
	slotsMax = 65536
)

var little = binary.LittleEndian

// Book is who has how much. It is worked on where it lies: nothing is decoded, nothing copied.
type Book struct{ state []byte }

// Account is the place of an account's record in the state.
type Account int

func (b *Book) MarshalBinary() ([]byte, error) { return b.state, nil }

func (b *Book) UnmarshalBinary(state []byte) error {
	b.state = state
	return nil
}

// Begin makes an empty book whose treasury holds the supply.
func (b *Book) begin(currency string, decimals int, supply uint64) {
	b.state = make([]byte, headerSize+2*slotsMin)
	b.put64(0, magic)
	copy(b.state[currencyAt:], currency)
	b.state[decimalsAt] = byte(decimals)
	little.PutUint32(b.state[slotsAt:], slotsMin)
	b.put64(supplyAt, supply)
	b.put64(treasuryAt, supply)
}

func (b *Book) get64(at int) uint64        { return little.Uint64(b.state[at:]) }
func (b *Book) put64(at int, value uint64) { little.PutUint64(b.state[at:], value) }

func (b *Book) currency() string  { return string(b.state[currencyAt : currencyAt+3]) }
func (b *Book) decimals() int     { return int(b.state[decimalsAt]) }
func (b *Book) accounts() int     { return int(little.Uint32(b.state[accountsAt:])) }
func (b *Book) slots() int        { return int(little.Uint32(b.state[slotsAt:])) }
func (b *Book) supply() uint64    { return b.get64(supplyAt) }
func (b *Book) treasury() uint64  { return b.get64(treasuryAt) }
func (b *Book) slot(slot int) int { return int(little.Uint16(b.state[headerSize+2*slot:])) }
func (b *Book) setSlot(slot, place int) {
	little.PutUint16(b.state[headerSize+2*slot:], uint16(place))
}

func (b *Book) balance(account Account) uint64 { return b.get64(int(account) + balanceAt) }
func (b *Book) setBalance(account Account, balance uint64) {
	b.put64(int(account)+balanceAt, balance)
}

func (b *Book) record(place int) Account {
	return Account(headerSize + 2*b.slots() + recordSize*(place-1))
}

func (b *Book) key(account Account) Key {
	at := int(account)
	return Key{b.get64(at), b.get64(at + 8), b.get64(at + 16)}
}

// Mixes all bits of a key into the low ones.
func hash(key Key) int {
	h := key[0]*0x9e3779b97f4a7c15 ^ key[1]*0xc2b2ae3d27d4eb4f ^ key[2]*0x165667b19e3779f9
	h = (h ^ h>>32) * 0xd6e8feb86659fd93
	return int(h >> 32)
}

// Find gives the account, or the index slot where its entry would go. The index has free slots always, so the search ends.
func (b *Book) find(key Key) (account Account, slot int, found bool) {
	mask := b.slots() - 1
	for slot = hash(key) & mask; ; slot = (slot + 1) & mask {
		place := b.slot(slot)
		if place == 0 {
			return 0, slot, false
		}
		if account = b.record(place); b.key(account) == key {
			return account, slot, true
		}
	}
}

func (b *Book) isFull() bool { return b.slots() == slotsMax && b.accounts() >= slotsMax/4*3 }

// Twice the index slots.
func (b *Book) double() {
	old := b.slots()
	state := make([]byte, 0, len(b.state)+2*old+recordSize)
	state = append(state, b.state[:headerSize]...)
	state = append(state, make([]byte, 4*old)...)
	b.state = append(state, b.state[headerSize+2*old:]...)
	little.PutUint32(b.state[slotsAt:], uint32(2*old))
	for place := 1; place <= b.accounts(); place++ {
		slot := hash(b.key(b.record(place))) & (2*old - 1)
		for b.slot(slot) != 0 {
			slot = (slot + 1) & (2*old - 1)
		}
		b.setSlot(slot, place)
	}
}

// Add appends an account that is not there yet, in a book that is not full. Money moves from the treasury, which must have it.
func (b *Book) add(key Key, balance uint64) {
	if b.accounts() >= b.slots()/4*3 {
		b.double()
	}
	_, slot, _ := b.find(key)
	for _, word := range key {
		b.state = little.AppendUint64(b.state, word)
	}
	b.state = little.AppendUint64(b.state, balance)
	accounts := b.accounts() + 1
	b.setSlot(slot, accounts)
	little.PutUint32(b.state[accountsAt:], uint32(accounts))
	b.put64(treasuryAt, b.treasury()-balance)
}

// Verify says whether the bytes are a book in which all money is accounted for.
func (b *Book) Verify() error {
	size := len(b.state)
	if size < headerSize || b.get64(0) != magic || b.decimals() > 4 {
		return errors.New("these bytes are no ledger")
	}
	accounts, slots := b.accounts(), b.slots()
	if slots < slotsMin || slots > slotsMax || bits.OnesCount(uint(slots)) != 1 || accounts > slots/4*3 ||
		size != headerSize+2*slots+recordSize*accounts {
		return errors.New("the ledger's size is not that of its accounts")
	}
	sum := b.treasury()
	all := sum | b.supply()
	for at := headerSize + 2*slots; at < size; at += recordSize {
		balance := b.get64(at + balanceAt)
		sum += balance
		all |= balance
	}
	if all > amountMax || sum != b.supply() {
		return errors.New("the balances are not what the supply is")
	}
	return nil
}

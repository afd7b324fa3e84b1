// ledger: accounts and credit transfers, where money is neither made nor lost. The same actor as ../ledger.c: the same inputs, outputs and
// states, byte for byte. Inputs and outputs stand in ../README.md, the state in ../book.h.
package main

import (
	"errors"
	"math/bits"
	"strconv"
	"strings"

	"theater.local/theater"
)

var (
	errMalformed = errors.New("FF01 malformed: see the ledger's README for the form of an input")
	errAmount    = errors.New("AM12 invalid amount: digits and a point, not more decimals than the currency has")
	errConfig    = errors.New(`the configuration is {"Ccy":"EUR","Supply":"100000000.00"}`)
)

// A member's value, which may be there once.
type member struct {
	text  string
	there bool
}

func (m *member) keep(r *Reader, text string) {
	r.need(!m.there)
	*m = member{text, true}
}

// Amounts are whole numbers in the currency's smallest unit inside, digits and a point outside, never floating point. Fewer decimals than
// the currency has may stand there, more may not.
func parseAmount(text string, decimals int) (value uint64, ok bool) {
	whole, fraction, point := strings.Cut(text, ".")
	if whole == "" || point && (fraction == "" || len(fraction) > decimals) {
		return 0, false
	}
	for _, c := range []byte(whole + fraction + strings.Repeat("0", decimals-len(fraction))) {
		high, low := bits.Mul64(value, 10)
		sum, carry := bits.Add64(low, uint64(c-'0'), 0)
		if c < '0' || c > '9' || high != 0 || carry != 0 {
			return 0, false
		}
		value = sum
	}
	return value, true
}

func formatAmount(value uint64, decimals int) string {
	text := strconv.FormatUint(value, 10)
	if decimals == 0 {
		return text
	}
	if len(text) <= decimals {
		text = strings.Repeat("0", decimals+1-len(text)) + text
	}
	return text[:len(text)-decimals] + "." + text[len(text)-decimals:]
}

func (b *Book) amount(text string) (uint64, error) {
	amount, ok := parseAmount(text, b.decimals())
	if !ok || amount > amountMax {
		return 0, errAmount
	}
	return amount, nil
}

// Init reads {"Ccy":"EUR","Supply":"100000000.00","Decimals":2}.
func (b *Book) Init(config []byte) error {
	var currency, supply, decimals member
	unknown := false
	ok := parse(config, func(r *Reader) {
		r.object(func(key string) {
			switch key {
			case "Ccy":
				currency.keep(r, r.string())
			case "Supply":
				supply.keep(r, r.amount())
			case "Decimals":
				decimals.keep(r, r.number())
			default:
				unknown = true
				r.need(false)
			}
		})
	})
	switch {
	case unknown:
		return errors.New("the configuration has a member beside Ccy, Supply and Decimals")
	case !ok || len(currency.text) != 3 || strings.Trim(currency.text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
		return errConfig
	case !decimals.there:
		decimals.text = "2"
	}
	places, ok := parseAmount(decimals.text, 0)
	if !ok || places > 4 {
		return errors.New("Decimals is 0 to 4")
	}
	all, ok := parseAmount(supply.text, int(places))
	if !ok || all > amountMax {
		return errors.New("Supply is no amount, or is too large")
	}
	b.begin(currency.text, int(places), all)
	return nil
}

// What an input says: the request's name, and its members.
type input struct {
	name                                   string
	id, currency, amount, debtor, creditor member
	iban                                   member
}

// {"NAME": value}: reads the member `name` of an object, which may stand anywhere in it.
func (r *Reader) in(name string, read func()) {
	r.object(func(key string) {
		if key == name {
			read()
		} else {
			r.skip()
		}
	})
}

func (in *input) readTransfer(r *Reader, key string) {
	account := func(to *member) {
		r.in("Id", func() { r.in("IBAN", func() { to.keep(r, r.string()) }) })
	}
	switch key {
	case "PmtId":
		r.in("EndToEndId", func() { in.id.keep(r, r.string()) })
	case "DbtrAcct":
		account(&in.debtor)
	case "CdtrAcct":
		account(&in.creditor)
	case "Amt":
		r.in("InstdAmt", func() {
			r.object(func(key string) {
				switch key {
				case "Ccy":
					in.currency.keep(r, r.string())
				case "Amt":
					in.amount.keep(r, r.amount())
				default:
					r.skip()
				}
			})
		})
	default:
		r.skip()
	}
}

// The first member says which request it is; the three with a name have no other.
func (in *input) read(r *Reader) {
	r.enter('{')
	key, more := r.member()
	r.need(more)
	switch in.name = key; key {
	case "Open":
		r.object(func(key string) {
			switch key {
			case "IBAN":
				in.iban.keep(r, r.string())
			case "Amt":
				in.amount.keep(r, r.amount())
			default:
				r.skip()
			}
		})
		r.need(in.iban.there)
	case "Balance":
		r.in("IBAN", func() { in.iban.keep(r, r.string()) })
		r.need(in.iban.there)
	case "Totals":
		r.skip()
	default:
		for ; more; key, more = r.member() {
			in.readTransfer(r, key)
		}
		r.need(in.id.there && in.currency.there && in.amount.there && in.debtor.there && in.creditor.there)
		return
	}
	r.need(!r.next('}'))
}

// Handle is one request.
func (b *Book) Handle(text []byte) ([]byte, error) {
	var in input
	if !parse(text, in.read) {
		return nil, errMalformed
	}
	switch in.name {
	case "Open":
		return b.open(&in)
	case "Balance":
		key, ok := ParseIBAN(in.iban.text)
		if !ok {
			return nil, errors.New("AC03 the IBAN is not valid")
		}
		account, _, found := b.find(key)
		if !found {
			return nil, errors.New("AC01 unknown account " + in.iban.text)
		}
		return b.reply(in.iban.text, b.balance(account)), nil
	case "Totals":
		return []byte(`{"Accounts":` + strconv.Itoa(b.accounts()) + `,"Ccy":"` + b.currency() + `","Supply":"` +
			formatAmount(b.supply(), b.decimals()) + `","Treasury":"` + formatAmount(b.treasury(), b.decimals()) + `"}`), nil
	}
	return b.transfer(&in)
}

func (b *Book) reply(iban string, balance uint64) []byte {
	return []byte(`{"IBAN":"` + iban + `","Ccy":"` + b.currency() + `","Bal":"` + formatAmount(balance, b.decimals()) + `"}`)
}

func (b *Book) open(in *input) ([]byte, error) {
	amount := uint64(0)
	if in.amount.there {
		var err error
		if amount, err = b.amount(in.amount.text); err != nil {
			return nil, err
		}
	}
	key, ok := ParseIBAN(in.iban.text)
	if !ok {
		return nil, errors.New("AC03 the IBAN is not valid")
	}
	if _, _, found := b.find(key); found {
		return nil, errors.New("AG01 open already: account " + in.iban.text)
	}
	if b.isFull() {
		return nil, errors.New("AG01 the ledger is full")
	}
	if b.treasury() < amount {
		return nil, errors.New("AM04 insufficient funds in the treasury")
	}
	b.add(key, amount)
	return b.reply(in.iban.text, amount), nil
}

func (b *Book) transfer(in *input) ([]byte, error) {
	if len(in.id.text) == 0 || len(in.id.text) > 35 {
		return nil, errMalformed
	}
	if in.currency.text != b.currency() {
		return nil, errors.New("AM03 the ledger has another currency")
	}
	amount, err := b.amount(in.amount.text)
	if err != nil {
		return nil, err
	}
	if amount == 0 {
		return nil, errors.New("AM01 the amount is zero")
	}
	debtor, ok := ParseIBAN(in.debtor.text)
	if !ok {
		return nil, errors.New("AC02 the debtor's IBAN is not valid")
	}
	creditor, ok := ParseIBAN(in.creditor.text)
	if !ok {
		return nil, errors.New("AC03 the creditor's IBAN is not valid")
	}
	from, _, found := b.find(debtor)
	if !found {
		return nil, errors.New("AC01 unknown account " + in.debtor.text)
	}
	to, _, found := b.find(creditor)
	if !found {
		return nil, errors.New("AC01 unknown account " + in.creditor.text)
	}
	if from == to {
		return nil, errors.New("AG01 debtor and creditor are the same account")
	}
	if b.balance(from) < amount {
		return nil, errors.New("AM04 insufficient funds in account " + in.debtor.text)
	}
	b.setBalance(from, b.balance(from)-amount)
	b.setBalance(to, b.balance(to)+amount)
	return []byte(`{"EndToEndId":` + quote(in.id.text) + `,"TxSts":"ACSC"}`), nil
}

func init() { theater.Register[Book](theater.Binary) }

func main() {}

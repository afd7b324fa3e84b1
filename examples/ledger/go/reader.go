package main

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// How deep a value that is skipped may nest.
const depthMax = 16

// Malformed is what a reader stops with; it stands for the one answer to an input that is not in the form that the README says.
type malformed struct{}

// A Reader reads JSON (RFC 8259) member by member, each of them once. encoding/json would take a member that is there twice, and a string
// that is not UTF-8. What is not in the form that was asked for ends the reading by a panic, which parse catches.
type Reader struct {
	text  []byte
	at    int
	first bool
}

// Parse reads a text whole.
func parse(text []byte, read func(r *Reader)) (ok bool) {
	defer func() {
		if thrown := recover(); thrown != nil {
			if _, ours := thrown.(malformed); !ours {
				panic(thrown)
			}
			ok = false
		}
	}()
	r := &Reader{text: text}
	read(r)
	r.need(r.peek() == 0 && r.at == len(text))
	return true
}

func (r *Reader) need(holds bool) {
	if !holds {
		panic(malformed{})
	}
}

// The byte here, not taken; 0 at the end.
func (r *Reader) here() byte {
	if r.at < len(r.text) {
		return r.text[r.at]
	}
	return 0
}

// The next byte that is no space, not taken.
func (r *Reader) peek() byte {
	for r.here() == ' ' || r.here() == '\t' || r.here() == '\r' || r.here() == '\n' {
		r.at++
	}
	return r.here()
}

func (r *Reader) take(c byte) {
	r.need(r.peek() == c)
	r.at++
}

// Enters an object or an array; next then says whether there is more of it.
func (r *Reader) enter(open byte) {
	r.take(open)
	r.first = true
}

func (r *Reader) next(end byte) bool {
	first := r.first
	r.first = false
	if r.peek() == end {
		r.at++
		return false
	}
	if !first {
		r.take(',')
	}
	return true
}

// The next member's key, whose value is to be read then; false at the end of the object.
func (r *Reader) member() (key string, more bool) {
	if !r.next('}') {
		return "", false
	}
	key = r.string()
	r.take(':')
	return key, true
}

// Each member of an object.
func (r *Reader) object(read func(key string)) {
	r.enter('{')
	for key, more := r.member(); more; key, more = r.member() {
		read(key)
	}
}

func (r *Reader) string() string {
	r.take('"')
	start := r.at
	for r.here() != '"' && r.here() != '\\' {
		r.need(r.here() >= 0x20)
		r.at++
	}
	text := r.text[start:r.at:r.at]
	for r.here() != '"' {
		if r.here() == '\\' {
			r.at++
			text = r.escape(text)
			continue
		}
		r.need(r.here() >= 0x20)
		text = append(text, r.here())
		r.at++
	}
	r.at++
	r.need(utf8.Valid(text))
	return string(text)
}

func (r *Reader) escape(text []byte) []byte {
	c := r.here()
	r.at++
	switch c {
	case '"', '\\', '/':
		return append(text, c)
	case 'b':
		return append(text, '\b')
	case 'f':
		return append(text, '\f')
	case 'n':
		return append(text, '\n')
	case 'r':
		return append(text, '\r')
	case 't':
		return append(text, '\t')
	}
	r.need(c == 'u')
	point := r.hex()
	if point >= 0xd800 && point < 0xdc00 {
		r.need(r.here() == '\\')
		r.at++
		r.need(r.here() == 'u')
		r.at++
		low := r.hex()
		r.need(low >= 0xdc00 && low < 0xe000)
		point = 0x10000 + (point-0xd800)<<10 + low - 0xdc00
	}
	r.need(point < 0xd800 || point > 0xdfff)
	return utf8.AppendRune(text, point)
}

func (r *Reader) hex() rune {
	r.need(r.at+4 <= len(r.text))
	digits := string(r.text[r.at : r.at+4])
	r.at += 4
	value, err := strconv.ParseUint(digits, 16, 32)
	r.need(err == nil && !strings.ContainsAny(digits, "+-_"))
	return rune(value)
}

func (r *Reader) digits() (count int) {
	for ; r.here() >= '0' && r.here() <= '9'; count++ {
		r.at++
	}
	return count
}

// A number as it is written.
func (r *Reader) number() string {
	r.peek()
	start := r.at
	if r.here() == '-' {
		r.at++
	}
	leading := r.here()
	count := r.digits()
	r.need(count == 1 || count > 1 && leading != '0')
	if r.here() == '.' {
		r.at++
		r.need(r.digits() > 0)
	}
	if r.here() == 'e' || r.here() == 'E' {
		r.at++
		if r.here() == '+' || r.here() == '-' {
			r.at++
		}
		r.need(r.digits() > 0)
	}
	return string(r.text[start:r.at])
}

// An amount may be a text or a number; either is taken as it is written.
func (r *Reader) amount() string {
	if r.peek() == '"' {
		return r.string()
	}
	return r.number()
}

// Reads a value of any kind and forgets it.
func (r *Reader) skip() { r.skipBelow(depthMax) }

func (r *Reader) skipBelow(depth int) {
	r.need(depth > 0)
	switch r.peek() {
	case '{':
		r.object(func(string) { r.skipBelow(depth - 1) })
	case '[':
		r.enter('[')
		for r.next(']') {
			r.skipBelow(depth - 1)
		}
	case '"':
		r.string()
	case 't':
		r.word("true")
	case 'f':
		r.word("false")
	case 'n':
		r.word("null")
	default:
		r.number()
	}
}

func (r *Reader) word(word string) {
	r.need(strings.HasPrefix(string(r.text[r.at:]), word))
	r.at += len(word)
}

// Quote writes a JSON string with its quotes.
func quote(text string) string {
	const digits = "0123456789abcdef"
	out := []byte{'"'}
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c < 0x20:
			out = append(out, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			out = append(out, c)
		}
	}
	return string(append(out, '"'))
}

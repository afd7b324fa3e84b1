package main

// Key is an IBAN without its check digits, which follow from the rest, packed in six bits a character: 0 for none, 1 to 10 for digits, 11 to
// 36 for letters. 32 characters fill 24 bytes exactly, so no two accounts share a key.
type Key [3]uint64

// The number that a character stands for in the check (ISO 7064, mod 97-10).
func valueOf(c byte) (value uint64, ok bool) {
	switch {
	case '0' <= c && c <= '9':
		return uint64(c - '0'), true
	case 'A' <= c && c <= 'Z':
		return uint64(c-'A') + 10, true
	}
	return 0, false
}

// ParseIBAN checks an account number by ISO 13616 and packs it. The check reads the characters from the fifth on and then the first four as
// one long decimal number, whose remainder by 97 must be 1.
func ParseIBAN(text string) (key Key, ok bool) {
	if len(text) < 15 || len(text) > 34 {
		return key, false
	}
	remainder, bit := uint64(0), 0
	for i := range len(text) {
		at := (i + 4) % len(text)
		value, ok := valueOf(text[at])
		// The country is two letters, the check digits are digits, and the rest is either.
		if !ok || at < 2 && value < 10 || (at == 2 || at == 3) && value > 9 {
			return key, false
		}
		if value < 10 {
			remainder = (remainder*10 + value) % 97
		} else {
			remainder = (remainder*100 + value) % 97
		}
		if at == 2 || at == 3 {
			continue
		}
		word, shift := bit/64, bit%64
		key[word] |= (value + 1) << shift
		if shift > 58 {
			key[word+1] |= (value + 1) >> (64 - shift)
		}
		bit += 6
	}
	return key, remainder == 1
}

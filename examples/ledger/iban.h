/* iban.h: account numbers by ISO 13616: two letters of the country, two check digits, and up to 30 letters
 * and digits.
 *
 * A key is the IBAN without its check digits, which follow from the rest, packed in six bits a character: 0
 * for none, 1 to 10 for digits, 11 to 36 for letters. 32 characters fill 24 bytes exactly, so no two accounts
 * share a key, and a key is compared as three integers.
 */
#ifndef LEDGER_IBAN_H
#define LEDGER_IBAN_H

#include <theater.h>

enum { IBAN_MIN = 15, IBAN_MAX = 34, KEY_SIZE = 24 };

typedef struct iban_key {
    uint64_t words[3];
} iban_key;

/* The number that a character stands for in the check (ISO 7064, mod 97-10): digits 0 to 9, letters 10 to 35;
 * 36 for anything else. */
static inline unsigned iban_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'Z' ? c - 'A' + 10u : 36;
}

/* Checks an IBAN and packs it. The check reads the characters from the fifth on and then the first four as
 * one long decimal number, whose remainder by 97 must be 1. Eight characters are at most 16 digits, so the
 * remainder is taken once in eight. */
static inline bool iban_parse(theater_slice text, iban_key *ret)
{
    if (text.size < IBAN_MIN || text.size > IBAN_MAX)
        return false;
    const uint8_t *p = text.data;
    uint64_t remainder = 0;
    unsigned bit = 0;
    *ret = (iban_key){0};
    for (unsigned i = 4; i < text.size + 4; i++) {
        unsigned at = i < text.size ? i : i - (unsigned)text.size, value = iban_value(p[at]);
        /* The country is two letters, the check digits are digits, and the rest is either. */
        if (value > 35 || (at < 2 && value < 10) || ((at == 2 || at == 3) && value > 9))
            return false;
        remainder = remainder * (value < 10 ? 10 : 100) + value;
        if (i % 8 == 3)
            remainder %= 97;
        if (at == 2 || at == 3)
            continue;
        unsigned word = bit / 64, shift = bit % 64;
        ret->words[word] |= (uint64_t)(value + 1) << shift;
        if (shift > 58)
            ret->words[word + 1] |= (uint64_t)(value + 1) >> (64 - shift);
        bit += 6;
    }
    return remainder % 97 == 1;
}

#endif

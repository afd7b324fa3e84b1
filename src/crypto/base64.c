#include "crypto/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void th_base64_encode(th_slice bytes, char *out)
{
    size_t at = 0;
    for (; bytes.size - at >= 3; at += 3) {
        uint32_t group =
            (uint32_t)bytes.data[at] << 16 | (uint32_t)bytes.data[at + 1] << 8 | bytes.data[at + 2];
        for (int shift = 18; shift >= 0; shift -= 6)
            *out++ = alphabet[group >> shift & 63];
    }
    size_t left = bytes.size - at;
    if (left == 0)
        return;
    uint32_t group = (uint32_t)bytes.data[at] << 16 | (left == 2 ? (uint32_t)bytes.data[at + 1] << 8 : 0);
    *out++ = alphabet[group >> 18];
    *out++ = alphabet[group >> 12 & 63];
    *out++ = left == 2 ? alphabet[group >> 6 & 63] : '=';
    *out++ = '=';
}

/* The value of a character, 64 and more when it is none of the alphabet. */
static uint32_t value_of(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26u;
    if (c >= '0' && c <= '9')
        return c - '0' + 52u;
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

bool th_base64_decode(th_slice text, uint8_t *out, size_t room, size_t *ret_size)
{
    if (text.size % 4 != 0)
        return false;
    size_t padding = 0;
    while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=')
        padding++;
    size_t size = text.size / 4 * 3 - padding, made = 0;
    if (size > room)
        return false;
    for (size_t at = 0; at < text.size; at += 4) {
        size_t characters = at + 4 == text.size ? 4 - padding : 4;
        uint32_t group = 0;
        for (size_t i = 0; i < 4; i++) {
            uint32_t value = i < characters ? value_of(text.data[at + i]) : 0;
            if (value > 63)
                return false;
            group = group << 6 | value;
        }
        if ((characters == 3 && (group & 0xff)) || (characters == 2 && (group & 0xffff)))
            return false; /* bits that no encoder sets: the same bytes would have a second form */
        for (size_t i = 0; i + 1 < characters; i++)
            out[made++] = (uint8_t)(group >> (16 - 8 * i));
    }
    *ret_size = made;
    return made == size;
}

#include "base/bytes.h"

void th_hex_encode(th_slice bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.size; i++) {
        *out++ = digits[bytes.data[i] >> 4];
        *out++ = digits[bytes.data[i] & 15];
    }
    *out = 0;
}

size_t th_decimal_encode(uint64_t number, char *out)
{
    char digits[TH_DECIMAL_MAX];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    memcpy(out, digits + at, sizeof digits - at);
    return sizeof digits - at;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool th_hex_decode(const char *text, size_t text_size, uint8_t *out, size_t size)
{
    if (text_size != 2 * size)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* How many bytes the character at `p` has (Unicode, table 3-7), 0 when it is not well-formed. */
static size_t character_size(const uint8_t *p, size_t left)
{
    if (p[0] < 0x80)
        return 1;
    size_t size = p[0] >= 0xc2 && p[0] <= 0xdf   ? 2
                  : (p[0] & 0xf0) == 0xe0        ? 3
                  : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4
                                                 : 0;
    if (size == 0 || size > left)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
        (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return size;
}

size_t th_utf8_prefix(th_slice text)
{
    size_t at = 0;
    while (at < text.size) {
        size_t size = character_size(text.data + at, text.size - at);
        if (size == 0)
            break;
        at += size;
    }
    return at;
}

bool th_utf8_valid(th_slice text)
{
    return th_utf8_prefix(text) == text.size;
}

size_t th_utf8_character(th_slice text)
{
    return text.size ? character_size(text.data, text.size) : 0;
}

void th_blank_controls(char *text, bool keep_newlines)
{
    for (unsigned char *c = (unsigned char *)text; *c; c++) {
        if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f) /* U+0080 to U+009F */
            c[0] = c[1] = ' ';
        else if ((*c < ' ' && !(*c == '\n' && keep_newlines)) || *c == 0x7f)
            *c = ' ';
    }
}

static bool label_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool th_name_valid(th_slice name)
{
    if (name.size < 1 || name.size > 128)
        return false;
    bool after_label = false;
    for (size_t i = 0; i < name.size; i++) {
        if (!label_byte(name.data[i]) && !(name.data[i] == '.' && after_label))
            return false;
        after_label = name.data[i] != '.';
    }
    return after_label;
}

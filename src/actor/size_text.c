#include "actor/manifest.h"

typedef struct unit {
    const char *name;
    uint64_t bytes;
} unit;

/* Powers of ten and of two, as the International Electrotechnical Commission names them (IEC 80000-13). */
static const unit units[] = {
    {"", 1},
    {"B", 1},
    {"kB", 1000},
    {"KB", 1000},
    {"MB", 1000000},
    {"GB", 1000000000},
    {"TB", 1000000000000},
    {"KiB", (uint64_t)1 << 10},
    {"MiB", (uint64_t)1 << 20},
    {"GiB", (uint64_t)1 << 30},
    {"TiB", (uint64_t)1 << 40},
};

bool th_parse_size(const char *text, uint64_t *ret)
{
    uint64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (at == text)
        return false;
    if (*at == ' ' && at[1] != '\0')
        at++;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(at, units[i].name))
            continue;
        if (value > UINT64_MAX / units[i].bytes)
            return false;
        *ret = value * units[i].bytes;
        return true;
    }
    return false;
}

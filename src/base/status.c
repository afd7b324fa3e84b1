#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/allocations.h"
#include "base/bytes.h"

typedef struct status_entry {
    const char *name;
    const char *text;
    int exit_code;
    int http;
} status_entry;

static const status_entry entries[] = {
#define ENTRY(name, text, exit_code, http) {#name, text, exit_code, http},
    THEATER_STATUS_LIST(ENTRY)
#undef ENTRY
};

/* The names in the list are C identifiers; machines read them as "mailbox-full". */
static const char *const dashed_names[] = {
    "ok",
    "invalid-argument",
    "rejected",
    "not-found",
    "exists",
    "component-refused",
    "actor-failed",
    "too-large",
    "mailbox-full",
    "stopped",
    "read-only",
    "storage-failed",
    "no-space",
    "busy",
    "corrupt",
    "version",
    "no-memory",
    "engine-failed",
    "timeout",
    "io",
    "verify-failed",
    "undecided",
    "cancelled",
    "permission",
    "tool-missing",
    "interrupted",
};
_Static_assert(sizeof dashed_names / sizeof *dashed_names == THEATER_STATUS_COUNT, "a name for each status");

static const status_entry *find(theater_status status)
{
    return (unsigned)status < THEATER_STATUS_COUNT ? &entries[status] : NULL;
}

const char *theater_status_name(theater_status status)
{
    return find(status) ? dashed_names[status] : "unknown";
}

const char *theater_status_text(theater_status status)
{
    return find(status) ? entries[status].text : "unknown";
}

int theater_status_exit_code(theater_status status)
{
    return find(status) ? entries[status].exit_code : 1;
}

int theater_status_http(theater_status status)
{
    return find(status) ? entries[status].http : 500;
}

/* A message is one line, whatever it quotes. A refused component has one finding a line. */
static void keep_to_lines(theater_error *error)
{
    th_blank_controls(error->message, error->status == THEATER_COMPONENT_REFUSED);
}

/* A message that was cut must still be UTF-8: drops the bytes of a character that is not whole. */
static void trim_to_character(char *text)
{
    size_t size = strlen(text);
    for (int i = 0; i < 3 && size > 0 && !th_utf8_valid(th_slice_of(text, size)); i++)
        size--;
    text[size] = 0;
}

static void mend_cut(theater_error *error, int length)
{
    keep_to_lines(error);
    if (length >= (int)sizeof error->message)
        trim_to_character(error->message);
}

theater_status th_fail(theater_error *reterr, theater_status status, const char *format, ...)
{
    if (!reterr)
        return status;
    reterr->status = status;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(reterr->message, sizeof reterr->message, format, arguments);
    va_end(arguments);
    mend_cut(reterr, length);
    return status;
}

theater_status th_fail_in(theater_error *reterr, theater_status status, const char *format, ...)
{
    if (!reterr)
        return status;
    char inner[sizeof reterr->message];
    memcpy(inner, reterr->message, sizeof inner);
    inner[sizeof inner - 1] = 0;
    char place[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(place, sizeof place, format, arguments);
    va_end(arguments);
    trim_to_character(place);
    reterr->status = status;
    int length = snprintf(reterr->message, sizeof reterr->message, "%s: %s", place, inner);
    mend_cut(reterr, length);
    return status;
}

theater_status th_fail_memory(theater_error *reterr, const char *what)
{
    return th_fail(reterr, THEATER_NO_MEMORY, "out of memory for %s", what);
}

void th_assert_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "theater: %s:%d: this must hold: %s\n", file, line, condition);
    abort();
}

#ifdef TH_FAULTS
static uint64_t allocations_left; /* 0: off; 1: the next one fails */

uint64_t th_allocation_fail_at(uint64_t place)
{
    return __atomic_exchange_n(&allocations_left, place, __ATOMIC_RELAXED);
}

static bool allocation_fails(void)
{
    uint64_t left = __atomic_load_n(&allocations_left, __ATOMIC_RELAXED);
    while (left > 0) {
        if (__atomic_compare_exchange_n(&allocations_left, &left, left - 1, false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED))
            return left == 1;
    }
    return false;
}
#else
static inline bool allocation_fails(void)
{
    return false;
}
#endif

static bool counting;
static uint64_t counted;

void th_allocations_count(bool on)
{
    __atomic_store_n(&counting, on, __ATOMIC_RELAXED);
}

uint64_t th_allocations(void)
{
    return __atomic_load_n(&counted, __ATOMIC_RELAXED);
}

static inline void count(void)
{
    if (__atomic_load_n(&counting, __ATOMIC_RELAXED))
        __atomic_fetch_add(&counted, 1, __ATOMIC_RELAXED);
}

void *th_alloc(size_t size)
{
    count();
    return allocation_fails() ? NULL : malloc(size ? size : 1);
}

void *th_alloc_zero(size_t number, size_t size)
{
    count();
    return allocation_fails() ? NULL : calloc(number ? number : 1, size ? size : 1);
}

void *th_realloc(void *memory, size_t size)
{
    count();
    return allocation_fails() ? NULL : realloc(memory, size ? size : 1);
}

void th_free(void *memory)
{
    free(memory);
}

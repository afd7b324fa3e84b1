/* port/names.c: the names of one folder, in order. */
#include <stdlib.h>

#include "port/internal.h"

void th_names_init(th_names *names)
{
    *names = (th_names){.offsets = NULL};
    th_buf_init(&names->text, TH_NAMES_MAX);
}

void th_names_done(th_names *names)
{
    th_buf_done(&names->text);
    th_free(names->offsets);
    th_names_init(names);
}

theater_status th_names_add(th_names *names, const char *name, theater_error *reterr)
{
    if (names->count == names->capacity) {
        size_t capacity = names->capacity ? names->capacity * 2 : 64;
        size_t *grown = th_realloc(names->offsets, capacity * sizeof *grown);
        if (!grown)
            return th_fail_memory(reterr, "the names of a folder");
        names->offsets = grown;
        names->capacity = capacity;
    }
    size_t offset = names->text.size;
    theater_status status = th_buf_append(&names->text, th_slice_of(name, strlen(name) + 1), reterr);
    if (status != THEATER_OK)
        return status;
    names->offsets[names->count++] = offset;
    return THEATER_OK;
}

static int compare(const void *a, const void *b, void *text)
{
    /* strcmp compares as unsigned char: byte order, whatever the locale. */
    return strcmp((const char *)text + *(const size_t *)a, (const char *)text + *(const size_t *)b);
}

void th_names_visit(th_names *names, bool (*entry)(void *context, const char *name), void *context)
{
    if (names->count > 1)
        qsort_r(names->offsets, names->count, sizeof *names->offsets, compare, names->text.data);
    for (size_t i = 0; i < names->count; i++) {
        if (!entry(context, (const char *)names->text.data + names->offsets[i]))
            return;
    }
}

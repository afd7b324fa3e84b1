/* string.h of actors: what C17 says of these functions, over the turn's memory. Included as <string.h>. */
#ifndef THEATER_STRING_H
#define THEATER_STRING_H

#include "theater_memory.h"

static inline void *memchr(const void *bytes, int byte, size_t size)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++) {
        if (at[i] == (uint8_t)byte)
            return (void *)(uintptr_t)(at + i);
    }
    return NULL;
}

static inline size_t strnlen(const char *text, size_t most)
{
    size_t size = 0;
    while (size < most && text[size])
        size++;
    return size;
}

static inline int strncmp(const char *a, const char *b, size_t most)
{
    for (size_t i = 0; i < most; i++) {
        if (a[i] != b[i] || !a[i])
            return (uint8_t)a[i] - (uint8_t)b[i];
    }
    return 0;
}

static inline int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

/* The character may be the zero at the end. */
static inline char *strchr(const char *text, int character)
{
    for (; *text != (char)character; text++) {
        if (!*text)
            return NULL;
    }
    return (char *)(uintptr_t)text;
}

static inline char *strrchr(const char *text, int character)
{
    for (size_t size = strlen(text) + 1; size > 0; size--) {
        if (text[size - 1] == (char)character)
            return (char *)(uintptr_t)(text + size - 1);
    }
    return NULL;
}

static inline char *strstr(const char *text, const char *part)
{
    size_t size = strlen(part);
    for (; strncmp(text, part, size) != 0; text++) {
        if (!*text)
            return NULL;
    }
    return (char *)(uintptr_t)text;
}

static inline char *strcpy(char *to, const char *from)
{
    __builtin_memcpy(to, from, strlen(from) + 1);
    return to;
}

static inline char *strncpy(char *to, const char *from, size_t size)
{
    size_t have = strnlen(from, size);
    __builtin_memcpy(to, from, have);
    __builtin_memset(to + have, 0, size - have);
    return to;
}

static inline char *strcat(char *to, const char *from)
{
    strcpy(to + strlen(to), from);
    return to;
}

#endif

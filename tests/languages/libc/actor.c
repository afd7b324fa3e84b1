/* Answers with what the parts of C's library do. Inputs: "sort WORD...", "find WORD LIST...", "copy TEXT",
 * "assert TEXT". */
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <theater.h>

static char *text_of(theater_slice slice)
{
    char *text = malloc(slice.size + 1);
    memcpy(text, slice.data, slice.size);
    text[slice.size] = 0;
    return text;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The words in order, in a list that grows. */
static char **sorted(theater_slice rest, size_t *ret_count)
{
    char **words = NULL;
    size_t count = 0;
    for (theater_slice word; (word = theater_next_word(&rest)).size > 0; count++) {
        words = realloc(words, (count + 1) * sizeof *words);
        words[count] = text_of(word);
    }
    qsort(words, count, sizeof *words, compare);
    *ret_count = count;
    return words;
}

static theater_slice sort(theater_slice rest)
{
    size_t count;
    char **words = sorted(rest, &count);
    char *out = calloc(rest.size + count + 1, 1);
    for (size_t i = 0; i < count; i++) {
        strcat(out, words[i]);
        if (i + 1 < count)
            strcat(out, " ");
        free(words[i]);
    }
    return theater_slice_text(out);
}

static theater_slice find(theater_slice rest)
{
    size_t count;
    char *word = text_of(theater_next_word(&rest));
    char **words = sorted(rest, &count);
    return theater_slice_text(bsearch(&word, words, count, sizeof *words, compare) ? "there" : "not there");
}

/* Checks that answer by a word each. */
static theater_slice copy(theater_slice rest)
{
    char *text = text_of(theater_trim(rest)), narrow[4], *end = text + strlen(text);
    theater_writer out = theater_writer_new(64);
    strncpy(narrow, text, sizeof narrow);
    theater_put_slice(&out, theater_slice_of(narrow, strnlen(narrow, sizeof narrow)));
    bool right = strchr(text, 0) == end && !strchr(text, '~') && strrchr(text, *text) >= text &&
                 strstr(text, text + 1) == text + 1 && strstr(text, "~") == NULL && strstr(text, "") == text &&
                 memchr(text, *text, strlen(text)) == text && memchr(text, '~', strlen(text)) == NULL &&
                 strncmp(text, "~", 0) == 0 && strcmp(text, "~") < 0 && strcmp("a", "ab") < 0 && abs(-3) == 3;
    theater_put_text(&out, right ? " right" : " wrong");
    for (char *at = text; at < end; at++)
        theater_put_byte(&out, (char)(isalpha((unsigned char)*at) ? toupper((unsigned char)*at) : '.'));
    return theater_writer_slice(&out);
}

static theater_result init(theater_slice config)
{
    return theater_start(theater_bytes_new(1));
}

static theater_result handle(theater_slice input, theater_bytes state)
{
    theater_slice word = theater_next_word(&input);
    if (theater_slice_is(word, "sort"))
        return theater_reply(sort(input), state);
    if (theater_slice_is(word, "find"))
        return theater_reply(find(input), state);
    if (theater_slice_is(word, "copy"))
        return theater_reply(copy(input), state);
    assert(theater_trim(input).size == 2);
    return theater_reply(word, state);
}

static bool verify_state(theater_slice state)
{
    return state.size == 1;
}

THEATER_ACTOR(init, handle, verify_state)

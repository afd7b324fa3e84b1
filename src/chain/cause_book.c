#include "chain/cause_book.h"

void th_cause_book_init(th_cause_book *book, uint64_t max, uint64_t seed)
{
    *book = (th_cause_book){.max = max, .seed = seed};
    th_name_table_init(&book->actors, seed);
}

void th_cause_book_done(th_cause_book *book)
{
    th_name_table_done(&book->actors);
    th_free(book->last);
    th_free(book->requests.entries);
    th_free(book->answers.entries);
    th_free(book->unknown.entries);
    th_free(book->dropped);
    th_cause_book_init(book, book->max, book->seed);
}

/* Takes one entry of the bound. */
static theater_status count_entry(th_cause_book *book, theater_error *reterr)
{
    if (book->entries >= book->max)
        return th_fail(reterr, THEATER_TOO_LARGE,
                       "more than %llu senders, open requests and answers to remember",
                       (unsigned long long)book->max);
    book->entries++;
    return THEATER_OK;
}

/* ---- pairs ----------------------------------------------------------------------------------- */

static uint64_t home_of(const th_cause_book *book, const th_pair_table *table, uint64_t a, uint64_t b)
{
    return th_mix(th_mix(a ^ book->seed) ^ b) & (table->capacity - 1);
}

/* The entry of the pair, or the free one where it would stand; the table has a free entry. */
static th_pair_entry *find(const th_cause_book *book, const th_pair_table *table, uint64_t a, uint64_t b)
{
    uint64_t at = home_of(book, table, a, b);
    while (table->entries[at].used && (table->entries[at].a != a || table->entries[at].b != b))
        at = (at + 1) & (table->capacity - 1);
    return &table->entries[at];
}

static bool has(const th_cause_book *book, const th_pair_table *table, uint64_t a, uint64_t b,
                uint32_t *ret_value)
{
    if (table->count == 0)
        return false;
    th_pair_entry *entry = find(book, table, a, b);
    *ret_value = entry->value;
    return entry->used;
}

static theater_status add(th_cause_book *book, th_pair_table *table, uint64_t a, uint64_t b, uint32_t value,
                          theater_error *reterr)
{
    theater_status status = count_entry(book, reterr);
    if (status)
        return status;
    if ((table->count + 1) * 4 > table->capacity * 3) {
        th_pair_table grown = {.capacity = table->capacity ? table->capacity * 2 : 64};
        grown.entries = th_alloc_zero((size_t)grown.capacity, sizeof *grown.entries);
        if (!grown.entries)
            return th_fail_memory(reterr, "the causes of a chain");
        for (uint64_t i = 0; i < table->capacity; i++) {
            th_pair_entry *entry = &table->entries[i];
            if (entry->used)
                *find(book, &grown, entry->a, entry->b) = *entry;
        }
        grown.count = table->count;
        th_free(table->entries);
        *table = grown;
    }
    *find(book, table, a, b) = (th_pair_entry){a, b, value, true};
    table->count++;
    return THEATER_OK;
}

/* Removes the pair, which is there: entries behind it that it kept from their home move up, so no mark stays.
 */
static void take_out(th_cause_book *book, th_pair_table *table, uint64_t a, uint64_t b)
{
    uint64_t mask = table->capacity - 1, hole = (uint64_t)(find(book, table, a, b) - table->entries);
    for (uint64_t at = (hole + 1) & mask; table->entries[at].used; at = (at + 1) & mask) {
        uint64_t home = home_of(book, table, table->entries[at].a, table->entries[at].b);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            table->entries[hole] = table->entries[at];
            hole = at;
        }
    }
    table->entries[hole].used = false;
    table->count--;
    book->entries--;
}

/* The number of the actor with this name, made when it is new. */
static theater_status number_of(th_cause_book *book, th_slice name, uint32_t *ret, theater_error *reterr)
{
    bool is_new;
    uint64_t left = book->max - book->entries;
    theater_status status =
        th_name_table_number(&book->actors, name, book->actors.count + left, ret, &is_new, reterr);
    if (status)
        return status;
    book->entries += is_new;
    if (*ret >= book->last_capacity) {
        uint32_t capacity = book->actors.capacity;
        th_last_message *last = th_realloc(book->last, capacity * sizeof *last);
        if (!last)
            return th_fail_memory(reterr, "the senders of a chain");
        memset(last + book->last_capacity, 0, (capacity - book->last_capacity) * sizeof *last);
        book->last = last;
        book->last_capacity = capacity;
    }
    return THEATER_OK;
}

/* ---- the book -------------------------------------------------------------------------------- */

theater_status th_cause_book_request(th_cause_book *book, uint64_t request, th_slice to,
                                     theater_error *reterr)
{
    uint32_t target;
    theater_status status = number_of(book, to, &target, reterr);
    return status ? status : add(book, &book->requests, request, 0, target, reterr);
}

theater_status th_cause_book_dropped(th_cause_book *book, uint64_t sequence, theater_error *reterr)
{
    if (book->dropped_count && book->dropped[book->dropped_count - 1].last + 1 == sequence) {
        book->dropped[book->dropped_count - 1].last = sequence;
        return THEATER_OK;
    }
    theater_status status = count_entry(book, reterr);
    if (status)
        return status;
    if (book->dropped_count == book->dropped_capacity) {
        uint64_t capacity = book->dropped_capacity ? book->dropped_capacity * 2 : 16;
        th_sequence_range *ranges = th_realloc(book->dropped, (size_t)capacity * sizeof *ranges);
        if (!ranges)
            return th_fail_memory(reterr, "the dropped payloads of a chain");
        book->dropped = ranges;
        book->dropped_capacity = capacity;
    }
    book->dropped[book->dropped_count++] = (th_sequence_range){sequence, sequence};
    return THEATER_OK;
}

static bool was_dropped(const th_cause_book *book, uint64_t sequence)
{
    uint64_t low = 0, high = book->dropped_count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (book->dropped[middle].last < sequence)
            low = middle + 1;
        else
            high = middle;
    }
    return low < book->dropped_count && book->dropped[low].first <= sequence;
}

static const char *take_message(th_cause_book *book, const th_cause *cause, uint32_t actor)
{
    th_last_message *sender = &book->last[actor];
    if (sender->any && sender->sequence == cause->sequence && sender->index == cause->index)
        return "the same message was taken in before";
    if (sender->any && (sender->sequence > cause->sequence ||
                        (sender->sequence == cause->sequence && sender->index > cause->index)))
        return "the messages of one sender do not ascend";
    sender->any = true;
    sender->sequence = cause->sequence;
    sender->index = cause->index;
    return NULL;
}

/* Both kinds of answer close the request. */
static theater_status close_request(th_cause_book *book, const th_cause *cause, uint32_t actor,
                                    const char **ret_problem, bool *ret_unchecked, theater_error *reterr)
{
    uint32_t target;
    if (has(book, &book->requests, cause->request, 0, &target)) {
        if (target != actor)
            *ret_problem = "the request that it answers went to another actor";
        else
            take_out(book, &book->requests, cause->request, 0);
        return THEATER_OK;
    }
    if ((cause->request & 0xffff) == 0 || !was_dropped(book, cause->request >> 16)) {
        *ret_problem = "no earlier element has the request that it answers, or it was answered before";
        return THEATER_OK;
    }
    *ret_unchecked = true;
    if (has(book, &book->unknown, cause->request, 0, &target)) {
        *ret_problem = "the request was answered before";
        return THEATER_OK;
    }
    return add(book, &book->unknown, cause->request, 0, 0, reterr);
}

theater_status th_cause_book_take(th_cause_book *book, const th_cause *cause, const char **ret_problem,
                                  bool *ret_unchecked, theater_error *reterr)
{
    *ret_problem = NULL;
    *ret_unchecked = false;
    uint32_t actor, value;
    theater_status status = number_of(book, cause->actor, &actor, reterr);
    if (status)
        return status;
    if (cause->kind == TH_CAUSE_MESSAGE) {
        *ret_problem = take_message(book, cause, actor);
        return THEATER_OK;
    }
    if (cause->kind == TH_CAUSE_ANSWER) {
        if (has(book, &book->answers, cause->sequence, actor, &value)) {
            *ret_problem = "the same element was an answer before";
            return THEATER_OK;
        }
        status = add(book, &book->answers, cause->sequence, actor, 0, reterr);
        if (status)
            return status;
    }
    return close_request(book, cause, actor, ret_problem, ret_unchecked, reterr);
}

/* Batches of elements on a ring.
 *
 * Invariants
 *   1. A batch is EMPTY or being filled (the caller's), READY (nobody's, to be taken by whoever comes first), TAKEN
 *      (of the thread that hashes it) or DONE (the caller's). States change under `lock`; the contents are touched only
 *      by who has the batch.
 *   2. Batches are filled, taken and given in the order of the ring: `first` is the oldest that was not given.
 *   3. The caller never waits while a batch is READY: it hashes that one itself.
 *   4. At most BATCHES batches of BATCH_BYTES bytes are copied; a larger element is hashed where it lies. */
#include "theater/hash_ahead.h"

#include "port/system.h"

#define BATCHES 8u
#define BATCH_ELEMENTS 256u
#define BATCH_BYTES ((size_t)256 << 10)
#define HELPERS_MAX 7u /* more than batches could be spread over is no use */

typedef enum batch_state { EMPTY, READY, TAKEN, DONE } batch_state;

typedef struct batch_entry {
    size_t offset; /* of the encoding; the payloads follow */
    size_t encoding, input, output, effects;
    bool has_input, has_output, has_effects;
    th_element_hashes hashes;
} batch_entry;

typedef struct batch {
    batch_state state;
    th_buf bytes;
    size_t count;
    batch_entry entries[BATCH_ELEMENTS];
} batch;

typedef struct helper {
    th_hash_ahead *owner;
    th_task *task;
    th_hasher *hasher;
    bool parked;
} helper;

struct th_hash_ahead {
    th_hasher *hasher;
    th_hashed_function give;
    void *context;
    bool failed; /* `give` has */
    th_mutex lock;
    th_event *progress; /* set when a helper is done with a batch */
    bool closing;
    batch *batches; /* NULL without helpers */
    size_t first, count; /* from the oldest that was not given on; the caller's */
    batch *filling; /* the last of them while it is being filled, or NULL; the caller's */
    size_t next; /* batches taken since the beginning: the next to be taken is this one, modulo BATCHES */
    size_t ready; /* batches made ready since the beginning */
    helper helpers[HELPERS_MAX];
    unsigned helper_count;
};

/* ---- hashing ------------------------------------------------------------------------------------------- */

static th_source_element element_of(const batch *from, const batch_entry *entry)
{
    const uint8_t *at = from->bytes.data + entry->offset;
    th_source_element element = {.encoding = th_slice_of(at, entry->encoding)};
    at += entry->encoding;
    element.payloads.input = (th_payload){entry->has_input, th_slice_of(at, entry->input)};
    at += entry->input;
    element.payloads.output = (th_payload){entry->has_output, th_slice_of(at, entry->output)};
    at += entry->output;
    element.payloads.effects = (th_payload){entry->has_effects, th_slice_of(at, entry->effects)};
    return element;
}

static void hash_batch(batch *taken, th_hasher *hasher)
{
    for (size_t i = 0; i < taken->count; i++) {
        th_source_element element = element_of(taken, &taken->entries[i]);
        th_element_hashes_of(hasher, element.encoding, &element.payloads, &taken->entries[i].hashes);
    }
}

/* The oldest batch that is READY, which is then TAKEN; NULL without one. Under the lock. */
static batch *take(th_hash_ahead *self)
{
    if (self->next == self->ready)
        return NULL;
    batch *taken = &self->batches[self->next++ % BATCHES];
    th_assert(taken->state == READY);
    taken->state = TAKEN;
    return taken;
}

static th_step helper_step(void *context, uint64_t *ret_deadline_ns)
{
    (void)ret_deadline_ns;
    helper *self = context;
    th_hash_ahead *owner = self->owner;
    th_mutex_lock(&owner->lock);
    bool closing = owner->closing;
    batch *taken = closing ? NULL : take(owner);
    self->parked = !taken;
    th_mutex_unlock(&owner->lock);
    if (!taken)
        return closing ? TH_STEP_DONE : TH_STEP_IDLE;
    hash_batch(taken, self->hasher);
    th_mutex_lock(&owner->lock);
    taken->state = DONE;
    th_mutex_unlock(&owner->lock);
    th_event_set(owner->progress);
    return TH_STEP_AGAIN;
}

/* ---- giving -------------------------------------------------------------------------------------------- */

/* Hashes what nobody has taken until the oldest batch is done. */
static void finish_first(th_hash_ahead *self)
{
    const batch *oldest = &self->batches[self->first];
    while (true) {
        th_mutex_lock(&self->lock);
        bool done = oldest->state == DONE;
        batch *taken = done ? NULL : take(self);
        th_mutex_unlock(&self->lock);
        if (done)
            return;
        if (taken) {
            hash_batch(taken, self->hasher);
            th_mutex_lock(&self->lock);
            taken->state = DONE;
            th_mutex_unlock(&self->lock);
        } else {
            th_event_wait(self->progress, UINT64_MAX);
            th_event_reset(self->progress);
        }
    }
}

static theater_status give_first(th_hash_ahead *self, theater_error *reterr)
{
    finish_first(self);
    batch *oldest = &self->batches[self->first];
    theater_status status = THEATER_OK;
    for (size_t i = 0; !status && i < oldest->count; i++) {
        th_source_element element = element_of(oldest, &oldest->entries[i]);
        status = self->give(self->context, &element, &oldest->entries[i].hashes, reterr);
    }
    self->failed = status != THEATER_OK;
    oldest->count = 0;
    th_buf_clear(&oldest->bytes);
    oldest->state = EMPTY;
    self->first = (self->first + 1) % BATCHES;
    self->count--;
    return status;
}

static void make_ready(th_hash_ahead *self)
{
    th_task *wake = NULL;
    th_mutex_lock(&self->lock);
    self->filling->state = READY;
    self->filling = NULL;
    self->ready++;
    for (unsigned i = 0; i < self->helper_count && !wake; i++) {
        if (self->helpers[i].parked) {
            self->helpers[i].parked = false;
            wake = self->helpers[i].task;
        }
    }
    th_mutex_unlock(&self->lock);
    if (wake)
        th_task_wake(wake);
}

theater_status th_hash_ahead_flush(th_hash_ahead *self, theater_error *reterr)
{
    if (self->filling && !self->failed)
        make_ready(self);
    theater_status status = THEATER_OK;
    while (!self->failed && self->count > 0)
        status = give_first(self, reterr);
    return status;
}

/* ---- adding -------------------------------------------------------------------------------------------- */

static size_t size_of(const th_source_element *element)
{
    const th_payloads *payloads = &element->payloads;
    return element->encoding.size + payloads->input.bytes.size + payloads->output.bytes.size +
           payloads->effects.bytes.size;
}

static theater_status append(batch *to, const th_source_element *element, theater_error *reterr)
{
    const th_payloads *payloads = &element->payloads;
    batch_entry *entry = &to->entries[to->count];
    entry->offset = to->bytes.size;
    entry->encoding = element->encoding.size;
    entry->input = payloads->input.bytes.size;
    entry->output = payloads->output.bytes.size;
    entry->effects = payloads->effects.bytes.size;
    entry->has_input = payloads->input.present;
    entry->has_output = payloads->output.present;
    entry->has_effects = payloads->effects.present;
    const th_slice parts[] = {element->encoding, payloads->input.bytes, payloads->output.bytes,
                              payloads->effects.bytes};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        theater_status status = th_buf_append(&to->bytes, parts[i], reterr);
        if (status)
            return status;
    }
    to->count++;
    return THEATER_OK;
}

static theater_status give_now(th_hash_ahead *self, const th_source_element *element, theater_error *reterr)
{
    th_element_hashes hashes;
    theater_status status = th_hash_ahead_flush(self, reterr);
    if (status)
        return status;
    th_element_hashes_of(self->hasher, element->encoding, &element->payloads, &hashes);
    status = self->give(self->context, element, &hashes, reterr);
    self->failed = status != THEATER_OK;
    return status;
}

theater_status th_hash_ahead_add(th_hash_ahead *self, const th_source_element *element, theater_error *reterr)
{
    size_t size = size_of(element);
    if (self->helper_count == 0 || size > BATCH_BYTES)
        return give_now(self, element, reterr);
    const batch *last = self->filling;
    if (last && (last->count == BATCH_ELEMENTS || last->bytes.size + size > BATCH_BYTES))
        make_ready(self);
    if (!self->filling) {
        theater_status status = self->count == BATCHES ? give_first(self, reterr) : THEATER_OK;
        if (status)
            return status;
        self->filling = &self->batches[(self->first + self->count++) % BATCHES];
    }
    return append(self->filling, element, reterr);
}

/* ---- making and ending --------------------------------------------------------------------------------- */

static theater_status start_helpers(th_hash_ahead *self, unsigned count, theater_error *reterr)
{
    theater_status status = THEATER_OK;
    for (unsigned i = 0; !status && i < count; i++) {
        helper *next = &self->helpers[i];
        next->owner = self;
        status = th_hasher_new(&next->hasher, reterr);
        if (!status)
            status =
                th_task_start(th_port_system(), "theater-hash", 0, helper_step, next, &next->task, reterr);
        if (status) {
            th_hasher_free(next->hasher);
            break;
        }
        th_mutex_lock(&self->lock);
        self->helper_count++;
        th_mutex_unlock(&self->lock);
    }
    return status;
}

theater_status th_hash_ahead_new(unsigned helpers, th_hasher *hasher, th_hashed_function give, void *context,
                                 th_hash_ahead **ret, theater_error *reterr)
{
    th_hash_ahead *self = th_alloc_zero(1, sizeof *self);
    if (!self)
        return th_fail_memory(reterr, "a verification");
    self->hasher = hasher;
    self->give = give;
    self->context = context;
    th_mutex_init(th_port_system(), &self->lock);
    theater_status status = THEATER_OK;
    if (helpers > 0) {
        self->batches = th_alloc_zero(BATCHES, sizeof *self->batches);
        if (!self->batches)
            status = th_fail_memory(reterr, "the batches of a verification");
        for (size_t i = 0; !status && i < BATCHES; i++)
            th_buf_init(&self->batches[i].bytes, BATCH_BYTES);
        if (!status)
            status = th_event_new(th_port_system(), &self->progress, reterr);
        if (!status)
            status = start_helpers(self, helpers < HELPERS_MAX ? helpers : HELPERS_MAX, reterr);
    }
    if (status)
        th_hash_ahead_free(self);
    else
        *ret = self;
    return status;
}

void th_hash_ahead_free(th_hash_ahead *self)
{
    if (!self)
        return;
    th_mutex_lock(&self->lock);
    self->closing = true;
    th_mutex_unlock(&self->lock);
    for (unsigned i = 0; i < self->helper_count; i++) {
        th_task_wake(self->helpers[i].task);
        th_task_join(self->helpers[i].task);
        th_hasher_free(self->helpers[i].hasher);
    }
    for (size_t i = 0; self->batches && i < BATCHES; i++)
        th_buf_done(&self->batches[i].bytes);
    th_free(self->batches);
    th_event_free(self->progress);
    th_mutex_done(&self->lock);
    th_free(self);
}

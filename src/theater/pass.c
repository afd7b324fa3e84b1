#include "theater/pass.h"

#include <stdio.h>

#include "chain/name_table.h"
#include "chain/verify.h"
#include "port/system.h"
#include "theater/element_internal.h"
#include "theater/hash_ahead.h"

/* A pass under way: the chain that is being fed. */
typedef struct feed {
    const theater_check_options *options;
    bool is_bundle;
    th_pass *pass;
    theater_report *report;
    th_hasher *hasher;
    th_verifier_key folder_key;
    th_verifier_key *user_keys;
    bool *user_key_used; /* each of them: it signed a checkpoint */
    size_t user_key_count;
    uint64_t seed; /* of the verifiers' tables: a bundle may have been made by anyone */
    th_verifier *verifier;
    th_hash_ahead *ahead; /* elements on their way to the verifier: empty whenever it gets something else */
    th_name_table geneses; /* of a bundle's chains */
} feed;

theater_status th_sequences_add(th_sequences *list, uint64_t value, theater_error *reterr)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 4;
        uint64_t *values = th_realloc(list->values, capacity * sizeof *values);
        if (!values)
            return th_fail_memory(reterr, "a list of sequences");
        list->values = values;
        list->capacity = capacity;
    }
    list->values[list->count++] = value;
    return THEATER_OK;
}

theater_status th_check_cancelled(const bool *cancel, theater_error *reterr)
{
    return cancel && __atomic_load_n(cancel, __ATOMIC_RELAXED)
               ? th_fail(reterr, THEATER_CANCELLED, "the check was cancelled")
               : THEATER_OK;
}

void th_report_finding(theater_report *report, theater_status status, const char *actor, uint64_t sequence,
                       const char *what, const char *message)
{
    report->status = status;
    snprintf(report->actor, sizeof report->actor, "%s", actor);
    report->sequence = sequence;
    report->what = what;
    snprintf(report->message, sizeof report->message, "%s", message);
}

static th_pass_chain *current(feed *self)
{
    return &self->pass->chains[self->pass->count - 1];
}

static theater_status begin_chain(void *context, const th_source_chain *chain, theater_error *reterr)
{
    feed *self = context;
    th_pass *pass = self->pass;
    if (pass->count == pass->capacity) {
        size_t capacity = pass->capacity ? pass->capacity * 2 : 4;
        th_pass_chain *chains = th_realloc(pass->chains, capacity * sizeof *chains);
        if (!chains)
            return th_fail_memory(reterr, "the list of chains");
        pass->chains = chains;
        pass->capacity = capacity;
    }
    th_pass_chain *entry = &pass->chains[pass->count++];
    memset(entry, 0, sizeof *entry);
    entry->place = chain->place;
    memcpy(entry->name, chain->name, sizeof entry->name);

    th_verify_options options = {
        .actor = th_slice_text(entry->name),
        .keys = self->user_keys,
        .key_count = self->user_key_count,
        .table_seed = self->seed,
    };
    if (!self->user_key_count && chain->key.size) {
        theater_status status = th_verifier_key_parse(self->hasher, chain->key, &self->folder_key, reterr);
        if (status)
            return status;
        options.keys = &self->folder_key;
        options.key_count = 1;
    }
    /* The name may move when the list of chains grows, which happens only after this verifier was freed. */
    return th_verifier_new(&options, self->hasher, &self->verifier, reterr);
}

static theater_status take_component(void *context, th_slice component, theater_error *reterr)
{
    feed *self = context;
    theater_status status = th_hash_ahead_flush(self->ahead, reterr);
    return status ? status : th_verifier_component(self->verifier, component, reterr);
}

static theater_status take_element(void *context, const th_source_element *element, theater_error *reterr)
{
    feed *self = context;
    theater_status status = th_check_cancelled(self->options->cancel, reterr);
    return status ? status : th_hash_ahead_add(self->ahead, element, reterr);
}

static theater_status take_hashed(void *context, const th_source_element *element,
                                  const th_element_hashes *hashes, theater_error *reterr)
{
    feed *self = context;
    th_pass_chain *chain = current(self);
    theater_status status =
        th_verifier_element_hashed(self->verifier, element->encoding, &element->payloads, hashes, reterr);
    if (status)
        return status;
    th_element_type type;
    if (th_element_peek_type(element->encoding, &type) && (type == TH_GENESIS || type == TH_UPGRADE))
        status = th_sequences_add(&chain->descriptors, chain->elements, reterr);
    chain->elements++;
    self->report->payload_bytes += element->payloads.input.bytes.size + element->payloads.output.bytes.size +
                                   element->payloads.effects.bytes.size;
    return status;
}

static theater_status take_snapshot(void *context, uint64_t sequence, th_slice state, theater_error *reterr)
{
    feed *self = context;
    theater_status status = th_hash_ahead_flush(self->ahead, reterr);
    if (!status)
        status = th_verifier_snapshot(self->verifier, sequence, state, reterr);
    return status ? status : th_sequences_add(&current(self)->snapshots, sequence, reterr);
}

static theater_status take_key(void *context, th_slice text, theater_error *reterr)
{
    feed *self = context;
    theater_status status = th_hash_ahead_flush(self->ahead, reterr);
    /* A folder's key was given to the verifier before the chain began. */
    return status || !self->is_bundle ? status : th_verifier_key_text(self->verifier, text, reterr);
}

static theater_status take_checkpoint(void *context, th_slice note, theater_error *reterr)
{
    feed *self = context;
    theater_status status = th_hash_ahead_flush(self->ahead, reterr);
    return status ? status : th_verifier_checkpoint(self->verifier, note, reterr);
}

/* Notes which of the user's keys a chain's checkpoints were checked with: those of its name, of which the
 * first is taken. */
static void note_key(feed *self, const th_verify_report *from)
{
    th_verifier_key used;
    if (th_verifier_key_parse(self->hasher, th_slice_text(from->key), &used, NULL))
        return;
    for (size_t i = 0; i < self->user_key_count; i++) {
        const th_verifier_key *key = &self->user_keys[i];
        if (th_slice_equal(key->name, used.name) &&
            memcmp(key->public_key, used.public_key, sizeof used.public_key) == 0)
            self->user_key_used[i] = true;
    }
}

/* Adds one chain's report to the whole. */
static void add_report(feed *self, const th_verify_report *from)
{
    theater_report *report = self->report;
    report->chains++;
    report->elements += from->elements;
    report->dropped_payloads += from->absent_inputs + from->absent_outputs + from->absent_effects;
    report->checkpoints += from->checkpoints;
    if (from->key_source != TH_KEY_NONE) {
        bool by_user = self->user_key_count > 0 && from->key_source == TH_KEY_USER;
        if (by_user && from->checkpoints > 0)
            note_key(self, from);
        report->key_from_user = report->key_from_user || by_user;
        report->key_from_source = report->key_from_source || !by_user;
    }
    report->head = from->head;
    report->tree_head = from->tree_head;
    report->state_root = from->state_root;
}

/* Two chains of one bundle with the same genesis are one chain, or two histories of it. A folder may keep an
 * older copy of a chain, as an archive. */
static theater_status check_once(feed *self, const th_hash *genesis, theater_error *reterr)
{
    uint32_t number;
    bool is_new;
    theater_status status =
        th_name_table_number(&self->geneses, th_slice_of(genesis->bytes, sizeof genesis->bytes), UINT32_MAX,
                             &number, &is_new, reterr);
    if (status || is_new)
        return status;
    char message[TH_NAME_MAX + 64];
    const char *name = current(self)->name;
    snprintf(message, sizeof message, "actor %s: the same chain stands twice in the bundle", name);
    th_report_finding(self->report, THEATER_VERIFY_FAILED, name, 0, th_check_name(TH_CHECK_ORDER), message);
    return th_fail(reterr, THEATER_VERIFY_FAILED, "%s", message);
}

static int compare_sequences(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static theater_status end_chain(void *context, theater_error *reterr)
{
    feed *self = context;
    th_sequences *snapshots = &current(self)->snapshots;
    th_verify_report report;
    theater_status status = th_hash_ahead_flush(self->ahead, reterr);
    if (!status)
        status = th_verifier_finish(self->verifier, &report, reterr);
    if (status)
        return status; /* the verifier stays: its finding is asked for */
    current(self)->caused = report.caused;
    if (snapshots->count > 0) /* in a bundle they may come in any order behind their elements */
        qsort(snapshots->values, snapshots->count, sizeof *snapshots->values, compare_sequences);
    add_report(self, &report);
    th_verifier_free(self->verifier);
    self->verifier = NULL;
    return self->is_bundle ? check_once(self, &report.genesis, reterr) : THEATER_OK;
}

static void report_progress(void *context, uint64_t done, uint64_t all)
{
    feed *self = context;
    if (self->options->progress)
        self->options->progress(self->options->context, done, all);
}

/* The words of a check that went well. */
static void report_success(feed *self)
{
    theater_report *report = self->report;
    const th_pass *pass = self->pass;
    char chains[64] = "";
    if (pass->count == 1)
        snprintf(report->actor, sizeof report->actor, "%s", pass->chains[0].name);
    else
        snprintf(chains, sizeof chains, "%zu chains", pass->count);
    const char *keys = report->checkpoints == 0   ? ""
                       : report->key_from_user    ? ", signed by the given key"
                       : !report->key_from_source ? ", signatures not checked: no key"
                       : self->is_bundle          ? ", signed by the key that came with the bundle"
                                                  : ", signed by the folder's key";
    char dropped[64] = "";
    if (report->dropped_payloads)
        snprintf(dropped, sizeof dropped, ", %llu payloads were dropped",
                 (unsigned long long)report->dropped_payloads);
    snprintf(report->message, sizeof report->message, "%s: %llu element%s verified, %llu checkpoint%s%s%s",
             pass->count == 1 ? report->actor : chains, (unsigned long long)report->elements,
             report->elements == 1 ? "" : "s", (unsigned long long)report->checkpoints,
             report->checkpoints == 1 ? "" : "s", keys, dropped);
}

/* What stopped the walk becomes the verdict when it says something about the chain; otherwise it stays an
 * error. */
static theater_status judge(feed *self, theater_status status, theater_error *why, theater_error *reterr)
{
    if (self->report->status)
        return THEATER_OK; /* judged already */
    const th_finding *finding = self->verifier ? th_verifier_finding(self->verifier) : NULL;
    if (status == THEATER_VERIFY_FAILED && finding && finding->check != TH_CHECK_NONE) {
        self->report->elements += current(self)->elements;
        th_report_finding(self->report, status, current(self)->name, finding->sequence,
                          th_check_name(finding->check), finding->message);
        return THEATER_OK;
    }
    if (status == THEATER_CORRUPT && self->is_bundle) {
        th_pass *pass = self->pass;
        th_report_finding(self->report, THEATER_VERIFY_FAILED, pass->count ? current(self)->name : "",
                          pass->count ? current(self)->elements : 0, "bundle", why->message);
        return THEATER_OK;
    }
    if (reterr)
        *reterr = *why;
    return status;
}

/* A key that was given and checked nothing must not look like a good answer: whoever altered a bundle could
 * have left the checkpoints out. */
static void require_user_keys(feed *self)
{
    size_t idle = 0;
    while (idle < self->user_key_count && self->user_key_used[idle])
        idle++;
    if (idle == self->user_key_count)
        return;
    char message[1024];
    const char *name = self->pass->chains[0].name;
    bool others = self->report->checkpoints > 0;
    snprintf(message, sizeof message,
             others ? "actor %s: the given key is for %.*s, and no checkpoint here is signed by it"
                    : "actor %s: there is no checkpoint that the given key (%.*s) could be checked with",
             name, (int)self->user_keys[idle].name.size, (const char *)self->user_keys[idle].name.data);
    th_report_finding(self->report, THEATER_VERIFY_FAILED, name, 0, others ? "key" : "checkpoint", message);
}

static theater_status take_user_keys(feed *self, theater_error *reterr)
{
    const theater_check_options *options = self->options;
    size_t count = options->key_count + (options->key != NULL);
    if (count == 0)
        return THEATER_OK;
    self->user_keys = th_alloc_zero(count, sizeof *self->user_keys);
    self->user_key_used = th_alloc_zero(count, sizeof *self->user_key_used);
    if (!self->user_keys || !self->user_key_used)
        return th_fail_memory(reterr, "the keys of a check");
    for (; self->user_key_count < count; self->user_key_count++) {
        size_t i = self->user_key_count;
        const char *text = i < options->key_count ? options->keys[i] : options->key;
        theater_status status =
            th_verifier_key_parse(self->hasher, th_slice_text(text), &self->user_keys[i], reterr);
        if (status)
            return status;
    }
    return THEATER_OK;
}

theater_status th_pass_run(th_source *source, bool is_bundle, const theater_check_options *options,
                           th_pass *pass, theater_report *report, theater_error *reterr)
{
    feed self = {.options = options, .is_bundle = is_bundle, .pass = pass, .report = report};
    theater_status status = th_hasher_new(&self.hasher, reterr);
    unsigned threads = options->threads ? options->threads : th_port_processors(th_port_system());
    if (!status)
        status = th_hash_ahead_new(threads - 1, self.hasher, take_hashed, &self, &self.ahead, reterr);
    if (!status)
        status = th_port_entropy(th_port_system(), (uint8_t *)&self.seed, sizeof self.seed, reterr);
    th_name_table_init(&self.geneses, self.seed);
    if (!status)
        status = take_user_keys(&self, reterr);
    if (!status) {
        th_walker walker = {
            .context = &self,
            .begin = begin_chain,
            .component = take_component,
            .element = take_element,
            .snapshot = take_snapshot,
            .key = take_key,
            .checkpoint = take_checkpoint,
            .end = end_chain,
            .late_snapshots = true,
            .progress = options->progress ? report_progress : NULL,
        };
        theater_error why = {.status = THEATER_OK};
        status = th_source_walk(source, &walker, &why);
        if (status && status != THEATER_CANCELLED) {
            /* What ended the walk stands behind the elements that are still on their way. */
            theater_error earlier;
            theater_status before = th_hash_ahead_flush(self.ahead, &earlier);
            if (before) {
                status = before;
                why = earlier;
            }
        }
        if (status)
            status = judge(&self, status, &why, reterr);
        else if (pass->count > 0)
            require_user_keys(&self);
        if (!status && report->status == THEATER_OK)
            report_success(&self);
    }
    th_hash_ahead_free(self.ahead);
    th_verifier_free(self.verifier);
    th_hasher_free(self.hasher);
    th_name_table_done(&self.geneses);
    th_free(self.user_keys);
    th_free(self.user_key_used);
    return status;
}

void th_pass_done(th_pass *pass)
{
    for (size_t i = 0; i < pass->count; i++) {
        th_free(pass->chains[i].descriptors.values);
        th_free(pass->chains[i].snapshots.values);
    }
    th_free(pass->chains);
    *pass = (th_pass){0};
}

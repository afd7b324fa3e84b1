/* The verifier of one chain: the order of things, and the place of each element. What stands in the payloads
 * is verify_payloads.c.
 *
 * Invariants
 *  1. After a finding nothing is looked at any more: every call gives the same finding.
 *  2. The report describes exactly the elements that were found right, so `elements` is the sequence of
 *     the next one.
 *  3. After an element of a later version only links are followed, since nothing else is known to keep its
 *     meaning. */
#include "chain/verify.h"

#include <stdarg.h>
#include <stdio.h>

#include "chain/state_tree.h"
#include "chain/verifier.h"

#define DEFAULT_KEPT ((uint64_t)1 << 24)

const char *th_check_name(th_check check)
{
    static const char *const names[] = {
#define NAME(name, text) text,
        TH_CHECK_LIST(NAME)
#undef NAME
    };
    return (unsigned)check < TH_CHECK_COUNT ? names[check] : "unknown";
}

/* ---- making and ending ----------------------------------------------------------------------- */

theater_status th_verifier_new(const th_verify_options *options, th_hasher *hasher, th_verifier **ret,
                               theater_error *reterr)
{
    if (!th_name_valid(options->actor))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "the actor's name is no name");
    th_verifier *verifier = th_alloc_zero(1, sizeof *verifier);
    th_recent_state *recent = th_alloc(TH_RECENT_STATES * sizeof *recent);
    if (!verifier || !recent) {
        th_free(verifier);
        th_free(recent);
        return th_fail_memory(reterr, "a verifier");
    }
    verifier->recent = recent;
    verifier->hasher = hasher;
    memcpy(verifier->actor_bytes, options->actor.data, options->actor.size);
    verifier->actor = th_slice_of(verifier->actor_bytes, options->actor.size);
    verifier->keys = options->keys;
    verifier->key_count = options->key_count;
    th_hash_store_init(&verifier->hashes, options->max_kept_hashes ? options->max_kept_hashes : DEFAULT_KEPT);
    th_cause_book_init(&verifier->causes, options->max_kept_causes ? options->max_kept_causes : DEFAULT_KEPT,
                       options->table_seed);
    th_rejection_hashes(hasher, verifier->rejections);
    th_sha256_of(hasher, th_slice_of(TH_EFFECTS_NONE, 1), &verifier->no_effects);
    th_sha256_of(hasher, th_slice_text("no such actor"), &verifier->no_actor);
    th_sha256_of(hasher, th_slice_text("removed"), &verifier->removed);
    *ret = verifier;
    return THEATER_OK;
}

void th_verifier_free(th_verifier *verifier)
{
    if (!verifier)
        return;
    th_hash_store_done(&verifier->hashes);
    th_cause_book_done(&verifier->causes);
    th_free(verifier->recent);
    th_free(verifier);
}

const th_finding *th_verifier_finding(const th_verifier *verifier)
{
    return &verifier->report.finding;
}

void th_finding_set(th_finding *finding, th_check check, th_slice actor, bool has_element, uint64_t sequence,
                    const char *format, va_list arguments)
{
    *finding = (th_finding){.check = check, .has_element = has_element, .sequence = sequence};
    char place[32] = "";
    if (has_element)
        snprintf(place, sizeof place, "element %llu of ", (unsigned long long)sequence);
    size_t room = sizeof finding->message;
    int size =
        snprintf(finding->message, room, "%sactor %.*s: ", place, (int)actor.size, (const char *)actor.data);
    vsnprintf(finding->message + size, room - (size_t)size, format, arguments);
    size_t length = strlen(finding->message);
    while (!th_utf8_valid(th_slice_of(finding->message, length)))
        length--;
    finding->message[length] = 0;
}

theater_status th_verifier_find(th_verifier *verifier, th_check check, bool has_element, uint64_t sequence,
                                theater_error *reterr, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    th_finding_set(&verifier->report.finding, check, verifier->actor, has_element, sequence, format,
                   arguments);
    va_end(arguments);
    verifier->report.verdict = THEATER_VERIFY_FAILED;
    return th_fail(reterr, THEATER_VERIFY_FAILED, "%s", verifier->report.finding.message);
}

/* Invariant 1. */
static bool stopped(th_verifier *verifier, theater_status *ret, theater_error *reterr)
{
    if (verifier->report.finding.check == TH_CHECK_NONE)
        return false;
    *ret = th_fail(reterr, THEATER_VERIFY_FAILED, "%s", verifier->report.finding.message);
    return true;
}

/* The element's decoder begins its messages with "element: ", which the finding has said already. */
static const char *without_prefix(const theater_error *inner)
{
    static const char prefix[] = "element: ";
    bool has = strncmp(inner->message, prefix, sizeof prefix - 1) == 0;
    return inner->message + (has ? sizeof prefix - 1 : 0);
}

/* ---- elements -------------------------------------------------------------------------------- */

#define FIND(check, ...) th_verifier_find(verifier, TH_CHECK_##check, true, next, reterr, __VA_ARGS__)

static theater_status check_links(th_verifier *verifier, uint64_t sequence, const th_hash *previous,
                                  theater_error *reterr)
{
    uint64_t next = verifier->report.elements;
    static const th_hash none;
    if (sequence != next)
        return FIND(SEQUENCE, "the sequence is %llu", (unsigned long long)sequence);
    if (!th_hash_equal(previous, next ? &verifier->report.head : &none))
        return FIND(PREVIOUS, "previous hash differs");
    return THEATER_OK;
}

static theater_status check_place(th_verifier *verifier, const th_element *element, theater_error *reterr)
{
    uint64_t next = verifier->report.elements;
    const th_verify_report *before = &verifier->report;
    theater_status status = check_links(verifier, element->sequence, &element->previous, reterr);
    if (status || next == 0)
        return status;
    if (element->timestamp < before->timestamp)
        return FIND(TIMESTAMP, "the timestamp is less than that of the element before");
    if (!th_hash_equal(&element->state_before, &before->state_root))
        return FIND(STATE, "state-before differs from the state-after of the element before");
    if (th_hash_equal(&element->state_before, &element->state_after) &&
        element->state_size != before->state_size)
        return FIND(STATE, "the state is the same and its size is not");
    return THEATER_OK;
}

/* Takes an element that was found right into the report, the tree and what is remembered. */
static theater_status accept(th_verifier *verifier, const th_hash *hash, const th_element *element,
                             theater_error *reterr)
{
    th_verify_report *report = &verifier->report;
    theater_status status = th_hash_store_append(&verifier->hashes, verifier->hasher, hash, reterr);
    if (status)
        return status;
    if (report->elements == 0)
        report->genesis = *hash;
    report->head = *hash;
    if (element) {
        th_recent_state *recent = &verifier->recent[element->sequence % TH_RECENT_STATES];
        recent->root = report->state_root = element->state_after;
        recent->size = report->state_size = element->state_size;
        report->timestamp = element->timestamp;
        report->caused += element->cause.kind != TH_CAUSE_NONE;
        report->fuel = element->fuel > UINT64_MAX - report->fuel ? UINT64_MAX : report->fuel + element->fuel;
    } else {
        report->unknown_version++;
    }
    report->elements++;
    return THEATER_OK;
}

static theater_status follow_links(th_verifier *verifier, th_slice encoding, const th_hash *hash,
                                   theater_error *reterr)
{
    uint64_t next = verifier->report.elements;
    th_element_link link;
    theater_error inner;
    if (th_element_links(encoding, &link, &inner))
        return FIND(ENCODING, "%s", without_prefix(&inner));
    theater_status status = check_links(verifier, link.sequence, &link.previous, reterr);
    if (status)
        return status;
    verifier->links_only = true;
    return accept(verifier, hash, NULL, reterr);
}

theater_status th_verifier_element_hashed(th_verifier *verifier, th_slice encoding,
                                          const th_payloads *payloads, const th_element_hashes *hashes,
                                          theater_error *reterr)
{
    theater_status status;
    if (stopped(verifier, &status, reterr))
        return status;
    uint64_t next = verifier->report.elements;
    if (verifier->links_only)
        return follow_links(verifier, encoding, &hashes->element, reterr);
    th_element element;
    theater_error inner;
    status = th_element_decode(encoding, &element, &inner);
    if (status == THEATER_VERSION)
        return follow_links(verifier, encoding, &hashes->element, reterr);
    if (status)
        return FIND(ENCODING, "%s", without_prefix(&inner));
    status = check_place(verifier, &element, reterr);
    if (!status)
        status = th_verifier_check_payloads(verifier, &element, payloads, hashes, reterr);
    return status ? status : accept(verifier, &hashes->element, &element, reterr);
}

theater_status th_verifier_element(th_verifier *verifier, th_slice encoding, const th_payloads *payloads,
                                   theater_error *reterr)
{
    th_element_hashes hashes;
    th_element_hashes_of(verifier->hasher, encoding, payloads, &hashes);
    return th_verifier_element_hashed(verifier, encoding, payloads, &hashes, reterr);
}

/* ---- what stands between and behind the elements --------------------------------------------- */

theater_status th_verifier_component(th_verifier *verifier, th_slice component, theater_error *reterr)
{
    theater_status status;
    if (stopped(verifier, &status, reterr))
        return status;
    if (verifier->waiting_count == TH_WAITING_COMPONENTS)
        return th_fail(reterr, THEATER_TOO_LARGE, "more than %u components that no element has named",
                       TH_WAITING_COMPONENTS);
    th_sha256_of(verifier->hasher, component, &verifier->waiting[verifier->waiting_count++]);
    verifier->report.components++;
    return THEATER_OK;
}

theater_status th_verifier_snapshot(th_verifier *verifier, uint64_t sequence, th_slice state,
                                    theater_error *reterr)
{
    theater_status status;
    if (stopped(verifier, &status, reterr))
        return status;
    uint64_t count = verifier->report.elements;
    if (sequence >= count)
        return th_verifier_find(verifier, TH_CHECK_SNAPSHOT, true, sequence, reterr,
                                "a snapshot comes before its element");
    if (verifier->links_only)
        return THEATER_OK; /* a later version's element may say something else about the state */
    if (count - sequence > TH_RECENT_STATES)
        return th_fail(reterr, THEATER_TOO_LARGE,
                       "the snapshot of element %llu comes more than %u elements behind it",
                       (unsigned long long)sequence, TH_RECENT_STATES);
    const th_recent_state *recent = &verifier->recent[sequence % TH_RECENT_STATES];
    th_hash root;
    if (state.size == recent->size)
        th_state_root(verifier->hasher, state, &root);
    if (state.size != recent->size || !th_hash_equal(&root, &recent->root))
        return th_verifier_find(verifier, TH_CHECK_SNAPSHOT, true, sequence, reterr,
                                "the snapshot is not the state after it");
    verifier->report.snapshots++;
    return THEATER_OK;
}

theater_status th_verifier_key_text(th_verifier *verifier, th_slice text, theater_error *reterr)
{
    theater_status status;
    if (stopped(verifier, &status, reterr))
        return status;
    if (verifier->key_seen)
        return th_verifier_find(verifier, TH_CHECK_ORDER, false, 0, reterr, "a second key");
    th_verifier_key key;
    theater_error inner;
    if (th_verifier_key_parse(verifier->hasher, text, &key, &inner))
        return th_verifier_find(verifier, TH_CHECK_KEY, false, 0, reterr, "the bundle's key: %s",
                                inner.message);
    if (verifier->report.elements == 0 ||
        !th_log_name_of_chain(key.name, verifier->actor, &verifier->report.genesis))
        return th_verifier_find(verifier, TH_CHECK_KEY, false, 0, reterr,
                                "the bundle's key is of another chain");
    th_assert(text.size < sizeof verifier->bundle_key); /* its name was measured by the parser */
    memcpy(verifier->bundle_key, text.data, text.size);
    verifier->bundle_key[text.size] = 0;
    verifier->key_seen = true;
    return THEATER_OK;
}

/* Which key this log's notes are checked with: the user's if there is any, else the bundle's. NULL without
 * one. */
static theater_status choose_key(th_verifier *verifier, th_slice name, const th_verifier_key **ret,
                                 th_verifier_key *room, theater_error *reterr)
{
    *ret = NULL;
    for (size_t i = 0; i < verifier->key_count && !*ret; i++) {
        if (th_slice_equal(verifier->keys[i].name, name))
            *ret = &verifier->keys[i];
    }
    if (verifier->key_count > 0)
        return *ret ? THEATER_OK
                    : th_verifier_find(verifier, TH_CHECK_KEY, false, 0, reterr,
                                       "the key that was given is not of the log %.*s", (int)name.size,
                                       (const char *)name.data);
    if (!verifier->key_seen)
        return THEATER_OK;
    theater_status status =
        th_verifier_key_parse(verifier->hasher, th_slice_text(verifier->bundle_key), room, reterr);
    *ret = room;
    return status;
}

/* The name is a note's, which may be of any bytes but controls: it goes into messages as it is. */
static theater_status check_signature(th_verifier *verifier, th_slice note, const th_checkpoint *checkpoint,
                                      theater_error *reterr)
{
    const th_verifier_key *key;
    th_verifier_key room;
    theater_status status = choose_key(verifier, checkpoint->name, &key, &room, reterr);
    if (status || !key)
        return status;
    theater_error inner;
    th_checkpoint again;
    status = th_checkpoint_verify(verifier->hasher, note, key, &again, &inner);
    if (status == THEATER_VERIFY_FAILED || status == THEATER_CORRUPT)
        return th_verifier_find(verifier, TH_CHECK_CHECKPOINT, false, checkpoint->size, reterr, "%s",
                                inner.message);
    if (status)
        return th_fail(reterr, status, "%s", inner.message);
    th_buf text;
    th_buf_init(&text, TH_VERIFIER_KEY_MAX);
    status = th_verifier_key_format(verifier->hasher, key->name, key->public_key, &text, reterr);
    if (!status) {
        memcpy(verifier->report.key, text.data, text.size);
        verifier->report.key[text.size] = 0;
        verifier->report.key_source = key == &room ? TH_KEY_BUNDLE : TH_KEY_USER;
    }
    th_buf_done(&text);
    return status;
}

theater_status th_verifier_checkpoint(th_verifier *verifier, th_slice note, theater_error *reterr)
{
    theater_status status;
    if (stopped(verifier, &status, reterr))
        return status;
    th_verify_report *report = &verifier->report;
    th_checkpoint checkpoint;
    theater_error inner;
    if (th_checkpoint_parse(note, &checkpoint, &inner))
        return th_verifier_find(verifier, TH_CHECK_CHECKPOINT, false, 0, reterr, "%s", inner.message);
    unsigned long long size = checkpoint.size;
    if (report->elements == 0 || !th_log_name_of_chain(checkpoint.name, verifier->actor, &report->genesis))
        return th_verifier_find(verifier, TH_CHECK_CHECKPOINT, false, size, reterr,
                                "the checkpoint of size %llu is of another chain", size);
    if (size > report->elements)
        return th_verifier_find(verifier, TH_CHECK_CHECKPOINT, false, size, reterr,
                                "the checkpoint is of size %llu, but only %llu elements are here", size,
                                (unsigned long long)report->elements);
    th_hash head;
    status = th_hash_store_head(&verifier->hashes, verifier->hasher, size, &head, reterr);
    if (status && status != THEATER_NOT_FOUND)
        return status;
    bool compared = !status;
    if (compared && !th_hash_equal(&head, &checkpoint.head))
        return th_verifier_find(verifier, TH_CHECK_CHECKPOINT, false, size, reterr,
                                "the checkpoint of size %llu has another tree head", size);
    status = check_signature(verifier, note, &checkpoint, reterr);
    if (status)
        return status;
    report->checkpoints += compared;
    report->unchecked_checkpoints += !compared;
    if (compared && size > report->checkpoint_size)
        report->checkpoint_size = size;
    return THEATER_OK;
}

theater_status th_verifier_finish(th_verifier *verifier, th_verify_report *ret, theater_error *reterr)
{
    th_verify_report *report = &verifier->report;
    theater_status status = THEATER_OK;
    th_log_tree_head(&verifier->hashes.tree, verifier->hasher, &report->tree_head);
    if (stopped(verifier, &status, reterr)) {
        *ret = *report;
        return status;
    }
    if (report->elements == 0)
        status = th_verifier_find(verifier, TH_CHECK_EMPTY, false, 0, reterr, "there is no element");
    else if (verifier->waiting_count > 0 && !verifier->links_only)
        status = th_verifier_find(verifier, TH_CHECK_COMPONENT, false, 0, reterr,
                                  "there is a component that no later element names");
    if (!status && verifier->links_only) {
        report->verdict = THEATER_VERSION;
        report->finding.check = TH_CHECK_VERSION;
        report->finding.has_element = true;
        report->finding.sequence = report->elements - report->unknown_version;
        snprintf(
            report->finding.message, sizeof report->finding.message,
            "element %llu of actor %.*s: a version that is not known; from there only the links were checked",
            (unsigned long long)report->finding.sequence, (int)verifier->actor.size,
            (const char *)verifier->actor.data);
        status = th_fail(reterr, THEATER_VERSION, "%s", report->finding.message);
    }
    *ret = *report;
    return status;
}

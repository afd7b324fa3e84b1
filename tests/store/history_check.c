#include "store/history.h"

static bool same_key(const th_message_key *a, const th_message_key *b)
{
    return a->number == b->number && a->index == b->index;
}

/* ---- actors ---- */

typedef struct actor_walk {
    const history *h;
    size_t at;
} actor_walk;

static void check_info(const history *h, const model_actor *a, const th_actor_info *info)
{
    assert_int_equal(info->id, a->id);
    assert_string_equal(info->name, a->name);
    assert_int_equal(info->status, a->status);
    assert_int_equal(info->elements, a->elements);
    assert_memory_equal(info->genesis_hash.bytes, a->genesis.bytes, 32);
    assert_memory_equal(info->head_hash.bytes, a->head.bytes, 32);
    assert_memory_equal(info->component.bytes, a->component.bytes, 32);
    assert_int_equal(info->head_number, a->head_number);
    assert_int_equal(info->head_timestamp_ns, a->timestamp);
    assert_int_equal(info->descriptor_sequence, a->descriptor_sequence);
    assert_int_equal(info->has_snapshot, a->has_snapshot);
    assert_int_equal(info->snapshot_sequence, a->snapshot);
    assert_int_equal(info->checkpoint_size, a->checkpoint);
    assert_int_equal(info->undelivered, history_waiting(h, a->id));
}

static bool check_actor(void *context, const th_actor_info *info)
{
    actor_walk *walk = context;
    assert_true(walk->at < walk->h->actor_count);
    check_info(walk->h, &walk->h->actors[walk->at++], info);
    return true;
}

static void check_name(const history *h, th_store *store, const char *name)
{
    theater_error error;
    const model_actor *expected = NULL;
    uint64_t newest =
        0; /* the record that removed or imported it: ids tell the order of imports, not of removals */
    for (size_t i = 0; i < h->actor_count; i++) {
        const model_actor *a = &h->actors[i];
        if (strcmp(a->name, name) == 0 && (a->status == TH_ACTOR_RUNNING || a->status == TH_ACTOR_STOPPED))
            expected = a;
        newest += strcmp(a->name, name) == 0;
    }
    th_actor_info info;
    theater_status status = th_store_find_actor(store, th_slice_text(name), &info, &error);
    if (newest == 0) {
        assert_int_equal(status, THEATER_NOT_FOUND);
    } else {
        OK(status);
        assert_string_equal(info.name, name);
        if (expected)
            assert_int_equal(info.id, expected->id);
        else
            assert_true(info.status == TH_ACTOR_REMOVED || th_actor_imported(&info));
    }
}

/* ---- undelivered ---- */

typedef struct entry_walk {
    const history *h;
    uint64_t actor;
    size_t at;
} entry_walk;

static bool check_entry(void *context, const th_undelivered *entry)
{
    entry_walk *walk = context;
    const history *h = walk->h;
    while (walk->at < h->entry_count && h->entries[walk->at].target != walk->actor)
        walk->at++;
    assert_true(walk->at < h->entry_count);
    const th_undelivered *expected = &h->entries[walk->at++].entry;
    assert_true(same_key(&entry->key, &expected->key));
    assert_int_equal(entry->kind, expected->kind);
    assert_int_equal(entry->from, expected->from);
    assert_int_equal(entry->sequence, expected->sequence);
    assert_int_equal(entry->request, expected->request);
    assert_int_equal(entry->failed, expected->failed);
    assert_string_equal(entry->to, expected->to);
    return true;
}

static bool count_entry(void *context, const th_undelivered *entry)
{
    ++*(size_t *)context;
    return true;
}

static void check_entries(const history *h, th_store *store, uint64_t actor)
{
    theater_error error;
    entry_walk walk = {h, actor, 0};
    size_t count = 0, after = 0, waiting = history_waiting(h, actor);
    OK(th_store_list_undelivered(store, actor, NULL, check_entry, &walk, &error));
    OK(th_store_list_undelivered(store, actor, NULL, count_entry, &count, &error));
    assert_int_equal(count, waiting);
    if (count == 0)
        return;
    /* From the second on. */
    size_t first = 0;
    while (h->entries[first].target != actor)
        first++;
    OK(th_store_list_undelivered(store, actor, &h->entries[first].entry.key, count_entry, &after, &error));
    assert_int_equal(after, waiting - 1);
}

static bool check_waiting(void *context, uint64_t actor)
{
    entry_walk *walk = context;
    assert_true(actor > walk->actor);
    assert_true(history_waiting(walk->h, actor) > 0);
    walk->actor = actor;
    walk->at++;
    return true;
}

/* ---- elements ---- */

/* What a reader gives is what a look-up gives. */
static void check_reader(th_store *store, th_element_reader *reader, const model_actor *a, uint64_t sequence)
{
    theater_error error;
    th_buf buf;
    th_buf_init(&buf, 1 << 20);
    th_record one, other;
    uint64_t number, other_number;
    OK(th_store_read_element(store, a->id, sequence, &buf, &one, &number, &error));
    OK(th_element_reader_get(reader, a->id, sequence, &other, &other_number, &error));
    assert_int_equal(other_number, number);
    assert_int_equal(other.actor, a->id);
    assert_true(th_slice_equal(other.element.element, one.element.element));
    assert_true(th_slice_equal(other.element.input, one.element.input));
    assert_true(th_slice_equal(other.element.sent, one.element.sent));
    th_buf_done(&buf);
}

/* Whole chains forward, and then here and there over all of them. */
static void check_readers(const history *h, th_store *store)
{
    theater_error error;
    th_element_reader *reader;
    th_record record;
    dice d = {7};
    OK(th_element_reader_new(store, &reader, &error));
    for (size_t i = 0; i < h->actor_count; i++) {
        for (uint64_t sequence = 0; sequence < h->actors[i].elements; sequence++)
            check_reader(store, reader, &h->actors[i], sequence);
        EXPECT(NOT_FOUND,
               th_element_reader_get(reader, h->actors[i].id, h->actors[i].elements, &record, NULL, &error));
    }
    for (int i = 0; i < 100 && h->actor_count; i++) {
        const model_actor *a = &h->actors[roll(&d, h->actor_count)];
        if (a->elements)
            check_reader(store, reader, a, roll(&d, a->elements));
    }
    th_element_reader_free(reader);
}

static void check_elements(th_store *store, const model_actor *a)
{
    theater_error error;
    th_buf buf;
    th_buf_init(&buf, 1 << 20);
    for (uint64_t sequence = 0; sequence < a->elements; sequence++) {
        th_record record;
        uint64_t number;
        OK(th_store_read_element(store, a->id, sequence, &buf, &record, &number, &error));
        assert_int_equal(record.kind, TH_RECORD_ELEMENT);
        assert_int_equal(record.actor, a->id);
        if (sequence + 1 == a->elements) {
            assert_int_equal(number, a->head_number);
            assert_memory_equal(record.element.hash.bytes, a->head.bytes, 32);
        }
    }
    th_record record;
    EXPECT(NOT_FOUND, th_store_read_element(store, a->id, a->elements, &buf, &record, NULL, &error));
    if (a->has_snapshot) {
        OK(th_store_read_snapshot(store, a->id, a->elements, &buf, &record, &error));
        assert_int_equal(record.snapshot.sequence, a->snapshot);
    } else {
        EXPECT(NOT_FOUND, th_store_read_snapshot(store, a->id, a->elements, &buf, &record, &error));
    }
    th_buf_done(&buf);
}

void history_check(const history *h, th_store *store)
{
    theater_error error;
    assert_int_equal(th_store_covered(store), th_store_next_number(store));
    assert_int_equal(th_store_next_actor_id(store), h->next_id);
    actor_walk walk = {h, 0};
    OK(th_store_list_actors(store, 0, check_actor, &walk, &error));
    assert_int_equal(walk.at, h->actor_count);
    for (size_t i = 0; i < h->actor_count; i++) {
        th_actor_info info;
        OK(th_store_find_actor_id(store, h->actors[i].id, &info, &error));
        check_info(h, &h->actors[i], &info);
        check_name(h, store, h->actors[i].name);
        check_entries(h, store, h->actors[i].id);
        check_elements(store, &h->actors[i]);
    }
    check_readers(h, store);
    check_name(h, store, "nobody");
    entry_walk waiting = {h, 0, 0};
    OK(th_store_list_waiting(store, check_waiting, &waiting, &error));
    size_t targets = 0;
    for (size_t i = 0; i < h->entry_count; i++)
        targets += i == 0 || h->entries[i].target != h->entries[i - 1].target;
    assert_int_equal(waiting.at, targets);
    for (size_t i = 0; i < h->consumer_count; i++) {
        const model_consumer *c = &h->consumers[i];
        uint64_t actor, sequence;
        OK(th_store_find_consumer(store, c->from, c->sequence, c->index, &actor, &sequence, &error));
        assert_int_equal(actor, c->actor);
        assert_int_equal(sequence, c->by);
    }
    for (size_t i = 0; i < h->id_count; i++) {
        uint64_t sequence, expected = 0;
        const model_id *id = &h->ids[i];
        for (size_t k = i; k < h->id_count; k++) {
            if (h->ids[k].actor == id->actor && strcmp(h->ids[k].id, id->id) == 0)
                expected = h->ids[k].sequence;
        }
        OK(th_store_find_id(store, id->actor, th_slice_text(id->id), &sequence, &error));
        assert_int_equal(sequence, expected);
    }
}

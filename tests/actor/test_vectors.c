/* The published chain, made and replayed here: a machine that answers each turn as the vectors say it went,
 * so that everything around the guest must come out to the byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "actor/instance.h"
#include "chain/vectors.h"

#define MOST 32
#define assert_ok(status) assert_int_equal(status, THEATER_OK)

typedef struct entry {
    th_slice element, input, output, effects, state, random_20, random_80;
    th_hash hash;
    th_element fields;
} entry;

static entry chain[MOST];
static size_t count;

/* One turn of the scripted machine. */
typedef struct script {
    const th_engine_turn_options *options;
    const entry *entry;
} script;

static th_engine_bytes bytes(th_slice slice)
{
    return (th_engine_bytes){slice.data, slice.size};
}

/* The vectors have the hashes of the payloads sent; these are the payloads. */
static th_slice payload_of(const th_hash *hash)
{
    static const char *const payloads[] = {"hi", "how much?", "anyone?"};
    th_hasher *hasher;
    assert_ok(th_hasher_new(&hasher, NULL));
    th_slice found = {0};
    for (size_t i = 0; i < 3; i++) {
        th_hash is;
        th_sha256_of(hasher, th_slice_text(payloads[i]), &is);
        if (th_hash_equal(&is, hash))
            found = th_slice_text(payloads[i]);
    }
    th_hasher_free(hasher);
    assert_non_null(found.data);
    return found;
}

/* Reads the published random bytes and makes the published effects. */
static void act(const script *s)
{
    const th_engine_turn_options *o = s->options;
    th_engine_bytes random;
    assert_true(o->random(o->context, 20, &random));
    assert_memory_equal(random.data, s->entry->random_20.data, 20);
    assert_true(o->random(o->context, 80, &random));
    assert_memory_equal(random.data, s->entry->random_80.data, 80);
    th_effects_reader reader;
    th_effect effect;
    bool more;
    assert_ok(th_effects_read(s->entry->effects, s->entry->fields.sequence, &reader, NULL));
    for (;;) {
        assert_ok(th_effects_next(&reader, &effect, &more, NULL));
        uint64_t id;
        if (!more)
            return;
        if (effect.kind == TH_EFFECT_LOG)
            assert_true(o->log(o->context, effect.level, bytes(effect.text)));
        else if (effect.request == 0)
            assert_true(o->send(o->context, bytes(effect.to), bytes(payload_of(&effect.payload))));
        else {
            assert_true(o->request(o->context, bytes(effect.to), bytes(payload_of(&effect.payload)), &id));
            assert_int_equal(id, effect.request);
        }
    }
}

static th_engine_outcome begin(void *component, const th_engine_turn_options *options, void **ret_turn,
                               th_engine_result *ret)
{
    script *s = malloc(sizeof *s);
    assert_true(options->sequence < count);
    *s = (script){options, &chain[options->sequence]};
    *ret_turn = s;
    return TH_ENGINE_OK;
}

static th_engine_outcome reject(const script *s, const th_rejection *rejection, th_engine_result *ret)
{
    static const char large[4096 * 1024] = "";
    static char trap[16];
    const th_engine_turn_options *o = s->options;
    switch (rejection->code) {
    case TH_REJECTED_BY_ACTOR:
        ret->output = bytes(rejection->message);
        return TH_ENGINE_ERROR;
    case TH_REJECTED_TRAP:
        snprintf(trap, sizeof trap, "%.*s", (int)rejection->message.size,
                 (const char *)rejection->message.data);
        ret->trap = trap;
        return TH_ENGINE_TRAP;
    case TH_REJECTED_FUEL:
        return TH_ENGINE_OUT_OF_FUEL;
    case TH_REJECTED_LIMIT:
        assert_int_equal(th_rejection_which_limit(rejection), TH_LIMIT_PAYLOAD);
        assert_false(o->send(o->context, bytes(th_slice_text("other")),
                             bytes(th_slice_of(large, sizeof large))));
        return TH_ENGINE_STOPPED;
    case TH_REJECTED_STACK:
        assert_true(o->log(o->context, 1, bytes(th_slice_text("dropped"))));
        return TH_ENGINE_STACK;
    default:
        return TH_ENGINE_OK; /* an invalid state */
    }
}

static th_engine_outcome handle(void *turn, th_engine_bytes input, th_engine_bytes state,
                                th_engine_result *ret)
{
    const script *s = turn;
    *ret = (th_engine_result){0};
    act(s);
    ret->output = bytes(s->entry->output);
    ret->state = bytes(s->entry->state);
    th_rejection rejection;
    if (s->entry->fields.type != TH_REJECTION)
        return TH_ENGINE_OK;
    assert_ok(th_rejection_decode(s->entry->output, &rejection, NULL));
    return reject(s, &rejection, ret);
}

static th_engine_outcome init(void *turn, th_engine_bytes config, th_engine_result *ret)
{
    return handle(turn, config, (th_engine_bytes){0}, ret);
}

static th_engine_outcome verify_state(void *turn, th_engine_bytes state, th_engine_result *ret)
{
    const script *s = turn;
    *ret = (th_engine_result){.valid = s->entry->fields.type != TH_REJECTION};
    if (s->entry->fields.type == TH_UPGRADE)
        act(s);
    return TH_ENGINE_OK;
}

static uint64_t fuel(const void *turn)
{
    return ((const script *)turn)->entry->fields.fuel;
}

static th_machine machine = {
    .name = "wasmtime-48",
    .begin = begin,
    .init = init,
    .handle = handle,
    .verify_state = verify_state,
    .fuel = fuel,
    .end = free,
};

static int load(void **state)
{
    json_t *file = vectors_load(), *items = json_object_get(file, "chain"), *item;
    size_t i;
    json_array_foreach(items, i, item) {
        assert_true(i < MOST);
        entry *e = &chain[i];
        e->element = vectors_bytes(item, "element");
        e->input = vectors_bytes(item, "input");
        e->output = vectors_bytes(item, "output");
        e->effects = vectors_bytes(item, "effects");
        e->state = vectors_bytes(item, "state");
        e->random_20 = vectors_bytes(item, "random_first_20");
        e->random_80 = vectors_bytes(item, "random_next_80");
        e->hash = vectors_hash(item, "hash");
        assert_ok(th_element_decode(e->element, &e->fields, NULL));
        count = i + 1;
    }
    *state = file;
    return 0;
}

static int unload(void **state)
{
    json_decref(*state);
    vectors_free_bytes();
    return 0;
}

static th_recorded recorded(size_t i)
{
    return (th_recorded){chain[i].element, chain[i].input, chain[i].output, chain[i].effects};
}

static void the_chain_replays(void **state)
{
    th_workspace *workspace;
    th_instance *instance;
    th_difference difference;
    theater_error error = {0};
    assert_ok(th_workspace_new(&workspace, NULL));
    assert_int_equal(count, 12);
    th_recorded first = recorded(0);
    assert_ok(th_instance_replay_genesis(&machine, NULL, &first, workspace, &instance, &difference, &error));
    for (size_t i = 1; i < count; i++) {
        th_recorded next = recorded(i);
        assert_ok(th_instance_replay(instance, &next, NULL, workspace, &difference, &error));
        if (difference != TH_SAME)
            fail_msg("%s", error.message);
        assert_true(th_hash_equal(th_instance_head(instance), &chain[i].hash));
    }
    th_instance_free(instance);
    th_workspace_free(workspace);
}

static void the_chain_is_made(void **state)
{
    th_workspace *workspace;
    th_instance *instance;
    th_produced produced;
    th_descriptor descriptor;
    assert_ok(th_workspace_new(&workspace, NULL));
    assert_ok(th_descriptor_decode(chain[0].input, &descriptor, NULL));
    assert_ok(th_instance_genesis(&machine, NULL, &descriptor, chain[0].fields.timestamp, workspace,
                                  &instance,
                                  &produced, NULL));
    for (size_t i = 0;;) {
        const entry *e = &chain[i];
        assert_true(th_slice_equal(produced.element, e->element));
        assert_true(th_slice_equal(produced.input, e->input));
        assert_true(th_slice_equal(produced.output, e->output));
        assert_true(th_slice_equal(produced.effects, e->effects));
        assert_true(th_slice_equal(th_instance_state(instance), e->state));
        assert_true(th_hash_equal(&produced.hash, &e->hash));
        if (++i == count)
            break;
        e = &chain[i];
        th_input input = {
            .payload = e->input,
            .timestamp_ns = e->fields.timestamp,
            .cause = &e->fields.cause,
            .has_principal = e->fields.principal.size > 0,
            .principal = e->fields.principal,
            .has_id = e->fields.id.size > 0,
            .id = e->fields.id,
        };
        if (e->fields.type == TH_UPGRADE) {
            /* The published upgrade is to another engine, which is the one that runs it. */
            char name[32];
            assert_ok(th_descriptor_decode(e->input, &descriptor, NULL));
            snprintf(name, sizeof name, "%.*s", (int)descriptor.engine.size,
                     (const char *)descriptor.engine.data);
            machine.name = name;
            assert_ok(th_instance_upgrade(instance, NULL, &descriptor, e->fields.timestamp, workspace,
                                          &produced, NULL));
            machine.name = "wasmtime-48";
        } else {
            assert_ok(th_instance_handle(instance, &input, workspace, &produced, NULL));
        }
    }
    th_instance_free(instance);
    th_workspace_free(workspace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_chain_replays),
        cmocka_unit_test(the_chain_is_made),
    };
    return cmocka_run_group_tests_name("actor: vectors", tests, load, unload);
}

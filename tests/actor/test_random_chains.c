/* Chains made of random turns: the verifier finds nothing in them, and they replay. */
#include "turns.h"

#include "chain/verify.h"

#define TURNS 400

static uint64_t seed;

static uint64_t below(uint64_t bound)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (seed >> 11) % bound;
}

/* One random command. */
static int command(char *out, size_t size)
{
    unsigned long n = (unsigned long)below(6000);
    switch (below(20)) {
    case 0:
        return snprintf(out, size, "add %lu", n);
    case 1:
        return snprintf(out, size, "say text-%lu", n);
    case 2:
        return snprintf(out, size, "out %lu", n);
    case 3:
        return snprintf(out, size, "grow %lu", n);
    case 4:
        return snprintf(out, size, "shrink %lu", n);
    case 5:
        return snprintf(out, size, "touch %lu", n);
    case 6:
        return snprintf(out, size, "state %lu", n * 8);
    case 7:
        return snprintf(out, size, "log %lu line %lu", n % 6, n);
    case 8:
        return snprintf(out, size, "send a%lu {add %lu}", n % 3, n);
    case 9:
        return snprintf(out, size, "request a%lu {add %lu}", n % 3, n);
    case 10:
        return snprintf(out, size, "send-size bob %lu", n);
    case 11:
        return snprintf(out, size, "random %lu", n);
    case 12:
        return snprintf(out, size, "repeat %lu {request c {}; log 1 x}", n % 100);
    case 13:
        return snprintf(out, size, "burn %lu", n * 100);
    case 14:
        return snprintf(out, size, "recurse %lu", n);
    case 15:
        return snprintf(out, size, "fail no %lu", n);
    case 16:
        return snprintf(out, size, "trap integer");
    case 17:
        return snprintf(out, size, "invalid");
    case 18:
        return snprintf(out, size, "fail-size %lu", n);
    default:
        return snprintf(out, size, "observe");
    }
}

static size_t commands(char *out, size_t size)
{
    size_t used = 0;
    for (uint64_t left = 1 + below(3); left > 0; left--) {
        used += (size_t)command(out + used, size - used);
        out[used++] = ';';
    }
    return used;
}

/* What came to the actor so far from others, so that causes stand in the order that the format asks for. */
typedef struct others {
    uint64_t sequence[3]; /* of the next message of a0 to a2 */
    uint64_t requests[TURNS];
    char targets[TURNS][3]; /* of the request at the same place */
    size_t asked, answered;
} others;

static th_cause next_cause(others *o, char name[3])
{
    th_cause cause = {.actor = th_slice_of(name, 2)};
    memset(cause.hash.bytes, (int)below(256), sizeof cause.hash.bytes);
    if (below(2) == 0 && o->answered < o->asked) {
        memcpy(name, o->targets[o->answered], 3);
        cause.actor.size = strlen(name);
        cause.kind = TH_CAUSE_ANSWER;
        cause.sequence = o->answered + 1;
        cause.failed = below(2);
        cause.request = o->requests[o->answered++];
        return cause;
    }
    uint64_t which = below(3);
    snprintf(name, 3, "a%u", (unsigned)which);
    cause.kind = TH_CAUSE_MESSAGE;
    cause.sequence = o->sequence[which] += 1 + below(2);
    cause.index = below(4);
    return cause;
}

static void note_requests(others *o, const th_produced *produced)
{
    for (size_t i = 0; i < produced->sent_count && o->asked < TURNS; i++) {
        const th_sent *sent = &produced->sent[i];
        if (sent->request == 0)
            continue;
        o->requests[o->asked] = sent->request;
        memset(o->targets[o->asked], 0, 3);
        memcpy(o->targets[o->asked++], sent->to.data, sent->to.size < 2 ? sent->to.size : 2);
    }
}

/* The input stays in `text`. */
static void take_turn(bench *b, others *o, char *text, size_t size)
{
    char name[3];
    th_cause cause;
    th_input input = {.payload = th_slice_of(text, commands(text, size))};
    b->now_ns += below(3);
    input.timestamp_ns = b->now_ns - below(2);
    if (below(3) == 0) {
        cause = next_cause(o, name);
        input.cause = &cause;
    } else {
        input.has_principal = below(2), input.principal = th_slice_text("alice");
        input.has_id = below(2), input.id = th_slice_text("key");
    }
    assert_ok(th_instance_handle(b->instance, &input, b->workspace, &b->produced, &b->error));
    note_requests(o, &b->produced);
}

static void verify(th_verifier *verifier, const th_produced *produced)
{
    th_payloads payloads = {th_payload_of(produced->input), th_payload_of(produced->output),
                            th_payload_of(produced->effects)};
    theater_error error = {0};
    if (th_verifier_element(verifier, produced->element, &payloads, &error))
        fail_msg("seed %llu: %s", (unsigned long long)seed, error.message);
}

static void replay(th_instance *instance, bench *b, th_workspace *workspace)
{
    th_difference difference;
    theater_error error = {0};
    th_recorded recorded = {b->produced.element, b->produced.input, b->produced.output, b->produced.effects};
    assert_ok(th_instance_replay(instance, &recorded, NULL, workspace, &difference, &error));
    if (difference != TH_SAME)
        fail_msg("%s", error.message);
    assert_memory_equal(th_instance_head(instance), &b->produced.hash, sizeof b->produced.hash);
}

static void run(uint64_t from)
{
    bench b;
    char text[512];
    others o = {0};
    th_verifier *verifier;
    th_hasher *hasher;
    th_workspace *workspace;
    th_instance *twin;
    th_difference difference;
    th_verify_report report;
    th_verify_options options = {.actor = th_slice_text("cart")};
    seed = from * 0x9e3779b97f4a7c15u + 1;
    bench_open(&b);
    b.limits = (th_limits){.fuel = 300000, .memory = 1, .state = 40000, .message = 5000, .effects = 20000};
    assert_ok(th_hasher_new(&hasher, NULL));
    assert_ok(th_workspace_new(&workspace, NULL));
    assert_ok(th_verifier_new(&options, hasher, &verifier, NULL));
    assert_ok(bench_genesis(&b, "standin:counter", "set 41; request a1 x"));
    note_requests(&o, &b.produced);
    verify(verifier, &b.produced);
    th_recorded genesis = {b.produced.element, b.produced.input, b.produced.output, b.produced.effects};
    assert_ok(th_instance_replay_genesis(&b.machine, b.component, &genesis, workspace, &twin, &difference,
                                         NULL));
    for (int i = 0; i < TURNS; i++) {
        take_turn(&b, &o, text, sizeof text);
        verify(verifier, &b.produced);
        replay(twin, &b, workspace);
        th_workspace_clear(b.workspace);
        th_workspace_clear(workspace);
    }
    assert_ok(th_verifier_finish(verifier, &report, NULL));
    assert_int_equal(report.elements, TURNS + 1);
    assert_memory_equal(&report.head, th_instance_head(b.instance), sizeof report.head);
    th_hash head;
    th_log_tree_head(th_instance_tree(b.instance), hasher, &head);
    assert_memory_equal(&report.tree_head, &head, sizeof head);
    assert_true(th_slice_equal(th_instance_state(twin), th_instance_state(b.instance)));
    th_instance_free(twin);
    th_verifier_free(verifier);
    th_workspace_free(workspace);
    th_hasher_free(hasher);
    bench_close(&b);
}

static void random_chains_verify_and_replay(void **state)
{
    for (uint64_t i = 0; i < 30; i++)
        run(i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_chains_verify_and_replay)};
    return cmocka_run_group_tests_name("actor: random chains", tests, NULL, NULL);
}

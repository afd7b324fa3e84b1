/* Turns that fail: each way of the chain format's table ends in a rejection with exactly its code and
 * message, in the answer and on the chain; the state stays, the actor and the others go on, and the chain
 * verifies and replays. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands in the element's fuel. */
typedef enum fuel_rule {
    FUEL_COUNTED,
    FUEL_NONE,
    FUEL_LIMIT,
} fuel_rule;

static fuel_rule fuel_of(uint64_t code)
{
    return code <= 2 ? FUEL_COUNTED : code == 4 ? FUEL_LIMIT : FUEL_NONE;
}

/* The output payload of a rejection: CBOR [code, message], written here by hand. */
static size_t rejection_bytes(uint64_t code, theater_slice message, uint8_t *out)
{
    size_t at = 0;
    out[at++] = 0x82;
    out[at++] = (uint8_t)code;
    if (message.size < 24) {
        out[at++] = (uint8_t)(0x60 + message.size);
    } else {
        assert_true(message.size < 256);
        out[at++] = 0x78;
        out[at++] = (uint8_t)message.size;
    }
    memcpy(out + at, message.data, message.size);
    return at + message.size;
}

/* The element at `sequence` of an actor is that rejection, and kept the state. */
static void expect_on_chain(const char *path, const char *name, uint64_t sequence, uint64_t code,
                            theater_slice text, theater_slice input,
                            const theater_limits *limits)
{
    theater_folder *folder;
    theater_error error;
    theater_actor_info info;
    theater_element element, before;
    OK(theater_folder_open(path, &folder, &error), error);
    OK(theater_folder_actor(folder, name, &info, &error), error);
    OK(theater_element_read(folder, info.id, sequence, &element, &error), error);
    OK(theater_element_read(folder, info.id, sequence - 1, &before, &error), error);
    assert_int_equal(element.type, THEATER_REJECTION);
    assert_int_equal(element.reject_code, code);
    uint8_t want[300];
    size_t size = rejection_bytes(code, text, want);
    assert_int_equal(element.output.size, size);
    assert_memory_equal(element.output.data, want, size);
    assert_int_equal(element.reject_text.size, text.size);
    assert_memory_equal(element.reject_text.data, text.data, text.size);
    assert_int_equal(element.input.size, input.size);
    if (input.size)
        assert_memory_equal(element.input.data, input.data, input.size);
    assert_memory_equal(&element.state_before, &before.state_after, THEATER_HASH_SIZE);
    assert_memory_equal(&element.state_after, &before.state_after, THEATER_HASH_SIZE);
    assert_int_equal(element.state_size, before.state_size);
    fuel_rule rule = fuel_of(code);
    if (rule == FUEL_COUNTED)
        assert_true(element.fuel > 0 && element.fuel < limits->fuel);
    else
        assert_int_equal(element.fuel, rule == FUEL_LIMIT ? limits->fuel : 0);
    theater_element_free(&element);
    theater_element_free(&before);
    theater_folder_close(folder);
}

static void expect_rejection(system_bench *bench, const char *name, theater_slice input, uint64_t code,
                             const char *text,
                             const theater_limits *limits)
{
    theater_answer answer;
    theater_error error;
    theater_status status = system_send(bench->runtime, name, input, &answer, &error);
    if (status != THEATER_REJECTED || answer.reject_code != code || answer.output.size != strlen(text) ||
        (text[0] && memcmp(answer.output.data, text, strlen(text)) != 0))
        fail_msg("%s: [%d, %s] expected, not %s [%d, %.*s]: %s", name, (int)code, text,
                 theater_status_name(status),
                 (int)answer.reject_code, (int)answer.output.size, answer.output.data ?
                     (char *)answer.output.data : "", error.message);
    expect_on_chain(bench->folder, name, answer.sequence, code, text_of(text), input, limits);
    uint64_t sequence = answer.sequence;
    theater_answer_done(&answer);
    /* A query fails in the same way and leaves no element. */
    theater_message message = {.actor = name, .input = input};
    assert_int_equal(theater_query(bench->runtime, &message, &answer, &error), THEATER_REJECTED);
    assert_int_equal(answer.reject_code, code);
    assert_int_equal(answer.sequence, sequence);
    theater_answer_done(&answer);
}

static const theater_limits small = {.fuel = 20000000,
                                     .memory_bytes = (uint64_t)16 << 20,
                                     .state_bytes = 1000,
                                     .message_bytes = 500,
                                     .effects_bytes = 3000};

static void start_small(system_bench *bench, const char *name, const char *component,
                        const theater_limits *limits)
{
    theater_error error;
    OK(system_try_start(bench->runtime, name, component, text_of("state"), limits, &error), error);
}

static void each_trap_of_the_contract_has_its_word(void **state)
{
    static const char *const rows[] = {
        "u unreachable", "m memory",   "f memory",  "s memory",  "t table",       "n table",
        "y table",       "e table",    "d division", "r division", "o integer",   "i integer",
        "N integer",     "z abi",      "p abi",     "q abi",     "D abi",         "x abi",
        "l abi",         "b abi",      "v abi",     "S abi",     "a unreachable", "c abi",
    };
    system_bench bench;
    system_begin(&bench, "traps", NULL);
    start_small(&bench, "subject", "traps", &small);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        expect_rejection(&bench, "subject", (theater_slice){(const uint8_t *)rows[i], 1}, 3, rows[i] + 2,
                         &small);
        /* The actor itself goes on, too. */
        system_accept(bench.runtime, "subject", text_of("k"));
    }
    expect_rejection(&bench, "subject", text_of("L"), 4, "out of fuel", &small);
    expect_rejection(&bench, "subject", text_of("R"), 6, "stack overflow", &small);
    system_accept(bench.runtime, "subject", text_of("k"));
    system_end(&bench);
}

typedef struct number_input {
    uint32_t first, second;
    uint32_t size;
} number_input;

static const struct {
    const char *fixture, *text; /* the input: text, or else numbers */
    number_input numbers;
    uint64_t code;
    const char *message;
} failures[] = {
    {"handle_error", "not today", {0}, 1, "not today"},
    {"handle_error", "", {0}, 1, ""},
    {"handle_error", "gr\xc3\xbc\xc3\x9f\ndich", {0}, 1, "gr\xc3\xbc\xc3\x9f\ndich"},
    {"set_state", "!", {0}, 2, "invalid state"},
    {"endless_loop", "", {0}, 4, "out of fuel"},
    {"endless_recursion", "", {0}, 6, "stack overflow"},
    {"huge_error", NULL, {.first = 501, .size = 4}, 5, "error"},
    {"huge_output", NULL, {.first = 501, .size = 4}, 5, "output"},
    {"huge_state", NULL, {.first = 1001, .size = 4}, 5, "state"},
    {"send", "No Name", {0}, 5, "name"},
    {"send", "", {0}, 5, "name"},
    {"send", "a..b", {0}, 5, "name"},
    {"request", "Nobody!", {0}, 5, "name"},
    {"send_many", NULL, {.first = 1, .second = 501, .size = 8}, 5, "payload"},
    {"send_many", NULL, {.first = 6, .second = 500, .size = 8}, 5, "effects"},
    {"send_many", NULL, {.first = 100, .second = 0, .size = 8}, 5, "effects"},
    {"random", NULL, {.first = 65537, .size = 4}, 5, "random"},
    {"random", NULL, {.first = 4000000000u, .size = 4}, 5, "random"},
    {"log_then_trap", "a line", {0}, 3, "unreachable"},
};

static theater_slice failure_input(size_t i)
{
    if (failures[i].text)
        return text_of(failures[i].text);
    return (theater_slice){(const uint8_t *)&failures[i].numbers, failures[i].numbers.size};
}

static void each_failure_has_its_code_and_message(void **state)
{
    system_bench bench;
    char name[64];
    system_begin(&bench, "failures", NULL);
    start_small(&bench, "peer", "echo", &small);
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        snprintf(name, sizeof name, "subject%zu", i);
        start_small(&bench, name, failures[i].fixture, &small);
        expect_rejection(&bench, name, failure_input(i), failures[i].code, failures[i].message, &small);
        expect_rejection(&bench, name, failure_input(i), failures[i].code, failures[i].message, &small);
        system_witness(&bench);
    }
    /* None of the messages of these turns went out. */
    theater_error error;
    theater_actor_info info;
    OK(theater_drain(bench.runtime, 60000, &error), error);
    system_info(bench.folder, "peer", &info);
    assert_int_equal(info.elements, 1);
    system_end(&bench);
}

/* One less than each of these limits is accepted. */
static void the_limits_themselves_are_allowed(void **state)
{
    static const struct {
        const char *fixture;
        number_input numbers;
    } rows[] = {
        {"huge_output", {.first = 500, .size = 4}},
        {"huge_state", {.first = 1000, .size = 4}},
        {"send_many", {.first = 1, .second = 500, .size = 8}},
        {"send_many", {.first = 5, .second = 500, .size = 8}},
    };
    system_bench bench;
    char name[64];
    system_begin(&bench, "allowed", NULL);
    start_small(&bench, "peer", "echo", &small);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(name, sizeof name, "subject%zu", i);
        start_small(&bench, name, rows[i].fixture, &small);
        system_accept(bench.runtime, name,
                      (theater_slice){(const uint8_t *)&rows[i].numbers, rows[i].numbers.size});
    }
    uint32_t most = 65536;
    theater_error error;
    OK(system_try_start(bench.runtime, "random", "random", text_of(""), NULL, &error), error);
    system_accept(bench.runtime, "random", (theater_slice){(const uint8_t *)&most, 4});
    uint8_t exact[500] = {0};
    system_accept(bench.runtime, "peer", (theater_slice){exact, sizeof exact});
    system_end(&bench);
}

/* 65,535 requests are the most that a turn may make. */
static void requests_without_end_are_counted(void **state)
{
    system_bench bench;
    theater_limits limits = {.fuel = 1000000000, .effects_bytes = (uint64_t)64 << 20};
    system_begin(&bench, "requests", NULL);
    start_small(&bench, "subject", "request_many", &limits);
    uint32_t count = 65536;
    expect_rejection(&bench, "subject", (theater_slice){(const uint8_t *)&count, 4}, 5, "requests", &limits);
    /* Nobody is named peer, so that each request gets its notice. */
    count = 100;
    system_accept(bench.runtime, "subject", (theater_slice){(const uint8_t *)&count, 4});
    theater_error error;
    theater_actor_info info;
    OK(theater_drain(bench.runtime, 60000, &error), error);
    system_info(bench.folder, "subject", &info);
    assert_int_equal(info.elements, 103);
    system_end(&bench);
}

/* Memory without end is refused to the guest, which goes on: no failure, and the answer is the same on every
 * machine. */
static void growth_without_end_stops_at_the_limit(void **state)
{
    system_bench bench;
    theater_answer answer;
    theater_error error;
    system_begin(&bench, "growth", NULL);
    start_small(&bench, "subject", "endless_growth", &small);
    for (int i = 0; i < 3; i++) {
        OK(system_send(bench.runtime, "subject", text_of(""), &answer, &error), error);
        uint32_t pages;
        assert_int_equal(answer.output.size, 4);
        memcpy(&pages, answer.output.data, 4);
        assert_int_equal(pages, (16 << 20) / 65536);
        theater_answer_done(&answer);
    }
    system_end(&bench);
}

/* Log lines of a rejected turn stay on the chain, its messages do not; a stack overflow has neither. */
static void a_rejection_keeps_its_log_lines_alone(void **state)
{
    system_bench bench;
    theater_answer answer;
    theater_error error;
    system_begin(&bench, "lines", NULL);
    start_small(&bench, "peer", "echo", &small);
    start_small(&bench, "subject", "log_then_trap", &small);
    start_small(&bench, "deep", "endless_recursion", &small);
    assert_int_equal(system_send(bench.runtime, "subject", text_of("hi"), &answer, &error), THEATER_REJECTED);
    theater_answer_done(&answer);
    assert_int_equal(system_send(bench.runtime, "deep", text_of("hi"), &answer, &error), THEATER_REJECTED);
    theater_answer_done(&answer);
    theater_folder *folder;
    theater_actor_info info;
    theater_element element;
    OK(theater_folder_open(bench.folder, &folder, &error), error);
    OK(theater_folder_actor(folder, "subject", &info, &error), error);
    OK(theater_element_read(folder, info.id, 1, &element, &error), error);
    /* [[0, 0, "hi"], [0, 1, "hi"], ... [0, 4, "hi"]] */
    uint8_t want[31] = {0x85};
    for (uint8_t level = 0; level < 5; level++)
        memcpy(want + 1 + 6 * level, (uint8_t[]){0x83, 0, level, 0x62, 'h', 'i'}, 6);
    assert_int_equal(element.effects.size, sizeof want);
    assert_memory_equal(element.effects.data, want, sizeof want);
    theater_element_free(&element);
    OK(theater_folder_actor(folder, "deep", &info, &error), error);
    OK(theater_element_read(folder, info.id, 1, &element, &error), error);
    assert_int_equal(element.effects.size, 1);
    assert_int_equal(element.effects.data[0], 0x80);
    theater_element_free(&element);
    theater_folder_close(folder);
    system_end(&bench);
}

/* A client's input over the limit makes no element; an actor's, and an answer, are rejected without a run. */
static void an_input_over_the_limit_depends_on_who_sent_it(void **state)
{
    system_bench bench;
    theater_answer answer;
    theater_error error;
    theater_actor_info info;
    theater_limits tiny = {.fuel = 20000000, .message_bytes = 5};
    system_begin(&bench, "inputs", NULL);
    start_small(&bench, "peer", "echo", &tiny);
    start_small(&bench, "sender", "send_many", &small);
    theater_status status = system_send(bench.runtime, "peer", text_of("123456"), &answer, &error);
    system_expect_error(status, &error, THEATER_TOO_LARGE, "a client's input", "peer", "6", "5", NULL);
    theater_answer_done(&answer);
    assert_int_equal(system_accept(bench.runtime, "peer", text_of("12345")), 1);
    number_input message = {.first = 1, .second = 6};
    system_accept(bench.runtime, "sender", (theater_slice){(const uint8_t *)&message, 8});
    OK(theater_drain(bench.runtime, 60000, &error), error);
    uint8_t zeros[6] = {0};
    expect_on_chain(bench.folder, "peer", 2, 5, text_of("input"), (theater_slice){zeros, 6}, &tiny);
    /* The observer answers with forty bytes, and the asker takes eight. */
    theater_limits eight = {.fuel = 20000000, .message_bytes = 8};
    start_small(&bench, "asker", "request", &eight);
    start_small(&bench, "d", "observe", &small);
    system_accept(bench.runtime, "asker", text_of("d"));
    OK(theater_drain(bench.runtime, 60000, &error), error);
    system_info(bench.folder, "asker", &info);
    assert_int_equal(info.elements, 3);
    theater_folder *folder;
    theater_element element;
    OK(theater_folder_open(bench.folder, &folder, &error), error);
    OK(theater_element_read(folder, info.id, 2, &element, &error), error);
    assert_int_equal(element.type, THEATER_REJECTION);
    assert_int_equal(element.cause, THEATER_CAUSE_REPLY);
    assert_int_equal(element.reject_code, 5);
    assert_int_equal(element.reject_text.size, 5);
    assert_memory_equal(element.reject_text.data, "input", 5);
    assert_int_equal(element.fuel, 0);
    theater_element_free(&element);
    theater_folder_close(folder);
    system_end(&bench);
}

/* What a client may not say at all. */
static void ids_and_principals_that_cannot_be_are_named(void **state)
{
    system_bench bench;
    theater_answer answer;
    theater_error error;
    uint8_t long_id[65] = {0};
    char long_principal[130];
    memset(long_principal, 'p', 129);
    long_principal[129] = 0;
    system_begin(&bench, "ids", NULL);
    system_start(bench.runtime, "subject", "echo", "");
    theater_message message = {.actor = "subject", .id = {long_id, sizeof long_id}};
    system_expect_error(theater_send(bench.runtime, &message, &answer, &error), &error,
                        THEATER_INVALID_ARGUMENT, "id", "64", "65", NULL);
    const char *const principals[] = {"", long_principal, "\xff"};
    for (int i = 0; i < 3; i++) {
        message = (theater_message){.actor = "subject", .principal = principals[i]};
        system_expect_error(theater_send(bench.runtime, &message, &answer, &error), &error,
                            THEATER_INVALID_ARGUMENT, "principal",
                            "128", NULL);
    }
    message = (theater_message){.actor = "subject", .id = {long_id, 64}, .principal = long_principal + 1};
    OK(theater_send(bench.runtime, &message, &answer, &error), error);
    assert_int_equal(answer.sequence, 1);
    theater_answer_done(&answer);
    system_end(&bench);
}

typedef struct flood {
    _Atomic unsigned answered, out_of_fuel;
} flood;

static void flood_answer(void *context, theater_answer *answer)
{
    flood *self = context;
    self->out_of_fuel += answer->status == THEATER_REJECTED && answer->reject_code == 4;
    self->answered++;
}

static void a_full_mailbox_refuses_and_the_others_go_on(void **state)
{
    system_bench bench;
    theater_error error;
    theater_limits slow = {.fuel = 50000000};
    system_begin(&bench, "mailbox", &(theater_runtime_options){.mailbox_messages = 4, .workers = 2});
    start_small(&bench, "slow", "endless_loop", &slow);
    flood seen = {0};
    unsigned taken = 0, full = 0;
    while (full < 20) {
        theater_message message = {.actor = "slow", .input = text_of("x")};
        theater_status status = theater_submit(bench.runtime, &message, flood_answer, &seen, &error);
        if (status == THEATER_OK) {
            taken++;
            continue;
        }
        system_expect_error(status, &error, THEATER_MAILBOX_FULL, "a message too many", "slow", "4", NULL);
        full++;
        system_witness(&bench);
    }
    OK(theater_drain(bench.runtime, 60000, &error), error);
    assert_true(taken >= 4);
    assert_int_equal(seen.answered, taken);
    assert_int_equal(seen.out_of_fuel, taken);
    system_end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_trap_of_the_contract_has_its_word),
        cmocka_unit_test(each_failure_has_its_code_and_message),
        cmocka_unit_test(the_limits_themselves_are_allowed),
        cmocka_unit_test(requests_without_end_are_counted),
        cmocka_unit_test(growth_without_end_stops_at_the_limit),
        cmocka_unit_test(a_rejection_keeps_its_log_lines_alone),
        cmocka_unit_test(an_input_over_the_limit_depends_on_who_sent_it),
        cmocka_unit_test(ids_and_principals_that_cannot_be_are_named),
        cmocka_unit_test(a_full_mailbox_refuses_and_the_others_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

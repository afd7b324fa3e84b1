/* The ledger's code as an ordinary program: the SDK's headers compile for the machine too, so that an actor's
 * parts can be tested without a component. Here: account numbers, and the bound on accounts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "book.h"
#include "iban.h"

static bool good(const char *text)
{
    iban_key key;
    return iban_parse(theater_slice_text(text), &key);
}

/* The examples of the registry of ISO 13616, of every kind of length and character. */
static const char *const examples[] = {
    "NO9386011117947",
    "BE68539007547034",
    "DK5000400440116243",
    "NL91ABNA0417164300",
    "AT611904300234573201",
    "CH9300762011623852957",
    "DE89370400440532013000",
    "GB29NWBK60161331926819",
    "SE4550000000058398257466",
    "ES9121000418450200051332",
    "FR1420041010050500013M02606",
    "IT60X0542811101000000123456",
    "PL61109010140000071219812874",
    "BR9700360305000010009795493P1",
    "JO94CBJO0010000000000131000302",
    "MT84MALT011000012345MTLCAST001S",
    "LC55HEMM000100010012001200023015",
    "RU0304452522540817810538091310419",
};

static void test_ibans_of_the_registry_are_good(void **unused)
{
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        if (!good(examples[i]))
            fail_msg("%s is not taken", examples[i]);
    }
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* What the check is for: a digit for another digit, a letter for another letter, two neighbours of one kind
 * that changed places, and any character that does not belong there. (A letter for a digit makes the number
 * longer, and then one in 97 is not found.) */
static void test_every_slip_is_found(void **unused)
{
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        char text[40];
        size_t size = strlen(examples[i]);
        for (size_t at = 0; at < size; at++) {
            for (const char *c = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ /:@[`az"; *c; c++) {
                snprintf(text, sizeof text, "%s", examples[i]);
                if (text[at] == *c || (*c >= 'A' && *c <= 'Z' && is_digit(text[at])) ||
                    (is_digit(*c) && !is_digit(text[at])))
                    continue;
                text[at] = *c;
                /* Check digits that are 97 more or less say the same remainder: 02 and 99, and so on. */
                if (good(text) && at != 2 && at != 3)
                    fail_msg("%s is taken for %s", text, examples[i]);
            }
            snprintf(text, sizeof text, "%s", examples[i]);
            if (at + 1 < size && text[at] != text[at + 1] && is_digit(text[at]) == is_digit(text[at + 1])) {
                char c = text[at];
                text[at] = text[at + 1];
                text[at + 1] = c;
                assert_false(good(text));
            }
        }
    }
    assert_false(good(""));
    assert_false(good("NO938601111794"));
    assert_false(good("RU03044525225408178105380913104190000"));
}

/* The key is the account without its check digits, without loss. */
static void test_keys_tell_accounts_apart(void **unused)
{
    static const char digits[] = "?0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (size_t i = 0; i <= sizeof examples / sizeof *examples; i++) {
        iban_key key;
        char text[40], rest[40] = "", back[40] = "";
        bool longest = i == sizeof examples / sizeof *examples; /* at last one that fills all bits */
        snprintf(text, sizeof text, "%s", longest ? "ZZ00ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ" : examples[i]);
        for (unsigned check = 2; longest && check < 99 && !good(text); check++)
            text[2] = (char)('0' + check / 10), text[3] = (char)('0' + check % 10);
        assert_true(iban_parse(theater_slice_text(text), &key));
        snprintf(rest, sizeof rest, "%s%.2s", text + 4, text);
        for (unsigned at = 0; at < 32; at++) {
            unsigned bit = 6 * at, value = (unsigned)(key.words[bit / 64] >> bit % 64);
            if (bit % 64 > 58)
                value |= (unsigned)(key.words[bit / 64 + 1] << (64 - bit % 64));
            if (value & 63)
                back[strlen(back)] = digits[value & 63];
        }
        assert_string_equal(back, rest);
    }
}

static theater_bytes start(void)
{
    theater_result result =
        theater_actor_init(theater_slice_text("{\"Ccy\":\"JPY\",\"Supply\":1000000,\"Decimals\":0}"));
    assert_false(result.rejected);
    return result.state;
}

static theater_result handle(const char *input, theater_bytes state)
{
    return theater_actor_handle(theater_slice_text(input), state);
}

static void test_the_handlers_run_without_a_component(void **unused)
{
    theater_result result = handle("{\"Open\":{\"IBAN\":\"NO9386011117947\",\"Amt\":7}}", start());
    assert_false(result.rejected);
    assert_true(
        theater_slice_is(result.output, "{\"IBAN\":\"NO9386011117947\",\"Ccy\":\"JPY\",\"Bal\":\"7\"}"));
    assert_true(theater_actor_verify_state(theater_slice_bytes(result.state)));
    free(result.state.data);
}

/* Inputs with bytes changed, cut off and put in, from a fixed seed: whatever comes, the ledger answers, reads
 * nothing behind the input (it lies in a block of its own, for the address sanitizer) and keeps its money. */
static void test_damaged_inputs_do_no_harm(void **unused)
{
    static const char text[] = "{\"PmtId\":{\"EndToEndId\":\"E\\u00e9\"},\"Amt\":{\"InstdAmt\":{\"Ccy\":"
                               "\"JPY\",\"Amt\":\"12\"}},\"Dbtr\":{\"Nm\":"
                               "[1,-2.5e3,null]},\"DbtrAcct\":{\"Id\":{\"IBAN\":\"NO9386011117947\"}},"
                               "\"CdtrAcct\":{\"Id\":{\"IBAN\":"
                               "\"BE68539007547034\"}}}";
    theater_bytes state = handle("{\"Open\":{\"IBAN\":\"NO9386011117947\",\"Amt\":900000}}", start()).state;
    state = handle("{\"Open\":{\"IBAN\":\"BE68539007547034\",\"Amt\":7}}", state).state;
    assert_false(handle(text, state).rejected);
    unsigned random = 1, accepted = 0;
    for (int round = 0; round < 20000; round++) {
        size_t size = sizeof text - 1;
        char *input = malloc(size + 1);
        memcpy(input, text, size + 1);
        for (unsigned changes = (random >> 9) % 3; changes < 3; changes++) {
            random = random * 1103515245u + 12345u;
            size_t place = (random >> 8) % size;
            if (random % 16 == 0)
                size = place + 1;
            else
                input[place] = random % 3 ? "{}[]\",:\\0u"[(random >> 20) % 10] : (char)(random >> 16);
        }
        char *exact = malloc(size);
        memcpy(exact, input, size);
        theater_result result = theater_actor_handle(theater_slice_of(exact, size), state);
        accepted += !result.rejected;
        assert_true(theater_actor_verify_state(theater_slice_bytes(state)));
        free(exact);
        free(input);
    }
    assert_in_range(accepted, 100, 19000);
    free(state.data);
}

/* A book one account below the bound takes one more, and no second. The accounts are made up: the index does
 * not know them, which is nothing that these inputs ask for. */
static void test_the_number_of_accounts_is_bounded(void **unused)
{
    uint32_t most = BOOK_SLOTS_MAX / 4 * 3;
    theater_bytes empty = start(), state = theater_bytes_new(BOOK_HEADER + 2 * BOOK_SLOTS_MAX +
                                                             (size_t)BOOK_RECORD * (most - 1));
    memcpy(state.data, empty.data, BOOK_HEADER);
    theater_put_u32le(state.data + BOOK_SLOTS, BOOK_SLOTS_MAX);
    theater_put_u32le(state.data + BOOK_ACCOUNTS, most - 1);
    assert_true(theater_actor_verify_state(theater_slice_bytes(state)));
    theater_result result = handle("{\"Open\":{\"IBAN\":\"NO9386011117947\"}}", state);
    assert_false(result.rejected);
    assert_true(theater_actor_verify_state(theater_slice_bytes(result.state)));
    theater_result second = handle("{\"Open\":{\"IBAN\":\"BE68539007547034\"}}", result.state);
    assert_true(second.rejected);
    assert_true(theater_slice_is(second.output, "AG01 the ledger is full"));
    free(empty.data);
    free(state.data);
    free(result.state.data);
}

/* Behind the furthest end of the turn's memory, the next place does not wrap. */
static void test_memory_ends_below_4_gib(void **unused)
{
    const uint64_t end = UINT64_C(0xffff0000);
    assert_true(theater_heap_may_end(0) && theater_heap_may_end(end));
    assert_true((uint32_t)(end + 15) > 15);
    assert_false(theater_heap_may_end(end + 1));
    assert_false(theater_heap_may_end(UINT32_MAX));
    assert_false(theater_heap_may_end(UINT64_C(0x100000000)));
    assert_false(theater_heap_may_end(end + UINT32_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ibans_of_the_registry_are_good),
        cmocka_unit_test(test_every_slip_is_found),
        cmocka_unit_test(test_keys_tell_accounts_apart),
        cmocka_unit_test(test_the_handlers_run_without_a_component),
        cmocka_unit_test(test_damaged_inputs_do_no_harm),
        cmocka_unit_test(test_the_number_of_accounts_is_bounded),
        cmocka_unit_test(test_memory_ends_below_4_gib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Under the address sanitizer the turn's memory counts as lost: an actor never frees. */
const char *__asan_default_options(void);
__attribute__((visibility("default"), used)) const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

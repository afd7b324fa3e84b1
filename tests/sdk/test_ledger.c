/* The example actor `ledger`, through its component. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "sdk/actor_run.h"

static const char config[] = "{\"Ccy\":\"EUR\",\"Supply\":\"100000000.00\"}";

#define ANNA "DE89370400440532013000"
#define JEAN "FR1420041010050500013M02606"
#define NOBODY "GB82WEST12345698765432"

/* A German IBAN for a number, with its check digits. */
static void make_iban(unsigned number, char *ret)
{
    char bban[24];
    snprintf(bban, sizeof bban, "10010010%010u", number);
    unsigned remainder = 0;
    for (const char *c = bban; *c; c++)
        remainder = (remainder * 10 + (unsigned)(*c - '0')) % 97;
    remainder = remainder * (1000000 % 97) % 97;
    remainder = (remainder + 131400) % 97;
    snprintf(ret, 32, "DE%02u%s", 98 - remainder, bban);
}

static const char *transfer(const char *debtor, const char *creditor, const char *currency,
                            const char *amount)
{
    static char text[512];
    snprintf(text, sizeof text,
             "{\"PmtId\":{\"EndToEndId\":\"E2E-1\"},\"Amt\":{\"InstdAmt\":{\"Ccy\":\"%s\",\"Amt\":%s}},"
             "\"Dbtr\":{\"Nm\":\"A \\\"B\\\" \\u00e9\"},"
             "\"DbtrAcct\":{\"Id\":{\"IBAN\":\"%s\"}},\"Cdtr\":{\"Nm\":\"C\",\"PstlAdr\":{\"AdrLine\":[\"x\","
             "[1.5e3,true,null]]}},"
             "\"CdtrAcct\":{\"Id\":{\"IBAN\":\"%s\"}}}",
             currency, amount, debtor, creditor);
    return text;
}

static void start(actor_run *run)
{
    assert_int_equal(actor_run_start(run, "ledger", config), TH_ENGINE_OK);
    assert_true(run->valid);
    assert_true(actor_run_gives(run, "{\"Open\":{\"IBAN\":\"" ANNA "\",\"Amt\":\"100.00\"}}",
                                "{\"IBAN\":\"" ANNA "\",\"Ccy\":\"EUR\",\"Bal\":\"100.00\"}"));
    assert_true(actor_run_gives(run, "{\"Open\":{\"IBAN\":\"" JEAN "\"}}",
                                "{\"IBAN\":\"" JEAN "\",\"Ccy\":\"EUR\",\"Bal\":\"0.00\"}"));
}

static void test_a_transfer_moves_money(void **unused)
{
    actor_run run;
    start(&run);
    assert_true(actor_run_gives(&run, transfer(ANNA, JEAN, "EUR", "\"12.34\""),
                                "{\"EndToEndId\":\"E2E-1\",\"TxSts\":\"ACSC\"}"));
    assert_true(actor_run_gives(&run, transfer(JEAN, ANNA, "EUR", "2"),
                                "{\"EndToEndId\":\"E2E-1\",\"TxSts\":\"ACSC\"}"));
    assert_true(actor_run_gives(&run, "{\"Balance\":{\"IBAN\":\"" ANNA "\"}}",
                                "{\"IBAN\":\"" ANNA "\",\"Ccy\":\"EUR\",\"Bal\":\"89.66\"}"));
    assert_true(actor_run_gives(&run, " { \"Balance\" : { \"IBAN\" : \"" JEAN "\" } } ",
                                "{\"IBAN\":\"" JEAN "\",\"Ccy\":\"EUR\",\"Bal\":\"10.34\"}"));
    assert_true(actor_run_gives(
        &run, "{\"Totals\":{}}",
        "{\"Accounts\":2,\"Ccy\":\"EUR\",\"Supply\":\"100000000.00\",\"Treasury\":\"99999900.00\"}"));
    actor_run_done(&run);
}

static void test_every_rejection_has_its_code(void **unused)
{
    actor_run run;
    start(&run);
    th_buf before;
    th_buf_init(&before, 1 << 20);
    assert_int_equal(th_buf_append(&before, th_buf_slice(&run.state), NULL), THEATER_OK);
    assert_true(actor_run_rejects(&run, transfer(ANNA, JEAN, "EUR", "100.01"),
                                  "AM04 insufficient funds in account " ANNA));
    assert_true(actor_run_rejects(&run, transfer(NOBODY, JEAN, "EUR", "1"), "AC01 unknown account " NOBODY));
    assert_true(actor_run_rejects(&run, transfer(ANNA, NOBODY, "EUR", "1"), "AC01 unknown account " NOBODY));
    assert_true(actor_run_rejects(&run, transfer("DE89370400440532013001", JEAN, "EUR", "1"),
                                  "AC02 the debtor's IBAN is not valid"));
    assert_true(actor_run_rejects(&run, transfer(ANNA, "DE88370400440532013000", "EUR", "1"),
                                  "AC03 the creditor's IBAN is not valid"));
    assert_true(actor_run_rejects(&run, transfer(ANNA, "de89370400440532013000", "EUR", "1"),
                                  "AC03 the creditor's IBAN is not valid"));
    assert_true(actor_run_rejects(&run, transfer(ANNA, ANNA, "EUR", "1"),
                                  "AG01 debtor and creditor are the same account"));
    assert_true(
        actor_run_rejects(&run, transfer(ANNA, JEAN, "USD", "1"), "AM03 the ledger has another currency"));
    assert_true(actor_run_rejects(&run, transfer(ANNA, JEAN, "EUR", "0.00"), "AM01 the amount is zero"));
    static const char *const amounts[] = {"\"1.001\"",
                                          "-1",
                                          "\"1,5\"",
                                          "\"\"",
                                          "1e2",
                                          "\".5\"",
                                          "\"1.\"",
                                          "281474976710656",
                                          "\"99999999999999999999\""};
    for (size_t i = 0; i < sizeof amounts / sizeof *amounts; i++)
        assert_true(actor_run_rejects(
            &run, transfer(ANNA, JEAN, "EUR", amounts[i]),
            "AM12 invalid amount: digits and a point, not more decimals than the currency has"));
    assert_true(
        actor_run_rejects(&run, "{\"Open\":{\"IBAN\":\"" ANNA "\"}}", "AG01 open already: account " ANNA));
    assert_true(actor_run_rejects(&run, "{\"Open\":{\"IBAN\":\"" NOBODY "\",\"Amt\":\"99999900.01\"}}",
                                  "AM04 insufficient funds in the treasury"));
    assert_true(th_slice_equal(th_buf_slice(&before), th_buf_slice(&run.state)));
    th_buf_done(&before);
    actor_run_done(&run);
}

static void test_malformed_inputs_are_rejected(void **unused)
{
    static const char *const inputs[] = {
        "",
        "null",
        "[]",
        "{}",
        "{\"Open\":{}}",
        "{\"Open\":{\"IBAN\":1}}",
        "{\"Totals\":{}",
        "{\"Totals\":{}}x",
        "{\"Totals\":{},\"Open\":{}}",
        "{\"Balance\":{\"IBAN\":\"" ANNA "\",\"IBAN\":\"" ANNA "\"}}",
        "{\"PmtId\":{\"EndToEndId\":\"1\"}}",
        "{\"Totals\":{\"a\":[1,]}}",
        "{\"Totals\":[01]}",
        "{\"Totals\":\"\n\"}",
        "{\"Totals\":\"\\x\"}",
        "{\"Totals\":\"\\ud800\"}",
        "{\"Totals\":tru}",
        "{\"Totals\":1.}",
        "{\"Totals\":\"\\",
        "{\"Totals\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}",
    };
    actor_run run;
    start(&run);
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        assert_true(actor_run_rejects(&run, inputs[i],
                                      "FF01 malformed: see the ledger's README for the form of an input"));
    assert_true(actor_run_gives(
        &run, "{\"Totals\":[\"\\ud83d\\ude00\\n\",{\"a\":-0.5E+1}]}",
        "{\"Accounts\":2,\"Ccy\":\"EUR\",\"Supply\":\"100000000.00\",\"Treasury\":\"99999900.00\"}"));
    actor_run_done(&run);
}

static void test_wrong_configurations_are_refused(void **unused)
{
    static const char *const wrong[] = {
        "",
        "{}",
        "{\"Ccy\":\"eur\",\"Supply\":\"1\"}",
        "{\"Ccy\":\"EUR\"}",
        "{\"Ccy\":\"EUR\",\"Supply\":\"1.001\"}",
        "{\"Ccy\":\"EUR\",\"Supply\":\"1\",\"Decimals\":5}",
        "{\"Ccy\":\"EUR\",\"Supply\":\"1\",\"Bank\":\"x\"}",
        "{\"Ccy\":\"EUR\",\"Supply\":\"2814749767106.56\"}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        actor_run run;
        assert_int_equal(actor_run_start(&run, "ledger", wrong[i]), TH_ENGINE_ERROR);
        actor_run_done(&run);
    }
}

static size_t changed_chunks(th_slice a, th_slice b)
{
    size_t changed = 0;
    for (size_t at = 0; at < a.size; at += 4096)
        changed += memcmp(a.data + at, b.data + at, a.size - at < 4096 ? a.size - at : 4096) != 0;
    return changed;
}

/* Many accounts, so that the index doubles several times, and transfers between them: the sum stays, what
 * each account has agrees with a count kept here, and a transfer changes no more than two chunks of the
 * state. */
static void test_five_thousand_accounts_keep_the_sum(void **unused)
{
    enum { ACCOUNTS = 5000, TRANSFERS = 2000 };
    static long cents[ACCOUNTS];
    actor_run run;
    char input[512], iban[32], other[32], output[128];
    assert_int_equal(actor_run_start(&run, "ledger", config), TH_ENGINE_OK);
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        make_iban(i, iban);
        cents[i] = 10000;
        snprintf(input, sizeof input, "{\"Open\":{\"IBAN\":\"%s\",\"Amt\":100}}", iban);
        snprintf(output, sizeof output, "{\"IBAN\":\"%s\",\"Ccy\":\"EUR\",\"Bal\":\"100.00\"}", iban);
        assert_true(actor_run_gives(&run, input, output));
    }
    assert_int_equal(run.state.size, 64 + 2 * 8192 + 32 * ACCOUNTS);
    th_buf before;
    th_buf_init(&before, 1 << 20);
    size_t most = 0;
    for (unsigned i = 0, random = 1; i < TRANSFERS; i++) {
        random = random * 1103515245u + 12345u;
        unsigned from = random / 7 % ACCOUNTS, to = (from + 1 + random / 65536 % (ACCOUNTS - 1)) % ACCOUNTS;
        unsigned amount = 1 + random / 4096 % 12000;
        make_iban(from, iban);
        make_iban(to, other);
        snprintf(output, sizeof output, "%u.%02u", amount / 100, amount % 100);
        th_buf_clear(&before);
        assert_int_equal(th_buf_append(&before, th_buf_slice(&run.state), NULL), THEATER_OK);
        th_engine_outcome outcome =
            actor_run_handle(&run, th_slice_text(transfer(iban, other, "EUR", output)));
        assert_int_equal(outcome, cents[from] >= (long)amount ? TH_ENGINE_OK : TH_ENGINE_ERROR);
        if (outcome == TH_ENGINE_OK)
            cents[from] -= amount, cents[to] += amount;
        size_t changed = changed_chunks(th_buf_slice(&before), th_buf_slice(&run.state));
        most = changed > most ? changed : most;
    }
    assert_int_equal(most, 2);
    for (unsigned i = 0; i < ACCOUNTS; i += 100) {
        make_iban(i, iban);
        snprintf(input, sizeof input, "{\"Balance\":{\"IBAN\":\"%s\"}}", iban);
        snprintf(output, sizeof output, "{\"IBAN\":\"%s\",\"Ccy\":\"EUR\",\"Bal\":\"%ld.%02ld\"}", iban,
                 cents[i] / 100, cents[i] % 100);
        assert_true(actor_run_gives(&run, input, output));
    }
    th_buf_done(&before);
    actor_run_done(&run);
}

static bool still_valid(actor_run *run, th_slice state)
{
    th_engine_turn *turn = NULL;
    th_engine_result result = {0};
    assert_int_equal(th_engine_turn_begin(run->component, &run->options, &turn, &result), TH_ENGINE_OK);
    assert_int_equal(th_engine_turn_verify_state(turn, (th_engine_bytes){state.data, state.size}, &result),
                     TH_ENGINE_OK);
    th_engine_turn_end(turn);
    return result.valid;
}

/* verify-state sees money that was made or lost, a negative balance, and a state that is cut or
 * lengthened. */
static void test_verify_state_sees_made_and_lost_money(void **unused)
{
    actor_run run;
    start(&run);
    th_slice state = th_buf_slice(&run.state);
    assert_true(still_valid(&run, state));
    uint8_t *anna = run.state.data + state.size - 64 + 24, *jean = anna + 32;
    anna[0]++;
    assert_false(still_valid(&run, state));
    anna[0]--;
    th_put_u64le(anna, 10001);
    th_put_u64le(jean, (uint64_t)-1); /* the sum is right, by 64-bit arithmetic */
    assert_false(still_valid(&run, state));
    th_put_u64le(anna, 9999);
    th_put_u64le(jean, 1);
    assert_true(still_valid(&run, state));
    assert_false(still_valid(&run, th_slice_of(state.data, state.size - 32)));
    assert_false(still_valid(&run, th_slice_of(state.data, 0)));
    run.state.data[0] ^= 1;
    assert_false(still_valid(&run, state));
    actor_run_done(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_transfer_moves_money),
        cmocka_unit_test(test_every_rejection_has_its_code),
        cmocka_unit_test(test_malformed_inputs_are_rejected),
        cmocka_unit_test(test_wrong_configurations_are_refused),
        cmocka_unit_test(test_five_thousand_accounts_keep_the_sum),
        cmocka_unit_test(test_verify_state_sees_made_and_lost_money),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The index: what follows from random histories, whichever way it was made. */
#include "store/history.h"

static void index_all(th_store *store, uint64_t step_bytes)
{
    theater_error error;
    bool more = true;
    while (more)
        OK(th_store_index_step(store, step_bytes, &more, &error));
}

/* One history, indexed in steps of random sizes, compared with the model again and again. */
static void run_history(th_store *store, uint64_t seed)
{
    history *h = history_new(seed);
    for (int round = 0; round < 6; round++) {
        history_append(h, store, 40);
        index_all(store, 1 + roll(&h->d, 20000));
        history_check(h, store);
    }
    history_free(h);
}

static void index_in_memory_is_the_model(void **state)
{
    theater_error error;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        th_store_options options = {.port = th_port_system()};
        th_store *store;
        OK(th_store_open(&options, &store, &error));
        run_history(store, seed);
        th_store_close(store);
    }
}

static void index_in_lmdb_is_the_model(void **state)
{
    theater_error error;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        th_store_options options = options_for(new_folder());
        th_store *store;
        OK(th_store_open(&options, &store, &error));
        run_history(store, seed);
        th_store_close(store);
    }
}

static void rebuilt_index_is_the_incremental_one(void **state)
{
    theater_error error;
    for (uint64_t seed = 100; seed < 108; seed++) {
        const char *folder = new_folder();
        th_store_options options = options_for(folder);
        options.segment_bytes = 16384;
        th_store *store;
        history *h = history_new(seed);
        OK(th_store_open(&options, &store, &error));
        history_append(h, store, 300);
        index_all(store, 5000);
        history_check(h, store);
        th_store_close(store);

        OK(th_store_open(&options, &store, &error));
        history_check(h, store);
        th_store_close(store);

        OK(th_store_drop_index(options.port, folder, &error));
        assert_false(file_exists(in(folder, "index/data.mdb")));
        OK(th_store_open(&options, &store, &error));
        history_check(h, store);
        history_append(h, store, 50);
        index_all(store, 1);
        history_check(h, store);
        th_store_close(store);
        history_free(h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_in_memory_is_the_model),
        cmocka_unit_test(index_in_lmdb_is_the_model),
        cmocka_unit_test(rebuilt_index_is_the_incremental_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* One thread appends, one indexes, two read, all at once: what readers see is always whole. Meant for the
 * thread sanitizer, too. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/history.h"

typedef struct shared {
    th_store *store;
    history *h;
    _Atomic bool stop;
    _Atomic bool appended; /* all */
    _Atomic unsigned reads;
    int rounds;
} shared;

typedef struct reading {
    shared *s;
    th_element_reader *reader; /* made before anything was appended */
} reading;

static th_step append_step(void *context, uint64_t *ret_deadline_ns)
{
    shared *s = context;
    history_append(s->h, s->store, 20);
    if (--s->rounds > 0)
        return TH_STEP_AGAIN;
    atomic_store(&s->appended, true);
    return TH_STEP_DONE;
}

static th_step index_step(void *context, uint64_t *ret_deadline_ns)
{
    shared *s = context;
    theater_error error;
    bool more;
    bool all = atomic_load(&s->appended);
    OK(th_store_index_step(s->store, 20000, &more, &error));
    if (all && !more) {
        atomic_store(&s->stop, true);
        return TH_STEP_DONE;
    }
    return TH_STEP_AGAIN;
}

static bool read_elements(void *context, const th_actor_info *info)
{
    const reading *self = context;
    shared *s = self->s;
    theater_error error;
    th_buf buf;
    th_record record, near;
    th_buf_init(&buf, 1 << 20);
    for (uint64_t sequence = info->elements > 3 ? info->elements - 3 : 0; sequence < info->elements;
         sequence++) {
        OK(th_store_read_element(s->store, info->id, sequence, &buf, &record, NULL, &error));
        OK(th_element_reader_get(self->reader, info->id, sequence, &near, NULL, &error));
        assert_true(th_slice_equal(near.element.element, record.element.element));
        atomic_fetch_add(&s->reads, 1);
    }
    th_buf_done(&buf);
    return true;
}

static bool ignore_entry(void *context, const th_undelivered *entry)
{
    return true;
}

static bool read_waiting(void *context, uint64_t actor)
{
    shared *s = context;
    theater_error error;
    OK(th_store_list_undelivered(s->store, actor, NULL, ignore_entry, NULL, &error));
    return true;
}

static th_step read_step(void *context, uint64_t *ret_deadline_ns)
{
    reading *self = context;
    shared *s = self->s;
    theater_error error;
    OK(th_store_list_actors(s->store, 1, read_elements, self, &error));
    OK(th_store_list_waiting(s->store, read_waiting, s, &error));
    assert_true(th_store_covered(s->store) <= th_store_next_number(s->store));
    return atomic_load(&s->stop) ? TH_STEP_DONE : TH_STEP_AGAIN;
}

static void run(const char *folder)
{
    theater_error error;
    th_store_options options = options_for(folder);
    options.segment_bytes = 32768;
    shared s = {.h = history_new(21), .rounds = 60};
    OK(th_store_open(&options, &s.store, &error));
    th_task *tasks[4];
    reading readings[2] = {{.s = &s}, {.s = &s}};
    for (int i = 0; i < 2; i++)
        OK(th_element_reader_new(s.store, &readings[i].reader, &error));
    OK(th_task_start(options.port, "append", 0, append_step, &s, &tasks[0], &error));
    OK(th_task_start(options.port, "index", 0, index_step, &s, &tasks[1], &error));
    OK(th_task_start(options.port, "read-1", 0, read_step, &readings[0], &tasks[2], &error));
    OK(th_task_start(options.port, "read-2", 0, read_step, &readings[1], &tasks[3], &error));
    for (int i = 0; i < 4; i++)
        th_task_join(tasks[i]);
    for (int i = 0; i < 2; i++)
        th_element_reader_free(readings[i].reader);
    history_check(s.h, s.store);
    assert_true(atomic_load(&s.reads) > 50);
    th_store_close(s.store);
    history_free(s.h);
}

static void threads_share_a_store_in_files(void **state)
{
    run(new_folder());
}

static void threads_share_a_store_in_memory(void **state)
{
    run(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_a_store_in_files),
        cmocka_unit_test(threads_share_a_store_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

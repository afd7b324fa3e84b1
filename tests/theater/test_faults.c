/* Every allocation and every call on a file made to fail, one after the other: each gives an error, nothing
 * is lost. Only builds with TH_FAULTS have the counters; others skip. */
#include "theater/support.h"

#include "port/system.h"

#ifdef TH_FAULTS

typedef struct subject {
    char *path;
    theater_folder *folder;
    theater_bytes older; /* a checkpoint */
} subject;

static void make(subject *self)
{
    self->path = test_folder();
    theater_runtime *runtime = test_open(self->path, 128);
    test_start(runtime, "counter", "counter.wasm", "");
    for (int i = 0; i < 12; i++)
        test_send(runtime, "counter", "inc");
    assert_ok(theater_checkpoint(runtime, "counter", &self->older, &error));
    test_send(runtime, "counter", "inc");
    theater_bytes note;
    assert_ok(theater_checkpoint(runtime, "counter", &note, &error));
    theater_bytes_free(&note);
    theater_runtime_close(runtime);
    self->folder = test_read(self->path);
}

static void done(subject *self)
{
    theater_bytes_free(&self->older);
    theater_folder_close(self->folder);
    test_remove(self->path);
}

/* One thing that may fail; OK when it did not. */
typedef theater_status (*attempt)(subject *self);

static theater_status try_open(subject *self)
{
    theater_folder *folder;
    theater_status status = theater_folder_open(test_path(self->path, "data"), &folder, &error);
    if (!status)
        theater_folder_close(folder);
    return status;
}

static theater_status try_element(subject *self)
{
    theater_element element;
    theater_status status = theater_element_read(self->folder, 1, 5, &element, &error);
    if (!status)
        theater_element_free(&element);
    return status;
}

static theater_status try_actor(subject *self)
{
    theater_actor_info info;
    return theater_folder_actor(self->folder, "counter", &info, &error);
}

static theater_status try_verify(subject *self)
{
    theater_report report;
    theater_source source = {.folder = self->folder};
    theater_status status = theater_verify(&source, &(theater_check_options){.all = true}, &report, &error);
    return status ? status : report.status;
}

static theater_status try_export(subject *self)
{
    const uint64_t id = 1;
    theater_export_options options = {.actor_ids = &id, .actor_count = 1};
    return theater_export(self->folder, &options, test_path(self->path, "bundle"), &error);
}

static theater_status try_bundle(subject *self)
{
    theater_report report;
    theater_source source = {.path = test_path(self->path, "bundle")};
    theater_status status = theater_verify(&source, NULL, &report, &error);
    return status ? status : report.status;
}

static theater_status try_inclusion(subject *self)
{
    theater_bytes proof;
    theater_status status = theater_prove_inclusion(self->folder, 1, 3, (th_slice){0}, &proof, &error);
    theater_bytes_free(&proof);
    return status;
}

static theater_status try_consistency(subject *self)
{
    theater_bytes proof;
    th_slice older = th_slice_of(self->older.data, self->older.size);
    theater_status status = theater_prove_consistency(self->folder, 1, older, (th_slice){0}, &proof, &error);
    theater_bytes_free(&proof);
    return status;
}

static bool pass_step(void *context, const theater_trace_step *step)
{
    (void)context, (void)step;
    return true;
}

static theater_status try_trace(subject *self)
{
    bool more;
    return theater_trace(self->folder, 1, 3, 100, pass_step, NULL, &more, &error);
}

static const struct {
    const char *name;
    attempt run;
    unsigned harmless; /* calls on files whose failure changes nothing */
} attempts[] = {
    {"open", try_open, 0},
    {"element", try_element, 0},
    {"actor", try_actor, 0},
    {"verify", try_verify, 0},
    {"export", try_export, 1}, /* a part without a lock is a part all the same */
    {"bundle", try_bundle, 0},
    {"inclusion", try_inclusion, 0},
    {"consistency", try_consistency, 0},
    {"trace", try_trace, 0},
};

static void every_allocation_may_fail(void **state)
{
    (void)state;
    subject self;
    make(&self);
    for (size_t a = 0; a < sizeof attempts / sizeof *attempts; a++) {
        theater_status status = THEATER_NO_MEMORY;
        unsigned place;
        for (place = 1; status != THEATER_OK && place < 5000; place++) {
            th_allocation_fail_at(place);
            error.message[0] = 0;
            status = attempts[a].run(&self);
            if (status && status != THEATER_NO_MEMORY)
                fail_msg("%s, allocation %u: %s: %s", attempts[a].name, place, theater_status_name(status),
                         error.message);
        }
        th_allocation_fail_at(0);
        assert_true(place > 2 && place < 5000);
    }
    done(&self);
}

static void every_call_on_a_file_may_fail(void **state)
{
    (void)state;
    subject self;
    make(&self);
    for (size_t a = 0; a < sizeof attempts / sizeof *attempts; a++) {
        unsigned place, harmless = 0;
        assert_ok(attempts[a].run(&self)); /* so that each time the same files are there */
        for (place = 1; place < 5000; place++) {
            th_file_fail_at(place);
            error.message[0] = 0;
            theater_status status = attempts[a].run(&self);
            bool reached = th_file_fail_at(0) == 0;
            if (status)
                assert_int_not_equal(error.message[0], 0);
            if (!reached) {
                assert_int_equal(status, THEATER_OK);
                break;
            }
            harmless += status == THEATER_OK;
        }
        assert_true(place < 5000);
        assert_int_equal(harmless, attempts[a].harmless);
    }
    assert_int_equal(test_parts(self.path), 0);
    done(&self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(every_call_on_a_file_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void needs_a_build_with_faults(void **state)
{
    (void)state;
    skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(needs_a_build_with_faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif

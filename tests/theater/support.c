#include "theater/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/signals.h"
#include "port/system.h"

theater_error error;

char *test_folder(void)
{
    char *path = strdup("/tmp/theater-test-XXXXXX");
    assert_non_null(path);
    assert_non_null(mkdtemp(path));
    return path;
}

typedef struct removal {
    const char *folder;
} removal;

static bool remove_entry(void *context, const char *name)
{
    const removal *parent = context;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", parent->folder, name);
    removal inside = {path};
    if (unlink(path) != 0) {
        assert_ok(th_port_list_folder(th_port_system(), path, remove_entry, &inside, &error));
        assert_int_equal(rmdir(path), 0);
    }
    return true;
}

void test_remove(char *take_folder)
{
    removal top = {take_folder};
    assert_ok(th_port_list_folder(th_port_system(), take_folder, remove_entry, &top, &error));
    assert_int_equal(rmdir(take_folder), 0);
    free(take_folder);
}

const char *test_path(const char *folder, const char *name)
{
    static char paths[4][4096];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

uint8_t *test_file(const char *path, size_t *ret_size)
{
    th_buf buf;
    th_buf_init(&buf, (size_t)1 << 30);
    assert_ok(th_port_read_file(th_port_system(), path, (size_t)1 << 30, &buf, &error));
    *ret_size = buf.size;
    return buf.data;
}

void test_write(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static bool count_part(void *context, const char *name)
{
    *(unsigned *)context += strstr(name, ".part") != NULL;
    return true;
}

unsigned test_parts(const char *folder)
{
    unsigned count = 0;
    assert_ok(th_port_list_folder(th_port_system(), folder, count_part, &count, &error));
    return count;
}

/* ---- writing ---------------------------------------------------------------------------------------- */

theater_runtime *test_open(const char *folder, uint64_t snapshot_bytes)
{
    theater_runtime *runtime;
    theater_runtime_options options = {
        .folder = test_path(folder, "data"), .snapshot_bytes = snapshot_bytes, .workers = 2};
    assert_ok(theater_runtime_open(&options, &runtime, &error));
    test_keep_signals();
    return runtime;
}

void test_start(theater_runtime *runtime, const char *name, const char *component, const char *config)
{
    size_t size;
    uint8_t *binary = test_file(test_path(TH_BINARY_DIR "/actors", component), &size);
    theater_actor_options options = {
        .name = name, .component = {binary, size}, .config = th_slice_text(config)};
    assert_ok(theater_actor_start(runtime, &options, NULL, &error));
    th_free(binary);
}

static theater_status send_text(theater_runtime *runtime, const char *actor, const char *input)
{
    theater_message message = {.actor = actor, .input = th_slice_text(input)};
    theater_answer answer;
    theater_status status = theater_send(runtime, &message, &answer, &error);
    theater_answer_done(&answer);
    return status;
}

void test_send(theater_runtime *runtime, const char *actor, const char *input)
{
    assert_ok(send_text(runtime, actor, input));
}

void test_reject(theater_runtime *runtime, const char *actor, const char *input)
{
    assert_status(send_text(runtime, actor, input), THEATER_REJECTED);
}

void test_make_counter(const char *folder, unsigned turns, uint64_t snapshot_bytes)
{
    theater_runtime *runtime = test_open(folder, snapshot_bytes);
    test_start(runtime, "counter", "counter.wasm", "");
    for (unsigned i = 0; i < turns; i++) {
        if (i % 7 == 6)
            test_reject(runtime, "counter", "nonsense");
        else
            test_send(runtime, "counter", "inc");
    }
    theater_runtime_close(runtime);
}

/* ---- reading ---------------------------------------------------------------------------------------- */

theater_folder *test_read(const char *folder)
{
    theater_folder *read;
    assert_ok(theater_folder_open(test_path(folder, "data"), &read, &error));
    return read;
}

theater_actor_info test_actor(theater_folder *folder, const char *name)
{
    theater_actor_info info;
    assert_ok(theater_folder_actor(folder, name, &info, &error));
    return info;
}

void test_export(theater_folder *folder, const char *name, const char *path)
{
    uint64_t id = test_actor(folder, name).id;
    theater_export_options options = {.actor_ids = &id, .actor_count = 1};
    assert_ok(theater_export(folder, &options, path, &error));
}

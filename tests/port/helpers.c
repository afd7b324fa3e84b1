#include "port/helpers.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void expect_status(theater_status status, theater_status expected, const theater_error *error,
                   const char *file, int line)
{
    if (status == expected)
        return;
    print_error("%s instead of %s: %s\n", theater_status_name(status), theater_status_name(expected),
                status == THEATER_OK ? "" : error->message);
    _fail(file, line);
}

int setup_system(void **state)
{
    machine *m = calloc(1, sizeof *m);
    if (!m)
        return -1;
    m->port = th_port_system();
    strcpy(m->folder, "/tmp/theater-port-XXXXXX");
    *state = m;
    return mkdtemp(m->folder) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *facts, int kind, struct FTW *place)
{
    return remove(path);
}

int teardown_system(void **state)
{
    machine *m = *state;
    int result = nftw(m->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(m);
    return result;
}

int setup_simulation(void **state)
{
    theater_error error;
    machine *m = calloc(1, sizeof *m);
    if (!m || th_simulation_new(1, &m->simulation, &error) != THEATER_OK)
        return -1;
    m->port = th_simulation_port(m->simulation);
    strcpy(m->folder, "/data");
    *state = m;
    return th_port_make_folder(m->port, m->folder, &error) == THEATER_OK ? 0 : -1;
}

int teardown_simulation(void **state)
{
    machine *m = *state;
    th_simulation_free(m->simulation);
    free(m);
    return 0;
}

const char *in(const machine *m, const char *name)
{
    static char buffers[4][512];
    static unsigned next;
    char *out = buffers[next++ % 4];
    snprintf(out, sizeof buffers[0], "%s/%s", m->folder, name);
    return out;
}

th_file *open_file(th_port *port, const char *path)
{
    theater_error error;
    th_file *file;
    OK(th_file_open(port, path, TH_FILE_READ | TH_FILE_WRITE | TH_FILE_CREATE, &file, &error));
    return file;
}

void write_text(th_file *file, uint64_t offset, const char *text)
{
    theater_error error;
    th_slice part = th_slice_text(text);
    OK(th_file_write(file, offset, &part, 1, &error));
}

void expect_text(th_file *file, uint64_t offset, const char *text)
{
    theater_error error;
    char got[256] = {0};
    size_t size;
    OK(th_file_read(file, offset, got, strlen(text), &size, &error));
    assert_int_equal(size, strlen(text));
    assert_string_equal(got, text);
}

void write_byte_run(th_file *file, uint64_t offset, uint8_t byte, size_t size)
{
    theater_error error;
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    memset(bytes, byte, size);
    th_slice part = th_slice_of(bytes, size);
    OK(th_file_write(file, offset, &part, 1, &error));
    free(bytes);
}

/* Calls WASI preview 1 by hand, to see what the adapter of sdk/wasi-stub answers. Each input is a call. */
#include <theater.h>

#define WASI(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name))) extern

WASI(clock_time_get) int clock_time_get(int clock, uint64_t precision, uint64_t *ret);
WASI(clock_res_get) int clock_res_get(int clock, uint64_t *ret);
WASI(random_get) int random_get(void *to, size_t size);
WASI(fd_write) int fd_write(int fd, const theater_slice *pieces, size_t count, size_t *ret);
WASI(fd_read) int fd_read(int fd, theater_bytes *pieces, size_t count, size_t *ret);
WASI(fd_fdstat_get) int fd_fdstat_get(int fd, void *ret);
WASI(fd_filestat_get) int fd_filestat_get(int fd, void *ret);
WASI(fd_seek) int fd_seek(int fd, int64_t by, int whence, int64_t *ret);
WASI(fd_prestat_get) int fd_prestat_get(int fd, void *ret);
WASI(args_sizes_get) int args_sizes_get(size_t *count, size_t *size);
WASI(environ_sizes_get) int environ_sizes_get(size_t *count, size_t *size);
WASI(path_open)
int path_open(int fd, int flags, const char *path, size_t size, int open, uint64_t a, uint64_t b, int c, int *ret);
WASI(poll_oneoff) int poll_oneoff(const void *in, void *out, size_t count, size_t *ret);
WASI(sched_yield) int sched_yield(void);
WASI(proc_exit) void proc_exit(int code);

static theater_writer out;

static void put(uint64_t value)
{
    theater_put_u64(&out, value);
    theater_put_byte(&out, ' ');
}

static void call_clock(void)
{
    uint64_t time[2] = {0};
    for (int clock = 0; clock < 5; clock++)
        put((uint64_t)clock_time_get(clock, 1, &time[0]));
    put(time[0] == theater_now());
    put((uint64_t)clock_res_get(0, &time[1]));
    put(time[1]);
}

/* The bytes around the buffer must stay, wherever it lies. */
static void call_random(void)
{
    uint8_t room[96];
    for (size_t offset = 0; offset < 16; offset++) {
        size_t touched = 0, zero = 0;
        for (size_t i = 0; i < sizeof room; i++)
            room[i] = (uint8_t)i;
        if (random_get(room + 32 + offset, 40 - offset) != 0)
            theater_trap();
        for (size_t i = 0; i < sizeof room; i++) {
            if (i >= 32 + offset && i < 72)
                zero += room[i] == (uint8_t)i;
            else
                touched += room[i] != (uint8_t)i;
        }
        if (touched != 0 || zero > 4)
            theater_trap();
    }
    put((uint64_t)random_get(room, 0));
}

static void say(int fd, const char *a, const char *b)
{
    theater_slice pieces[2] = {theater_slice_text(a), theater_slice_text(b)};
    size_t written = 0;
    put((uint64_t)fd_write(fd, pieces, 2, &written));
    put(written);
}

static void call_streams(void)
{
    uint64_t stat[8];
    theater_bytes piece = theater_bytes_new(8);
    size_t got = 7;
    put((uint64_t)fd_read(0, &piece, 1, &got));
    put(got);
    put((uint64_t)fd_read(1, &piece, 1, &got));
    for (int fd = 0; fd < 4; fd++) {
        put((uint64_t)fd_fdstat_get(fd, stat));
        put(fd < 3 ? stat[0] : 0);
        put((uint64_t)fd_filestat_get(fd, stat));
        put((uint64_t)fd_seek(fd, 0, 0, (int64_t *)stat));
    }
}

static void call_rest(void)
{
    size_t count = 7, size = 7;
    int fd;
    put((uint64_t)args_sizes_get(&count, &size));
    put(count + size);
    put((uint64_t)environ_sizes_get(&count, &size));
    put(count + size);
    put((uint64_t)fd_prestat_get(3, &fd));
    put((uint64_t)path_open(3, 0, "x", 1, 0, 0, 0, 0, &fd));
    put((uint64_t)poll_oneoff(&fd, &fd, 1, &count));
    put((uint64_t)sched_yield());
}

static theater_result init(theater_slice config)
{
    return theater_start(theater_bytes_new(1));
}

static theater_result handle(theater_slice input, theater_bytes state)
{
    out = theater_writer_new(64);
    if (theater_slice_is(input, "clock"))
        call_clock();
    else if (theater_slice_is(input, "random"))
        call_random();
    else if (theater_slice_is(input, "many")) {
        theater_bytes room = theater_bytes_new(65537);
        random_get(room.data, room.size);
    } else if (theater_slice_is(input, "out"))
        say(1, "one\n", "two");
    else if (theater_slice_is(input, "error"))
        say(2, "\n", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\n\n");
    else if (theater_slice_is(input, "no text")) {
        say(1, "\xff", "\xc0\x80");
        say(1, "\xed\xa0\x80", "\xf4\x90\x80\x80");
        say(1, "\xe2\x82", "\xf8\x88\x80\x80\x80");
    } else if (theater_slice_is(input, "file"))
        say(3, "a", "b");
    else if (theater_slice_is(input, "streams"))
        call_streams();
    else if (theater_slice_is(input, "rest"))
        call_rest();
    else if (theater_slice_is(input, "exit"))
        proc_exit(0);
    return theater_reply(theater_writer_slice(&out), state);
}

static bool verify_state(theater_slice state)
{
    return state.size == 1;
}

THEATER_ACTOR(init, handle, verify_state)

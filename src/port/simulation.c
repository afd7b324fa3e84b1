/* port/simulation.c: the simulated machine: seed, clock, digest, faults, crash and restart.
 *
 * Everything is decided by one stream of random numbers in the order of the calls, and there is one thread,
 * so a seed and a program give one run. Nothing here may depend on an address, on the system's clock or on
 * the order of a hash table. */
#include "port/simulation_internal.h"

#include <stdio.h>

/* ---- random numbers: xoshiro256** by Blackman and Vigna, seeded by splitmix64 (public domain algorithms)
 * ---- */

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

uint64_t th_simulation_random(th_simulation *simulation)
{
    uint64_t *s = simulation->random;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

bool th_sim_chance(th_simulation *simulation, uint32_t millionths)
{
    return millionths > 0 && th_simulation_below(simulation, 1000000) < millionths;
}

/* ---- digest ---- */

void th_sim_note(th_simulation *simulation, uint64_t what)
{
    /* The step of FNV-1a on a whole word, with a shift so that high bits reach low ones. Not for
     * adversaries. */
    uint64_t d = (simulation->digest ^ what) * 0x100000001b3u;
    simulation->digest = d ^ (d >> 29);
}

void th_sim_note_bytes(th_simulation *simulation, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    th_sim_note(simulation, size);
    for (; size >= 8; bytes += 8, size -= 8)
        th_sim_note(simulation, (uint64_t)th_get_u32le(bytes) | (uint64_t)th_get_u32le(bytes + 4) << 32);
    for (; size > 0; bytes++, size--)
        th_sim_note(simulation, *bytes);
}

uint64_t th_simulation_digest(const th_simulation *simulation)
{
    return simulation->digest ^ simulation->now_ns;
}

/* ---- clock, entropy, processors ---- */

void th_sim_pass_time(th_simulation *simulation, uint64_t most_ns)
{
    simulation->now_ns += 1 + th_simulation_below(simulation, most_ns);
}

static uint64_t wall_ns(th_port *port)
{
    th_simulation *simulation = th_sim_of(port);
    const int64_t hour = (int64_t)3600 * 1000000000;
    if (!simulation->crashed && th_sim_chance(simulation, simulation->faults.clock_jumps)) {
        simulation->wall_offset_ns += (int64_t)th_simulation_below(simulation, 2 * (uint64_t)hour + 1) - hour;
        th_sim_note(simulation, (uint64_t)simulation->wall_offset_ns);
    }
    return simulation->now_ns + (uint64_t)simulation->wall_offset_ns;
}

static uint64_t monotonic_ns(th_port *port)
{
    return th_sim_of(port)->now_ns;
}

static uint64_t thread_cpu_ns(th_port *port)
{
    return 0;
}

static theater_status entropy(th_port *port, uint8_t *out, size_t size, theater_error *reterr)
{
    th_simulation *simulation = th_sim_of(port);
    theater_status status = th_sim_alive(simulation, "read", "entropy", reterr);
    for (size_t i = 0; status == THEATER_OK && i < size; i++)
        out[i] = (uint8_t)(th_simulation_random(simulation) >> 56);
    return status;
}

static unsigned processors(th_port *port)
{
    return th_sim_of(port)->processors;
}

static unsigned *held_mutexes(th_port *port)
{
    return &th_sim_of(port)->held_mutexes;
}

static const th_port_operations operations = {
    .wall_ns = wall_ns,
    .monotonic_ns = monotonic_ns,
    .thread_cpu_ns = thread_cpu_ns,
    .entropy = entropy,
    .processors = processors,
    .file_open = th_sim_file_open,
    .file_close = th_sim_file_close,
    .file_read = th_sim_file_read,
    .file_write = th_sim_file_write,
    .file_sync = th_sim_file_sync,
    .file_size = th_sim_file_size,
    .file_reserve = th_sim_file_reserve,
    .file_truncate = th_sim_file_truncate,
    .file_lock = th_sim_file_lock,
    .make_folder = th_sim_make_folder,
    .rename = th_sim_rename,
    .remove = th_sim_remove,
    .sync_folder = th_sim_sync_folder,
    .list_folder = th_sim_list_folder,
    .task_start = th_sim_task_start,
    .task_wake = th_sim_task_wake,
    .task_join = th_sim_task_join,
    .event_new = th_sim_event_new,
    .event_free = th_sim_event_free,
    .event_set = th_sim_event_set,
    .event_reset = th_sim_event_reset,
    .event_wait = th_sim_event_wait,
    .held_mutexes = held_mutexes,
};

/* ---- the machine ---- */

static theater_status new_port(th_simulation *simulation, theater_error *reterr)
{
    th_sim_port *port = th_alloc(sizeof *port);
    if (!port)
        return th_fail_memory(reterr, "a simulated port");
    *port = (th_sim_port){{&operations}, simulation};
    th_free(simulation->port);
    simulation->port = port;
    return THEATER_OK;
}

theater_status th_simulation_new(uint64_t seed, th_simulation **ret, theater_error *reterr)
{
    th_simulation *simulation = th_alloc_zero(1, sizeof *simulation);
    if (!simulation)
        return th_fail_memory(reterr, "a simulation");
    for (int i = 0; i < 4; i++)
        simulation->random[i] = splitmix(&seed);
    simulation->digest = 0xcbf29ce484222325u;
    simulation->last_name = &simulation->first_name;
    const uint64_t day = (uint64_t)86400 * 1000000000;
    simulation->now_ns = 1 + th_simulation_below(simulation, day);
    /* Some day from 2020 on; 10,000 days keep it before 2048. */
    simulation->wall_offset_ns = (int64_t)(18262 * day + th_simulation_below(simulation, 10000) * day);
    simulation->processors = (unsigned)(1 + th_simulation_below(simulation, 4));
    theater_status status = th_sim_node_new(simulation, true, &simulation->root, reterr);
    if (status == THEATER_OK)
        status = new_port(simulation, reterr);
    if (status != THEATER_OK) {
        th_simulation_free(simulation);
        return status;
    }
    *ret = simulation;
    return THEATER_OK;
}

void th_simulation_free(th_simulation *simulation)
{
    if (!simulation)
        return;
    /* Handles point into the simulation: whoever frees it first would leave them dangling. */
    th_assert(simulation->task_count == 0);
    th_assert(simulation->open_files == 0);
    th_assert(simulation->open_events == 0);
    while (simulation->first_name)
        th_sim_names_drop(simulation, &simulation->first_name);
    if (simulation->root)
        th_sim_node_unref(simulation, simulation->root);
    th_assert(!simulation->all_nodes && simulation->disk_used == 0);
    th_free(simulation->tasks);
    th_free(simulation->port);
    th_free(simulation);
}

th_port *th_simulation_port(th_simulation *simulation)
{
    return &simulation->port->base;
}

void th_simulation_set_faults(th_simulation *simulation, const th_simulation_faults *faults)
{
    simulation->faults = *faults;
}

/* ---- crash and restart ---- */

static void crash(th_simulation *simulation)
{
    simulation->crashed = true;
    simulation->crash_armed = false;
    th_sim_note(simulation, TH_SIM_CRASH);
}

void th_simulation_crash_after(th_simulation *simulation, uint64_t io_calls)
{
    if (simulation->crashed)
        return;
    simulation->crash_armed = io_calls > 0;
    simulation->io_until_crash = io_calls;
    if (io_calls == 0)
        crash(simulation);
}

bool th_simulation_crashed(const th_simulation *simulation)
{
    return simulation->crashed;
}

theater_status th_sim_alive(th_simulation *simulation, const char *what, const char *path,
                            theater_error *reterr)
{
    return simulation->crashed ? th_fail(reterr, THEATER_IO, "cannot %s %s: the machine crashed", what, path)
                               : THEATER_OK;
}

theater_status th_sim_count_io(th_simulation *simulation, const char *what, const char *path,
                               theater_error *reterr)
{
    if (simulation->crash_armed && --simulation->io_until_crash == 0)
        crash(simulation);
    return th_sim_alive(simulation, what, path, reterr);
}

theater_status th_simulation_restart(th_simulation *simulation, theater_error *reterr)
{
    th_assert(!simulation->in_step);
    if (!simulation->crashed)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "the simulated machine has not crashed");
    if (simulation->task_count > 0 || simulation->open_files > 0 || simulation->open_events > 0)
        return th_fail(reterr, THEATER_BUSY,
                       "%zu tasks, %u files and %u events of before the crash were not freed",
                       simulation->task_count, simulation->open_files, simulation->open_events);
    theater_status status = th_sim_settle_disk(simulation, reterr);
    if (status == THEATER_OK)
        status = new_port(simulation, reterr);
    if (status != THEATER_OK)
        return status;
    simulation->crashed = false;
    /* A restart takes from a moment to minutes. */
    th_sim_pass_time(simulation, (uint64_t)300 * 1000000000);
    th_sim_note(simulation, TH_SIM_RESTART);
    th_sim_note(simulation, simulation->now_ns);
    return THEATER_OK;
}

/* port/simulation.h: the seeded twin of the machine, in one thread. The same seed gives the same run, byte for byte.
 *
 * The disk: a file has durable contents and pending writes. Reads see both. A sync makes the file's pending writes durable, a folder's
 * sync its entries. A crash keeps, for each file, a random subset of the pending writes, cut into 512-byte sectors of which each is kept, lost
 * or (the last one kept) torn; sizes and entries that were not synced may or may not have come through. Files are memory only. */
#ifndef TH_PORT_SIMULATION_H
#define TH_PORT_SIMULATION_H

#include "port/port.h"

typedef struct th_simulation th_simulation;

/* What can go wrong besides crashes; probabilities are in millionths for each call. All zero means a good machine. */
typedef struct th_simulation_faults {
    uint32_t write_fails;    /* THEATER_IO from a write or reserve */
    uint32_t sync_fails;     /* THEATER_IO from a sync; what was pending may then be lost at the next crash whatever comes after */
    uint32_t read_fails;     /* THEATER_IO from a read */
    uint32_t clock_jumps;    /* the wall clock jumps by up to an hour, forwards or back */
    uint64_t disk_bytes;     /* capacity: more gives THEATER_NO_SPACE; 0 means without limit */
} th_simulation_faults;

THEATER_CHECKED theater_status th_simulation_new(uint64_t seed, th_simulation **ret, theater_error *reterr);
void th_simulation_free(th_simulation *simulation);
/* The port to give to what runs in it. It changes with th_simulation_crash. */
th_port *th_simulation_port(th_simulation *simulation);
void th_simulation_set_faults(th_simulation *simulation, const th_simulation_faults *faults);

/* Runs up to `steps` steps of randomly picked runnable tasks; when none is runnable the clock moves to the earliest deadline. Returns the
 * steps run: fewer means that nothing can run any more. Tasks of the port before a crash never run again. */
uint64_t th_simulation_run(th_simulation *simulation, uint64_t steps);
/* Arms a crash: after `io_calls` more writes, syncs, renames or reserves (0: at once) the machine stops: that call and every later call on the
 * present port fails with THEATER_IO ("the machine crashed"), tasks no longer run, waits return false. */
void th_simulation_crash_after(th_simulation *simulation, uint64_t io_calls);
bool th_simulation_crashed(const th_simulation *simulation);
/* After a crash and after everything that used the old port was freed: settles what the disk kept, and gives a new port with a later clock. */
THEATER_CHECKED theater_status th_simulation_restart(th_simulation *simulation, theater_error *reterr);

/* The seed's random stream, for the test that drives the simulation. */
uint64_t th_simulation_random(th_simulation *simulation);
static inline uint64_t th_simulation_below(th_simulation *simulation, uint64_t bound)
{
    return th_simulation_random(simulation) % bound;
}
/* A hash over everything that happened so far (steps, I/O, clock): equal for equal seeds. */
uint64_t th_simulation_digest(const th_simulation *simulation);

#endif

/* port/simulation.h: the seeded twin of the machine, in one thread. The same seed gives the same run, byte
 * for byte, as far as the program under test depends on nothing but the port.
 *
 * The disk. A file has durable contents and pending writes; reads see both. A sync makes the file's pending
 * writes durable, a folder's sync its entries (creating, renaming, removing); neither does the other's. A
 * crash draws a lot for each file: nothing of what is pending came through, all of it, all up to some write,
 * or each write by a coin. Within a write each 512-byte sector has a coin of its own, and the last one kept
 * may be torn (its first bytes new, the rest old). A grown size has a coin, too: without it the bytes past
 * the old end are gone, with it those that were lost read as zero. Entries that were not synced come through
 * or not, likewise; a rename does so as one. Paths are taken from one root, "/", and a relative path starts
 * there as well. Files are memory only, at most 4 GiB each.
 *
 * Steps run one at a time, but for those that others wait in (overlaps, below).
 *
 * Time passes by a little at each step and each call on files. Only the thread that made the simulation uses
 * it.
 *
 * Programmer's errors that it finds and asserts: a mutex locked twice, freed while held or held when a step
 * returns; waiting or joining inside a step; joining what can never end; handles that outlive the
 * simulation. */
#ifndef TH_PORT_SIMULATION_H
#define TH_PORT_SIMULATION_H

#include "port/port.h"

typedef struct th_simulation th_simulation;

/* What can go wrong besides crashes; probabilities are in millionths for each call. All zero means a good
 * machine. */
typedef struct th_simulation_faults {
    uint32_t write_fails; /* THEATER_IO from a write, of which a first part may be written, or a reserve */
    /* THEATER_IO from a sync. Of a file: the lot is drawn at once for what was pending, as at a crash. Reads
     * go on to see all of it, but what the lot lost is gone after the next crash whatever is synced later. Of
     * a folder: its changes stay pending. */
    uint32_t sync_fails;
    uint32_t read_fails; /* THEATER_IO from a read */
    uint32_t clock_jumps; /* the wall clock jumps by up to an hour, forwards or back, when it is read */
    /* While a step waits for a read, a write or a sync of a file, others run, as threads would: a chance for
     * each call that a step makes while it holds no mutex, and for each th_simulation_overlap. */
    uint32_t overlaps;
    uint64_t disk_bytes; /* capacity: more gives THEATER_NO_SPACE; 0 means without limit */
} th_simulation_faults;

/* Errors: NO_MEMORY. */
THEATER_CHECKED theater_status th_simulation_new(uint64_t seed, th_simulation **ret, theater_error *reterr);
/* Frees the machine and its disk; everything that was opened or started on its ports is freed before. Accepts
 * NULL. */
void th_simulation_free(th_simulation *simulation);
/* The port to give to what runs in it; borrowed. It is another one after th_simulation_restart, which frees
 * the old one. */
th_port *th_simulation_port(th_simulation *simulation);
/* Holds from now on, also after a restart. `faults` is copied. */
void th_simulation_set_faults(th_simulation *simulation, const th_simulation_faults *faults);

/* Runs up to `steps` steps of randomly picked runnable tasks; when none is runnable the clock moves to the
 * earliest deadline. Returns the steps run: fewer means that nothing can run any more, or that the machine
 * crashed. */
uint64_t th_simulation_run(th_simulation *simulation, uint64_t steps);
/* Arms a crash at the `io_calls`-th call from now that changes the disk (0: at once): writes, syncs of files
 * and folders, reserves, truncates, renames, removes, and opens and make_folders that create. That call and
 * every later one on the present port fails with THEATER_IO ("the machine crashed"), tasks no longer run,
 * waits return false, and only freeing works: th_file_close, th_task_join, th_event_free, mutexes. What the
 * last call did is pending like the rest. Arming again replaces. */
void th_simulation_crash_after(th_simulation *simulation, uint64_t io_calls);
bool th_simulation_crashed(const th_simulation *simulation);
/* Others may run while the present step does something that takes long, by the chance of `overlaps`: calls on
 * files do it by themselves, a test for what it stands in for. The machine may have crashed when it returns.
 * Outside a step nothing happens. */
void th_simulation_overlap(th_simulation *simulation);
/* After a crash and after everything that used the old port was freed: settles what the disk kept, and gives
 * a new port with a later clock. Errors: BUSY when files, tasks or events of the old port are left (the
 * message counts them), INVALID_ARGUMENT without a crash, NO_MEMORY. */
THEATER_CHECKED theater_status th_simulation_restart(th_simulation *simulation, theater_error *reterr);

/* The seed's random stream, for the test that drives the simulation; the machine draws from the same. */
uint64_t th_simulation_random(th_simulation *simulation);
/* From 0 up to, but not, `bound`, which is not 0. */
static inline uint64_t th_simulation_below(th_simulation *simulation, uint64_t bound)
{
    return th_simulation_random(simulation) % bound;
}
/* A hash over everything that happened so far (steps, I/O, clock): equal for equal seeds. */
uint64_t th_simulation_digest(const th_simulation *simulation);

#endif

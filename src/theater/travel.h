/* theater/travel.h: an actor of a data folder brought to one of its old states, by running its turns again from
 * the snapshot before. All of it on a thread with the stack that turns need (th_execution_call). */
#ifndef TH_THEATER_TRAVEL_H
#define TH_THEATER_TRAVEL_H

#include "actor/instance.h"
#include "theater/folder_internal.h"

/* Made with th_travel_init, emptied with th_travel_done. Of one thread. */
typedef struct th_travel {
    theater_folder *folder;
    uint64_t actor;
    th_execution *execution;
    th_workspace *workspace; /* NULL until it begins */
    th_instance *instance; /* NULL until it stands somewhere */
    th_loaded *component; /* that the instance runs, and the one before until it is given back */
    th_buf element, other; /* what was read last */
} th_travel;

/* Allocates nothing but the folder's engine, where there is none yet. Errors: ENGINE_FAILED, NO_MEMORY. */
THEATER_CHECKED theater_status th_travel_init(th_travel *self, theater_folder *folder, uint64_t actor,
                                              theater_error *reterr);
void th_travel_done(th_travel *self);
/* Makes the workspace, and the instance stand after element `sequence`, which exists. NOT_FOUND: a payload on
 * the way was dropped. VERIFY_FAILED, UNDECIDED: an element came out otherwise. */
THEATER_CHECKED theater_status th_travel_to(th_travel *self, uint64_t sequence, theater_error *reterr);
/* Reads element `sequence` into self->element, and loads its component when it is a genesis or an upgrade:
 * *ret_component, else NULL. *ret_before is then the component before, to be given back (th_loaded_unref) when
 * the instance does not use it any more. NOT_FOUND: a payload that running it needs was dropped. */
THEATER_CHECKED theater_status th_travel_read(th_travel *self, uint64_t sequence, th_recorded *ret,
                                              void **ret_component, th_loaded **ret_before,
                                              theater_error *reterr);

#endif

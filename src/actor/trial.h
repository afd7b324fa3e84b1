/* actor/trial.h: turns that are looked at and not kept: a recorded one that is run again, an input that is
 * tried. The instance stays where it stands. */
#ifndef TH_ACTOR_TRIAL_H
#define TH_ACTOR_TRIAL_H

#include "actor/instance.h"

/* What came of it. Everything lies in the workspace until th_workspace_clear. */
typedef struct th_trial {
    /* Without element and hash. `state_root` and `state_size` are those of the state after the turn. */
    th_produced produced;
    bool rejected; /* a genesis or an upgrade that fails is rejected too */
    th_slice state; /* after the turn; of a rejection the state before */
    /* Of a recorded turn: the differences, a bit 1 << th_difference for each. TH_DIFFERS_UNDECIDED stands
     * beside what differs when the chain format says that it decides nothing. */
    unsigned differences;
} th_trial;

/* Runs handle on the state where the instance stands, as the next turn would. Also under another engine.
 * Errors: TOO_LARGE (the input), ENGINE_FAILED, NO_MEMORY. */
THEATER_CHECKED theater_status th_trial_input(const th_instance *instance, const th_input *input,
                                              th_workspace *workspace, th_trial *ret, theater_error *reterr);

/* Runs a recorded element again, which follows where the instance stands, and says what differs. `component`
 * is that of an upgrade's descriptor, else NULL. Of the payloads only the input is needed. CORRUPT: the
 * element does not decode or does not follow, or its input is another. */
THEATER_CHECKED theater_status th_trial_recorded(const th_instance *instance, const th_recorded *recorded,
                                                 void *component, th_workspace *workspace, th_trial *ret,
                                                 theater_error *reterr);
/* The same of a genesis, with the component that its descriptor names. */
THEATER_CHECKED theater_status th_trial_genesis(const th_machine *machine, void *component,
                                                const th_recorded *recorded, th_workspace *workspace,
                                                th_trial *ret, theater_error *reterr);

#endif

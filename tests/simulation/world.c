#include "world.h"

#include <stdarg.h>
#include <stdio.h>

void world_fail(sim_world *world, const char *format, ...)
{
    if (world->failure[0])
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(world->failure, sizeof world->failure, format, arguments);
    va_end(arguments);
}

static uint64_t below(sim_world *world, uint64_t bound)
{
    return th_simulation_below(world->simulation, bound);
}

static bool chance(sim_world *world, unsigned percent)
{
    return below(world, 100) < percent;
}

const char *const world_names[WORLD_NAMES] = {"alice", "bob", "carol", "dave", "erin.ledger", "frank"};

static const char *any_name(sim_world *world)
{
    return world_names[below(world, WORLD_NAMES)];
}

/* ---- inputs -------------------------------------------------------------------------------------------- */

/* Inputs of the example actor `ring`: tokens that go round, by requests, and come home. */
static void make_spin(sim_world *world, char *out, size_t size)
{
    switch (below(world, 5)) {
    case 0:
        snprintf(out, size, "count");
        break;
    case 1:
        snprintf(out, size, "no input of a ring");
        break;
    default:
        snprintf(out, size, "spin %u", (unsigned)below(world, 7));
        break;
    }
}

/* Commands of the stand-in: additions, messages to others (and to nobody), rejections of several kinds. */
static void make_commands(sim_world *world, char *out, size_t size, int depth)
{
    char inner[512] = "add 1";
    if (depth < 3 && chance(world, 60))
        make_commands(world, inner, sizeof inner / 2, depth + 1);
    const char *to = chance(world, 5) ? "nobody" : any_name(world);
    switch (below(world, 12)) {
    case 0:
    case 1:
    case 2:
        snprintf(out, size, "add %u", (unsigned)below(world, 100));
        break;
    case 3:
        snprintf(out, size, "add 1; send %s {%.180s}", to, inner);
        break;
    case 4:
    case 5:
        snprintf(out, size, "request %s {%.180s}; log 2 asked", to, inner);
        break;
    case 6:
        snprintf(out, size, "send %s {%.90s}; request %s {%.90s}; add 2", to, inner, any_name(world), inner);
        break;
    case 7:
        snprintf(out, size, "%.200s; fail no", inner);
        break;
    case 8:
        snprintf(out, size, "trap memory");
        break;
    case 9:
        snprintf(out, size, "random 9; grow %u", (unsigned)below(world, 6000));
        break;
    case 10:
        snprintf(out, size, "repeat %u {send %s {add 1}}", (unsigned)below(world, 40), to);
        break;
    default:
        snprintf(out, size, "burn %u; observe", (unsigned)below(world, 200000));
        break;
    }
}

/* ---- clients ------------------------------------------------------------------------------------------- */

typedef struct pending_send {
    sim_world *world;
    world_promise promise; /* what the answer must agree with */
} pending_send;

static bool was_removed(const sim_world *world, const char *name)
{
    for (unsigned i = 0; i < WORLD_NAMES; i++) {
        if (strcmp(world_names[i], name) == 0)
            return world->actors[i].remove_tried;
    }
    return false;
}

/* Whether a client whose message was taken may be told so. */
static bool may_be_told(const sim_world *world, const char *actor, theater_status status)
{
    switch (status) {
    case THEATER_OK:
    case THEATER_REJECTED:
    case THEATER_STOPPED:
    case THEATER_CANCELLED: /* by the close */
        return true;
    case THEATER_NOT_FOUND:
        return was_removed(world, actor);
    case THEATER_NO_SPACE:
    case THEATER_STORAGE_FAILED:
    case THEATER_IO:
        return world->storage_fails || th_simulation_crashed(world->simulation);
    default:
        return false;
    }
}

static void answered(void *context, theater_answer *answer)
{
    pending_send *sent = context;
    sim_world *world = sent->world;
    const char *actor = sent->promise.actor;
    if (!may_be_told(world, actor, answer->status))
        world_fail(world, "a message to %s was answered: %s: %s", actor, theater_status_name(answer->status),
                   answer->error.message);
    if (answer->status == THEATER_OK || answer->status == THEATER_REJECTED)
        world_keep_answer(world, TOLD_ANSWER, actor, answer, &sent->promise);
    free(sent);
}

static void submit(sim_world *world, const char *actor, const char *text, bool with_id)
{
    th_slice input = {(const uint8_t *)text, strlen(text)};
    pending_send *sent = calloc(1, sizeof *sent);
    world_promise *promise = &sent->promise;
    sent->world = world;
    promise->tag = ++world->sent;
    snprintf(promise->actor, sizeof promise->actor, "%s", actor);
    if (with_id)
        snprintf(promise->id, sizeof promise->id, "id-%u", (unsigned)below(world, WORLD_IDS));
    promise->has_principal = chance(world, 20);
    th_sha256_of(world->hasher, input, &promise->input);
    theater_message message = {
        .actor = actor,
        .input = input,
        .id = th_slice_text(promise->id),
        .principal = promise->has_principal ? WORLD_PRINCIPAL : NULL,
    };
    if (theater_submit(world->runtime, &message, answered, sent, NULL) != THEATER_OK) {
        world->refused++;
        free(sent);
    }
}

static void send_one(sim_world *world)
{
    char text[700];
    if (world->real_engine)
        make_spin(world, text, sizeof text);
    else
        make_commands(world, text, sizeof text, 0);
    const char *to = any_name(world);
    submit(world, to, text, chance(world, 30));
}

/* ---- operators ----------------------------------------------------------------------------------------- */

static void start_actor(sim_world *world, unsigned i)
{
    char config[80] = "";
    if (world->real_engine)
        snprintf(config, sizeof config, "%s %s", world_names[(i + 1) % WORLD_NAMES],
                 chance(world, 10) ? "nobody" : world_names[(i + 2) % WORLD_NAMES]);
    theater_actor_options options = {.name = world_names[i],
                                     .component = world->components[below(world, 2)],
                                     .config = {(const uint8_t *)config, strlen(config)}};
    world_actor *actor = &world->actors[i];
    theater_hash genesis;
    if (theater_actor_start(world->runtime, &options, &genesis, NULL) != THEATER_OK)
        return;
    world->starts++;
    if (actor->started)
        world_fail(world, "actor %s was started twice", options.name);
    *actor = (world_actor){.started = true, .genesis = genesis, .status = TH_ACTOR_RUNNING};
    world_keep_element(world, options.name, &genesis);
}

static void start_missing(sim_world *world, unsigned percent)
{
    for (unsigned i = 0; i < WORLD_NAMES; i++) {
        if (chance(world, percent))
            start_actor(world, i);
    }
}

/* Stops it or lets it go on. */
static theater_status set_status(sim_world *world, unsigned i, bool run)
{
    theater_error error;
    theater_status status = run ? theater_actor_resume(world->runtime, world_names[i], &error)
                                : theater_actor_stop(world->runtime, world_names[i], &error);
    world->actors[i].status = status ? 0 : run ? TH_ACTOR_RUNNING : TH_ACTOR_STOPPED;
    return status;
}

static theater_status remove_actor(sim_world *world, unsigned i)
{
    theater_error error;
    world->actors[i].remove_tried = true;
    theater_status status = theater_actor_remove(world->runtime, world_names[i], &error);
    world->actors[i].removed |= status == THEATER_OK;
    world->removals += status == THEATER_OK;
    return status;
}

static theater_status upgrade_actor(sim_world *world, unsigned i)
{
    theater_error error;
    theater_hash element;
    theater_upgrade_options options = {.component = world->components[below(world, 2)], .keep_config = true};
    theater_status status =
        theater_actor_upgrade(world->runtime, world_names[i], &options, &element, &error);
    if (!status)
        world_keep_element(world, world_names[i], &element);
    return status;
}

static theater_status ask(sim_world *world, unsigned i)
{
    theater_error error;
    theater_answer answer;
    theater_message message = {.actor = world_names[i], .input = {(const uint8_t *)"observe", 7}};
    theater_status status = theater_query(world->runtime, &message, &answer, &error);
    if (status == THEATER_OK || status == THEATER_REJECTED)
        world_keep_answer(world, TOLD_QUERY, message.actor, &answer, NULL);
    theater_answer_done(&answer);
    return status;
}

static theater_status checkpoint(sim_world *world, unsigned i)
{
    theater_error error;
    theater_bytes note = {0};
    theater_status status = theater_checkpoint(world->runtime, world_names[i], &note, &error);
    if (!status)
        world_keep_note(world, world_names[i], &note);
    return status;
}

static theater_status drain(sim_world *world, uint64_t milliseconds, theater_error *reterr)
{
    theater_status status = theater_drain(world->runtime, milliseconds, reterr);
    if (!status && !world->storage_fails)
        world_all_committed(world);
    return status;
}

static void manage_one(sim_world *world)
{
    theater_error error;
    theater_status status = THEATER_OK;
    unsigned i = (unsigned)below(world, WORLD_NAMES);
    switch (below(world, 9)) {
    case 0:
        status = set_status(world, i, false);
        break;
    case 1:
    case 2:
        status = set_status(world, i, true);
        break;
    case 3:
        if (chance(world, 40))
            status = remove_actor(world, i);
        break;
    case 4:
        status = upgrade_actor(world, i);
        break;
    case 5:
        status = checkpoint(world, i);
        break;
    case 6:
        status = ask(world, i);
        break;
    case 7:
        start_actor(world, i);
        break;
    default:
        status = drain(world, 1000, &error);
        break;
    }
    /* Only a crash may send a caller away without an answer: else something waits for ever. */
    if (status == THEATER_INTERRUPTED && !th_simulation_crashed(world->simulation))
        world_fail(world, "a call about %s was never answered", world_names[i]);
}

/* ---- a life -------------------------------------------------------------------------------------------- */

static void committed(void *context, uint64_t records)
{
    sim_world *world = context;
    if (records < world->committed)
        world_fail(world, "record %llu was durable and is not any more",
                   (unsigned long long)world->committed);
    world->committed = records;
}

static bool open_runtime(sim_world *world)
{
    th_runtime_config config = {
        .options = {.folder = WORLD_FOLDER,
                    .durability = world->async ? THEATER_ASYNC : THEATER_SYNC,
                    .workers = 1 + (unsigned)below(world, 3),
                    .mailbox_messages = 4 + (uint32_t)below(world, 60),
                    .active_actors = 1 + (uint32_t)below(world, 8),
                    .snapshot_bytes = 200 + below(world, 6000),
                    .snapshot_fuel = 100000 + below(world, 2000000),
                    .undelivered_max = 2 + below(world, 100)},
        .port = th_simulation_port(world->simulation),
        .machine = &world->machine,
        .index = world->index,
        .segment_bytes = UINT64_C(16) << (10 + below(world, 4)),
        .ids_max = 10000,
        .window_items = 1 + below(world, 12),
        .slice_items = 1 + below(world, 40),
        .round_bytes = 1 + below(world, 4000),
    };
    theater_error error;
    theater_status status = th_runtime_open(&config, &world->runtime, &error);
    /* A bad disk may keep the folder from opening; it must not be taken for damage, and a good disk must
     * open it. */
    bool excused = th_simulation_crashed(world->simulation) || (world->bad_disk && status != THEATER_CORRUPT);
    if (status && !excused)
        world_fail(world, "%s: %s", world->restarts ? "recovery" : "open", error.message);
    if (!status)
        th_runtime_subscribe(world->runtime, committed, world);
    return status == THEATER_OK;
}

/* What was answered is committed when the runtime was closed on a machine that neither fails nor stopped. */
static void close_runtime(sim_world *world)
{
    theater_runtime_close(world->runtime);
    world->runtime = NULL;
    if (!world->storage_fails && !th_simulation_crashed(world->simulation))
        world_all_committed(world);
}

/* Somebody else fills the disk, or makes room. */
static void change_room(sim_world *world)
{
    th_simulation_faults faults = world->faults;
    faults.disk_bytes = chance(world, 50); /* none at all, or no bound */
    th_simulation_set_faults(world->simulation, &faults);
}

static void live(sim_world *world)
{
    unsigned actions = 20 + (unsigned)below(world, 150);
    bool will_crash = chance(world, 75);
    if (will_crash)
        th_simulation_crash_after(world->simulation, below(world, 120));
    start_missing(world, 70);
    for (unsigned i = 0; i < actions && !th_simulation_crashed(world->simulation); i++) {
        uint64_t action = below(world, 10);
        if (world->faults.disk_bytes && chance(world, 10))
            change_room(world);
        if (action < 7)
            send_one(world);
        else if (action < 9)
            th_simulation_run(world->simulation, below(world, 200));
        else
            manage_one(world);
    }
    if (will_crash && !th_simulation_crashed(world->simulation))
        th_simulation_crash_after(world->simulation, 0);
}

static void restart(sim_world *world)
{
    theater_error error;
    if (!th_simulation_crashed(world->simulation))
        return;
    world->crashes++;
    if (th_simulation_restart(world->simulation, &error))
        world_fail(world, "restart: %s", error.message);
}

/* Between two lives the index may be gone, or one from an earlier life stand in its place. */
static void change_index(sim_world *world)
{
    uint64_t lot = below(world, 100);
    if (lot < 15) {
        th_index_memory_free(world->index);
        world->index = NULL;
        if (th_index_memory_new(&world->index, NULL))
            world_fail(world, "no memory for an index");
    } else if (lot < 30) {
        th_index_memory *now = world->index;
        world->index = world->older_index;
        world->older_index = now;
    }
    world->lost_indexes += lot < 30;
}

static void faults(sim_world *world, bool on)
{
    th_simulation_faults faults = {0};
    world->bad_disk = on;
    if (on) {
        faults.clock_jumps = 3000;
        if (chance(world, 20))
            faults.disk_bytes = 200000 + below(world, chance(world, 50) ? 500000 : 3000000);
        if (chance(world, 15))
            faults.sync_fails = 5000 + (uint32_t)below(world, 40000);
        if (chance(world, 15))
            faults.write_fails = 5000 + (uint32_t)below(world, 40000);
        if (chance(world, 10))
            faults.read_fails = 3000;
    }
    if (chance(world, 60))
        faults.overlaps = 200000 + (uint32_t)below(world, 600000);
    world->faults = faults;
    world->storage_fails = faults.disk_bytes || faults.sync_fails || faults.write_fails || faults.read_fails;
    th_simulation_set_faults(world->simulation, &faults);
}

/* Whatever came before, in every seed actors write to each other at last. */
static void talk(sim_world *world)
{
    for (unsigned i = 0; i < WORLD_NAMES; i++) {
        char text[200];
        const char *next = world_names[(i + 1) % WORLD_NAMES], *other = world_names[(i + 2) % WORLD_NAMES];
        if (world->real_engine)
            snprintf(text, sizeof text, "spin 3");
        else
            snprintf(text, sizeof text, "request %s {add 1}; send %s {add 1}", next, other);
        submit(world, world_names[i], text, false);
    }
}

static void run(sim_world *world)
{
    unsigned lives = 1 + (unsigned)below(world, 4);
    for (unsigned i = 0; i < lives && !world->failure[0]; i++) {
        faults(world, i > 0 || chance(world, 50));
        if (open_runtime(world)) {
            live(world);
            close_runtime(world);
        }
        world->runtime = NULL;
        restart(world);
        change_index(world);
        world->restarts++;
        faults(world, false);
        if (!world->failure[0])
            world_check(world, false);
    }
    /* At last a good machine: everything that was promised must come to its end. */
    if (world->failure[0] || !open_runtime(world))
        return;
    for (unsigned i = 0; i < WORLD_NAMES; i++)
        (void)!set_status(world, i, true);
    start_missing(world, 100);
    /* Messages for somebody who is stopped wait, also when he is parked meanwhile. */
    for (unsigned i = 0; i < WORLD_NAMES; i++) {
        if (chance(world, 25))
            (void)!set_status(world, i, false);
    }
    talk(world);
    th_simulation_run(world->simulation, below(world, 3000));
    for (unsigned i = 0; i < WORLD_NAMES; i++)
        (void)!set_status(world, i, true);
    talk(world);
    theater_error error;
    if (drain(world, 3600000, &error))
        world_fail(world, "drain: %s", error.message);
    close_runtime(world);
    if (!world->failure[0])
        world_check(world, true);
}

/* A turn takes long: others run meanwhile, as threads would. A machine's functions have no context of a test; there
 * is one world at a time. */
static sim_world *present;

static th_engine_outcome handle(void *turn, th_engine_bytes input, th_engine_bytes state,
                                th_engine_result *ret)
{
    th_simulation_overlap(present->simulation);
    return present->given->handle(turn, input, state, ret);
}

bool world_run(uint64_t seed, const world_options *options, uint64_t *ret_digest, char *failure,
               size_t failure_size)
{
    sim_world world = {.seed = seed,
                       .given = options->machine,
                       .machine = *options->machine,
                       .components = options->components,
                       .verbose = options->verbose,
                       .real_engine = options->real_engine};
    theater_error error = {0};
    present = &world;
    world.machine.handle = handle;
    if (th_simulation_new(seed, &world.simulation, &error) || th_index_memory_new(&world.index, &error) ||
        th_index_memory_new(&world.older_index, &error) || th_hasher_new(&world.hasher, &error)) {
        snprintf(failure, failure_size, "%s", error.message);
        return false;
    }
    world.async = chance(&world, 15);
    run(&world);
    *ret_digest = th_simulation_digest(world.simulation);
    if (world.verbose)
        printf("seed %llu: %llu sent, %llu promises and %llu checkpoints kept, %llu refused, %llu started, "
               "%llu removed, %llu crashes, %llu indexes lost, %llu messages between actors, digest %016llx\n",
               (unsigned long long)seed, (unsigned long long)world.sent,
               (unsigned long long)world.promise_count, (unsigned long long)world.note_count,
               (unsigned long long)world.refused, (unsigned long long)world.starts,
               (unsigned long long)world.removals, (unsigned long long)world.crashes,
               (unsigned long long)world.lost_indexes, (unsigned long long)world.messages,
               (unsigned long long)*ret_digest);
    world_forget(&world);
    th_hasher_free(world.hasher);
    th_index_memory_free(world.index);
    th_index_memory_free(world.older_index);
    th_simulation_free(world.simulation);
    snprintf(failure, failure_size, "%s", world.failure);
    return !world.failure[0];
}

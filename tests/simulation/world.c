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

static const char *const names[WORLD_NAMES] = {"alice", "bob", "carol", "dave", "erin.ledger", "frank"};

static const char *any_name(sim_world *world)
{
    return names[below(world, WORLD_NAMES)];
}

/* ---- inputs -------------------------------------------------------------------------------------------- */

/* Commands of the stand-in: additions, messages to others (and to nobody), rejections of several kinds. */
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
    char actor[32];
    char id[24];
    uint64_t tag;
} pending_send;

static void answered(void *context, theater_answer *answer)
{
    pending_send *sent = context;
    sim_world *world = sent->world;
    bool element = answer->status == THEATER_OK || answer->status == THEATER_REJECTED;
    /* Without sync an answer may be lost: then only what recovery makes of the rest is looked at. */
    if (element && !world->async) {
        world_answer *kept = calloc(1, sizeof *kept);
        snprintf(kept->actor, sizeof kept->actor, "%s", sent->actor);
        snprintf(kept->id, sizeof kept->id, "%s", sent->id);
        kept->sequence = answer->sequence;
        kept->element = answer->element;
        kept->rejected = answer->status == THEATER_REJECTED;
        kept->input_tag = sent->tag;
        kept->next = world->answers;
        world->answers = kept;
        world->answer_count++;
    }
    free(sent);
}

static void send_one(sim_world *world)
{
    char text[700];
    if (world->real_engine)
        make_spin(world, text, sizeof text);
    else
        make_commands(world, text, sizeof text, 0);
    pending_send *sent = calloc(1, sizeof *sent);
    sent->world = world;
    sent->tag = ++world->sent;
    snprintf(sent->actor, sizeof sent->actor, "%s", any_name(world));
    if (chance(world, 30))
        snprintf(sent->id, sizeof sent->id, "id-%u", (unsigned)below(world, WORLD_IDS));
    theater_message message = {
        .actor = sent->actor,
        .input = {(const uint8_t *)text, strlen(text)},
        .id = {(const uint8_t *)sent->id, strlen(sent->id)},
        .principal = chance(world, 20) ? "client-7" : NULL,
    };
    if (theater_submit(world->runtime, &message, answered, sent, NULL) != THEATER_OK) {
        world->refused++;
        free(sent);
    }
}

static void manage_one(sim_world *world)
{
    theater_error error;
    theater_status status = THEATER_OK;
    const char *name = any_name(world);
    theater_bytes note = {0};
    theater_answer answer;
    switch (below(world, 8)) {
    case 0:
        status = theater_actor_stop(world->runtime, name, &error);
        break;
    case 1:
    case 2:
        status = theater_actor_resume(world->runtime, name, &error);
        break;
    case 3:
        if (chance(world, 40)) {
            status = theater_actor_remove(world->runtime, name, &error);
            world->removals += status == THEATER_OK;
        }
        break;
    case 4:
        status = theater_actor_upgrade(
            world->runtime, name,
            &(theater_upgrade_options){.component = world->components[below(world, 2)], .keep_config = true},
            NULL, &error);
        break;
    case 5:
        status = theater_checkpoint(world->runtime, name, &note, &error);
        theater_bytes_free(&note);
        break;
    case 6:
        status = theater_query(world->runtime,
                               &(theater_message){.actor = name, .input = {(const uint8_t *)"observe", 7}},
                               &answer, &error);
        theater_answer_done(&answer);
        break;
    default:
        status = theater_drain(world->runtime, 1000, &error);
        break;
    }
    /* Only a crash may send a caller away without an answer: else something waits for ever. */
    if (status == THEATER_INTERRUPTED && !th_simulation_crashed(world->simulation))
        world_fail(world, "a call about %s was never answered", name);
}

static void start_missing(sim_world *world)
{
    for (int i = 0; i < WORLD_NAMES; i++) {
        if (!chance(world, 70))
            continue;
        char config[80] = "";
        if (world->real_engine)
            snprintf(config, sizeof config, "%s %s", names[(i + 1) % WORLD_NAMES],
                     chance(world, 10) ? "nobody" : names[(i + 2) % WORLD_NAMES]);
        theater_actor_options options = {.name = names[i],
                                         .component = world->components[below(world, 2)],
                                         .config = {(const uint8_t *)config, strlen(config)}};
        if (theater_actor_start(world->runtime, &options, NULL, NULL) == THEATER_OK)
            world->starts++;
    }
}

/* ---- a life -------------------------------------------------------------------------------------------- */

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
    return status == THEATER_OK;
}

static void live(sim_world *world)
{
    unsigned actions = 20 + (unsigned)below(world, 150);
    bool will_crash = chance(world, 75);
    if (will_crash)
        th_simulation_crash_after(world->simulation, below(world, 120));
    start_missing(world);
    for (unsigned i = 0; i < actions && !th_simulation_crashed(world->simulation); i++) {
        uint64_t action = below(world, 10);
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

static void faults(sim_world *world, bool on)
{
    th_simulation_faults faults = {0};
    world->bad_disk = on;
    if (on) {
        faults.clock_jumps = 3000;
        if (chance(world, 20))
            faults.disk_bytes = 400000 + below(world, 3000000);
        if (chance(world, 10))
            faults.sync_fails = 5000;
        if (chance(world, 10))
            faults.write_fails = 5000;
        if (chance(world, 10))
            faults.read_fails = 3000;
    }
    th_simulation_set_faults(world->simulation, &faults);
}

static void run(sim_world *world)
{
    unsigned lives = 1 + (unsigned)below(world, 4);
    for (unsigned i = 0; i < lives && !world->failure[0]; i++) {
        faults(world, i > 0 || chance(world, 50));
        if (open_runtime(world)) {
            live(world);
            theater_runtime_close(world->runtime);
        }
        world->runtime = NULL;
        restart(world);
        world->restarts++;
        faults(world, false);
        if (!world->failure[0])
            world_check(world, false);
    }
    /* At last a good machine: everything that was promised must come to its end. */
    if (world->failure[0] || !open_runtime(world))
        return;
    for (int i = 0; i < WORLD_NAMES; i++)
        (void)!theater_actor_resume(world->runtime, names[i], NULL);
    theater_error error;
    if (theater_drain(world->runtime, 3600000, &error))
        world_fail(world, "drain: %s", error.message);
    theater_runtime_close(world->runtime);
    world->runtime = NULL;
    if (!world->failure[0])
        world_check(world, true);
}

bool world_run(uint64_t seed, const world_options *options, uint64_t *ret_digest, char *failure,
               size_t failure_size)
{
    sim_world world = {.seed = seed,
                       .machine = *options->machine,
                       .components = options->components,
                       .verbose = options->verbose,
                       .real_engine = options->real_engine};
    theater_error error = {0};
    if (th_simulation_new(seed, &world.simulation, &error) || th_index_memory_new(&world.index, &error)) {
        snprintf(failure, failure_size, "%s", error.message);
        return false;
    }
    world.async = chance(&world, 15);
    run(&world);
    *ret_digest = th_simulation_digest(world.simulation);
    if (world.verbose)
        printf("seed %llu: %llu sent, %llu answers kept, %llu refused, %llu started, %llu removed, %llu "
               "crashes, digest %016llx\n",
               (unsigned long long)seed, (unsigned long long)world.sent,
               (unsigned long long)world.answer_count, (unsigned long long)world.refused,
               (unsigned long long)world.starts, (unsigned long long)world.removals,
               (unsigned long long)world.crashes, (unsigned long long)*ret_digest);
    while (world.answers) {
        world_answer *next = world.answers->next;
        free(world.answers);
        world.answers = next;
    }
    th_index_memory_free(world.index);
    th_simulation_free(world.simulation);
    snprintf(failure, failure_size, "%s", world.failure);
    return !world.failure[0];
}

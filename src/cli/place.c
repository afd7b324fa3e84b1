#include "cli/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "port/system.h"

#define TOKEN_FILE_MAX 4096

/* ---- opening ------------------------------------------------------------------------------------------- */

const char *cli_server(const cli_run *cli)
{
    return cli->server;
}

/* --token, a file, or THEATER_TOKEN. `room` holds what comes from a file. */
static theater_status find_token(const cli_run *cli, th_buf *room, const char **ret, theater_error *reterr)
{
    const char *environment = getenv("THEATER_TOKEN");
    *ret = cli->token;
    if (cli->token && cli->token_file)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "--token and --token-file exclude each other");
    if (cli->token_file) {
        theater_status status = cli_read_file(cli->token_file, TOKEN_FILE_MAX, room, reterr);
        if (status)
            return status;
        while (room->size > 0 && room->data[room->size - 1] <= ' ')
            room->size--;
        status = th_buf_append_byte(room, 0, reterr);
        *ret = (const char *)room->data;
        return status;
    }
    if (!*ret && environment && environment[0])
        *ret = environment;
    return THEATER_OK;
}

theater_status cli_connect(const cli_run *cli, const char *address, th_client **ret, theater_error *reterr)
{
    th_buf room;
    th_buf_init(&room, TOKEN_FILE_MAX + 1);
    th_client_options options = {.server = address ? address : cli_server(cli),
                                 .authority = cli->authority,
                                 .interrupted = cli_interrupted};
    theater_status status = find_token(cli, &room, &options.token, reterr);
    /* The folder's own socket wants no token, and one that is meant for another server would be refused. */
    if (!status && address && !cli->token && !cli->token_file)
        options.token = NULL;
    if (!status)
        status = th_client_open(&options, ret, reterr);
    th_buf_done(&room);
    return status;
}

/* The server of the data folder, when one answers. */
static theater_status connect_own(cli_place *place, theater_error *reterr)
{
    char address[256];
    if (!place->cli->data)
        return THEATER_OK;
    int size = snprintf(address, sizeof address, "unix:%s/server.sock", place->cli->data);
    if (size < 0 || (size_t)size >= sizeof address || !th_client_probe(address + 5))
        return THEATER_OK;
    theater_status status = cli_connect(place->cli, address, &place->client, reterr);
    /* One that goes away just now leaves the folder to us. */
    return status == THEATER_IO ? THEATER_OK : status;
}

theater_status cli_place_open(const cli_run *cli, cli_access access, const theater_runtime_options *options,
                              cli_place *ret, theater_error *reterr)
{
    *ret = (cli_place){.cli = cli};
    if (access != CLI_READ)
        cli_catch_interrupt();
    if (cli_server(cli))
        return cli_connect(cli, NULL, &ret->client, reterr);
    if (access == CLI_READ)
        return cli_open_folder(cli, &ret->folder, reterr);
    theater_status status = connect_own(ret, reterr);
    if (status || ret->client)
        return status;
    return cli_open_runtime(cli, access == CLI_CREATE, options, &ret->runtime, reterr);
}

void cli_place_close(cli_place *place)
{
    th_client_close(place->client);
    theater_folder_close(place->folder);
    theater_runtime_close(place->runtime);
    *place = (cli_place){.cli = place->cli};
}

static theater_status need_folder(cli_place *place, theater_error *reterr)
{
    return place->folder ? THEATER_OK : cli_open_folder(place->cli, &place->folder, reterr);
}

/* ---- actors -------------------------------------------------------------------------------------------- */

theater_status cli_place_actor(cli_place *place, const char *name, theater_actor_info *ret,
                               theater_error *reterr)
{
    if (place->client)
        return th_client_actor(place->client, name, ret, reterr);
    theater_status status = need_folder(place, reterr);
    if (!status)
        status = theater_folder_actor(place->folder, name, ret, reterr);
    if (!status && ret->elements == 0)
        status = th_fail(reterr, THEATER_NOT_FOUND, "actor %s has no chain yet", name);
    return status;
}

theater_status cli_place_actors(cli_place *place, bool (*each)(void *context, const theater_actor_info *info),
                                void *context, theater_error *reterr)
{
    if (place->client)
        return th_client_actors(place->client, each, context, reterr);
    theater_status status = need_folder(place, reterr);
    return status ? status : theater_folder_actors(place->folder, each, context, reterr);
}

theater_status cli_place_start(cli_place *place, const theater_actor_options *options, theater_hash *ret,
                               theater_error *reterr)
{
    return place->client ? th_client_start(place->client, options, ret, reterr)
                         : theater_actor_start(place->runtime, options, ret, reterr);
}

theater_status cli_place_upgrade(cli_place *place, const char *name, const theater_upgrade_options *options,
                                 theater_hash *ret, theater_error *reterr)
{
    return place->client ? th_client_upgrade(place->client, name, options, ret, reterr)
                         : theater_actor_upgrade(place->runtime, name, options, ret, reterr);
}

theater_status cli_place_stop(cli_place *place, const char *name, theater_error *reterr)
{
    return place->client ? th_client_stop(place->client, name, reterr)
                         : theater_actor_stop(place->runtime, name, reterr);
}

theater_status cli_place_resume(cli_place *place, const char *name, theater_error *reterr)
{
    return place->client ? th_client_resume(place->client, name, reterr)
                         : theater_actor_resume(place->runtime, name, reterr);
}

theater_status cli_place_remove(cli_place *place, const char *name, theater_error *reterr)
{
    return place->client ? th_client_remove(place->client, name, reterr)
                         : theater_remove(place->runtime, name, reterr);
}

/* ---- messages ------------------------------------------------------------------------------------------ */

/* The answer says the words of what became of it, too. */
static theater_status fill_error(theater_answer *answer, theater_status status, const theater_error *error)
{
    if (status && status != THEATER_REJECTED && error && !answer->error.message[0])
        answer->error = *error;
    return status;
}

theater_status cli_place_send(cli_place *place, const theater_message *message, theater_answer *ret,
                              theater_error *reterr)
{
    return fill_error(ret,
                      place->client ? th_client_send(place->client, message, ret, reterr)
                                    : theater_send(place->runtime, message, ret, reterr),
                      reterr);
}

theater_status cli_place_query(cli_place *place, const theater_message *message, theater_answer *ret,
                               theater_error *reterr)
{
    return fill_error(ret,
                      place->client ? th_client_query(place->client, message, ret, reterr)
                                    : theater_query(place->runtime, message, ret, reterr),
                      reterr);
}

/* ---- chains -------------------------------------------------------------------------------------------- */

theater_status cli_place_elements(cli_place *place, const theater_actor_info *info, uint64_t from,
                                  uint64_t end, bool (*each)(void *context, const theater_element *element),
                                  void *context, theater_error *reterr)
{
    char name[160];
    snprintf(name, sizeof name, "%s#%llu", info->name, (unsigned long long)info->id);
    if (place->client)
        return th_client_elements(place->client, name, from, end, each, context, reterr);
    theater_status status = THEATER_OK;
    bool more = true;
    for (uint64_t i = from; !status && more && i < end; i++) {
        theater_element element;
        status = theater_element_read(place->folder, info->id, i, &element, reterr);
        if (status)
            break;
        more = each(context, &element);
        theater_element_free(&element);
    }
    return status;
}

theater_status cli_place_state(cli_place *place, const theater_actor_info *info, uint64_t sequence,
                               th_client_state *ret, theater_error *reterr)
{
    char name[160];
    theater_element element;
    snprintf(name, sizeof name, "%s#%llu", info->name, (unsigned long long)info->id);
    *ret = (th_client_state){0};
    if (place->client)
        return th_client_state_read(place->client, name, &sequence, ret, reterr);
    theater_status status = theater_state_at(place->folder, info->id, sequence, &ret->bytes, reterr);
    if (!status)
        status = theater_element_read(place->folder, info->id, sequence, &element, reterr);
    if (status) {
        theater_bytes_free(&ret->bytes);
        return status;
    }
    ret->sequence = sequence;
    ret->element = element.hash;
    ret->root = element.state_after;
    theater_element_free(&element);
    return THEATER_OK;
}

theater_status cli_place_trace(cli_place *place, const theater_actor_info *info, uint64_t sequence,
                               uint64_t max_steps,
                               bool (*each)(void *context, const theater_trace_step *step), void *context,
                               bool *ret_more, theater_error *reterr)
{
    char name[160];
    snprintf(name, sizeof name, "%s#%llu", info->name, (unsigned long long)info->id);
    return place->client
               ? th_client_trace(place->client, name, sequence, max_steps, each, context, ret_more, reterr)
               : theater_trace(place->folder, info->id, sequence, max_steps, each, context, ret_more, reterr);
}

theater_status cli_place_rerun(cli_place *place, const theater_actor_info *info, uint64_t sequence,
                               cli_trial *ret, theater_error *reterr)
{
    char name[160];
    snprintf(name, sizeof name, "%s#%llu", info->name, (unsigned long long)info->id);
    ret->trial = place->client ? &ret->fetched.trial : &ret->own;
    return place->client ? th_client_rerun(place->client, name, sequence, &ret->fetched, reterr)
                         : theater_rerun(place->folder, info->id, sequence, &ret->own, reterr);
}

theater_status cli_place_try(cli_place *place, const theater_actor_info *info, uint64_t after,
                             bool with_state, th_slice input, cli_trial *ret, theater_error *reterr)
{
    char name[160];
    theater_try_options options = {.after = after, .input = input};
    snprintf(name, sizeof name, "%s#%llu", info->name, (unsigned long long)info->id);
    ret->trial = place->client ? &ret->fetched.trial : &ret->own;
    return place->client ? th_client_try(place->client, name, after, with_state, input, &ret->fetched, reterr)
                         : theater_try(place->folder, info->id, &options, &ret->own, reterr);
}

void cli_trial_done(cli_trial *trial)
{
    if (trial->trial == &trial->own)
        theater_trial_done(&trial->own);
    else
        th_client_trial_done(&trial->fetched);
}

theater_status cli_place_refresh(cli_place *place, theater_error *reterr)
{
    return place->client ? THEATER_OK : theater_folder_refresh(place->folder, reterr);
}

/* ---- proofs -------------------------------------------------------------------------------------------- */

theater_status cli_place_checkpoint(cli_place *place, const char *name, theater_bytes *ret,
                                    theater_error *reterr)
{
    return place->client ? th_client_checkpoint(place->client, name, ret, reterr)
                         : theater_checkpoint(place->runtime, name, ret, reterr);
}

theater_status cli_place_key(cli_place *place, const char *name, theater_bytes *ret, theater_error *reterr)
{
    theater_actor_info info;
    if (place->client)
        return th_client_key(place->client, name, ret, reterr);
    theater_status status = cli_place_actor(place, name, &info, reterr);
    return status ? status : theater_verifier_key(place->folder, info.id, ret, reterr);
}

theater_status cli_place_inclusion(cli_place *place, const char *name, uint64_t sequence, th_slice note,
                                   theater_bytes *ret, theater_error *reterr)
{
    theater_actor_info info;
    if (place->client)
        return th_client_prove_inclusion(place->client, name, sequence, note, ret, reterr);
    theater_status status = cli_place_actor(place, name, &info, reterr);
    return status ? status : theater_prove_inclusion(place->folder, info.id, sequence, note, ret, reterr);
}

theater_status cli_place_consistency(cli_place *place, const char *name, th_slice older, th_slice newer,
                                     theater_bytes *ret, theater_error *reterr)
{
    theater_actor_info info;
    if (place->client)
        return th_client_prove_consistency(place->client, name, older, newer, ret, reterr);
    theater_status status = cli_place_actor(place, name, &info, reterr);
    return status ? status : theater_prove_consistency(place->folder, info.id, older, newer, ret, reterr);
}

/* ---- bundles ------------------------------------------------------------------------------------------- */

theater_status cli_place_import(cli_place *place, const char *path, const char *name, theater_error *reterr)
{
    if (!place->client)
        return theater_import(place->runtime, path, name, reterr);
    th_buf bundle;
    th_buf_init(&bundle, CLI_FILE_MAX);
    theater_status status = cli_read_file(path, CLI_FILE_MAX, &bundle, reterr);
    if (!status)
        status = th_client_import(place->client, th_buf_slice(&bundle), name, reterr);
    th_buf_done(&bundle);
    return status;
}

theater_status cli_place_fetch(cli_place *place, const char *const *names, size_t count,
                               char path[CLI_TEMPORARY_SIZE], theater_error *reterr)
{
    const char *folder = getenv("TMPDIR");
    snprintf(path, CLI_TEMPORARY_SIZE, "%s/theater-XXXXXX", folder && folder[0] ? folder : "/tmp");
    int fd = mkstemp(path);
    if (fd < 0)
        return th_fail(reterr, THEATER_IO, "%s: %s", path, strerror(errno));
    cli_progress progress;
    cli_progress_begin(&progress, "fetching");
    th_client_bundle bundle = {.names = names,
                               .count = count,
                               .progress = progress.shown ? cli_progress_step : NULL,
                               .context = &progress};
    theater_status status = th_client_export(place->client, &bundle, fd, reterr);
    cli_progress_end(&progress);
    if (close(fd) && !status)
        status = th_fail(reterr, THEATER_IO, "%s: %s", path, strerror(errno));
    if (status)
        unlink(path);
    return status;
}

/* ---- waiting ------------------------------------------------------------------------------------------- */

#define DRAIN_DEFAULT_MS 10000
#define DRAIN_STEP_MS 100

theater_status cli_place_drain(cli_place *place, theater_error *reterr)
{
    /* A server goes on by itself, and one that others use is never idle: so only who asks for it waits. */
    uint64_t left = place->client ? 0 : DRAIN_DEFAULT_MS;
    theater_status status = cli_duration(place->cli, "--drain", &left, reterr);
    if (status || left == 0)
        return status;
    do {
        uint64_t step = left < DRAIN_STEP_MS ? left : DRAIN_STEP_MS;
        status = place->client ? th_client_drain(place->client, step, reterr)
                               : theater_drain(place->runtime, step, reterr);
        left -= step;
    } while (status == THEATER_TIMEOUT && left > 0 && !cli_interrupted());
    if (status != THEATER_TIMEOUT)
        return status;
    cli_note(place->client ? "messages are left; the server goes on with them"
                           : "messages are left; they go on with the next command that opens the data folder "
                             "for writing");
    return THEATER_OK;
}

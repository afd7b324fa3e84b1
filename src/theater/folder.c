#include <stdio.h>

#include "chain/checkpoint.h"
#include "port/system.h"
#include "theater/element_internal.h"
#include "theater/folder_internal.h"

theater_status theater_folder_open(const char *path, theater_folder **ret, theater_error *reterr)
{
    theater_folder *folder = th_alloc_zero(1, sizeof *folder);
    size_t size = strlen(path) + 1;
    char *copy = th_alloc(size);
    if (!folder || !copy) {
        th_free(folder);
        th_free(copy);
        return th_fail_memory(reterr, "a data folder");
    }
    memcpy(copy, path, size);
    folder->path = copy;
    folder->port = th_port_system();
    th_mutex_init(folder->port, &folder->lock);
    th_store_options options = {.port = folder->port, .folder = folder->path, .read_only = true};
    theater_status status = th_store_open(&options, &folder->store, reterr);
    if (status) {
        theater_folder_close(folder);
        return status;
    }
    *ret = folder;
    return THEATER_OK;
}

void theater_folder_close(theater_folder *folder)
{
    if (!folder)
        return;
    th_execution_free(folder->execution);
    th_store_close(folder->store);
    th_mutex_done(&folder->lock);
    th_free(folder->path);
    th_free(folder);
}

theater_status theater_folder_refresh(theater_folder *folder, theater_error *reterr)
{
    return th_store_refresh(folder->store, reterr);
}

theater_status th_folder_execution(theater_folder *folder, th_execution **ret, theater_error *reterr)
{
    theater_status status = THEATER_OK;
    th_mutex_lock(&folder->lock);
    if (!folder->execution) {
        th_component_source source = {folder, th_folder_binary, th_folder_compiled};
        status = th_execution_new(folder->port, &source, false, 4, &folder->execution, reterr);
    }
    *ret = folder->execution;
    th_mutex_unlock(&folder->lock);
    return status;
}

/* ---- actors -------------------------------------------------------------------------------------------- */

theater_status th_folder_descriptor(theater_folder *folder, uint64_t actor, uint64_t sequence, th_buf *buf,
                                    th_descriptor *ret, uint64_t *ret_sequence, theater_error *reterr)
{
    uint64_t at;
    th_record record;
    theater_status status = th_store_find_descriptor(folder->store, actor, sequence, &at, reterr);
    if (!status)
        status = th_store_read_element(folder->store, actor, at, buf, &record, NULL, reterr);
    if (!status && record.element.input_dropped)
        return th_fail(reterr, THEATER_NOT_FOUND, "the descriptor in element %llu was dropped",
                       (unsigned long long)at);
    if (!status)
        status = th_descriptor_decode(record.element.input, ret, reterr);
    if (!status && ret_sequence)
        *ret_sequence = at;
    return status;
}

static theater_status fill_descriptor(theater_folder *folder, const th_actor_info *info, th_buf *buf,
                                      theater_actor_info *ret, theater_error *reterr)
{
    th_descriptor descriptor;
    theater_status status =
        th_folder_descriptor(folder, info->id, info->elements - 1, buf, &descriptor, NULL, reterr);
    if (status == THEATER_NOT_FOUND)
        return THEATER_OK; /* an archive whose descriptor was dropped: limits and engine stay unknown */
    if (status)
        return status;
    ret->limits = (theater_limits){descriptor.limits.fuel, descriptor.limits.memory, descriptor.limits.state,
                                   descriptor.limits.message, descriptor.limits.effects};
    /* Another runtime may have written any text there. */
    static const char cut[] = "...";
    const char *text = (const char *)descriptor.engine.data;
    size_t size = strnlen(text, descriptor.engine.size);
    if (size >= sizeof ret->engine || size < descriptor.engine.size) {
        size_t room = sizeof ret->engine - sizeof cut;
        size = th_utf8_prefix(th_slice_of(text, size < room ? size : room));
        memcpy(ret->engine + size, cut, sizeof cut);
    }
    memcpy(ret->engine, text, size);
    return THEATER_OK;
}

static theater_status fill_head(theater_folder *folder, const th_actor_info *info, th_buf *buf,
                                theater_actor_info *ret, theater_error *reterr)
{
    th_record record;
    th_element element;
    theater_status status =
        th_store_read_element(folder->store, info->id, info->elements - 1, buf, &record, NULL, reterr);
    if (!status)
        status = th_element_decode(record.element.element, &element, reterr);
    if (status)
        return status;
    ret->state_size = element.state_size;
    ret->state_root = element.state_after;
    return THEATER_OK;
}

theater_status th_folder_actor_info(theater_folder *folder, const th_actor_info *info,
                                    theater_actor_info *ret, theater_error *reterr)
{
    memset(ret, 0, sizeof *ret);
    ret->id = info->id;
    memcpy(ret->name, info->name, sizeof info->name);
    ret->status = info->status == TH_ACTOR_ARCHIVE_REMOVED ? THEATER_ACTOR_REMOVED
                                                           : (theater_actor_status)info->status;
    ret->elements = info->elements;
    ret->checkpoint_size = info->checkpoint_size;
    ret->undelivered = info->undelivered;
    if (info->elements == 0)
        return THEATER_OK; /* it is being started */
    ret->genesis = info->genesis_hash;
    ret->head = info->head_hash;
    ret->head_timestamp_ns = info->head_timestamp_ns;
    ret->component = info->component;
    ret->has_snapshot = info->has_snapshot;
    ret->snapshot_sequence = info->snapshot_sequence;
    th_buf buf;
    th_buf_init(&buf, TH_READ_MAX);
    theater_status status = fill_head(folder, info, &buf, ret, reterr);
    if (!status)
        status = fill_descriptor(folder, info, &buf, ret, reterr);
    th_buf_done(&buf);
    return status ? th_fail_in(reterr, status, "actor %s", info->name) : THEATER_OK;
}

bool th_name_split(const char *text, th_slice *ret_name, bool *ret_has_id, uint64_t *ret_id)
{
    const char *mark = strchr(text, '#');
    *ret_has_id = mark != NULL;
    *ret_name = th_slice_of(text, mark ? (size_t)(mark - text) : strlen(text));
    if (!mark)
        return true;
    uint64_t id = 0;
    size_t digits = 0;
    for (const char *p = mark + 1; *p; p++, digits++) {
        if (*p < '0' || *p > '9' || digits == 19)
            return false;
        id = id * 10 + (uint64_t)(*p - '0');
    }
    *ret_id = id;
    return digits > 0;
}

theater_status theater_folder_actor(theater_folder *folder, const char *name, theater_actor_info *ret,
                                    theater_error *reterr)
{
    th_slice base;
    bool has_id;
    uint64_t id = 0;
    if (!th_name_split(name, &base, &has_id, &id) || !th_name_valid(base))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "\"%.140s\" is no actor's name: labels of a-z 0-9 - _ joined by dots, or NAME#ID",
                       name);
    th_actor_info info;
    theater_status status = has_id ? th_store_find_actor_id(folder->store, id, &info, reterr)
                                   : th_store_find_actor(folder->store, base, &info, reterr);
    if (!status && has_id && !th_slice_equal(th_slice_text(info.name), base))
        status = THEATER_NOT_FOUND;
    if (status == THEATER_NOT_FOUND)
        return th_fail(reterr, status, "there is no actor %s in %s", name, folder->path);
    return status ? status : th_folder_actor_info(folder, &info, ret, reterr);
}

/* Actors are taken from the index in groups, so that no callback runs inside a look-up. */
#define GROUP 128

typedef struct group {
    th_actor_info infos[GROUP];
    size_t count;
} group;

static bool add_to_group(void *context, const th_actor_info *info)
{
    group *self = context;
    self->infos[self->count++] = *info;
    return self->count < GROUP;
}

theater_status th_folder_list(theater_folder *folder, bool (*each)(void *context, const th_actor_info *info),
                              void *context, theater_error *reterr)
{
    group *infos = th_alloc(sizeof *infos);
    if (!infos)
        return th_fail_memory(reterr, "a list of actors");
    uint64_t from = 0;
    theater_status status;
    bool more = true;
    do {
        infos->count = 0;
        status = th_store_list_actors(folder->store, from, add_to_group, infos, reterr);
        for (size_t i = 0; !status && more && i < infos->count; i++) {
            from = infos->infos[i].id + 1;
            more = each(context, &infos->infos[i]);
        }
    } while (!status && more && infos->count == GROUP);
    th_free(infos);
    return status;
}

typedef struct public_walk {
    theater_folder *folder;
    bool (*each)(void *context, const theater_actor_info *info);
    void *context;
    theater_status status;
    theater_error *reterr;
} public_walk;

static bool give_public(void *context, const th_actor_info *info)
{
    public_walk *walk = context;
    theater_actor_info public_info;
    walk->status = th_folder_actor_info(walk->folder, info, &public_info, walk->reterr);
    return !walk->status && walk->each(walk->context, &public_info);
}

theater_status theater_folder_actors(theater_folder *folder,
                                     bool (*each)(void *context, const theater_actor_info *info),
                                     void *context, theater_error *reterr)
{
    public_walk walk = {folder, each, context, THEATER_OK, reterr};
    theater_status status = th_folder_list(folder, give_public, &walk, reterr);
    return status ? status : walk.status;
}

typedef struct named_walk {
    th_slice name;
    bool (*each)(void *context, const th_actor_info *info);
    void *context;
} named_walk;

static bool give_named(void *context, const th_actor_info *info)
{
    named_walk *walk = context;
    return !th_slice_equal(th_slice_text(info->name), walk->name) || walk->each(walk->context, info);
}

theater_status th_folder_named(theater_folder *folder, th_slice name,
                               bool (*each)(void *context, const th_actor_info *info), void *context,
                               theater_error *reterr)
{
    named_walk walk = {name, each, context};
    return th_folder_list(folder, give_named, &walk, reterr);
}

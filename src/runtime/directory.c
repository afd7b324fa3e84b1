/* The directory: every actor by name, and those that are not removed by id. An idle actor costs one entry:
 * some 70 bytes and its name, and 16 bytes in the two tables. A removed one keeps its entry, because its
 * name is never used again: a cause on a chain names an actor by name, and must mean one chain
 * (docs/decisions). */
#include "runtime/core.h"

/* FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/): names are chosen by the operator, not by an
 * attacker. */
static uint32_t hash_name(th_slice name)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < name.size; i++)
        hash = (hash ^ name.data[i]) * 16777619u;
    return hash;
}

static th_slice name_of(const th_entry *entry)
{
    return th_slice_of(entry->name, entry->name_size);
}

th_entry *th_directory_find(const th_directory *directory, th_slice name)
{
    if (directory->buckets == 0)
        return NULL;
    uint32_t hash = hash_name(name);
    th_entry *entry = directory->by_name[hash & (directory->buckets - 1)];
    while (entry && !(entry->name_hash == hash && th_slice_equal(name_of(entry), name)))
        entry = entry->next_name;
    return entry;
}

th_entry *th_directory_living(const th_directory *directory, th_slice name)
{
    th_entry *entry = th_directory_find(directory, name);
    return entry && (entry->status == TH_ACTOR_RUNNING || entry->status == TH_ACTOR_STOPPED) ? entry : NULL;
}

theater_status th_directory_none(const th_directory *directory, th_slice name, theater_error *reterr)
{
    int shown = name.size < 128 ? (int)name.size : 128;
    const th_entry *entry = th_directory_find(directory, name);
    return th_fail(reterr, THEATER_NOT_FOUND,
                   entry && entry->status == TH_ACTOR_REMOVED
                       ? "actor %.*s was removed: its chain can be read, but it does not run any more"
                       : "there is no actor %.*s that runs here",
                   shown, (const char *)name.data);
}

th_entry *th_directory_by_id(const th_directory *directory, uint64_t id)
{
    return id < directory->ids ? directory->by_id[id] : NULL;
}

static theater_status grow_buckets(th_directory *directory, theater_error *reterr)
{
    if (directory->count + directory->retired < directory->buckets)
        return THEATER_OK;
    size_t buckets = directory->buckets ? directory->buckets * 2 : 256;
    th_entry **by_name = th_alloc_zero(buckets, sizeof *by_name);
    if (!by_name)
        return th_fail_memory(reterr, "the directory of actors");
    for (size_t i = 0; i < directory->buckets; i++) {
        th_entry *entry = directory->by_name[i];
        while (entry) {
            th_entry *next = entry->next_name;
            th_entry **bucket = &by_name[entry->name_hash & (buckets - 1)];
            entry->next_name = *bucket;
            *bucket = entry;
            entry = next;
        }
    }
    th_free(directory->by_name);
    directory->by_name = by_name;
    directory->buckets = buckets;
    return THEATER_OK;
}

static theater_status grow_ids(th_directory *directory, uint64_t id, theater_error *reterr)
{
    if (id >= directory->ids_capacity) {
        uint64_t capacity = directory->ids_capacity ? directory->ids_capacity : 256;
        while (capacity <= id)
            capacity *= 2;
        th_entry **by_id = th_realloc(directory->by_id, capacity * sizeof *by_id);
        if (!by_id)
            return th_fail_memory(reterr, "the directory of actors");
        directory->by_id = by_id;
        directory->ids_capacity = capacity;
    }
    while (directory->ids <= id)
        directory->by_id[directory->ids++] = NULL;
    return THEATER_OK;
}

theater_status th_directory_add(th_directory *directory, th_slice name, uint64_t id, th_entry **ret,
                                theater_error *reterr)
{
    theater_status status = grow_buckets(directory, reterr);
    if (!status)
        status = grow_ids(directory, id, reterr);
    if (status)
        return status;
    th_entry *entry = th_alloc(sizeof *entry + name.size + 1);
    if (!entry)
        return th_fail_memory(reterr, "the directory of actors");
    *entry = (th_entry){.id = id, .name_hash = hash_name(name), .name_size = (uint8_t)name.size};
    memcpy(entry->name, name.data, name.size);
    entry->name[name.size] = 0;
    th_entry **bucket = &directory->by_name[entry->name_hash & (directory->buckets - 1)];
    entry->next_name = *bucket;
    *bucket = entry;
    directory->by_id[id] = entry;
    directory->count++;
    *ret = entry;
    return THEATER_OK;
}

void th_directory_detach(th_directory *directory, th_entry *entry)
{
    th_entry **link = &directory->by_name[entry->name_hash & (directory->buckets - 1)];
    while (*link != entry)
        link = &(*link)->next_name;
    *link = entry->next_name;
    directory->by_id[entry->id] = NULL;
    directory->count--;
}

void th_directory_retire(th_directory *directory, th_entry *entry)
{
    th_assert(entry->status == TH_ACTOR_REMOVED);
    directory->by_id[entry->id] = NULL;
    directory->count--;
    directory->retired++;
}

typedef struct load_state {
    theater_runtime *runtime;
    theater_error *reterr;
    theater_status status;
} load_state;

static bool load_one(void *context, const th_actor_info *info)
{
    load_state *loading = context;
    if (th_actor_imported(info))
        return true; /* it holds no name, removed or not */
    th_entry *entry;
    loading->status = th_directory_add(&loading->runtime->directory, th_slice_text(info->name), info->id,
                                       &entry, loading->reterr);
    if (loading->status)
        return false;
    if (info->status == TH_ACTOR_REMOVED) {
        entry->status = TH_ACTOR_REMOVED;
        th_directory_retire(&loading->runtime->directory, entry);
        return true;
    }
    entry->undelivered = info->undelivered;
    if (info->undelivered > 0) {
        entry->last_routed = th_store_covered(loading->runtime->store) - 1;
        entry->backlog = entry->last_routed + 1;
    }
    th_route_count_status(loading->runtime, entry, (uint8_t)info->status);
    return true;
}

theater_status th_directory_load(theater_runtime *runtime, theater_error *reterr)
{
    load_state loading = {.runtime = runtime, .reterr = reterr};
    theater_status status = th_store_list_actors(runtime->store, 0, load_one, &loading, reterr);
    /* After a failed commit, an import may still hold an id that it took before. */
    uint64_t next = th_store_next_actor_id(runtime->store);
    if (runtime->next_actor < next)
        runtime->next_actor = next;
    return status ? status : loading.status;
}

void th_directory_done(theater_runtime *runtime)
{
    th_directory *directory = &runtime->directory;
    for (size_t i = 0; i < directory->buckets; i++) {
        th_entry *entry = directory->by_name[i];
        while (entry) {
            th_entry *next = entry->next_name;
            if (entry->activity)
                th_activity_free(runtime, entry->activity);
            th_free(entry);
            entry = next;
        }
    }
    th_free(directory->by_name);
    th_free(directory->by_id);
    *directory = (th_directory){0};
}

/* port/simulation_names.c: entries of simulated folders, and their pending changes. */
#include "port/simulation_internal.h"

/* The place of `name` in the order, and whether it is there. */
static size_t place_of(const th_sim_entries *entries, const char *name, bool *ret_found)
{
    size_t low = 0, high = entries->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(entries->items[middle].name, name);
        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_found = false;
    return low;
}

th_sim_node *th_sim_entries_find(const th_sim_entries *entries, const char *name)
{
    bool found;
    size_t place = place_of(entries, name, &found);
    return found ? entries->items[place].node : NULL;
}

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = th_alloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

static theater_status insert(th_sim_entries *entries, size_t place, const char *name, th_sim_node *node,
                             theater_error *reterr)
{
    if (entries->count == entries->capacity) {
        size_t capacity = entries->capacity ? entries->capacity * 2 : 8;
        th_sim_entry *items = th_realloc(entries->items, capacity * sizeof *items);
        if (!items)
            return th_fail_memory(reterr, "a simulated folder");
        entries->items = items;
        entries->capacity = capacity;
    }
    char *copy = copy_text(name);
    if (!copy)
        return th_fail_memory(reterr, "a simulated folder");
    memmove(entries->items + place + 1, entries->items + place,
            (entries->count - place) * sizeof *entries->items);
    entries->items[place] = (th_sim_entry){copy, node};
    entries->count++;
    th_sim_node_ref(node);
    return THEATER_OK;
}

theater_status th_sim_entries_set(th_simulation *simulation, th_sim_entries *entries, const char *name,
                                  th_sim_node *node, theater_error *reterr)
{
    bool found;
    size_t place = place_of(entries, name, &found);
    if (!found)
        return insert(entries, place, name, node, reterr);
    th_sim_node *old = entries->items[place].node;
    th_sim_node_ref(node);
    entries->items[place].node = node;
    th_sim_node_unref(simulation, old);
    return THEATER_OK;
}

void th_sim_entries_remove(th_simulation *simulation, th_sim_entries *entries, const char *name)
{
    bool found;
    size_t place = place_of(entries, name, &found);
    if (!found)
        return;
    th_sim_entry entry = entries->items[place];
    entries->count--;
    memmove(entries->items + place, entries->items + place + 1,
            (entries->count - place) * sizeof *entries->items);
    th_free(entry.name);
    th_sim_node_unref(simulation, entry.node);
}

void th_sim_entries_done(th_simulation *simulation, th_sim_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        th_free(entries->items[i].name);
        th_sim_node_unref(simulation, entries->items[i].node);
    }
    th_free(entries->items);
    *entries = (th_sim_entries){.items = NULL};
}

/* ---- paths ---- */

/* Takes the next name of the path to `out`: false at its end. Empty names and "." are skipped. */
static bool next_name(const char **path, char *out, bool *ret_bad)
{
    for (;;) {
        *path += strspn(*path, "/");
        size_t size = strcspn(*path, "/");
        if (size == 0)
            return false;
        const char *name = *path;
        *path += size;
        if (size == 1 && name[0] == '.')
            continue;
        if (size > TH_SIM_NAME_MAX || (size == 2 && memcmp(name, "..", 2) == 0)) {
            *ret_bad = true;
            return false;
        }
        memcpy(out, name, size);
        out[size] = 0;
        return true;
    }
}

theater_status th_sim_find(th_simulation *simulation, const char *path, th_sim_place *ret,
                           theater_error *reterr)
{
    const char *rest = path;
    bool bad = false;
    char name[TH_SIM_NAME_MAX + 1];
    *ret = (th_sim_place){simulation->root, simulation->root, ""};
    while (next_name(&rest, name, &bad)) {
        if (!ret->node || !ret->node->is_folder)
            return th_fail(reterr, THEATER_NOT_FOUND, "%s: %s is no folder", path, ret->name);
        ret->folder = ret->node;
        ret->node = th_sim_entries_find(&ret->folder->current_entries, name);
        memcpy(ret->name, name, sizeof name);
    }
    if (bad)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s: the simulation takes no such path", path);
    return THEATER_OK;
}

/* ---- pending changes ---- */

static void free_change(th_simulation *simulation, th_sim_pending_name *change)
{
    th_sim_node_unref(simulation, change->node);
    if (change->from_folder)
        th_sim_node_unref(simulation, change->from_folder);
    if (change->to_folder)
        th_sim_node_unref(simulation, change->to_folder);
    th_free(change->from_name);
    th_free(change->to_name);
    th_free(change);
}

void th_sim_names_drop(th_simulation *simulation, th_sim_pending_name **link)
{
    th_sim_pending_name *change = *link;
    *link = change->next;
    if (simulation->last_name == &change->next)
        simulation->last_name = link;
    simulation->name_count--;
    free_change(simulation, change);
}

theater_status th_sim_names_apply(th_simulation *simulation, const th_sim_pending_name *change,
                                  theater_error *reterr)
{
    if (change->to_folder) {
        theater_status status = th_sim_entries_set(simulation, &change->to_folder->durable_entries,
                                                   change->to_name, change->node, reterr);
        if (status != THEATER_OK)
            return status;
    }
    /* The name may stand for another node by now, when an earlier change of it was lost: that one stays. */
    if (change->from_folder &&
        th_sim_entries_find(&change->from_folder->durable_entries, change->from_name) == change->node)
        th_sim_entries_remove(simulation, &change->from_folder->durable_entries, change->from_name);
    return THEATER_OK;
}

static theater_status new_change(th_sim_node *node, const th_sim_place *from, const th_sim_place *to,
                                 th_sim_pending_name **ret, theater_error *reterr)
{
    th_sim_pending_name *change = th_alloc_zero(1, sizeof *change);
    char *from_name = from ? copy_text(from->name) : NULL;
    char *to_name = to ? copy_text(to->name) : NULL;
    if (!change || (from && !from_name) || (to && !to_name)) {
        th_free(change);
        th_free(from_name);
        th_free(to_name);
        return th_fail_memory(reterr, "a change of a simulated folder");
    }
    *change = (th_sim_pending_name){.node = node, .from_name = from_name, .to_name = to_name};
    th_sim_node_ref(node);
    if (from)
        th_sim_node_ref(change->from_folder = from->folder);
    if (to)
        th_sim_node_ref(change->to_folder = to->folder);
    *ret = change;
    return THEATER_OK;
}

theater_status th_sim_names_change(th_simulation *simulation, th_sim_node *node, const th_sim_place *from,
                                   const th_sim_place *to, theater_error *reterr)
{
    th_sim_pending_name *change = NULL;
    theater_status status = new_change(node, from, to, &change, reterr);
    if (status != THEATER_OK)
        return status;
    if (to) {
        status = th_sim_entries_set(simulation, &to->folder->current_entries, to->name, node, reterr);
        if (status != THEATER_OK) {
            free_change(simulation, change);
            return status;
        }
    }
    if (from)
        th_sim_entries_remove(simulation, &from->folder->current_entries, from->name);
    *simulation->last_name = change;
    simulation->last_name = &change->next;
    simulation->name_count++;
    th_sim_note(simulation, TH_SIM_NAMES);
    th_sim_note(simulation, node->id);
    /* Keeps what is pending within its bound, as a journal that commits by itself now and then. */
    while (simulation->name_count > TH_SIM_PENDING_NAMES_MAX && status == THEATER_OK) {
        status = th_sim_names_apply(simulation, simulation->first_name, reterr);
        if (status == THEATER_OK)
            th_sim_names_drop(simulation, &simulation->first_name);
    }
    return status;
}

/* Marks the changes that touch the folder, and, as a rename ties two folders together, all those that touch a
 * folder that a marked one touches: a change of a name is never applied before an older one of the same
 * name. */
static void choose(th_simulation *simulation, th_sim_node *folder)
{
    for (th_sim_pending_name *change = simulation->first_name; change; change = change->next)
        change->chosen = change->from_folder == folder || change->to_folder == folder;
    for (bool more = true; more;) {
        more = false;
        for (th_sim_pending_name *a = simulation->first_name; a; a = a->next) {
            if (!a->chosen || !a->from_folder || !a->to_folder || a->from_folder == a->to_folder)
                continue;
            for (th_sim_pending_name *b = simulation->first_name; b; b = b->next) {
                if (b->chosen || !(b->from_folder == a->from_folder || b->from_folder == a->to_folder ||
                                   b->to_folder == a->from_folder || b->to_folder == a->to_folder))
                    continue;
                /* A NULL folder equals none of a's, so "nothing is made" ties nothing. */
                b->chosen = true;
                more = true;
            }
        }
    }
}

theater_status th_sim_names_sync(th_simulation *simulation, th_sim_node *folder, theater_error *reterr)
{
    choose(simulation, folder);
    for (th_sim_pending_name **link = &simulation->first_name; *link;) {
        if (!(*link)->chosen) {
            link = &(*link)->next;
            continue;
        }
        theater_status status = th_sim_names_apply(simulation, *link, reterr);
        if (status != THEATER_OK)
            return status;
        th_sim_names_drop(simulation, link);
    }
    return THEATER_OK;
}

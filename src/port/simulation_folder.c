/* port/simulation_folder.c: the folder calls of the simulated port. */
#include <stdio.h>

#include "port/simulation_internal.h"

/* Finds a place on a machine that has not crashed. */
static theater_status find(th_simulation *simulation, const char *what, const char *path, th_sim_place *ret,
                           theater_error *reterr)
{
    theater_status status = th_sim_alive(simulation, what, path, reterr);
    if (status == THEATER_OK)
        status = th_sim_find(simulation, path, ret, reterr);
    return status;
}

/* Changes entries, and counts that as one call. */
static theater_status change(th_simulation *simulation, const char *what, const char *path, th_sim_node *node,
                             const th_sim_place *from, const th_sim_place *to, theater_error *reterr)
{
    th_sim_pass_time(simulation, 50000);
    theater_status status = th_sim_names_change(simulation, node, from, to, reterr);
    return status == THEATER_OK ? th_sim_count_io(simulation, what, path, reterr) : status;
}

theater_status th_sim_make_folder(th_port *port, const char *path, theater_error *reterr)
{
    th_simulation *simulation = th_sim_of(port);
    th_sim_place place;
    theater_status status = find(simulation, "make the folder", path, &place, reterr);
    if (status != THEATER_OK)
        return status;
    if (place.node)
        return place.node->is_folder ? THEATER_OK
                                     : th_fail(reterr, THEATER_EXISTS,
                                               "cannot make the folder %s: it is there and no folder", path);
    if (th_sim_disk_room(simulation) == 0)
        return th_fail(reterr, THEATER_NO_SPACE, "cannot make the folder %s: the simulated disk is full",
                       path);
    th_sim_node *folder;
    status = th_sim_node_new(simulation, true, &folder, reterr);
    if (status != THEATER_OK)
        return status;
    status = change(simulation, "make the folder", path, folder, NULL, &place, reterr);
    th_sim_node_unref(simulation, folder);
    return status;
}

static theater_status check_rename(const th_sim_node *root, const th_sim_place *from, const th_sim_place *to,
                                   const char *from_path, const char *to_path, theater_error *reterr)
{
    if (!from->node)
        return th_fail(reterr, THEATER_NOT_FOUND, "cannot rename %s: there is no such entry", from_path);
    if (from->node == root || to->node == root)
        return th_fail(reterr, THEATER_BUSY, "cannot rename %s to %s: one is the root", from_path, to_path);
    /* A folder stays where it is: so the tree that a crash leaves, after some renames and without others, has
     * no cycle. */
    if (from->node->is_folder && from->folder != to->folder)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "cannot rename %s to %s: the simulation does not move folders between folders",
                       from_path, to_path);
    if (!to->node || to->node == from->node)
        return THEATER_OK;
    if (to->node->is_folder != from->node->is_folder || to->node->current_entries.count > 0)
        return th_fail(reterr, THEATER_EXISTS, "cannot rename %s to %s: that is in the way", from_path,
                       to_path);
    return THEATER_OK;
}

theater_status th_sim_rename(th_port *port, const char *from_path, const char *to_path, theater_error *reterr)
{
    th_simulation *simulation = th_sim_of(port);
    th_sim_place from, to;
    theater_status status = find(simulation, "rename", from_path, &from, reterr);
    if (status == THEATER_OK)
        status = find(simulation, "rename", to_path, &to, reterr);
    if (status == THEATER_OK)
        status = check_rename(simulation->root, &from, &to, from_path, to_path, reterr);
    if (status != THEATER_OK || to.node == from.node)
        return status;
    return change(simulation, "rename", from_path, from.node, &from, &to, reterr);
}

theater_status th_sim_remove(th_port *port, const char *path, theater_error *reterr)
{
    th_simulation *simulation = th_sim_of(port);
    th_sim_place place;
    theater_status status = find(simulation, "remove", path, &place, reterr);
    if (status != THEATER_OK)
        return status;
    if (!place.node)
        return th_fail(reterr, THEATER_NOT_FOUND, "cannot remove %s: there is no such entry", path);
    if (place.node == simulation->root)
        return th_fail(reterr, THEATER_BUSY, "cannot remove %s: it is the root", path);
    if (place.node->current_entries.count > 0)
        return th_fail(reterr, THEATER_EXISTS, "cannot remove %s: the folder is not empty", path);
    return change(simulation, "remove", path, place.node, &place, NULL, reterr);
}

/* The folder at the path. */
static theater_status find_folder(th_simulation *simulation, const char *what, const char *path,
                                  th_sim_node **ret, theater_error *reterr)
{
    th_sim_place place;
    theater_status status = find(simulation, what, path, &place, reterr);
    if (status != THEATER_OK)
        return status;
    if (!place.node || !place.node->is_folder)
        return th_fail(reterr, THEATER_NOT_FOUND, "cannot %s %s: there is no such folder", what, path);
    *ret = place.node;
    return THEATER_OK;
}

theater_status th_sim_sync_folder(th_port *port, const char *path, theater_error *reterr)
{
    th_simulation *simulation = th_sim_of(port);
    th_sim_node *folder;
    theater_status status = find_folder(simulation, "sync the folder", path, &folder, reterr);
    if (status != THEATER_OK)
        return status;
    th_sim_note(simulation, TH_SIM_SYNC);
    th_sim_note(simulation, folder->id);
    th_sim_pass_time(simulation, 300000);
    status = th_sim_count_io(simulation, "sync the folder", path, reterr);
    if (status != THEATER_OK)
        return status;
    /* The changes stay pending: a journal is not thrown away, and a later sync may still bring them
     * through. */
    if (th_sim_chance(simulation, simulation->faults.sync_fails))
        return th_fail(reterr, THEATER_IO, "cannot sync the folder %s: the simulated disk fails", path);
    return th_sim_names_sync(simulation, folder, reterr);
}

theater_status th_sim_list_folder(th_port *port, const char *path,
                                  bool (*entry)(void *context, const char *name), void *context,
                                  theater_error *reterr)
{
    th_sim_node *folder;
    theater_status status = find_folder(th_sim_of(port), "list", path, &folder, reterr);
    if (status != THEATER_OK)
        return status;
    th_names names;
    th_names_init(&names);
    for (size_t i = 0; i < folder->current_entries.count && status == THEATER_OK; i++)
        status = th_names_add(&names, folder->current_entries.items[i].name, reterr);
    if (status == THEATER_OK)
        th_names_visit(&names, entry, context);
    th_names_done(&names);
    return status;
}

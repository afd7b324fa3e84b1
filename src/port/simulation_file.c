/* port/simulation_file.c: the file calls of the simulated port. */
#include <stdio.h>

#include "port/simulation_internal.h"

static th_sim_file *cast(th_file *file)
{
    return (th_sim_file *)file;
}

/* Gives the file that `place` names, making it when `flags` ask for that, with a reference for the caller. */
static theater_status find_or_make(th_simulation *simulation, const char *path, unsigned flags,
                                   th_sim_node **ret, theater_error *reterr)
{
    th_sim_place place;
    theater_status status = th_sim_find(simulation, path, &place, reterr);
    if (status != THEATER_OK)
        return status;
    if (place.node) {
        if (flags & TH_FILE_EXCLUSIVE)
            return th_fail(reterr, THEATER_EXISTS, "cannot open %s: it is there already", path);
        if (place.node->is_folder)
            return th_fail(reterr, THEATER_INVALID_ARGUMENT, "cannot open %s: it is a folder", path);
        th_sim_node_ref(*ret = place.node);
        return THEATER_OK;
    }
    if (!(flags & TH_FILE_CREATE))
        return th_fail(reterr, THEATER_NOT_FOUND, "cannot open %s: there is no such file", path);
    if (th_sim_disk_room(simulation) == 0)
        return th_fail(reterr, THEATER_NO_SPACE, "cannot make %s: the simulated disk is full", path);
    th_sim_node *node;
    status = th_sim_node_new(simulation, false, &node, reterr);
    if (status != THEATER_OK)
        return status;
    status = th_sim_names_change(simulation, node, NULL, &place, reterr);
    if (status == THEATER_OK)
        status = th_sim_count_io(simulation, "make", path, reterr);
    if (status == THEATER_OK)
        *ret = node;
    else
        th_sim_node_unref(simulation, node);
    return status;
}

theater_status th_sim_file_open(th_port *port, const char *path, unsigned flags, th_file **ret,
                                theater_error *reterr)
{
    th_simulation *simulation = th_sim_of(port);
    theater_status status = th_sim_alive(simulation, "open", path, reterr);
    if (status != THEATER_OK)
        return status;
    size_t path_size = strlen(path) + 1;
    th_sim_file *file = th_alloc(sizeof *file + path_size);
    if (!file)
        return th_fail_memory(reterr, "a file handle");
    *file = (th_sim_file){.head = {port->operations}, .simulation = simulation, .flags = flags};
    memcpy(file->path, path, path_size);
    status = find_or_make(simulation, path, flags, &file->node, reterr);
    if (status != THEATER_OK) {
        th_free(file);
        return status;
    }
    simulation->open_files++;
    *ret = &file->head;
    return THEATER_OK;
}

void th_sim_file_close(th_file *head)
{
    th_sim_file *file = cast(head);
    if (file->node->locked_by == file)
        file->node->locked_by = NULL;
    file->simulation->open_files--;
    th_sim_node_unref(file->simulation, file->node);
    th_free(file);
}

theater_status th_sim_file_read(th_file *head, uint64_t offset, void *out, size_t size, size_t *ret_size,
                                theater_error *reterr)
{
    th_sim_file *file = cast(head);
    th_simulation *simulation = file->simulation;
    th_assert(file->flags & TH_FILE_READ);
    th_simulation_overlap(simulation);
    theater_status status = th_sim_alive(simulation, "read", file->path, reterr);
    if (status != THEATER_OK)
        return status;
    th_sim_pass_time(simulation, 5000);
    if (th_sim_chance(simulation, simulation->faults.read_fails))
        return th_fail(reterr, THEATER_IO, "cannot read %s: the simulated disk fails", file->path);
    const th_sim_image *image = &file->node->current;
    uint64_t rest = image->size > offset ? image->size - offset : 0;
    *ret_size = size < rest ? size : (size_t)rest;
    th_sim_image_read(image, offset, out, *ret_size);
    /* What stands on the disk follows from what was noted before, so the beginning of what is read is enough to
     * see that it does. All of it was a quarter of a simulation's time. */
    th_sim_note(simulation, TH_SIM_READ);
    th_sim_note(simulation, *ret_size);
    th_sim_note_bytes(simulation, out, *ret_size < 256 ? *ret_size : 256);
    return THEATER_OK;
}

/* How many bytes of a write that would end at `end` the disk has room for. */
static size_t fitting(const th_simulation *simulation, const th_sim_node *node, uint64_t offset, size_t size)
{
    uint64_t room = th_sim_disk_room(simulation);
    uint64_t limit = room < TH_SIM_FILE_MAX - node->allocated ? node->allocated + room : TH_SIM_FILE_MAX;
    if (offset >= limit)
        return 0;
    return size < limit - offset ? size : (size_t)(limit - offset);
}

theater_status th_sim_file_write(th_file *head, uint64_t offset, const th_slice *parts, size_t count,
                                 theater_error *reterr)
{
    th_sim_file *file = cast(head);
    th_simulation *simulation = file->simulation;
    th_assert(file->flags & TH_FILE_WRITE);
    th_simulation_overlap(simulation);
    theater_status status = th_sim_alive(simulation, "write", file->path, reterr);
    if (status != THEATER_OK)
        return status;
    size_t size = 0;
    th_sim_note(simulation, TH_SIM_WRITE);
    th_sim_note(simulation, file->node->id);
    th_sim_note(simulation, offset);
    for (size_t i = 0; i < count; i++) {
        size += parts[i].size;
        th_sim_note_bytes(simulation, parts[i].data, parts[i].size);
    }
    th_sim_pass_time(simulation, 20000);
    size_t fits = fitting(simulation, file->node, offset, size);
    bool fails = th_sim_chance(simulation, simulation->faults.write_fails);
    /* A write that fails may have written a first part. */
    size_t written = fails ? (size_t)th_simulation_below(simulation, (uint64_t)fits + 1) : fits;
    status = th_sim_node_write(simulation, file->node, offset, parts, count, written, reterr);
    if (status == THEATER_OK)
        status = th_sim_count_io(simulation, "write", file->path, reterr);
    if (status != THEATER_OK)
        return status;
    if (fails)
        return th_fail(reterr, THEATER_IO, "cannot write %s: the simulated disk fails", file->path);
    if (fits < size)
        return th_fail(reterr, THEATER_NO_SPACE, "cannot write %s: the simulated disk is full", file->path);
    return THEATER_OK;
}

theater_status th_sim_file_sync(th_file *head, theater_error *reterr)
{
    th_sim_file *file = cast(head);
    th_simulation *simulation = file->simulation;
    th_simulation_overlap(simulation);
    theater_status status = th_sim_alive(simulation, "sync", file->path, reterr);
    if (status != THEATER_OK)
        return status;
    th_sim_note(simulation, TH_SIM_SYNC);
    th_sim_note(simulation, file->node->id);
    th_sim_pass_time(simulation, 300000);
    /* Counted before anything is applied: at a crash in the midst of a sync the lot decides, as it does for
     * all that is pending. */
    status = th_sim_count_io(simulation, "sync", file->path, reterr);
    if (status != THEATER_OK)
        return status;
    if (th_sim_chance(simulation, simulation->faults.sync_fails)) {
        /* As a kernel that marks the pages clean after it could not write them: reads still see them, no
         * later sync writes them. */
        status = th_sim_settle_node(simulation, file->node, reterr);
        return status != THEATER_OK
                   ? status
                   : th_fail(reterr, THEATER_IO, "cannot sync %s: the simulated disk fails", file->path);
    }
    return th_sim_node_sync(file->node, reterr);
}

theater_status th_sim_file_size(th_file *head, uint64_t *ret, theater_error *reterr)
{
    th_sim_file *file = cast(head);
    theater_status status = th_sim_alive(file->simulation, "find the size of", file->path, reterr);
    if (status == THEATER_OK)
        *ret = file->node->current.size;
    return status;
}

static theater_status resize(th_sim_file *file, uint64_t size, const char *what, theater_error *reterr)
{
    th_simulation *simulation = file->simulation;
    if (size > TH_SIM_FILE_MAX)
        return th_fail(reterr, THEATER_NO_SPACE, "cannot %s %s: the simulated disk is full", what,
                       file->path);
    theater_status status = th_sim_node_resize(simulation, file->node, size, reterr);
    if (status != THEATER_OK)
        return status;
    th_sim_note(simulation, TH_SIM_RESIZE);
    th_sim_note(simulation, file->node->id);
    th_sim_note(simulation, size);
    th_sim_pass_time(simulation, 50000);
    return th_sim_count_io(simulation, what, file->path, reterr);
}

theater_status th_sim_file_reserve(th_file *head, uint64_t size, theater_error *reterr)
{
    th_sim_file *file = cast(head);
    th_simulation *simulation = file->simulation;
    th_assert(file->flags & TH_FILE_WRITE);
    th_simulation_overlap(simulation);
    theater_status status = th_sim_alive(simulation, "reserve room in", file->path, reterr);
    if (status != THEATER_OK)
        return status;
    if (file->node->current.size >= size)
        return THEATER_OK;
    if (th_sim_chance(simulation, simulation->faults.write_fails))
        return th_fail(reterr, THEATER_IO, "cannot reserve room in %s: the simulated disk fails", file->path);
    if (size > file->node->allocated && size - file->node->allocated > th_sim_disk_room(simulation))
        return th_fail(reterr, THEATER_NO_SPACE, "cannot reserve room in %s: the simulated disk is full",
                       file->path);
    status = resize(file, size, "reserve room in", reterr);
    if (status == THEATER_OK)
        th_sim_node_allocate(simulation, file->node, size);
    return status;
}

theater_status th_sim_file_truncate(th_file *head, uint64_t size, theater_error *reterr)
{
    th_sim_file *file = cast(head);
    th_assert(file->flags & TH_FILE_WRITE);
    theater_status status = th_sim_alive(file->simulation, "change the size of", file->path, reterr);
    if (status != THEATER_OK)
        return status;
    return resize(file, size, "change the size of", reterr);
}

theater_status th_sim_file_lock(th_file *head, uint32_t wait_ms, theater_error *reterr)
{
    th_sim_file *file = cast(head);
    theater_status status = th_sim_alive(file->simulation, "lock", file->path, reterr);
    if (status != THEATER_OK)
        return status;
    th_assert(file->flags & TH_FILE_WRITE);
    if (!file->node->locked_by || file->node->locked_by == file) {
        file->node->locked_by = file;
        return THEATER_OK;
    }
    /* The one thread is here, so nobody could give the lock back meanwhile: the wait is only time. */
    file->simulation->now_ns += wait_ms * (uint64_t)1000000;
    return th_fail(reterr, THEATER_BUSY, "%s is locked by another process or handle", file->path);
}

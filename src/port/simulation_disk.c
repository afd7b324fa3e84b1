/* port/simulation_disk.c: nodes of the simulated disk and their pending writes. */
#include "port/simulation_internal.h"

theater_status th_sim_node_new(th_simulation *simulation, bool is_folder, th_sim_node **ret,
                               theater_error *reterr)
{
    th_sim_node *node = th_alloc_zero(1, sizeof *node);
    if (!node)
        return th_fail_memory(reterr, "a node of the simulated disk");
    node->references = 1;
    node->is_folder = is_folder;
    node->id = simulation->next_node_id++;
    node->last_write = &node->first_write;
    node->next_all = simulation->all_nodes;
    if (node->next_all)
        node->next_all->previous_all = node;
    simulation->all_nodes = node;
    *ret = node;
    return THEATER_OK;
}

void th_sim_node_ref(th_sim_node *node)
{
    node->references++;
}

void th_sim_node_unref(th_simulation *simulation, th_sim_node *node)
{
    if (--node->references > 0)
        return;
    /* Entries go first: folders below are freed by this very function, as deep as the paths are. */
    th_sim_entries_done(simulation, &node->current_entries);
    th_sim_entries_done(simulation, &node->durable_entries);
    while (node->first_write)
        th_sim_node_drop_write(node);
    th_sim_image_done(&node->current);
    th_sim_image_done(&node->durable);
    simulation->disk_used -= node->allocated;
    if (node->previous_all)
        node->previous_all->next_all = node->next_all;
    else
        simulation->all_nodes = node->next_all;
    if (node->next_all)
        node->next_all->previous_all = node->previous_all;
    th_free(node);
}

uint64_t th_sim_disk_room(const th_simulation *simulation)
{
    uint64_t most = simulation->faults.disk_bytes;
    if (most == 0)
        return UINT64_MAX;
    return most > simulation->disk_used ? most - simulation->disk_used : 0;
}

void th_sim_node_allocate(th_simulation *simulation, th_sim_node *node, uint64_t end)
{
    if (end <= node->allocated)
        return;
    simulation->disk_used += end - node->allocated;
    node->allocated = end;
}

/* ---- pending writes ---- */

void th_sim_node_drop_write(th_sim_node *node)
{
    th_sim_pending_write *write = node->first_write;
    node->first_write = write->next;
    if (!node->first_write)
        node->last_write = &node->first_write;
    node->write_count--;
    node->write_bytes -= write->size;
    th_free(write);
}

static theater_status apply_first(th_sim_node *node, theater_error *reterr)
{
    const th_sim_pending_write *write = node->first_write;
    if (write->is_size) {
        th_sim_image_resize(&node->durable, write->offset);
    } else {
        theater_status status =
            th_sim_image_write(&node->durable, write->offset, write->data, write->size, reterr);
        if (status != THEATER_OK)
            return status;
    }
    th_sim_node_drop_write(node);
    return THEATER_OK;
}

theater_status th_sim_node_sync(th_sim_node *node, theater_error *reterr)
{
    while (node->first_write) {
        theater_status status = apply_first(node, reterr);
        if (status != THEATER_OK)
            return status;
    }
    return THEATER_OK;
}

static void add_pending(th_sim_node *node, th_sim_pending_write *write)
{
    *node->last_write = write;
    node->last_write = &write->next;
    node->write_count++;
    node->write_bytes += write->size;
}

/* Keeps the pending writes within their bounds: a kernel, too, writes back what it likes and when. */
static theater_status write_back(th_sim_node *node, theater_error *reterr)
{
    while (node->write_count > TH_SIM_PENDING_WRITES_MAX || node->write_bytes > TH_SIM_PENDING_BYTES_MAX) {
        theater_status status = apply_first(node, reterr);
        if (status != THEATER_OK)
            return status;
    }
    return THEATER_OK;
}

theater_status th_sim_node_write(th_simulation *simulation, th_sim_node *node, uint64_t offset,
                                 const th_slice *parts, size_t count, size_t size, theater_error *reterr)
{
    if (size == 0)
        return THEATER_OK;
    th_sim_pending_write *write = th_alloc(sizeof *write + size);
    if (!write)
        return th_fail_memory(reterr, "a simulated write");
    *write = (th_sim_pending_write){.offset = offset, .size = size};
    size_t done = 0;
    for (size_t i = 0; i < count && done < size; i++) {
        size_t part = parts[i].size < size - done ? parts[i].size : size - done;
        if (part > 0)
            memcpy(write->data + done, parts[i].data, part);
        done += part;
    }
    th_assert(done == size);
    theater_status status = th_sim_image_write(&node->current, offset, write->data, size, reterr);
    if (status != THEATER_OK) {
        th_free(write);
        return status;
    }
    th_sim_node_allocate(simulation, node, offset + size);
    add_pending(node, write);
    return write_back(node, reterr);
}

theater_status th_sim_node_resize(th_simulation *simulation, th_sim_node *node, uint64_t size,
                                  theater_error *reterr)
{
    th_sim_pending_write *write = th_alloc(sizeof *write);
    if (!write)
        return th_fail_memory(reterr, "a simulated change of size");
    *write = (th_sim_pending_write){.is_size = true, .offset = size};
    th_sim_image_resize(&node->current, size);
    if (size < node->allocated) {
        simulation->disk_used -= node->allocated - size;
        node->allocated = size;
    }
    add_pending(node, write);
    return write_back(node, reterr);
}

/* port/simulation_settle.c: what the disk got of what was pending, by lot.
 *
 * The lot is drawn per file, between four kinds of fate, because independent coins for each sector alone
 * would hardly ever give the plain cases: nothing came through, everything did, or all up to some point did.
 * Within the fourth kind each write, each of its sectors and each change of size has its own coin, in no
 * order, and the last sector that was kept may be torn: its first bytes are new, the others old.
 *
 * A write that grows the file has two fates, that of its bytes and that of the size: bytes past a size that
 * did not come through are not there, and a size without its bytes shows zeros. */
#include "port/simulation_internal.h"

typedef enum lot { NOTHING, ALL, PREFIX, SUBSET } lot;

static bool coin(th_simulation *simulation)
{
    return th_simulation_below(simulation, 2) == 0;
}

/* Puts the kept sectors of a write on the disk, the last of them perhaps torn, up to the offset `limit`. */
static theater_status keep_sectors(th_simulation *simulation, th_sim_node *node,
                                   const th_sim_pending_write *write, uint64_t limit, bool *kept,
                                   size_t sectors, theater_error *reterr)
{
    size_t last = sectors;
    for (size_t i = 0; i < sectors; i++) {
        if (kept[i])
            last = i;
    }
    bool torn = coin(simulation);
    uint64_t first_sector = write->offset / TH_SIM_SECTOR;
    for (size_t i = 0; i < sectors; i++) {
        if (!kept[i])
            continue;
        uint64_t from = (first_sector + i) * TH_SIM_SECTOR;
        uint64_t to = from + TH_SIM_SECTOR;
        from = from > write->offset ? from : write->offset;
        to = to < write->offset + write->size ? to : write->offset + write->size;
        if (i == last && torn)
            to = from + th_simulation_below(simulation, to - from);
        /* Bytes past the durable size have nowhere to be. */
        to = to < limit ? to : limit;
        if (from >= to)
            continue;
        theater_status status = th_sim_image_write(&node->durable, from, write->data + (from - write->offset),
                                                   (size_t)(to - from), reterr);
        if (status != THEATER_OK)
            return status;
    }
    return THEATER_OK;
}

/* A write of which each sector came through with a coin of its own. */
static theater_status settle_partly(th_simulation *simulation, th_sim_node *node,
                                    const th_sim_pending_write *write, theater_error *reterr)
{
    uint64_t end = write->offset + write->size;
    if (write->is_size) {
        if (coin(simulation))
            th_sim_image_resize(&node->durable, write->offset);
        return THEATER_OK;
    }
    if (end > node->durable.size && coin(simulation)) {
        /* The size came through, in whole or up to some place of the write. */
        uint64_t start = write->offset > node->durable.size ? write->offset : node->durable.size;
        uint64_t size = coin(simulation) ? end : start + th_simulation_below(simulation, end - start + 1);
        th_sim_image_resize(&node->durable, size);
    }
    size_t sectors = (size_t)((end - 1) / TH_SIM_SECTOR - write->offset / TH_SIM_SECTOR + 1);
    bool *kept = th_alloc(sectors * sizeof *kept);
    if (!kept)
        return th_fail_memory(reterr, "settling a simulated write");
    uint64_t tenths = 1 + th_simulation_below(simulation, 9);
    for (size_t i = 0; i < sectors; i++)
        kept[i] = th_simulation_below(simulation, 10) < tenths;
    theater_status status = keep_sectors(simulation, node, write, node->durable.size, kept, sectors, reterr);
    th_free(kept);
    return status;
}

static theater_status settle_whole(th_sim_node *node, const th_sim_pending_write *write,
                                   theater_error *reterr)
{
    if (write->is_size) {
        th_sim_image_resize(&node->durable, write->offset);
        return THEATER_OK;
    }
    return th_sim_image_write(&node->durable, write->offset, write->data, write->size, reterr);
}

theater_status th_sim_settle_node(th_simulation *simulation, th_sim_node *node, theater_error *reterr)
{
    if (!node->first_write)
        return THEATER_OK;
    node->differs = true;
    lot fate = (lot)th_simulation_below(simulation, 4);
    uint64_t prefix = fate == PREFIX ? th_simulation_below(simulation, node->write_count) : 0;
    theater_status status = THEATER_OK;
    for (uint64_t i = 0; node->first_write && status == THEATER_OK; i++) {
        const th_sim_pending_write *write = node->first_write;
        if (fate == ALL || (fate == PREFIX && i < prefix))
            status = settle_whole(node, write, reterr);
        else if ((fate == PREFIX && i == prefix) || (fate == SUBSET && coin(simulation)))
            status = settle_partly(simulation, node, write, reterr);
        th_sim_node_drop_write(node);
    }
    return status;
}

/* Pending changes of entries: none came through, all did, those up to some point, or each by its own coin. */
static theater_status settle_names(th_simulation *simulation, theater_error *reterr)
{
    lot fate = (lot)th_simulation_below(simulation, 4);
    uint64_t prefix = fate == PREFIX ? th_simulation_below(simulation, simulation->name_count + 1) : 0;
    theater_status status = THEATER_OK;
    for (uint64_t i = 0; simulation->first_name && status == THEATER_OK; i++) {
        if (fate == ALL || (fate == PREFIX && i < prefix) || (fate == SUBSET && coin(simulation)))
            status = th_sim_names_apply(simulation, simulation->first_name, reterr);
        th_sim_names_drop(simulation, &simulation->first_name);
    }
    return status;
}

/* Makes `current` what the disk holds. */
static theater_status reload(th_simulation *simulation, th_sim_node *node, theater_error *reterr)
{
    if (node->differs) {
        theater_status status = th_sim_image_copy(&node->current, &node->durable, reterr);
        if (status != THEATER_OK)
            return status;
        node->differs = false;
    }
    simulation->disk_used -= node->allocated;
    node->allocated = node->current.size;
    simulation->disk_used += node->allocated;
    th_sim_entries_done(simulation, &node->current_entries);
    for (size_t i = 0; i < node->durable_entries.count; i++) {
        const th_sim_entry *entry = &node->durable_entries.items[i];
        theater_status status =
            th_sim_entries_set(simulation, &node->current_entries, entry->name, entry->node, reterr);
        if (status != THEATER_OK)
            return status;
    }
    return THEATER_OK;
}

theater_status th_sim_settle_disk(th_simulation *simulation, theater_error *reterr)
{
    /* Holds every node for the while, since dropping changes and entries frees nodes that the walk is still
     * to meet. */
    for (th_sim_node *node = simulation->all_nodes; node; node = node->next_all)
        th_sim_node_ref(node);
    theater_status status = THEATER_OK;
    for (th_sim_node *node = simulation->all_nodes; node && status == THEATER_OK; node = node->next_all)
        status = th_sim_settle_node(simulation, node, reterr);
    if (status == THEATER_OK)
        status = settle_names(simulation, reterr);
    for (th_sim_node *node = simulation->all_nodes; node && status == THEATER_OK; node = node->next_all)
        status = reload(simulation, node, reterr);
    /* A node that goes takes its entries along, but never the next of the list: that one is still held by the
     * walk. */
    for (th_sim_node *node = simulation->all_nodes, *next; node; node = next) {
        next = node->next_all;
        th_sim_node_unref(simulation, node);
    }
    return status;
}

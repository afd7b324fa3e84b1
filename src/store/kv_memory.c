/* store/kv_memory.c: pairs in memory, alone or in front of others.
 *
 * Every operation takes the lock and copies what it found into the view, so nothing that a view gave can
 * change under it. */
#include "store/kv.h"

typedef struct kv_memory {
    th_kv head;
    th_mutex lock;
    th_kv_map *map;
    th_kv_view *base; /* borrowed; NULL without */
} kv_memory;

static kv_memory *cast(th_kv *kv)
{
    return (kv_memory *)kv;
}

static void memory_free(th_kv *kv)
{
    th_kv_map_free(cast(kv)->map);
    th_mutex_done(&cast(kv)->lock);
    th_free(kv);
}

static theater_status memory_begin(th_kv_view *view, theater_error *reterr)
{
    return THEATER_OK;
}

static void memory_end(th_kv_view *view)
{
}

static theater_status copy(th_buf *to, th_slice from, th_slice *ret, theater_error *reterr)
{
    th_buf_clear(to);
    theater_status status = th_buf_append(to, from, reterr);
    *ret = th_buf_slice(to);
    return status;
}

static theater_status get_locked(kv_memory *kv, th_kv_view *view, th_slice key, bool *ret_found,
                                 th_slice *ret_value, theater_error *reterr)
{
    const th_kv_node *node = th_kv_map_find(kv->map, key);
    th_slice value = node ? th_kv_node_value(node) : (th_slice){0};
    *ret_found = node && !th_kv_node_deleted(node);
    if (!node && kv->base) {
        theater_status status = th_kv_get(kv->base, key, ret_found, &value, reterr);
        if (status)
            return status;
    }
    return *ret_found ? copy(&view->value, value, ret_value, reterr) : THEATER_OK;
}

static theater_status memory_get(th_kv_view *view, th_slice key, bool *ret_found, th_slice *ret_value,
                                 theater_error *reterr)
{
    kv_memory *kv = cast(view->kv);
    th_mutex_lock(&kv->lock);
    theater_status status = get_locked(kv, view, key, ret_found, ret_value, reterr);
    th_mutex_unlock(&kv->lock);
    return status;
}

/* The first pair at or after `key` of map and base together, still theirs. */
static theater_status seek_both(kv_memory *kv, th_kv_view *view, th_slice key, bool *ret_found,
                                th_slice *ret_key, th_slice *ret_value, theater_error *reterr)
{
    const th_kv_node *node = th_kv_map_seek(kv->map, key);
    while (true) {
        *ret_found = false;
        if (kv->base) {
            theater_status status = th_kv_seek(kv->base, key, ret_found, ret_key, ret_value, reterr);
            if (status)
                return status;
        }
        int order = !node ? 1 : *ret_found ? th_key_compare(th_kv_node_key(node), *ret_key) : -1;
        if (order > 0)
            return THEATER_OK;
        if (!th_kv_node_deleted(node)) {
            *ret_found = true;
            *ret_key = th_kv_node_key(node);
            *ret_value = th_kv_node_value(node);
            return THEATER_OK;
        }
        /* Hidden: go on behind it. Its key with a zero behind is the next possible one. */
        th_slice after;
        theater_status status = copy(&view->key, th_kv_node_key(node), &after, reterr);
        if (!status)
            status = th_buf_append_byte(&view->key, 0, reterr);
        if (status)
            return status;
        key = th_buf_slice(&view->key);
        node = th_kv_node_next(node);
    }
}

static theater_status memory_seek(th_kv_view *view, th_slice key, bool *ret_found, th_slice *ret_key,
                                  th_slice *ret_value, theater_error *reterr)
{
    kv_memory *kv = cast(view->kv);
    th_slice found_key = {0}, found_value = {0};
    th_mutex_lock(&kv->lock);
    theater_status status = seek_both(kv, view, key, ret_found, &found_key, &found_value, reterr);
    if (!status && *ret_found)
        status = copy(&view->key, found_key, ret_key, reterr);
    if (!status && *ret_found)
        status = copy(&view->value, found_value, ret_value, reterr);
    th_mutex_unlock(&kv->lock);
    return status;
}

/* All room is made first, so that the changes themselves cannot fail half-way. */
static theater_status apply_locked(kv_memory *kv, const th_kv_map *changes, theater_error *reterr)
{
    for (const th_kv_node *node = th_kv_map_first(changes); node; node = th_kv_node_next(node)) {
        if (th_kv_node_deleted(node) && !kv->base)
            continue;
        size_t size = th_kv_node_deleted(node) ? 0 : th_kv_node_value(node).size;
        theater_status status = th_kv_map_prepare(kv->map, th_kv_node_key(node), size, reterr);
        if (status)
            return status;
    }
    for (const th_kv_node *node = th_kv_map_first(changes); node; node = th_kv_node_next(node)) {
        theater_status status = THEATER_OK;
        if (!th_kv_node_deleted(node))
            status = th_kv_map_put(kv->map, th_kv_node_key(node), th_kv_node_value(node), reterr);
        else if (kv->base)
            status = th_kv_map_delete(kv->map, th_kv_node_key(node), reterr);
        else
            th_kv_map_forget(kv->map, th_kv_node_key(node));
        th_assert(!status);
    }
    return THEATER_OK;
}

static theater_status memory_apply(th_kv *head, const th_kv_map *changes, theater_error *reterr)
{
    kv_memory *kv = cast(head);
    th_mutex_lock(&kv->lock);
    theater_status status = apply_locked(kv, changes, reterr);
    th_mutex_unlock(&kv->lock);
    return status;
}

static const th_kv_operations memory_operations = {memory_free, memory_begin, memory_end,
                                                   memory_get,  memory_seek,  memory_apply};

theater_status th_kv_memory_new(th_port *port, th_kv_view *base, uint64_t max_bytes, th_kv **ret,
                                theater_error *reterr)
{
    kv_memory *kv = th_alloc_zero(1, sizeof *kv);
    if (!kv)
        return th_fail_memory(reterr, "an index in memory");
    theater_status status = th_kv_map_new(max_bytes, &kv->map, reterr);
    if (status) {
        th_free(kv);
        return status;
    }
    kv->head.operations = &memory_operations;
    kv->base = base;
    th_mutex_init(port, &kv->lock);
    *ret = &kv->head;
    return THEATER_OK;
}

void th_kv_memory_clear(th_kv *kv)
{
    th_kv_map_clear(cast(kv)->map);
}

void th_kv_memory_set_base(th_kv *kv, th_kv_view *base)
{
    cast(kv)->base = base;
}

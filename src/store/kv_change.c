/* store/kv_change.c: views, and the changes of one transaction over a view. */
#include "store/kv.h"

/* Values are at most blocks of positions and short rows; the bound only keeps damage from asking for more. */
#define VALUE_MAX ((size_t)1 << 20)

theater_status th_kv_begin(th_kv *kv, th_kv_view *ret, theater_error *reterr)
{
    *ret = (th_kv_view){.kv = kv};
    th_buf_init(&ret->key, TH_KEY_MAX + 1);
    th_buf_init(&ret->value, VALUE_MAX);
    return kv->operations->begin(ret, reterr);
}

void th_kv_end(th_kv_view *view)
{
    if (view->kv)
        view->kv->operations->end(view);
    th_buf_done(&view->key);
    th_buf_done(&view->value);
    view->kv = NULL;
}

theater_status th_kv_change_begin(th_kv *kv, uint64_t max_bytes, th_kv_change *ret, theater_error *reterr)
{
    *ret = (th_kv_change){0};
    th_buf_init(&ret->seek_key, TH_KEY_MAX + 1);
    theater_status status = th_kv_map_new(max_bytes, &ret->changes, reterr);
    if (status)
        return status;
    status = th_kv_begin(kv, &ret->view, reterr);
    if (status) {
        ret->view.kv = NULL;
        th_kv_change_end(ret);
    }
    return status;
}

void th_kv_change_end(th_kv_change *change)
{
    th_kv_end(&change->view);
    th_kv_map_free(change->changes);
    th_buf_done(&change->seek_key);
    change->changes = NULL;
}

theater_status th_kv_change_get(th_kv_change *change, th_slice key, bool *ret_found, th_slice *ret_value,
                                theater_error *reterr)
{
    const th_kv_node *node = th_kv_map_find(change->changes, key);
    if (!node)
        return th_kv_get(&change->view, key, ret_found, ret_value, reterr);
    *ret_found = !th_kv_node_deleted(node);
    *ret_value = th_kv_node_value(node);
    return THEATER_OK;
}

theater_status th_kv_change_seek(th_kv_change *change, th_slice key, bool *ret_found, th_slice *ret_key,
                                 th_slice *ret_value, theater_error *reterr)
{
    while (true) {
        const th_kv_node *node = th_kv_map_seek(change->changes, key);
        theater_status status = th_kv_seek(&change->view, key, ret_found, ret_key, ret_value, reterr);
        if (status || !node)
            return status;
        int order = *ret_found ? th_key_compare(th_kv_node_key(node), *ret_key) : -1;
        if (order > 0)
            return THEATER_OK;
        if (!th_kv_node_deleted(node)) {
            *ret_found = true;
            *ret_key = th_kv_node_key(node);
            *ret_value = th_kv_node_value(node);
            return THEATER_OK;
        }
        /* Deleted here: look behind it. The key followed by a zero is the next possible one. */
        th_buf_clear(&change->seek_key);
        status = th_buf_append(&change->seek_key, th_kv_node_key(node), reterr);
        if (!status)
            status = th_buf_append_byte(&change->seek_key, 0, reterr);
        if (status)
            return status;
        key = th_buf_slice(&change->seek_key);
    }
}

theater_status th_kv_change_commit(th_kv_change *change, theater_error *reterr)
{
    th_kv *kv = change->view.kv;
    th_kv_end(&change->view);
    return th_kv_apply(kv, change->changes, reterr);
}

#include "runtime/item.h"

th_item *th_item_new(th_item_kind kind, size_t memory_size)
{
    th_item *item = th_alloc(sizeof *item + memory_size);
    if (!item)
        return NULL;
    item->memory_room = memory_size;
    th_item_reset(item, kind);
    item->memory_size = memory_size;
    return item;
}

void th_item_reset(th_item *item, th_item_kind kind)
{
    /* All but the words of an error, which are most of it. */
    size_t words = offsetof(th_item, answer.error.message), room = item->memory_room;
    size_t behind = offsetof(th_item, answer) + sizeof item->answer;
    memset(item, 0, words + 1);
    memset((uint8_t *)item + behind, 0, offsetof(th_item, memory) - behind);
    item->kind = kind;
    item->memory_room = room;
}

void th_item_free(th_item *item)
{
    if (!item)
        return;
    theater_bytes_free(&item->answer.output);
    th_free(item);
}

th_slice th_item_keep(th_item *item, size_t *used, th_slice bytes)
{
    th_assert(bytes.size <= item->memory_size - *used);
    uint8_t *place = item->memory + *used;
    if (bytes.size)
        memcpy(place, bytes.data, bytes.size);
    *used += bytes.size;
    return th_slice_of(place, bytes.size);
}

void th_item_push(th_item_queue *queue, th_item *take_item)
{
    take_item->next = NULL;
    if (queue->last)
        queue->last->next = take_item;
    else
        queue->first = take_item;
    queue->last = take_item;
    queue->count++;
}

void th_item_push_front(th_item_queue *queue, th_item *take_item)
{
    take_item->next = queue->first;
    queue->first = take_item;
    if (!queue->last)
        queue->last = take_item;
    queue->count++;
}

th_item *th_item_pop(th_item_queue *queue)
{
    th_item *item = queue->first;
    if (!item)
        return NULL;
    queue->first = item->next;
    if (!queue->first)
        queue->last = NULL;
    queue->count--;
    item->next = NULL;
    return item;
}

void th_item_append(th_item_queue *queue, th_item_queue *take_items)
{
    if (!take_items->first)
        return;
    if (queue->last)
        queue->last->next = take_items->first;
    else
        queue->first = take_items->first;
    queue->last = take_items->last;
    queue->count += take_items->count;
    *take_items = (th_item_queue){0};
}

void th_item_prepend(th_item_queue *queue, th_item_queue *take_items)
{
    th_item_append(take_items, queue);
    *queue = *take_items;
    *take_items = (th_item_queue){0};
}

void theater_answer_done(theater_answer *answer)
{
    theater_bytes_free(&answer->output);
    *answer = (theater_answer){0};
}

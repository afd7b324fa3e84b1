/* runtime/item.h: what waits in a mailbox: a message, a query, or something to do with an actor. */
#ifndef TH_RUNTIME_ITEM_H
#define TH_RUNTIME_ITEM_H

#include "chain/element.h"
#include "store/store.h"
#include "theater/runtime.h"

typedef enum th_item_kind {
    TH_ITEM_CLIENT,  /* a client's message */
    TH_ITEM_CAUSE,   /* a message, answer or notice from another chain */
    TH_ITEM_QUERY,
    TH_ITEM_CONTROL, /* see control.h */
} th_item_kind;

struct th_control;

/* One allocation with all its bytes behind it. Owned by the queue that it stands in, by the worker while it
 * runs, by the batch while its answer waits for a commit. */
typedef struct th_item {
    struct th_item *next;
    th_item_kind kind;

    theater_completion completion; /* CLIENT, QUERY, CONTROL */
    void *context;
    uint64_t accepted_ns; /* CLIENT: when it was submitted, of the monotonic clock */
    theater_answer answer;

    th_slice payload, principal, id; /* in `memory` */

    /* CAUSE */
    th_cause cause;             /* its actor's name is in `memory` */
    th_message_key key;         /* the number is known when the record that produced it is enqueued */
    uint64_t from;              /* id of the actor whose record produced it */
    uint64_t request;           /* MESSAGE: not 0 when the sender waits for an answer */

    /* While it is on its way out of a slice. */
    uint32_t route_record;      /* the record of the batch that produces it */
    uint64_t route_to;          /* an answer: id of the requester; 0: a message, to the name `to` */
    th_slice to;                /* in `memory` */

    struct th_control *control; /* CONTROL: of the caller, who waits */
    size_t memory_size; /* bytes of `memory` that are in use */
    size_t memory_room; /* that there are */
    uint8_t memory[];
} th_item;

typedef struct th_item_queue {
    th_item *first, *last;
    size_t count;
} th_item_queue;

/* An item with room for `memory_size` bytes, zeroed but for those. NULL: out of memory. */
th_item *th_item_new(th_item_kind kind, size_t memory_size);
/* Makes an item that was used as new, but for its bytes and their room. */
void th_item_reset(th_item *item, th_item_kind kind);
void th_item_free(th_item *item); /* accepts NULL; frees the answer too */
/* Copies bytes into the item's memory, whose room was asked for at the start. */
th_slice th_item_keep(th_item *item, size_t *used, th_slice bytes);

void th_item_push(th_item_queue *queue, th_item *take_item);
void th_item_push_front(th_item_queue *queue, th_item *take_item);
th_item *th_item_pop(th_item_queue *queue); /* NULL when it is empty */
void th_item_append(th_item_queue *queue, th_item_queue *take_items);  /* empties the second */
void th_item_prepend(th_item_queue *queue, th_item_queue *take_items); /* likewise */

#endif

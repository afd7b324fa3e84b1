#include "base/bytes.h"

#define BLOCK_SIZE ((size_t)64 * 1024)

struct th_arena_block {
    th_arena_block *next;
    size_t size;
    size_t used;
    size_t unused_padding;
    _Alignas(16) uint8_t data[];
};

void th_arena_init(th_arena *arena, size_t max)
{
    *arena = (th_arena){.max = max};
}

void th_arena_done(th_arena *arena)
{
    th_arena_clear(arena, 0);
}

void th_arena_clear(th_arena *arena, size_t keep)
{
    th_arena_block **link = &arena->first;
    size_t kept = 0;
    while (*link) {
        th_arena_block *block = *link;
        if (kept + block->size <= keep) {
            kept += block->size;
            block->used = 0;
            link = &block->next;
        } else {
            *link = block->next;
            th_free(block);
        }
    }
    arena->current = arena->first;
    arena->used = 0;
}

static th_arena_block *block_with_room(th_arena *arena, size_t size)
{
    for (th_arena_block *block = arena->current; block; block = block->next) {
        if (block->size - block->used >= size)
            return block;
    }
    size_t block_size = size > BLOCK_SIZE ? size : BLOCK_SIZE;
    th_arena_block *block = th_alloc(sizeof *block + block_size);
    if (!block)
        return NULL;
    *block = (th_arena_block){.size = block_size};
    th_arena_block **link = arena->current ? &arena->current->next : &arena->first;
    while (*link)
        link = &(*link)->next;
    *link = block;
    return block;
}

void *th_arena_alloc(th_arena *arena, size_t size)
{
    if (size > arena->max - arena->used)
        return NULL;
    size_t rounded = (size + 15) & ~(size_t)15;
    if (rounded < size)
        return NULL;
    th_arena_block *block = block_with_room(arena, rounded);
    if (!block)
        return NULL;
    void *place = block->data + block->used;
    block->used += rounded;
    arena->used += size;
    /* A large piece in a block of its own must not make small ones that follow skip the room before it. */
    if (rounded < BLOCK_SIZE)
        arena->current = block;
    return place;
}

th_slice th_arena_copy(th_arena *arena, th_slice bytes)
{
    void *place = th_arena_alloc(arena, bytes.size);
    if (place && bytes.size)
        memcpy(place, bytes.data, bytes.size);
    return (th_slice){place, bytes.size};
}

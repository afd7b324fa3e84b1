#include "store/kv_map.h"

#define LEVELS 16

struct th_kv_node {
    uint64_t prefix; /* the key's first eight bytes as a number: most comparisons need no more */
    uint8_t *value;
    uint32_t value_size;
    uint32_t value_room;
    uint16_t key_size;
    uint8_t height;
    bool deleted;
    bool ghost; /* only prepared: as if it were not there */
    th_kv_node *next[]; /* `height` of them, then the key */
};

struct th_kv_map {
    th_kv_node *first[LEVELS];
    uint64_t bytes;
    uint64_t max_bytes;
    uint64_t random; /* heights only: it need not be unpredictable, and the same calls give the same list */
};

static uint64_t prefix_of(th_slice key)
{
    uint8_t bytes[8] = {0};
    memcpy(bytes, key.data, key.size < 8 ? key.size : 8);
    return th_get_u64be(bytes);
}

static const uint8_t *node_key(const th_kv_node *node)
{
    return (const uint8_t *)&node->next[node->height];
}

int th_key_compare(th_slice a, th_slice b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common ? memcmp(a.data, b.data, common) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

static bool before(const th_kv_node *node, uint64_t prefix, th_slice key)
{
    if (node->prefix != prefix)
        return node->prefix < prefix;
    return th_key_compare(th_slice_of(node_key(node), node->key_size), key) < 0;
}

/* The links that a node with this key has before it, one for each level. */
static void find_links(const th_kv_map *map, th_slice key, th_kv_node **links[LEVELS])
{
    uint64_t prefix = prefix_of(key);
    th_kv_node *const *from = map->first;
    for (int level = LEVELS - 1; level >= 0; level--) {
        while (from[level] && before(from[level], prefix, key))
            from = from[level]->next;
        links[level] = (th_kv_node **)&from[level];
    }
}

static th_kv_node *seek(const th_kv_map *map, th_slice key)
{
    uint64_t prefix = prefix_of(key);
    th_kv_node *const *from = map->first;
    for (int level = LEVELS - 1; level >= 0; level--) {
        while (from[level] && before(from[level], prefix, key))
            from = from[level]->next;
    }
    return from[0];
}

static bool is_key(const th_kv_node *node, th_slice key)
{
    return node && node->key_size == key.size && memcmp(node_key(node), key.data, key.size) == 0;
}

theater_status th_kv_map_new(uint64_t max_bytes, th_kv_map **ret, theater_error *reterr)
{
    th_kv_map *map = th_alloc_zero(1, sizeof *map);
    if (!map)
        return th_fail_memory(reterr, "changes of the index");
    map->max_bytes = max_bytes;
    map->random = 0x9e3779b97f4a7c15u;
    *ret = map;
    return THEATER_OK;
}

static size_t node_bytes(const th_kv_node *node)
{
    return sizeof *node + node->height * sizeof node->next[0] + node->key_size;
}

static void free_node(th_kv_node *node)
{
    th_free(node->value);
    th_free(node);
}

void th_kv_map_clear(th_kv_map *map)
{
    for (th_kv_node *node = map->first[0], *next; node; node = next) {
        next = node->next[0];
        free_node(node);
    }
    memset(map->first, 0, sizeof map->first);
    map->bytes = 0;
}

void th_kv_map_free(th_kv_map *map)
{
    if (!map)
        return;
    th_kv_map_clear(map);
    th_free(map);
}

uint64_t th_kv_map_bytes(const th_kv_map *map)
{
    return map->bytes;
}

/* A quarter of the nodes of each level stands on the next one. */
static uint8_t random_height(th_kv_map *map)
{
    map->random ^= map->random << 13;
    map->random ^= map->random >> 7;
    map->random ^= map->random << 17;
    uint8_t height = 1;
    for (uint64_t bits = map->random >> 11; height < LEVELS && (bits & 3) == 0; bits >>= 2)
        height++;
    return height;
}

static theater_status add_node(th_kv_map *map, th_slice key, th_kv_node **ret, theater_error *reterr)
{
    th_kv_node **links[LEVELS];
    find_links(map, key, links);
    if (is_key(*links[0], key)) {
        *ret = *links[0];
        return THEATER_OK;
    }
    uint8_t height = random_height(map);
    size_t size = sizeof(th_kv_node) + height * sizeof(th_kv_node *) + key.size;
    if (size > map->max_bytes - map->bytes)
        return th_fail(reterr, THEATER_TOO_LARGE, "the changes of the index pass %llu bytes",
                       (unsigned long long)map->max_bytes);
    th_kv_node *node = th_alloc(size);
    if (!node)
        return th_fail_memory(reterr, "changes of the index");
    *node = (th_kv_node){
        .prefix = prefix_of(key), .key_size = (uint16_t)key.size, .height = height, .ghost = true};
    memcpy(&node->next[height], key.data, key.size);
    for (int level = 0; level < height; level++) {
        node->next[level] = *links[level];
        *links[level] = node;
    }
    map->bytes += size;
    *ret = node;
    return THEATER_OK;
}

/* Gives the node room for a value, keeping the one that it has. */
static theater_status grow_value(th_kv_map *map, th_kv_node *node, size_t size, theater_error *reterr)
{
    if (size <= node->value_room)
        return THEATER_OK;
    if (size - node->value_room > map->max_bytes - map->bytes)
        return th_fail(reterr, THEATER_TOO_LARGE, "the changes of the index pass %llu bytes",
                       (unsigned long long)map->max_bytes);
    uint8_t *value = th_realloc(node->value, size);
    if (!value)
        return th_fail_memory(reterr, "changes of the index");
    map->bytes += size - node->value_room;
    node->value = value;
    node->value_room = (uint32_t)size;
    return THEATER_OK;
}

theater_status th_kv_map_prepare(th_kv_map *map, th_slice key, size_t size, theater_error *reterr)
{
    th_kv_node *node;
    th_assert(key.size > 0 && key.size <= UINT16_MAX && size < UINT32_MAX);
    theater_status status = add_node(map, key, &node, reterr);
    return status ? status : grow_value(map, node, size, reterr);
}

theater_status th_kv_map_put(th_kv_map *map, th_slice key, th_slice value, theater_error *reterr)
{
    th_kv_node *node;
    th_assert(key.size > 0 && key.size <= UINT16_MAX && value.size < UINT32_MAX);
    theater_status status = add_node(map, key, &node, reterr);
    if (!status)
        status = grow_value(map, node, value.size, reterr);
    if (status)
        return status;
    if (value.size)
        memcpy(node->value, value.data, value.size);
    node->value_size = (uint32_t)value.size;
    node->deleted = node->ghost = false;
    return THEATER_OK;
}

theater_status th_kv_map_delete(th_kv_map *map, th_slice key, theater_error *reterr)
{
    th_kv_node *node;
    theater_status status = add_node(map, key, &node, reterr);
    if (status)
        return status;
    node->deleted = true;
    node->ghost = false;
    return THEATER_OK;
}

void th_kv_map_forget(th_kv_map *map, th_slice key)
{
    th_kv_node **links[LEVELS];
    find_links(map, key, links);
    th_kv_node *node = *links[0];
    if (!is_key(node, key))
        return;
    for (int level = 0; level < node->height; level++)
        *links[level] = node->next[level];
    map->bytes -= node_bytes(node) + node->value_room;
    free_node(node);
}

static const th_kv_node *skip_ghosts(const th_kv_node *node)
{
    while (node && node->ghost)
        node = node->next[0];
    return node;
}

const th_kv_node *th_kv_map_find(const th_kv_map *map, th_slice key)
{
    const th_kv_node *node = seek(map, key);
    return is_key(node, key) && !node->ghost ? node : NULL;
}

const th_kv_node *th_kv_map_seek(const th_kv_map *map, th_slice key)
{
    return skip_ghosts(seek(map, key));
}

const th_kv_node *th_kv_map_first(const th_kv_map *map)
{
    return skip_ghosts(map->first[0]);
}

const th_kv_node *th_kv_node_next(const th_kv_node *node)
{
    return skip_ghosts(node->next[0]);
}

th_slice th_kv_node_key(const th_kv_node *node)
{
    return th_slice_of(node_key(node), node->key_size);
}

th_slice th_kv_node_value(const th_kv_node *node)
{
    return th_slice_of(node->value, node->value_size);
}

bool th_kv_node_deleted(const th_kv_node *node)
{
    return node->deleted;
}

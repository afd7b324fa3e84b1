#include "chain/turn_random.h"

void th_turn_random_init(th_turn_random *random, th_hasher *hasher, const th_hash *previous,
                         uint64_t sequence, uint64_t timestamp, const th_hash *input)
{
    uint8_t numbers[16];
    th_put_u64be(numbers, sequence);
    th_put_u64be(numbers + 8, timestamp);
    th_slice parts[] = {
        th_slice_text("theater-random-v1"),
        th_slice_of(previous->bytes, THEATER_HASH_SIZE),
        th_slice_of(numbers, sizeof numbers),
        th_slice_of(input->bytes, THEATER_HASH_SIZE),
    };
    th_sha256(hasher, parts, 4, &random->seed);
    random->position = 0;
}

static void make_block(th_turn_random *random, th_hasher *hasher)
{
    uint8_t bytes[THEATER_HASH_SIZE + 8];
    memcpy(bytes, random->seed.bytes, THEATER_HASH_SIZE);
    th_put_u64be(bytes + THEATER_HASH_SIZE, random->position / THEATER_HASH_SIZE);
    th_sha256_of(hasher, th_slice_of(bytes, sizeof bytes), &random->block);
}

bool th_turn_random_read(th_turn_random *random, th_hasher *hasher, uint8_t *out, size_t size)
{
    if (size > TH_RANDOM_MAX - random->position)
        return false;
    while (size > 0) {
        size_t offset = random->position % THEATER_HASH_SIZE;
        size_t part = THEATER_HASH_SIZE - offset < size ? THEATER_HASH_SIZE - offset : size;
        if (offset == 0)
            make_block(random, hasher);
        memcpy(out, random->block.bytes + offset, part);
        random->position += (uint32_t)part;
        out += part;
        size -= part;
    }
    return true;
}

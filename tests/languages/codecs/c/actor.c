/* A state in CBOR: see codecs.test. */
#include <theater.h>

typedef struct shelf {
    theater_slice name;
    uint64_t count;
} shelf;

struct stock {
    theater_slice title;
    int64_t left;
    double price;
    shelf *shelves;
    size_t shelf_count;
    bool has_note;
    theater_slice note;
    bool *even;
    size_t even_count;
};

static void stock_parts(theater_codec *codec, struct stock *stock)
{
    theater_codec_object(codec, NULL);
    theater_codec_text(codec, "title", &stock->title);
    theater_codec_i64(codec, "left", &stock->left);
    theater_codec_double(codec, "price", &stock->price);
    stock->shelves = theater_codec_map(codec, "shelves", stock->shelves, &stock->shelf_count, sizeof(shelf));
    for (size_t i = 0; i < stock->shelf_count; i++) {
        theater_codec_key(codec, &stock->shelves[i].name);
        theater_codec_u64(codec, NULL, &stock->shelves[i].count);
    }
    theater_codec_end(codec);
    if (theater_codec_optional(codec, "note", &stock->has_note))
        theater_codec_text(codec, NULL, &stock->note);
    stock->even = theater_codec_array(codec, "even", stock->even, &stock->even_count, sizeof(bool));
    for (size_t i = 0; i < stock->even_count; i++)
        theater_codec_bool(codec, NULL, &stock->even[i]);
    theater_codec_end(codec);
    theater_codec_end(codec);
}

static theater_result init(theater_slice config)
{
    struct stock stock = {.title = config};
    stock.price = 0.5;
    theater_codec codec = theater_codec_writer(THEATER_CBOR);
    stock_parts(&codec, &stock);
    return theater_start_value(&codec);
}

/* Room for one more of `count` items. */
static void *with_one_more(const void *items, size_t count, size_t size)
{
    theater_bytes room = theater_bytes_new((count + 1) * size);
    theater_copy(room.data, items, count * size);
    return room.data;
}

static theater_result put(struct stock *stock, theater_slice name, uint64_t count)
{
    size_t at = 0;
    while (at < stock->shelf_count && !theater_slice_equal(stock->shelves[at].name, name))
        at++;
    if (at == stock->shelf_count)
        stock->shelves = with_one_more(stock->shelves, stock->shelf_count++, sizeof(shelf));
    stock->shelves[at] = (shelf){name, count};
    stock->left -= (int64_t)count;
    stock->price = (double)count + 0.5;
    stock->has_note = count > 0;
    stock->note = name;
    stock->even = with_one_more(stock->even, stock->even_count++, sizeof(bool));
    stock->even[stock->even_count - 1] = count % 2 == 0;
    theater_writer output = theater_writer_new(24);
    theater_put_i64(&output, stock->left);
    theater_codec codec = theater_codec_writer(THEATER_CBOR);
    stock_parts(&codec, stock);
    return theater_reply_value(theater_writer_slice(&output), &codec);
}

static bool read(theater_slice state, struct stock *ret)
{
    theater_codec codec = theater_codec_reader(THEATER_CBOR, state);
    stock_parts(&codec, ret);
    return theater_codec_done(&codec);
}

static theater_result handle(theater_slice input, theater_bytes state)
{
    struct stock stock = {0};
    theater_slice name = theater_next_word(&input);
    uint64_t count;
    if (!read(theater_slice_bytes(state), &stock))
        return theater_reject("the state is none of this actor");
    if (!theater_parse_u64(theater_trim(input), &count))
        return theater_reject("say: NAME COUNT");
    return put(&stock, name, count);
}

static bool verify_state(theater_slice state)
{
    struct stock stock = {0};
    return read(state, &stock);
}

THEATER_ACTOR(init, handle, verify_state)

/* The component loader: a table of components by hash.
 *
 * Invariants:
 *   1. The loader's lock guards the table, the users of each entry and the list of idle ones. It is never
 *      held while something is read, compiled or released.
 *   2. An entry's own lock guards its component until that is set; it is taken only by a thread that is one
 *      of its users, and never together with the loader's. So threads that ask for the same component wait
 *      for the one that compiles it, and others do not.
 *   3. An entry without users has a component and is in the idle list, or it is gone. */
#include "actor/loader.h"

#include "base/log.h"
#include "crypto/sha256.h"

#define BUCKETS 256
#define KEEP_DEFAULT 16
#define BINARY_MAX ((size_t)256 << 20)
#define COMPILED_MAX ((size_t)2 << 30)

struct th_loaded {
    th_loader *loader;
    th_hash hash;
    void *component; /* set once, under `lock` */
    th_mutex lock;
    size_t users;
    th_loaded *next;             /* in the bucket */
    th_loaded *older, *newer;    /* in the idle list */
};

struct th_loader {
    th_loader_options options;
    th_mutex lock;
    th_loaded *buckets[BUCKETS];
    th_loaded *oldest, *newest; /* idle */
    size_t idle;
    th_loader_counts counts; /* atomic */
};

theater_status th_loader_new(const th_loader_options *options, th_loader **ret, theater_error *reterr)
{
    th_loader *loader = th_alloc_zero(1, sizeof *loader);
    if (!loader)
        return th_fail_memory(reterr, "the component loader");
    loader->options = *options;
    if (loader->options.keep == 0)
        loader->options.keep = KEEP_DEFAULT;
    th_mutex_init(options->port, &loader->lock);
    *ret = loader;
    return THEATER_OK;
}

/* ---- the table: under the loader's lock -------------------------------------------------------------- */

static th_loaded **bucket_of(th_loader *loader, const th_hash *hash)
{
    return &loader->buckets[hash->bytes[0]];
}

static void leave_idle(th_loader *loader, th_loaded *entry)
{
    *(entry->older ? &entry->older->newer : &loader->oldest) = entry->newer;
    *(entry->newer ? &entry->newer->older : &loader->newest) = entry->older;
    entry->older = entry->newer = NULL;
    loader->idle--;
}

static void join_idle(th_loader *loader, th_loaded *entry)
{
    entry->older = loader->newest;
    *(loader->newest ? &loader->newest->newer : &loader->oldest) = entry;
    loader->newest = entry;
    loader->idle++;
}

static void leave_table(th_loader *loader, th_loaded *entry)
{
    th_loaded **link = bucket_of(loader, &entry->hash);
    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
}

/* Once it has left the table. */
static void destroy(th_loaded *entry)
{
    if (entry->component)
        entry->loader->options.machine->release(entry->component);
    th_mutex_done(&entry->lock);
    th_free(entry);
}

void th_loader_free(th_loader *loader)
{
    if (!loader)
        return;
    while (loader->oldest) {
        th_loaded *entry = loader->oldest;
        leave_idle(loader, entry);
        leave_table(loader, entry);
        destroy(entry);
    }
    for (size_t i = 0; i < BUCKETS; i++)
        th_assert(!loader->buckets[i]);
    th_mutex_done(&loader->lock);
    th_free(loader);
}

/* The entry of this hash, with one user more. Its component may not be there yet. */
static theater_status take(th_loader *loader, const th_hash *hash, th_loaded **ret, theater_error *reterr)
{
    th_mutex_lock(&loader->lock);
    th_loaded *entry = *bucket_of(loader, hash);
    while (entry && !th_hash_equal(&entry->hash, hash))
        entry = entry->next;
    if (!entry) {
        entry = th_alloc_zero(1, sizeof *entry);
        if (entry) {
            entry->loader = loader;
            entry->hash = *hash;
            th_mutex_init(loader->options.port, &entry->lock);
            entry->next = *bucket_of(loader, hash);
            *bucket_of(loader, hash) = entry;
        }
    } else if (entry->users == 0) {
        leave_idle(loader, entry);
    }
    if (entry)
        entry->users++;
    th_mutex_unlock(&loader->lock);
    *ret = entry;
    return entry ? THEATER_OK : th_fail_memory(reterr, "a component");
}

void th_loaded_unref(th_loaded *loaded)
{
    if (!loaded)
        return;
    th_loader *loader = loaded->loader;
    th_loaded *gone = NULL;
    th_mutex_lock(&loader->lock);
    th_assert(loaded->users > 0);
    if (--loaded->users == 0) {
        if (loaded->component)
            join_idle(loader, loaded);
        else
            gone = loaded;
        if (loader->idle > loader->options.keep) {
            gone = loader->oldest;
            leave_idle(loader, gone);
        }
        if (gone)
            leave_table(loader, gone);
    }
    th_mutex_unlock(&loader->lock);
    if (gone)
        destroy(gone);
}

/* ---- bringing a component: under the entry's lock ---------------------------------------------------- */

static void *from_compiled(th_loader *loader, const th_hash *hash)
{
    const th_loader_options *options = &loader->options;
    if (!options->read_compiled)
        return NULL;
    th_buf compiled;
    th_buf_init(&compiled, COMPILED_MAX);
    void *component = NULL;
    if (!options->read_compiled(options->context, hash, &compiled, NULL)) {
        char words[256] = "";
        th_engine_bytes bytes = {compiled.data, compiled.size};
        component = options->machine->deserialize(options->machine->context, bytes, words, sizeof words);
        if (!component)
            th_log(TH_LOG_WARN, "a compiled component cannot be used and is compiled again: %s", words);
    }
    th_buf_done(&compiled);
    return component;
}

static void keep_compiled(th_loader *loader, const th_hash *hash, const void *component)
{
    const th_loader_options *options = &loader->options;
    if (!options->write_compiled)
        return;
    char words[256] = "";
    th_engine_bytes compiled;
    if (options->machine->serialize(component, &compiled, words, sizeof words)) {
        options->write_compiled(options->context, hash, (th_slice){compiled.data, compiled.size});
        options->machine->free_bytes(compiled);
    } else {
        th_log(TH_LOG_WARN, "a compiled component cannot be kept: %s", words);
    }
}

static theater_status compile(th_loader *loader, const th_hash *hash, th_slice binary, void **ret,
                              theater_error *reterr)
{
    const th_machine *machine = loader->options.machine;
    char words[sizeof reterr->message] = "";
    th_engine_bytes bytes = {binary.data, binary.size};
    *ret = machine->compile(machine->context, bytes, words, sizeof words);
    if (!*ret)
        return th_fail(reterr, THEATER_COMPONENT_REFUSED, "%s", words);
    keep_compiled(loader, hash, *ret);
    return THEATER_OK;
}

static theater_status hash_of(th_slice binary, th_hash *ret, theater_error *reterr)
{
    th_hasher *hasher;
    theater_status status = th_hasher_new(&hasher, reterr);
    if (status)
        return status;
    th_sha256_of(hasher, binary, ret);
    th_hasher_free(hasher);
    return THEATER_OK;
}

/* Reads the binary through the callback and compiles it. */
static theater_status from_binary(th_loader *loader, const th_hash *hash, void **ret, theater_error *reterr)
{
    const th_loader_options *options = &loader->options;
    char hex[2 * THEATER_HASH_SIZE + 1];
    th_hex_encode(th_slice_of(hash->bytes, sizeof hash->bytes), hex);
    if (!options->read_binary)
        return th_fail(reterr, THEATER_NOT_FOUND, "component %s is not there", hex);
    th_buf binary;
    th_hash found;
    th_buf_init(&binary, BINARY_MAX);
    theater_status status = options->read_binary(options->context, hash, &binary, reterr);
    if (!status)
        status = hash_of(th_buf_slice(&binary), &found, reterr);
    if (!status && !th_hash_equal(&found, hash))
        status = th_fail(reterr, THEATER_CORRUPT, "component %s: its bytes have another hash", hex);
    if (!status)
        status = compile(loader, hash, th_buf_slice(&binary), ret, reterr);
    th_buf_done(&binary);
    return status;
}

static theater_status bring(th_loader *loader, const th_hash *hash, const th_slice *binary, th_loaded **ret,
                            theater_error *reterr)
{
    th_loaded *entry;
    theater_status status = take(loader, hash, &entry, reterr);
    if (status)
        return status;
    th_mutex_lock(&entry->lock);
    uint64_t *way = &loader->counts.hits;
    if (!entry->component) {
        entry->component = from_compiled(loader, hash);
        way = entry->component ? &loader->counts.loads : &loader->counts.compiles;
    }
    __atomic_add_fetch(way, 1, __ATOMIC_RELAXED);
    if (!entry->component)
        status = binary ? compile(loader, hash, *binary, &entry->component, reterr)
                        : from_binary(loader, hash, &entry->component, reterr);
    th_mutex_unlock(&entry->lock);
    if (status) {
        th_loaded_unref(entry);
        return status;
    }
    *ret = entry;
    return THEATER_OK;
}

theater_status th_loader_add(th_loader *loader, th_slice binary, th_loaded **ret, theater_error *reterr)
{
    th_hash hash;
    /* What from_binary could not read again must not come onto a chain. */
    if (binary.size > BINARY_MAX)
        return th_fail(reterr, THEATER_TOO_LARGE, "the component has %zu bytes; at most %zu can be loaded",
                       binary.size, BINARY_MAX);
    theater_status status = hash_of(binary, &hash, reterr);
    return status ? status : bring(loader, &hash, &binary, ret, reterr);
}

theater_status th_loader_get(th_loader *loader, const th_hash *hash, th_loaded **ret, theater_error *reterr)
{
    return bring(loader, hash, NULL, ret, reterr);
}

th_loader_counts th_loader_count(const th_loader *loader)
{
    return (th_loader_counts){
        .hits = __atomic_load_n(&loader->counts.hits, __ATOMIC_RELAXED),
        .loads = __atomic_load_n(&loader->counts.loads, __ATOMIC_RELAXED),
        .compiles = __atomic_load_n(&loader->counts.compiles, __ATOMIC_RELAXED),
    };
}

void *th_loaded_component(const th_loaded *loaded)
{
    return loaded->component;
}

const th_hash *th_loaded_hash(const th_loaded *loaded)
{
    return &loaded->hash;
}

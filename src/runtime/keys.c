#include "runtime/keys.h"

#include <stdio.h>

#define PATH_SIZE 4096

/* Through a volatile pointer, so that the compiler does not leave it out. */
static void wipe(void *memory, size_t size)
{
    volatile uint8_t *bytes = memory;
    for (size_t i = 0; i < size; i++)
        bytes[i] = 0;
}

/* Lines of the file: the seed, then the public key that it gives, in lower case. */
#define SEED_LINE (2 * TH_ED25519_SEED_SIZE + 1)
#define KEY_LINES (SEED_LINE + 2 * TH_ED25519_PUBLIC_SIZE + 1)

static void write_lines(const uint8_t seed[TH_ED25519_SEED_SIZE], const th_signing_key *key,
                        char out[KEY_LINES + 1])
{
    th_hex_encode(th_slice_of(seed, TH_ED25519_SEED_SIZE), out);
    out[SEED_LINE - 1] = '\n';
    th_hex_encode(th_slice_of(th_signing_key_public(key), TH_ED25519_PUBLIC_SIZE), out + SEED_LINE);
    out[KEY_LINES - 1] = '\n';
}

/* The second line is there because each flipped bit of a seed makes another good seed. A file with the seed
 * alone, from somebody who brings a key, is taken as it is. */
static theater_status key_from_file(th_slice text, const char *path, th_signing_key **ret,
                                    theater_error *reterr)
{
    uint8_t seed[TH_ED25519_SEED_SIZE];
    size_t size = text.size;
    bool whole = size == KEY_LINES;
    if (whole)
        size = SEED_LINE;
    if (size > 0 && text.data[size - 1] == '\n')
        size--;
    if (!th_hex_decode((const char *)text.data, size, seed, sizeof seed))
        return th_fail(reterr, THEATER_CORRUPT, "%s: not a key: %zu hex digits were expected", path,
                       2 * sizeof seed);
    theater_status status = th_signing_key_new(seed, ret, reterr);
    if (!status && whole) {
        char lines[KEY_LINES + 1];
        write_lines(seed, *ret, lines);
        if (memcmp(lines, text.data, KEY_LINES) != 0) {
            th_signing_key_free(*ret);
            *ret = NULL;
            status = th_fail(reterr, THEATER_CORRUPT,
                             "%s: damaged: its second line is not the public key of the first", path);
        }
        wipe(lines, sizeof lines);
    }
    wipe(seed, sizeof seed);
    return status;
}

static theater_status make_key(th_port *port, const char *folder, const char *path, th_signing_key **ret,
                               theater_error *reterr)
{
    uint8_t seed[TH_ED25519_SEED_SIZE];
    theater_status status = th_port_entropy(port, seed, sizeof seed, reterr);
    char text[KEY_LINES + 1];
    if (!status)
        status = th_signing_key_new(seed, ret, reterr);
    if (!status && path) {
        write_lines(seed, *ret, text);
        char keys[PATH_SIZE];
        snprintf(keys, sizeof keys, "%s/keys", folder);
        status = th_port_make_folder(port, keys, reterr);
        if (!status)
            status = th_port_sync_folder(port, folder, reterr);
        if (!status)
            status =
                th_port_replace_file(port, path, TH_FILE_PRIVATE, th_slice_of(text, KEY_LINES), reterr);
        if (status) {
            th_signing_key_free(*ret);
            *ret = NULL;
        }
    }
    wipe(seed, sizeof seed);
    wipe(text, sizeof text);
    return status;
}

theater_status th_keys_open(th_port *port, const char *folder, bool create, th_signing_key **ret,
                            theater_error *reterr)
{
    *ret = NULL;
    if (!folder)
        return make_key(port, NULL, NULL, ret, reterr);
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/keys/signing.key", folder);
    th_buf text;
    th_buf_init(&text, 1024);
    /* What others can read is not used to sign. */
    theater_status status = create ? th_port_read_private_file(port, path, 1024, &text, reterr)
                                   : th_port_read_file(port, path, 1024, &text, reterr);
    /* Whoever made the key may have stopped before its entry was durable. */
    if (!status && create) {
        char keys[PATH_SIZE];
        snprintf(keys, sizeof keys, "%s/keys", folder);
        status = th_port_sync_folder(port, keys, reterr);
    }
    if (!status)
        status = key_from_file(th_buf_slice(&text), path, ret, reterr);
    else if (status == THEATER_NOT_FOUND && create)
        status = make_key(port, folder, path, ret, reterr);
    if (text.data)
        wipe(text.data, text.size);
    th_buf_done(&text);
    return status;
}

static void signed_path(const theater_runtime *runtime, const th_hash *genesis, char *path)
{
    char hex[2 * THEATER_HASH_SIZE + 1];
    th_hex_encode(th_slice_of(genesis->bytes, THEATER_HASH_SIZE), hex);
    snprintf(path, PATH_SIZE, "%s/keys/signed/%s", runtime->folder, hex);
}

static theater_status read_signed(theater_runtime *runtime, const th_hash *genesis, uint64_t *ret,
                                  theater_error *reterr)
{
    *ret = 0;
    if (!runtime->folder)
        return THEATER_OK;
    char path[PATH_SIZE];
    signed_path(runtime, genesis, path);
    th_buf text;
    th_buf_init(&text, 64);
    theater_status status = th_port_read_file(runtime->port, path, 63, &text, reterr);
    if (status == THEATER_NOT_FOUND) {
        status = THEATER_OK;
    } else if (!status) {
        char end = 0;
        unsigned long long size = 0, again = 0;
        status = th_buf_append_byte(&text, 0, reterr);
        /* Twice, so that a flipped bit shows; older folders have it once. */
        bool twice = !status && sscanf((const char *)text.data, "%llu %llu%c", &size, &again, &end) == 3;
        if (!status && !twice && sscanf((const char *)text.data, "%llu%c", &size, &end) == 2)
            again = size;
        if (!status && (size != again || end != '\n'))
            status = th_fail(reterr, THEATER_CORRUPT, "%s: not the size of a signed tree", path);
        *ret = size;
    }
    th_buf_done(&text);
    return status;
}

theater_status th_checkpoint_note_signed(theater_runtime *runtime, const th_hash *genesis, uint64_t size,
                                         theater_error *reterr)
{
    if (!runtime->folder)
        return THEATER_OK;
    char path[PATH_SIZE], folder[PATH_SIZE], keys[PATH_SIZE], text[64];
    snprintf(keys, sizeof keys, "%s/keys", runtime->folder);
    snprintf(folder, sizeof folder, "%s/keys/signed", runtime->folder);
    signed_path(runtime, genesis, path);
    int length = snprintf(text, sizeof text, "%llu %llu\n", (unsigned long long)size, (unsigned long long)size);
    th_mutex_lock(&runtime->keys_lock);
    uint64_t before = 0;
    theater_status status = th_port_make_folder(runtime->port, folder, reterr);
    if (!status)
        status = th_port_sync_folder(runtime->port, keys, reterr);
    if (!status)
        status = read_signed(runtime, genesis, &before, reterr);
    if (!status && before < size)
        status = th_port_replace_file(runtime->port, path, 0, th_slice_of(text, (size_t)length), reterr);
    th_mutex_unlock(&runtime->keys_lock);
    return status;
}

theater_status th_checkpoint_make(theater_runtime *runtime, const th_entry *entry, const th_log_tree *tree,
                                  th_hash *ret_head, th_buf *note, th_hash *ret_genesis,
                                  theater_error *reterr)
{
    th_actor_info info;
    uint64_t size = 0;
    th_hasher *hasher = NULL;
    th_signing_key *key = NULL;
    th_buf name;
    th_buf_init(&name, TH_LOG_NAME_MAX);
    theater_status status = th_store_find_actor_id(runtime->store, entry->id, &info, reterr);
    if (!status)
        status = read_signed(runtime, &info.genesis_hash, &size, reterr);
    if (!status && tree->size < (size > info.checkpoint_size ? size : info.checkpoint_size))
        status = th_fail(reterr, THEATER_CORRUPT,
                         "actor %s: its key has signed %llu elements and this folder has %llu: it is an "
                         "older copy, and does not sign",
                         entry->name, (unsigned long long)size, (unsigned long long)tree->size);
    if (!status)
        status = th_hasher_new(&hasher, reterr);
    if (!status) {
        th_mutex_lock(&runtime->keys_lock);
        status = th_keys_open(runtime->port, runtime->folder, true, &key, reterr);
        th_mutex_unlock(&runtime->keys_lock);
    }
    if (!status)
        status = th_log_name(th_slice_text(runtime->origin), th_slice_of(entry->name, entry->name_size),
                             &info.genesis_hash, &name, reterr);
    if (!status) {
        th_log_tree_head(tree, hasher, ret_head);
        *ret_genesis = info.genesis_hash;
        th_checkpoint checkpoint = {.name = th_buf_slice(&name), .size = tree->size, .head = *ret_head};
        status = th_checkpoint_sign(hasher, key, &checkpoint, note, reterr);
    }
    th_signing_key_free(key);
    th_hasher_free(hasher);
    th_buf_done(&name);
    return status;
}

/* store/backup.c: a copy of a data folder.
 *
 * The log only grows, so a copy of what is durable now is whole whatever the writer does meanwhile. The
 * copy is the same store: it keeps the identity, which the checksums of the frames are bound to. Its file
 * 'format' comes last: a copy that was interrupted is no data folder. Index, lock and the mark of a clean
 * close stay behind, they are made when the copy is opened. */
#include "store/path.h"
#include "store/store_internal.h"

/* Bytes of one file of FOLDER/keys at the most. */
#define KEY_FILE_MAX ((size_t)1 << 20)

/* The folders of secrets, outer ones first: the signing key, and what it has signed (runtime/keys.h). */
static const char *const key_folders[] = {"keys", "keys/signed"};
#define SIGNED "signed" /* the entry of the first that is the second */

typedef struct key_copy {
    th_port *port;
    char *from;
    char *to;
    theater_status status;
    theater_error *reterr;
} key_copy;

static bool copy_key(void *context, const char *name)
{
    key_copy *copy = context;
    if (strcmp(name, SIGNED) == 0)
        return true; /* a folder, which is copied next */
    char *from = th_path_join(copy->from, name), *to = th_path_join(copy->to, name);
    th_buf contents;
    th_buf_init(&contents, KEY_FILE_MAX);
    if (!from || !to)
        copy->status = th_fail_memory(copy->reterr, "a path");
    else
        copy->status = th_port_read_file(copy->port, from, KEY_FILE_MAX, &contents, copy->reterr);
    /* What is gone since it was listed was about to take another's place (th_port_replace_file): a process that
     * signs goes on meanwhile. The copy is then that of a moment before. */
    bool gone = copy->status == THEATER_NOT_FOUND;
    if (gone)
        copy->status = THEATER_OK;
    if (!copy->status && !gone)
        copy->status =
            th_port_replace_file(copy->port, to, TH_FILE_PRIVATE, th_buf_slice(&contents), copy->reterr);
    th_buf_done(&contents);
    th_free(from);
    th_free(to);
    return !copy->status;
}

static bool note_any(void *context, const char *name)
{
    *(bool *)context = true;
    return false;
}

static theater_status copy_key_folder(th_store *store, const char *to_folder, const char *name,
                                      theater_error *reterr)
{
    key_copy copy = {.port = store->port, .reterr = reterr};
    copy.from = th_path_join(store->folder.path, name);
    copy.to = th_path_join(to_folder, name);
    bool any = false;
    theater_status status = copy.from && copy.to ? THEATER_OK : th_fail_memory(reterr, "a path");
    if (!status)
        status = th_port_list_folder(store->port, copy.from, note_any, &any, reterr);
    if (status == THEATER_NOT_FOUND)
        status = THEATER_OK; /* no key was made yet */
    if (!status && any) {
        status = th_port_make_folder(store->port, copy.to, reterr);
        if (!status)
            status = th_port_list_folder(store->port, copy.from, copy_key, &copy, reterr);
        status = status ? status : copy.status;
    }
    th_free(copy.from);
    th_free(copy.to);
    return status;
}

static theater_status copy_keys(th_store *store, const char *to_folder, theater_error *reterr)
{
    theater_status status = THEATER_OK;
    for (size_t i = 0; !status && i < sizeof key_folders / sizeof *key_folders; i++)
        status = copy_key_folder(store, to_folder, key_folders[i], reterr);
    return status;
}

theater_status th_store_backup(th_store *store, const char *to_folder, theater_error *reterr)
{
    if (!store->folder.path)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "a store in memory has no folder that could be copied");
    theater_status status = th_folder_begin_copy(&store->folder, to_folder, reterr);
    if (status)
        return status;
    char *log = th_path_join(to_folder, "log");
    status = log ? th_journal_copy(store->log, log, reterr) : th_fail_memory(reterr, "a path");
    if (!status)
        status = copy_keys(store, to_folder, reterr);
    if (!status)
        status = th_folder_finish_copy(&store->folder, to_folder, reterr);
    th_free(log);
    return status;
}

/* store/kv_lmdb.c: committed pairs in LMDB, the only file that includes it.
 *
 * LMDB maps its file, has no checksums, and a damaged file can kill the process. What is done about it:
 *   1. The index is derived from the log, so whenever it is doubtful it is dropped and made anew. Nothing
 *      depends on it.
 *   2. After the last change the writer closes it with a file `sum` beside it: size and checksum of the
 *      whole file. Before the first change it removes that file again, durably. Where `sum` is, an opener
 *      reads the whole file and refuses one that differs before anything is
 *      mapped.
 *   3. Without `sum` the last writer was killed, or is at work. Then LMDB's own promise is relied on: a
 *      commit writes only pages that the committed tree does not use, syncs them, and then writes the meta
 *      page that names them. MDB_NOMETASYNC leaves out only the sync of the meta page itself: a machine
 *      that stops may lose the last transaction, which the log gives again, but never the integrity of the
 *      ones before. So a transaction costs one sync. Before mapping, the file is checked for its magic, its
 *      version and for being as long as its meta pages say, so that no read can hit a page that is missing.
 * What is left: bits that flip in a file whose writer was killed before it could close it.
 *
 * One environment a process: LMDB's locks belong to the process, so all stores of one process share an
 * environment, which is found again by its file's device and inode. A reader in the same process shares the
 * writer's. The list is guarded by a mutex of the system: nothing of this runs in the simulation, whose
 * index is in memory.
 *
 * Growing: the map may be resized only while no transaction of this process is open. `views` counts them;
 * when a transaction does not fit and others read, the change answers BUSY and is tried again later. */
#include <errno.h>
#include <lmdb.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/kv.h"
#include "store/kv_lmdb_file.h"
#include "store/path.h"

/* Processes and threads that read at once. */
#define READERS_MAX 512

typedef struct environment {
    struct environment *next;
    dev_t device;
    ino_t inode;
    pid_t process; /* a child after fork must not use its parent's */
    bool read_only;
    unsigned users;
    MDB_env *env;
    MDB_dbi dbi;
    pthread_mutex_t lock; /* over views and growing */
    unsigned views;
} environment;

typedef struct kv_lmdb {
    th_kv head;
    th_port *port;
    char *folder;
    bool read_only;
    bool has_sum; /* the file `sum` is there and holds */
    bool doubtful; /* LMDB found damage: the files go when this is closed */
    environment *environment;
} kv_lmdb;

static pthread_mutex_t environments_lock = PTHREAD_MUTEX_INITIALIZER;
static environment *environments;

static kv_lmdb *cast(th_kv *kv)
{
    return (kv_lmdb *)kv;
}

static theater_status lmdb_fail(const kv_lmdb *kv, int code, const char *doing, theater_error *reterr)
{
    theater_status status;
    switch (code) {
    case ENOSPC:
    case EDQUOT:
        status = THEATER_NO_SPACE;
        break;
    case ENOMEM:
        status = THEATER_NO_MEMORY;
        break;
    case EACCES:
    case EPERM:
        status = THEATER_PERMISSION;
        break;
    case ENOENT:
        status = THEATER_NOT_FOUND;
        break;
    case MDB_READERS_FULL:
    case EAGAIN:
        status = THEATER_BUSY;
        break;
    case MDB_PAGE_NOTFOUND:
    case MDB_CORRUPTED:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_PANIC:
    case MDB_BAD_TXN:
        status = THEATER_CORRUPT;
        break;
    default:
        status = THEATER_IO;
    }
    return th_fail(reterr, status, "the index in %s: %s: %s", kv->folder, doing, mdb_strerror(code));
}

/* ---- environments ---- */

/* LMDB does not write pages at the end that a transaction took and gave back. The file is made as long as
 * its meta page says all the same, so that one which was cut short can be told. */
static int fill_up(environment *env)
{
    MDB_envinfo info;
    MDB_stat pages;
    struct stat file;
    int fd;
    int code = mdb_env_info(env->env, &info);
    if (!code)
        code = mdb_env_stat(env->env, &pages);
    if (!code)
        code = mdb_env_get_fd(env->env, &fd);
    if (code)
        return code;
    uint64_t size = ((uint64_t)info.me_last_pgno + 1) * pages.ms_psize;
    if (fstat(fd, &file) != 0)
        return errno;
    return (uint64_t)file.st_size < size && ftruncate(fd, (off_t)size) != 0 ? errno : 0;
}

static theater_status open_dbi(const kv_lmdb *kv, environment *env, theater_error *reterr)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(env->env, NULL, kv->read_only ? MDB_RDONLY : 0, &txn);
    if (!code) {
        code = mdb_dbi_open(txn, NULL, 0, &env->dbi);
        if (code)
            mdb_txn_abort(txn);
        else
            code = mdb_txn_commit(txn);
        if (!code && !kv->read_only)
            code = fill_up(env);
    }
    return code ? lmdb_fail(kv, code, "opening", reterr) : THEATER_OK;
}

static theater_status open_environment(const kv_lmdb *kv, uint64_t map_bytes, environment *env,
                                       theater_error *reterr)
{
    int code = mdb_env_create(&env->env);
    if (code)
        return lmdb_fail(kv, code, "opening", reterr);
    struct stat info;
    char *path = th_path_join(kv->folder, "data.mdb");
    if (path && stat(path, &info) == 0 && (uint64_t)info.st_size * 2 > map_bytes)
        map_bytes = (uint64_t)info.st_size * 2;
    code = mdb_env_set_mapsize(env->env, (size_t)map_bytes);
    if (!code)
        code = mdb_env_set_maxreaders(env->env, READERS_MAX);
    unsigned flags = MDB_NOTLS | MDB_NORDAHEAD | (kv->read_only ? MDB_RDONLY : MDB_NOMETASYNC);
    if (!code)
        code = mdb_env_open(env->env, kv->folder, flags, 0644);
    /* Slots of readers that died would keep old pages from being used again. */
    int dead;
    if (!code && !kv->read_only)
        code = mdb_reader_check(env->env, &dead);
    theater_status status = code ? lmdb_fail(kv, code, "opening", reterr) : open_dbi(kv, env, reterr);
    if (!status && (!path || stat(path, &info) != 0))
        status = th_fail(reterr, THEATER_IO, "the index in %s vanished", kv->folder);
    th_free(path);
    env->device = info.st_dev;
    env->inode = info.st_ino;
    env->process = getpid();
    env->read_only = kv->read_only;
    if (status)
        mdb_env_close(env->env);
    return status;
}

/* The environment of this process for the file, if there is one. Under environments_lock. */
static environment *find_environment(const kv_lmdb *kv)
{
    struct stat info;
    char *path = th_path_join(kv->folder, "data.mdb");
    bool there = path && stat(path, &info) == 0;
    th_free(path);
    environment *env = there ? environments : NULL;
    while (env && (env->device != info.st_dev || env->inode != info.st_ino || env->process != getpid()))
        env = env->next;
    return env;
}

static theater_status attach(kv_lmdb *kv, uint64_t map_bytes, theater_error *reterr)
{
    environment *env = find_environment(kv);
    if (env && env->read_only && !kv->read_only)
        return th_fail(reterr, THEATER_BUSY,
                       "the data folder of %s is open for reading in this process: close that first",
                       kv->folder);
    /* What is open already was checked then; a file that is being changed cannot be. */
    theater_status status = env ? THEATER_OK : th_lmdb_file_check(kv->port, kv->folder, &kv->has_sum, reterr);
    if (status && (status != THEATER_NOT_FOUND || kv->read_only))
        return status;
    if (!env) {
        env = th_alloc_zero(1, sizeof *env);
        if (!env)
            return th_fail_memory(reterr, "an index");
        status = open_environment(kv, map_bytes, env, reterr);
        if (status) {
            th_free(env);
            return status;
        }
        pthread_mutex_init(&env->lock, NULL);
        env->next = environments;
        environments = env;
    }
    env->users++;
    kv->environment = env;
    return THEATER_OK;
}

/* Gives the environment back; true when it was the last user. */
static bool detach(kv_lmdb *kv)
{
    environment *env = kv->environment;
    if (--env->users > 0)
        return false;
    environment **link = &environments;
    while (*link != env)
        link = &(*link)->next;
    *link = env->next;
    mdb_env_close(env->env);
    pthread_mutex_destroy(&env->lock);
    th_free(env);
    return true;
}

/* ---- views ---- */

static void enter(environment *env)
{
    pthread_mutex_lock(&env->lock);
    env->views++;
    pthread_mutex_unlock(&env->lock);
}

static void leave(environment *env)
{
    pthread_mutex_lock(&env->lock);
    env->views--;
    pthread_mutex_unlock(&env->lock);
}

/* Sets the size of the map, if nothing of this process is using it; 0 takes the size that another process
 * gave it. */
static int resize(environment *env, size_t size)
{
    pthread_mutex_lock(&env->lock);
    int code = env->views == 0 ? mdb_env_set_mapsize(env->env, size) : EAGAIN;
    pthread_mutex_unlock(&env->lock);
    return code;
}

static theater_status lmdb_begin(th_kv_view *view, theater_error *reterr)
{
    kv_lmdb *kv = cast(view->kv);
    environment *env = kv->environment;
    MDB_txn *txn = NULL;
    enter(env);
    int code = mdb_txn_begin(env->env, NULL, MDB_RDONLY, &txn);
    if (code == MDB_MAP_RESIZED) {
        leave(env);
        code = resize(env, 0);
        enter(env);
        if (!code)
            code = mdb_txn_begin(env->env, NULL, MDB_RDONLY, &txn);
    }
    view->transaction = txn;
    if (!code)
        return THEATER_OK;
    leave(env);
    view->transaction = NULL;
    return lmdb_fail(kv, code, "reading", reterr);
}

static void lmdb_end(th_kv_view *view)
{
    if (view->cursor)
        mdb_cursor_close(view->cursor);
    if (view->transaction) {
        mdb_txn_abort(view->transaction);
        leave(cast(view->kv)->environment);
    }
    view->cursor = NULL;
    view->transaction = NULL;
}

static theater_status lmdb_get(th_kv_view *view, th_slice key, bool *ret_found, th_slice *ret_value,
                               theater_error *reterr)
{
    kv_lmdb *kv = cast(view->kv);
    MDB_val name = {key.size, (void *)key.data}, value;
    int code = mdb_get(view->transaction, kv->environment->dbi, &name, &value);
    *ret_found = code == 0;
    if (code && code != MDB_NOTFOUND)
        return lmdb_fail(kv, code, "reading", reterr);
    if (code == 0)
        *ret_value = th_slice_of(value.mv_data, value.mv_size);
    return THEATER_OK;
}

static theater_status lmdb_seek(th_kv_view *view, th_slice key, bool *ret_found, th_slice *ret_key,
                                th_slice *ret_value, theater_error *reterr)
{
    kv_lmdb *kv = cast(view->kv);
    MDB_cursor *cursor = view->cursor;
    int code = 0;
    if (!cursor)
        code = mdb_cursor_open(view->transaction, kv->environment->dbi, &cursor);
    view->cursor = cursor;
    MDB_val name = {key.size, (void *)key.data}, value;
    if (!code)
        code = mdb_cursor_get(cursor, &name, &value, MDB_SET_RANGE);
    *ret_found = code == 0;
    if (code && code != MDB_NOTFOUND)
        return lmdb_fail(kv, code, "reading", reterr);
    if (code == 0) {
        *ret_key = th_slice_of(name.mv_data, name.mv_size);
        *ret_value = th_slice_of(value.mv_data, value.mv_size);
    }
    return THEATER_OK;
}

/* ---- changes ---- */

static int put_all(MDB_txn *txn, MDB_dbi dbi, const th_kv_map *changes)
{
    MDB_cursor *cursor;
    int code = mdb_cursor_open(txn, dbi, &cursor);
    if (code)
        return code;
    for (const th_kv_node *node = th_kv_map_first(changes); node && !code; node = th_kv_node_next(node)) {
        th_slice key = th_kv_node_key(node), bytes = th_kv_node_value(node);
        MDB_val name = {key.size, (void *)key.data}, value = {bytes.size, (void *)bytes.data};
        if (!th_kv_node_deleted(node)) {
            code = mdb_cursor_put(cursor, &name, &value, 0);
        } else {
            code = mdb_del(txn, dbi, &name, NULL);
            if (code == MDB_NOTFOUND)
                code = 0;
        }
    }
    mdb_cursor_close(cursor);
    return code;
}

static int try_changes(environment *env, const th_kv_map *changes)
{
    MDB_txn *txn;
    enter(env);
    int code = mdb_txn_begin(env->env, NULL, 0, &txn);
    if (!code) {
        code = put_all(txn, env->dbi, changes);
        if (code)
            mdb_txn_abort(txn);
        else
            code = mdb_txn_commit(txn);
        if (!code)
            code = fill_up(env);
    }
    leave(env);
    return code;
}

static theater_status lmdb_apply(th_kv *head, const th_kv_map *changes, theater_error *reterr)
{
    kv_lmdb *kv = cast(head);
    environment *env = kv->environment;
    theater_status status = kv->has_sum ? th_lmdb_file_remove_sum(kv->port, kv->folder, reterr) : THEATER_OK;
    if (status)
        return status;
    kv->has_sum = false;
    int code = try_changes(env, changes);
    while (code == MDB_MAP_FULL) {
        MDB_envinfo info;
        code = mdb_env_info(env->env, &info);
        if (!code)
            code = resize(env, info.me_mapsize * 2);
        if (!code)
            code = try_changes(env, changes);
    }
    if (!code)
        return THEATER_OK;
    status = lmdb_fail(kv, code, "writing", reterr);
    kv->doubtful = kv->doubtful || status == THEATER_CORRUPT;
    return status;
}

/* ---- opening and closing ---- */

static void lmdb_free(th_kv *head)
{
    kv_lmdb *kv = cast(head);
    if (kv->environment) {
        pthread_mutex_lock(&environments_lock);
        bool writes = !kv->read_only && !kv->has_sum;
        bool synced = writes && mdb_env_sync(kv->environment->env, 1) == 0;
        bool last = detach(kv);
        if (kv->doubtful && last) {
            theater_status ignored = th_kv_lmdb_remove(kv->port, kv->folder, NULL);
            (void)ignored;
        } else if (synced && !kv->doubtful) {
            th_lmdb_file_write_sum(kv->port, kv->folder);
        }
        pthread_mutex_unlock(&environments_lock);
    }
    th_free(kv->folder);
    th_free(kv);
}

static const th_kv_operations lmdb_operations = {lmdb_free, lmdb_begin, lmdb_end,
                                                 lmdb_get,  lmdb_seek,  lmdb_apply};

theater_status th_kv_lmdb_open(const th_kv_lmdb_options *options, th_kv **ret, theater_error *reterr)
{
    kv_lmdb *kv = th_alloc_zero(1, sizeof *kv);
    size_t size = strlen(options->folder) + 1;
    if (kv)
        kv->folder = th_alloc(size);
    if (!kv || !kv->folder) {
        th_free(kv);
        return th_fail_memory(reterr, "an index");
    }
    memcpy(kv->folder, options->folder, size);
    kv->head.operations = &lmdb_operations;
    kv->port = options->port;
    kv->read_only = options->read_only;
    theater_status status = THEATER_OK;
    if (!kv->read_only)
        status = th_port_make_folder(kv->port, kv->folder, reterr);
    if (!status) {
        pthread_mutex_lock(&environments_lock);
        status = attach(kv, options->map_bytes, reterr);
        pthread_mutex_unlock(&environments_lock);
    }
    if (status)
        lmdb_free(&kv->head);
    else
        *ret = &kv->head;
    return status;
}

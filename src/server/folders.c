/* Folder handles, kept and given to one thread at a time: a refresh sees all that stands in the log whole, and
 * needs the handle alone.
 *
 * What stands in the log whole may still be on its way to the disk, and nothing leaves the server before it is
 * there: so whoever gets a handle first waits for the commit that is under way, if there is one. */
#include "server/internal.h"

#include <time.h>

#include "runtime/subscribe.h"

#define WAIT_FIRST_NS 50000
#define WAIT_STEP_NS 2000000
#define WAIT_MAX_NS UINT64_C(10000000000)

/* Until all records that the handle sees are durable. After a failed commit that may never be: then reads go on,
 * of what the log holds. TIMEOUT: the disk takes longer than any disk should. */
static theater_status wait_durable(th_server *server, theater_folder *folder, theater_error *reterr)
{
    uint64_t records = theater_folder_records(folder);
    uint64_t waited = 0;
    for (long step = WAIT_FIRST_NS; th_runtime_committed(server->runtime) < records;
         waited += (uint64_t)step) {
        theater_error error;
        if (theater_runtime_health(server->runtime, &error))
            return THEATER_OK;
        if (waited > WAIT_MAX_NS)
            return th_fail(reterr, THEATER_TIMEOUT, "a commit has been on its way to the disk for 10 s");
        nanosleep(&(struct timespec){.tv_nsec = step}, NULL);
        step = 2 * step < WAIT_STEP_NS ? 2 * step : WAIT_STEP_NS;
    }
    return THEATER_OK;
}

theater_status th_folders_get(th_server *server, theater_folder **ret, theater_error *reterr)
{
    theater_folder *folder = NULL;
    th_mutex_lock(&server->lock);
    if (server->folder_count > 0)
        folder = server->folders[--server->folder_count];
    th_mutex_unlock(&server->lock);
    theater_status status = folder ? theater_folder_refresh(folder, reterr)
                                   : theater_folder_open(server->options.runtime.folder, &folder, reterr);
    if (!status)
        status = wait_durable(server, folder, reterr);
    if (status) {
        theater_folder_close(folder);
        return status;
    }
    *ret = folder;
    return THEATER_OK;
}

void th_folders_put(th_server *server, theater_folder *folder)
{
    if (!folder)
        return;
    th_mutex_lock(&server->lock);
    bool keep = server->folder_count < TH_FOLDERS_KEPT;
    if (keep)
        server->folders[server->folder_count++] = folder;
    th_mutex_unlock(&server->lock);
    if (!keep)
        theater_folder_close(folder);
}

void th_folders_done(th_server *server)
{
    while (server->folder_count > 0)
        theater_folder_close(server->folders[--server->folder_count]);
}

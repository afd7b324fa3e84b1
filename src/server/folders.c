/* Folder handles, kept and given to one thread at a time: a refresh sees what is committed, and needs the
 * handle alone. */
#include "server/internal.h"

theater_status th_folders_get(th_server *server, theater_folder **ret, theater_error *reterr)
{
    theater_folder *folder = NULL;
    th_mutex_lock(&server->lock);
    if (server->folder_count > 0)
        folder = server->folders[--server->folder_count];
    th_mutex_unlock(&server->lock);
    theater_status status = folder ? theater_folder_refresh(folder, reterr)
                                   : theater_folder_open(server->options.runtime.folder, &folder, reterr);
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

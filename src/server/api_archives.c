/* Taking bundles in as archives: written to the data folder, verified and imported, on the pool. */
#include <stdio.h>
#include <unistd.h>

#include "server/internal.h"

static void work_import(th_exchange *x, theater_folder *folder)
{
    (void)folder;
    static uint64_t numbers; /* atomic */
    char path[4200], name[TH_SEGMENT_MAX + 1];
    bool named;
    theater_error error = {0};
    th_port *port = th_port_system();
    snprintf(path, sizeof path, "%s/import-%d-%llu.tmp", x->server->options.runtime.folder, (int)getpid(),
             (unsigned long long)__atomic_add_fetch(&numbers, 1, __ATOMIC_RELAXED));
    theater_status status = th_exchange_query(x, "name", name, sizeof name, &named, &error);
    if (!status) {
        status = th_port_replace_file(port, path, TH_FILE_PRIVATE, th_buf_slice(&x->body), &error);
        if (!status)
            status = theater_import(x->server->runtime, path, named ? name : NULL, &error);
        unlink(path);
    }
    if (status)
        th_reply_error(x, &error);
    else
        th_reply_text(x, 204, NULL, (th_slice){0});
}

void th_api_archive_add(th_exchange *x)
{
    th_exchange_work(x, work_import);
}

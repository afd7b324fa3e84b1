/* port/port.c: each call of port.h goes to the port that made the handle. Arguments are checked here, once
 * for both. */
#include "port/internal.h"

uint64_t th_port_wall_ns(th_port *port)
{
    return port->operations->wall_ns(port);
}

uint64_t th_port_monotonic_ns(th_port *port)
{
    return port->operations->monotonic_ns(port);
}

uint64_t th_port_thread_cpu_ns(th_port *port)
{
    return port->operations->thread_cpu_ns(port);
}

theater_status th_port_entropy(th_port *port, uint8_t *out, size_t size, theater_error *reterr)
{
    return port->operations->entropy(port, out, size, reterr);
}

unsigned th_port_processors(th_port *port)
{
    return port->operations->processors(port);
}

/* ---- files ---- */

theater_status th_file_open(th_port *port, const char *path, unsigned flags, th_file **ret,
                            theater_error *reterr)
{
    th_assert(flags & (TH_FILE_READ | TH_FILE_WRITE));
    th_assert(!(flags & TH_FILE_EXCLUSIVE) || (flags & TH_FILE_CREATE));
    *ret = NULL;
    return port->operations->file_open(port, path, flags, ret, reterr);
}

void th_file_close(th_file *file)
{
    if (file)
        file->operations->file_close(file);
}

theater_status th_file_read(th_file *file, uint64_t offset, void *out, size_t size, size_t *ret_size,
                            theater_error *reterr)
{
    *ret_size = 0;
    if (offset >= TH_FILE_SIZE_MAX)
        return THEATER_OK; /* No file reaches that far, so this is past its end. */
    return file->operations->file_read(file, offset, out, size, ret_size, reterr);
}

theater_status th_file_write(th_file *file, uint64_t offset, const th_slice *parts, size_t count,
                             theater_error *reterr)
{
    uint64_t room = offset < TH_FILE_SIZE_MAX ? TH_FILE_SIZE_MAX - offset : 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].size > room)
            return th_fail(reterr, THEATER_TOO_LARGE, "a write would end past the largest file size");
        room -= parts[i].size;
    }
    return file->operations->file_write(file, offset, parts, count, reterr);
}

theater_status th_file_sync(th_file *file, theater_error *reterr)
{
    return file->operations->file_sync(file, reterr);
}

theater_status th_file_size(th_file *file, uint64_t *ret, theater_error *reterr)
{
    *ret = 0;
    return file->operations->file_size(file, ret, reterr);
}

theater_status th_file_reserve(th_file *file, uint64_t size, theater_error *reterr)
{
    if (size > TH_FILE_SIZE_MAX)
        return th_fail(reterr, THEATER_TOO_LARGE, "%llu bytes are more than the largest file size",
                       (unsigned long long)size);
    return file->operations->file_reserve(file, size, reterr);
}

theater_status th_file_truncate(th_file *file, uint64_t size, theater_error *reterr)
{
    if (size > TH_FILE_SIZE_MAX)
        return th_fail(reterr, THEATER_TOO_LARGE, "%llu bytes are more than the largest file size",
                       (unsigned long long)size);
    return file->operations->file_truncate(file, size, reterr);
}

theater_status th_file_lock(th_file *file, uint32_t wait_ms, theater_error *reterr)
{
    return file->operations->file_lock(file, wait_ms, reterr);
}

/* ---- folders ---- */

theater_status th_port_make_folder(th_port *port, const char *path, theater_error *reterr)
{
    return port->operations->make_folder(port, path, reterr);
}

theater_status th_port_rename(th_port *port, const char *from, const char *to, theater_error *reterr)
{
    return port->operations->rename(port, from, to, reterr);
}

theater_status th_port_remove(th_port *port, const char *path, theater_error *reterr)
{
    return port->operations->remove(port, path, reterr);
}

theater_status th_port_sync_folder(th_port *port, const char *path, theater_error *reterr)
{
    return port->operations->sync_folder(port, path, reterr);
}

theater_status th_port_list_folder(th_port *port, const char *path,
                                   bool (*entry)(void *context, const char *name), void *context,
                                   theater_error *reterr)
{
    return port->operations->list_folder(port, path, entry, context, reterr);
}

/* ---- tasks and events ---- */

theater_status th_task_start(th_port *port, const char *name, size_t stack_bytes, th_step_function step,
                             void *context, th_task **ret, theater_error *reterr)
{
    *ret = NULL;
    return port->operations->task_start(port, name, stack_bytes, step, context, ret, reterr);
}

void th_task_wake(th_task *task)
{
    task->operations->task_wake(task);
}

void th_task_join(th_task *task)
{
    if (task)
        task->operations->task_join(task);
}

theater_status th_event_new(th_port *port, th_event **ret, theater_error *reterr)
{
    *ret = NULL;
    return port->operations->event_new(port, ret, reterr);
}

void th_event_free(th_event *event)
{
    if (event)
        event->operations->event_free(event);
}

void th_event_set(th_event *event)
{
    event->operations->event_set(event);
}

void th_event_reset(th_event *event)
{
    event->operations->event_reset(event);
}

bool th_event_wait(th_event *event, uint64_t timeout_ns)
{
    return event->operations->event_wait(event, timeout_ns);
}

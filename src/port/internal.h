/* port/internal.h: what the two ports share. Nothing outside src/port/ includes this.
 *
 * A port, a file, a task and an event each begin with a pointer to the operations of the port that made them.
 * So both ports live in one program, and a call on a handle costs one indirect call. Mutexes alone go
 * without: see mutex.c. */
#ifndef TH_PORT_INTERNAL_H
#define TH_PORT_INTERNAL_H

#include "port/port.h"

/* One function for each primitive of port.h, with the same contract. th_port_read_file and
 * th_port_replace_file are missing: they are made of these (whole_file.c). */
typedef struct th_port_operations {
    uint64_t (*wall_ns)(th_port *port);
    uint64_t (*monotonic_ns)(th_port *port);
    uint64_t (*thread_cpu_ns)(th_port *port);
    theater_status (*entropy)(th_port *port, uint8_t *out, size_t size, theater_error *reterr);
    unsigned (*processors)(th_port *port);

    theater_status (*file_open)(th_port *port, const char *path, unsigned flags, th_file **ret,
                                theater_error *reterr);
    void (*file_close)(th_file *file);
    theater_status (*file_read)(th_file *file, uint64_t offset, void *out, size_t size, size_t *ret_size,
                                theater_error *reterr);
    theater_status (*file_write)(th_file *file, uint64_t offset, const th_slice *parts, size_t count,
                                 theater_error *reterr);
    theater_status (*file_sync)(th_file *file, theater_error *reterr);
    theater_status (*file_size)(th_file *file, uint64_t *ret, theater_error *reterr);
    theater_status (*file_reserve)(th_file *file, uint64_t size, theater_error *reterr);
    theater_status (*file_truncate)(th_file *file, uint64_t size, theater_error *reterr);
    theater_status (*file_lock)(th_file *file, uint32_t wait_ms, theater_error *reterr);

    theater_status (*make_folder)(th_port *port, const char *path, theater_error *reterr);
    theater_status (*rename)(th_port *port, const char *from, const char *to, theater_error *reterr);
    theater_status (*remove)(th_port *port, const char *path, theater_error *reterr);
    theater_status (*sync_folder)(th_port *port, const char *path, theater_error *reterr);
    theater_status (*list_folder)(th_port *port, const char *path,
                                  bool (*entry)(void *context, const char *name), void *context,
                                  theater_error *reterr);

    theater_status (*task_start)(th_port *port, const char *name, size_t stack_bytes, th_step_function step,
                                 void *context, th_task **ret, theater_error *reterr);
    void (*task_wake)(th_task *task);
    void (*task_join)(th_task *task);

    theater_status (*event_new)(th_port *port, th_event **ret, theater_error *reterr);
    void (*event_free)(th_event *event);
    void (*event_set)(th_event *event);
    void (*event_reset)(th_event *event);
    bool (*event_wait)(th_event *event, uint64_t timeout_ns);

    /* The number of mutexes held in this port, which the simulation checks; NULL in the system. It lives as
     * long as any mutex. */
    unsigned *(*held_mutexes)(th_port *port);
} th_port_operations;

struct th_port {
    const th_port_operations *operations;
};

struct th_file {
    const th_port_operations *operations;
};

struct th_task {
    const th_port_operations *operations;
};

struct th_event {
    const th_port_operations *operations;
};

/* No file may pass this, so that offsets fit the system's signed type. */
#define TH_FILE_SIZE_MAX ((uint64_t)INT64_MAX)

/* The names in one folder, gathered before the first callback so that the callback may change the folder. */
#define TH_NAMES_MAX ((size_t)16 << 20) /* bytes of names in a folder, with their zeros */

typedef struct th_names {
    th_buf text; /* the names, each with its zero */
    size_t *offsets; /* where each begins */
    size_t count;
    size_t capacity;
} th_names;

void th_names_init(th_names *names);
void th_names_done(th_names *names);
/* THEATER_TOO_LARGE past TH_NAMES_MAX. */
THEATER_CHECKED theater_status th_names_add(th_names *names, const char *name, theater_error *reterr);
/* Sorts and calls back in ascending byte order until the callback returns false. */
void th_names_visit(th_names *names, bool (*entry)(void *context, const char *name), void *context);

#endif

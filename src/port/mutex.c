/* port/mutex.c: the mutexes of both ports.
 *
 * A lock is the hottest call of the port, so it goes by one test of a pointer instead of the table of
 * operations. In the system it is the thread library's mutex: without contention no system call. In the
 * simulation there is one thread, so a lock that is held when it is asked for could never be had: that is a
 * programmer's error, found here at once. The simulation also counts the held ones, and checks after each
 * step that none is left. */
#include <pthread.h>

#include "port/internal.h"

typedef struct mutex {
    unsigned *held_count; /* the simulation's; NULL in the system */
    union {
        pthread_mutex_t native;
        bool held;
    };
} mutex;
_Static_assert(sizeof(mutex) <= sizeof(th_mutex), "a mutex of this system fits the opaque one");
_Static_assert(_Alignof(mutex) <= _Alignof(th_mutex), "the opaque mutex is aligned for this system's");

static mutex *inner(th_mutex *outer)
{
    return (mutex *)(void *)outer->opaque;
}

void th_mutex_init(th_port *port, th_mutex *outer)
{
    mutex *m = inner(outer);
    m->held_count = port->operations->held_mutexes(port);
    if (m->held_count)
        m->held = false;
    else
        th_assert(pthread_mutex_init(&m->native, NULL) == 0);
}

void th_mutex_done(th_mutex *outer)
{
    mutex *m = inner(outer);
    if (m->held_count)
        th_assert(!m->held);
    else
        th_assert(pthread_mutex_destroy(&m->native) == 0);
}

void th_mutex_lock(th_mutex *outer)
{
    mutex *m = inner(outer);
    if (!m->held_count) {
        th_assert(pthread_mutex_lock(&m->native) == 0);
        return;
    }
    th_assert(!m->held);
    m->held = true;
    ++*m->held_count;
}

void th_mutex_unlock(th_mutex *outer)
{
    mutex *m = inner(outer);
    if (!m->held_count) {
        th_assert(pthread_mutex_unlock(&m->native) == 0);
        return;
    }
    th_assert(m->held);
    m->held = false;
    --*m->held_count;
}

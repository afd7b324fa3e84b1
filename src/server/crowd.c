/* How many connections there may be, and what the one too many is told.
 *
 * A connection is a file, and so are the log, the index and everything that work on the pool opens. Of the
 * files that the system lets the process have, connections take what leaves the rest enough; a newcomer past
 * that gets a 503 with Retry-After instead of a connection that breaks. Saying so takes a file for a moment,
 * so only so many are told at a time, and the others are closed. The Unix socket has a few places more, so
 * that whoever runs the server gets in when all of TCP is taken. */
#include <stdio.h>
#include <sys/resource.h>

#include "server/internal.h"

#define FILES_KEPT 512 /* for everything but connections, where the system gives as many */
#define TOLD_MAX 64
#define LOCAL_MORE 16

void th_crowd_begin(th_server *server)
{
    uint64_t wanted = server->options.max_connections, files = wanted + FILES_KEPT;
    struct rlimit limit;
    server->connection_limit = wanted;
    server->told_limit = TOLD_MAX;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= files)
        return;
    limit.rlim_cur = limit.rlim_max == RLIM_INFINITY || limit.rlim_max > files ? files : limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= files)
        return;
    uint64_t kept = limit.rlim_cur / 2 < FILES_KEPT ? limit.rlim_cur / 2 : FILES_KEPT;
    if (server->told_limit > kept / 8)
        server->told_limit = kept / 8;
    if (wanted <= limit.rlim_cur - kept)
        return;
    server->connection_limit = limit.rlim_cur - kept;
    char text[160];
    snprintf(text, sizeof text, "the system lets this process have %llu files: at most %llu connections",
             (unsigned long long)limit.rlim_cur, (unsigned long long)server->connection_limit);
    th_server_log(server, 3, text);
}

bool th_crowd_full(const th_server *server, bool local)
{
    uint64_t more = !local ? 0 : LOCAL_MORE < server->told_limit ? LOCAL_MORE : server->told_limit;
    return server->connection_count - server->told > server->connection_limit + more;
}

void th_crowd_refuse(th_connection *c)
{
    th_server *server = c->server;
    server->figures.refused_connections++;
    /* Over TLS an answer would first take a handshake. */
    th_exchange *x = server->told >= server->told_limit || (server->tls && !c->local) || server->draining
                         ? NULL
                         : th_exchange_new(c);
    if (!x) {
        th_connection_close(c);
        return;
    }
    c->told = true;
    server->told++;
    c->stopped = c->ended_input = x->close_after = true;
    th_reply_header(x, "Retry-After: 1");
    th_reply_problem(x, 503, "too-many-connections", "too many connections",
                     "the server has as many connections as it may; try again in a second");
    th_exchange_reply(x);
}

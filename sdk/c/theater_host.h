/* theater_host.h: what the runtime gives an actor. Included by theater.h.
 *
 * Every answer is a function of the chain alone, so a turn can be run again by anybody. A function that an
 * actor does not call does not appear among its imports. Those that take or give bytes (all but theater_now
 * and theater_sequence) make the component hold two small helper modules, which every turn instantiates: an
 * actor that wants the shortest turns does without them.
 *
 * In a test program on the machine these are ordinary functions that the program itself defines.
 */
#ifndef THEATER_HOST_H
#define THEATER_HOST_H

#include "theater_memory.h"

typedef enum theater_level {
    THEATER_TRACE,
    THEATER_DEBUG,
    THEATER_INFO,
    THEATER_WARN,
    THEATER_ERROR,
} theater_level;

/* Where the input of this turn came from. */
typedef enum theater_source_kind {
    THEATER_SOURCE_GENESIS, /* the configuration, in init */
    THEATER_SOURCE_CLIENT, /* a client; an upgrade too */
    THEATER_SOURCE_ACTOR, /* another actor's send or request */
    THEATER_SOURCE_REPLY, /* the answer to this actor's own request */
} theater_source_kind;

typedef struct theater_source {
    theater_source_kind kind;
    bool has_principal; /* client: whether it was authenticated */
    theater_slice name; /* client: its principal; actor: the actor's name */
    uint64_t request; /* reply: what theater_request returned */
    bool failed; /* reply: the input is the reason of a rejection, as text */
} theater_source;

#ifdef __wasm__

#define THEATER_IMPORT(name)                                                                                 \
    __attribute__((import_module("theater:actor/host@0.1.0"), import_name(name))) extern

/* The canonical ABI's forms of the functions; use those below. */
THEATER_IMPORT("log") void theater_import_log(uint32_t level, const void *text, size_t size);
THEATER_IMPORT("now") uint64_t theater_import_now(void);
THEATER_IMPORT("random") void theater_import_random(uint32_t length, theater_slice *ret);
THEATER_IMPORT("self-name") void theater_import_self_name(theater_slice *ret);
THEATER_IMPORT("sequence") uint64_t theater_import_sequence(void);
THEATER_IMPORT("source") void theater_import_source(void *ret);
THEATER_IMPORT("send")
void theater_import_send(const void *to, size_t to_size, const void *payload, size_t payload_size);
THEATER_IMPORT("request")
uint64_t theater_import_request(const void *to, size_t to_size, const void *payload, size_t payload_size);

/* A line for whoever operates the actor; it stands in the chain as an effect, also when the turn is rejected.
 * UTF-8. */
static inline void theater_log(theater_level level, theater_slice text)
{
    theater_import_log(level, text.data, text.size);
}

/* The turn's time: nanoseconds since the Unix epoch. It does not move within a turn and never goes back. */
static inline uint64_t theater_now(void)
{
    return theater_import_now();
}

/* The next `length` bytes of the turn's random stream, at most 65,536 in a turn. Whoever has the chain can
 * compute them: they are good for shuffling, not for secrets. */
static inline theater_slice theater_random(uint32_t length)
{
    theater_slice bytes;
    theater_import_random(length, &bytes);
    return bytes;
}

/* This actor's name. */
static inline theater_slice theater_self_name(void)
{
    theater_slice name;
    theater_import_self_name(&name);
    return name;
}

/* The sequence number of the element that this turn will become. */
static inline uint64_t theater_sequence(void)
{
    return theater_import_sequence();
}

/* Who sent the input of this turn. */
static inline theater_source theater_source_of_input(void)
{
    /* The canonical ABI of the variant: a discriminant, and its payload at 8 because a reply holds a u64. */
    struct {
        uint8_t kind;
        union {
            struct {
                uint8_t some;
                theater_slice principal;
            } client;
            theater_slice actor;
            struct {
                uint64_t request;
                uint8_t failed;
            } reply;
        } of;
    } lifted;
    _Static_assert(sizeof lifted == 24, "the canonical ABI's layout of input-source");
    theater_import_source(&lifted);
    theater_source source = {.kind = (theater_source_kind)lifted.kind};
    if (source.kind == THEATER_SOURCE_CLIENT && lifted.of.client.some) {
        source.has_principal = true;
        source.name = lifted.of.client.principal;
    } else if (source.kind == THEATER_SOURCE_ACTOR) {
        source.name = lifted.of.actor;
    } else if (source.kind == THEATER_SOURCE_REPLY) {
        source.request = lifted.of.reply.request;
        source.failed = lifted.of.reply.failed;
    }
    return source;
}

/* Sends a message when this turn is committed; delivered exactly once, and in order for each pair of actors.
 * A `to` that is no name, or a payload over the limit, ends the turn. */
static inline void theater_send(theater_slice to, theater_slice payload)
{
    theater_import_send(to.data, to.size, payload.data, payload.size);
}

/* As theater_send, but the target's output, or its rejection, comes back as a later input whose source is
 * THEATER_SOURCE_REPLY with the id that this returns: keep it in the state. */
static inline uint64_t theater_request(theater_slice to, theater_slice payload)
{
    return theater_import_request(to.data, to.size, payload.data, payload.size);
}

#else

void theater_log(theater_level level, theater_slice text);
uint64_t theater_now(void);
theater_slice theater_random(uint32_t length);
theater_slice theater_self_name(void);
uint64_t theater_sequence(void);
theater_source theater_source_of_input(void);
void theater_send(theater_slice to, theater_slice payload);
uint64_t theater_request(theater_slice to, theater_slice payload);

#endif

#endif

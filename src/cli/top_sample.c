#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/top.h"
#include "port/system.h"

/* ---- figures ------------------------------------------------------------------------------------------- */

static void take_bucket(top_histogram *into, const char *labels, double value)
{
    const char *bound = strncmp(labels, "le=\"", 4) == 0 ? labels + 4 : NULL;
    if (!bound || into->buckets == TOP_BUCKETS_MAX)
        return;
    into->bound[into->buckets] = strncmp(bound, "+Inf", 4) == 0 ? HUGE_VAL : strtod(bound, NULL);
    into->count[into->buckets++] = value;
}

static void take_figure(void *context, const char *name, const char *labels, double value)
{
    top_sample *self = context;
    static const char *const histograms[] = {
#define ENTRY(field, histogram_name) histogram_name "_bucket",
        TOP_HISTOGRAMS(ENTRY)
#undef ENTRY
    };
#define TAKE(field, figure, label)                                                                           \
    if (strcmp(name, figure) == 0 && strcmp(labels, label) == 0)                                             \
        self->field = value;
    TOP_FIGURES(TAKE)
#undef TAKE
    if (strcmp(name, "theater_rejections_total") == 0)
        self->rejections += value;
    for (size_t i = 0; i < TOP_HISTOGRAM_COUNT; i++)
        if (strcmp(name, histograms[i]) == 0)
            take_bucket(&self->histograms[i], labels, value);
}

double top_percentile(const top_histogram *before, const top_histogram *now, double part)
{
    bool alike = before && before->buckets == now->buckets;
    size_t last = now->buckets - 1;
    if (now->buckets == 0)
        return -1;
    double all = now->count[last] - (alike ? before->count[last] : 0);
    double below = 0, from = 0;
    if (all <= 0)
        return -1;
    for (size_t i = 0; i <= last; i++) {
        double count = now->count[i] - (alike ? before->count[i] : 0);
        if (count >= part * all && count > below) {
            double to = isinf(now->bound[i]) ? from : now->bound[i];
            return from + (to - from) * (part * all - below) / (count - below);
        }
        below = count;
        from = now->bound[i];
    }
    return from;
}

/* ---- actors -------------------------------------------------------------------------------------------- */

static bool take_actor(void *context, const theater_actor_info *info)
{
    top_sample *self = context;
    if (info->status == THEATER_ACTOR_REMOVED)
        return true;
    if (self->actor_count == TOP_ACTORS_MAX) {
        self->actors_cut = true;
        return false;
    }
    if (self->actor_count == self->actor_capacity) {
        size_t capacity = self->actor_capacity ? self->actor_capacity * 2 : 64;
        top_actor *actors = th_realloc(self->actors, capacity * sizeof *actors);
        self->failed = !actors;
        if (!actors)
            return false;
        self->actors = actors;
        self->actor_capacity = capacity;
    }
    top_actor *actor = &self->actors[self->actor_count++];
    *actor = (top_actor){.id = info->id,
                         .status = info->status,
                         .elements = info->elements,
                         .state_size = info->state_size,
                         .waiting = info->undelivered};
    snprintf(actor->name, sizeof actor->name, "%s", info->name);
    return true;
}

theater_status top_sample_take(th_client *client, top_sample *ret, theater_error *reterr)
{
    *ret = (top_sample){.taken_ns = th_port_monotonic_ns(th_port_system()),
                        .wall_ns = th_port_wall_ns(th_port_system())};
    theater_status status = th_client_metrics(client, take_figure, ret, reterr);
    if (!status)
        status = th_client_actors(client, take_actor, ret, reterr);
    if (!status && ret->failed)
        status = th_fail_memory(reterr, "the list of actors");
    return status;
}

void top_sample_done(top_sample *sample)
{
    th_free(sample->actors);
    *sample = (top_sample){0};
}

/* Both lists ascend by id. */
void top_sample_compare(const top_sample *before, top_sample *now)
{
    double seconds = (double)(now->taken_ns - before->taken_ns) / 1e9;
    size_t k = 0;
    for (size_t i = 0; seconds > 0 && i < now->actor_count; i++) {
        top_actor *actor = &now->actors[i];
        while (k < before->actor_count && before->actors[k].id < actor->id)
            k++;
        bool known = k < before->actor_count && before->actors[k].id == actor->id;
        uint64_t past = known ? before->actors[k].elements : 0;
        actor->rate = actor->elements > past ? (double)(actor->elements - past) / seconds : 0;
    }
}

/* What a benchmark came to, for people and as JSON. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/bench.h"

static const struct {
    const char *word, *key;
    double part;
} quantiles[] = {
    {"p50", "p50_ns", 0.5}, {"p90", "p90_ns", 0.9}, {"p99", "p99_ns", 0.99}, {"p99.9", "p999_ns", 0.999}};
enum { QUANTILES = sizeof quantiles / sizeof *quantiles };

static const char *const thread_words[CLI_BENCH_THREADS] = {"client", "workers", "committer", "indexer"};

typedef struct stage {
    const char *word;
    uint64_t ns; /* of all measured turns */
} stage;
enum { STAGES = 5 };

/* The CPU times of the stages of a turn, in their order. Returns how many turns they are of. */
static uint64_t stages_of(const cli_bench_result *result, stage out[STAGES])
{
    const theater_metrics *a = &result->after, *b = &result->stages;
    const stage all[STAGES] = {{"instantiate", b->begin_ns - a->begin_ns},
                               {"call", b->call_ns - a->call_ns},
                               {"drop", b->end_ns - a->end_ns},
                               {"hash", b->hash_ns - a->hash_ns},
                               {"encode", b->encode_ns - a->encode_ns}};
    memcpy(out, all, sizeof all);
    /* `measured_turns` may hold turns of before the measuring; all turns since were measured. */
    return b->turns - a->turns;
}

static double per(uint64_t value, uint64_t count)
{
    return count ? (double)value / (double)count : 0;
}

/* The bound of the runtime's histogram below which a part of what came since `before` was. */
static uint64_t histogram_quantile(const theater_histogram *before, const theater_histogram *after,
                                   double part)
{
    double enough = part * (double)(after->count - before->count), sum = 0;
    for (unsigned i = 0; i < THEATER_HISTOGRAM_BUCKETS; i++) {
        uint64_t here = after->buckets[i] - before->buckets[i];
        sum += (double)here;
        if (here && sum >= enough)
            return theater_histogram_bound_ns(i);
    }
    return 0;
}

static uint64_t histogram_mean(const theater_histogram *before, const theater_histogram *after)
{
    return (uint64_t)per(after->sum_ns - before->sum_ns, after->count - before->count);
}

/* ---- for people ---------------------------------------------------------------------------------------- */

static void put_time(cli_output *out, double ns)
{
    if (ns < 1e4)
        cli_printf(out, "%.0f ns", ns);
    else if (ns < 1e6)
        cli_printf(out, "%.1f us", ns / 1e3);
    else
        cli_printf(out, "%.1f ms", ns / 1e6);
}

static void print_load(cli_output *out, const cli_bench *bench)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < bench->input_count; i++)
        bytes += bench->inputs[i].size;
    cli_printf(out, "%-12s %s, %" PRIu64 " of it; inputs of %.0f bytes, %" PRIu64 " in flight; %s\n", "actor",
               bench->what, bench->actors, per(bytes, bench->input_count), bench->clients,
               bench->no_disk ? "in memory only"
               : bench->async ? "answers may come before they are on disk"
                              : "answers come when they are on disk");
}

static void print_latencies(cli_output *out, const cli_bench_result *result)
{
    cli_printf(out, "%-12s ", "latency");
    for (unsigned i = 0; i < QUANTILES; i++) {
        cli_printf(out, "%s ", quantiles[i].word);
        put_time(out, (double)cli_bench_quantile(&result->answer, quantiles[i].part));
        cli_puts(out, ", ");
    }
    cli_puts(out, "max ");
    put_time(out, (double)result->answer.max_ns);
    cli_printf(out, "\n%-12s mean ", "in the queue");
    const theater_histogram *before = &result->before.queue, *after = &result->after.queue;
    put_time(out, (double)histogram_mean(before, after));
    cli_puts(out, ", p50 under ");
    put_time(out, (double)histogram_quantile(before, after, 0.5));
    cli_puts(out, ", p99 under ");
    put_time(out, (double)histogram_quantile(before, after, 0.99));
    cli_puts(out, "\n");
}

static void print_cpu(cli_output *out, const cli_bench_result *result, uint64_t turns)
{
    cli_printf(out, "%-12s ", "CPU a turn");
    put_time(out, per(result->cpu_ns, turns));
    const char *before = ": ";
    for (unsigned i = 0; i < CLI_BENCH_THREADS; i++) {
        if (!result->thread_ns[i])
            continue;
        cli_printf(out, "%s%s ", before, thread_words[i]);
        put_time(out, per(result->thread_ns[i], turns));
        before = ", ";
    }
    stage stages[STAGES];
    uint64_t measured = stages_of(result, stages);
    cli_puts(out, "\n");
    if (!measured)
        return;
    cli_printf(out, "%-12s ", "by stage");
    for (unsigned i = 0; i < STAGES; i++) {
        cli_printf(out, "%s%s ", i ? ", " : "", stages[i].word);
        put_time(out, per(stages[i].ns, measured));
    }
    cli_puts(out, " (reading the clock included)\n");
}

static void print_text(cli_output *out, const cli_bench *bench, const cli_bench_result *result)
{
    const theater_metrics *a = &result->before, *b = &result->after;
    uint64_t turns = b->turns - a->turns, commits = b->commits - a->commits;
    print_load(out, bench);
    cli_printf(out, "%-12s %" PRIu64 " in %.2f s: %.0f a second, %" PRIu64 " rejected\n", "turns", turns,
               (double)result->wall_ns / 1e9, per(turns * 1000, result->wall_ns / 1000000), result->rejected);
    print_latencies(out, result);
    print_cpu(out, result, turns);
    cli_printf(out, "%-12s %" PRIu64 " of %.1f turns, each ", "commits", commits, per(turns, commits));
    put_time(out, per(b->commit_ns - a->commit_ns, commits));
    cli_printf(out, "\n%-12s %.0f bytes a turn\n", "written", per(b->commit_bytes - a->commit_bytes, turns));
    cli_printf(out, "%-12s %.2f a turn in C (the engine's are not counted)\n", "allocations",
               per(result->allocations, turns));
}

/* ---- JSON ---------------------------------------------------------------------------------------------- */

static void member(cli_output *out, const char *key, uint64_t value)
{
    cli_json_key(out, key);
    cli_json_uint(out, value);
}

static void json_cpu(cli_output *out, const cli_bench_result *result)
{
    stage stages[STAGES];
    member(out, "cpu_ns", result->cpu_ns);
    cli_json_key(out, "cpu_ns_by_thread");
    cli_json_object(out);
    for (unsigned i = 0; i < CLI_BENCH_THREADS; i++)
        member(out, thread_words[i], result->thread_ns[i]);
    cli_json_end(out, '}');
    uint64_t measured = stages_of(result, stages);
    cli_json_key(out, "stages");
    cli_json_object(out);
    member(out, "turns", measured);
    cli_json_key(out, "cpu_ns");
    cli_json_object(out);
    for (unsigned i = 0; i < STAGES; i++)
        member(out, stages[i].word, stages[i].ns);
    cli_json_end(out, '}');
    cli_json_end(out, '}');
}

static void json_latencies(cli_output *out, const cli_bench_result *result)
{
    cli_json_key(out, "latency");
    cli_json_object(out);
    for (unsigned i = 0; i < QUANTILES; i++)
        member(out, quantiles[i].key, cli_bench_quantile(&result->answer, quantiles[i].part));
    member(out, "max_ns", result->answer.max_ns);
    member(out, "mean_ns", (uint64_t)per(result->answer.sum_ns, result->answer.count));
    cli_json_end(out, '}');
    cli_json_key(out, "queue");
    cli_json_object(out);
    const theater_histogram *before = &result->before.queue, *after = &result->after.queue;
    member(out, "mean_ns", histogram_mean(before, after));
    member(out, "p50_ns", histogram_quantile(before, after, 0.5));
    member(out, "p99_ns", histogram_quantile(before, after, 0.99));
    cli_json_end(out, '}');
}

static void print_json(cli_output *out, const cli_bench *bench, const cli_bench_result *result)
{
    const theater_metrics *a = &result->before, *b = &result->after;
    uint64_t turns = b->turns - a->turns;
    cli_json_object(out);
    cli_json_key(out, "actor");
    cli_json_string(out, bench->what);
    member(out, "actors", bench->actors);
    member(out, "clients", bench->clients);
    cli_json_key(out, "durability");
    cli_json_string(out, bench->no_disk ? "none" : bench->async ? "async" : "sync");
    member(out, "wall_ns", result->wall_ns);
    member(out, "turns", turns);
    member(out, "turns_per_second", (uint64_t)per(turns * 1000, result->wall_ns / 1000000));
    member(out, "rejected", result->rejected);
    json_latencies(out, result);
    member(out, "cpu_ns_per_turn", (uint64_t)per(result->cpu_ns, turns));
    json_cpu(out, result);
    member(out, "commits", b->commits - a->commits);
    member(out, "commit_ns", b->commit_ns - a->commit_ns);
    member(out, "written_bytes", b->commit_bytes - a->commit_bytes);
    member(out, "allocations", result->allocations);
    cli_json_end(out, '}');
    cli_json_line(out);
}

void cli_bench_print(cli_run *cli, const cli_bench *bench, const cli_bench_result *result)
{
    if (cli->json)
        print_json(&cli->out, bench, result);
    else
        print_text(&cli->out, bench, result);
}

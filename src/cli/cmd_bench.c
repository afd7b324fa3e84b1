/* bench: how fast an actor runs on this machine, in a data folder that is made for it and removed again. */
#include <limits.h>
#include <sys/stat.h>

#include "chain/descriptor.h"
#include "cli/bench.h"
#include "cli/commands.h"
#include "cli/limits.h"
#include "guest/guest.h"
#include "tool/files.h"

enum { INPUT_BYTES = 16, CLIENTS = 256, TIME_MS = 5000, TIME_MAX_MS = 24 * 3600 * 1000, WORKERS_MAX = 1024 };

typedef struct benching {
    cli_run *cli;
    cli_bench bench;
    cli_actor given; /* what options, manifest or operand say */
    th_buf text; /* of --file, or the one input */
    th_slice *inputs;
    char scratch[PATH_MAX]; /* empty: none was made */
} benching;

/* ---- the actor ----------------------------------------------------------------------------------------- */

static bool names_file(const char *operand)
{
    size_t size = strlen(operand);
    return strchr(operand, '/') || (size > 5 && strcmp(operand + size - 5, ".wasm") == 0);
}

/* The configuration that the actor was started with. */
static theater_status read_config(benching *self, theater_folder *folder, const theater_actor_info *info,
                                  theater_error *reterr)
{
    theater_element genesis;
    theater_status status = theater_element_read(folder, info->id, 0, &genesis, reterr);
    if (status)
        return status;
    th_descriptor descriptor;
    if (genesis.input_dropped)
        status =
            th_fail(reterr, THEATER_NOT_FOUND,
                    "the configuration of %s is no longer here: give --config or --config-text", info->name);
    else
        status = th_descriptor_decode(genesis.input, &descriptor, reterr);
    if (!status)
        status = th_buf_append(&self->given.config, descriptor.config, reterr);
    theater_element_free(&genesis);
    return status;
}

/* The component of an actor in the data folder, with its limits. Nothing there is changed. */
static theater_status copy_actor(benching *self, const char *name, theater_error *reterr)
{
    theater_folder *folder;
    theater_actor_info info;
    theater_bytes component = {0};
    theater_status status = cli_open_actor(self->cli, name, &folder, &info, reterr);
    if (status)
        return status;
    status = theater_component_read(folder, &info.component, &component, reterr);
    if (!status)
        status = th_buf_append(&self->given.component, th_slice_of(component.data, component.size), reterr);
    theater_bytes_free(&component);
    if (!status && !self->given.has_config)
        status = read_config(self, folder, &info, reterr);
    if (!self->given.has_limits)
        self->given.limits = info.limits;
    theater_folder_close(folder);
    return status;
}

static theater_status choose_actor(benching *self, theater_error *reterr)
{
    const cli_run *cli = self->cli;
    const char *operand = cli->operand_count ? cli->operands[0] : NULL;
    bool named = cli_flag(cli, "--component") || self->given.has_manifest;
    if (operand && named)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "%s and --component or --manifest exclude each other", operand);
    theater_status status = THEATER_OK;
    if (operand && names_file(operand))
        status = cli_read_file(operand, CLI_FILE_MAX, &self->given.component, reterr);
    else if (operand)
        status = copy_actor(self, operand, reterr);
    else if (!named)
        status =
            th_buf_append(&self->given.component, th_slice_of(cli_bench_actor, cli_bench_actor_size), reterr);
    self->bench.what = operand                        ? operand
                       : self->given.has_manifest     ? self->given.name
                       : cli_flag(cli, "--component") ? cli_value(cli, "--component")
                                                      : "a counter";
    self->bench.actor = (theater_actor_options){.component = th_buf_slice(&self->given.component),
                                                .config = th_buf_slice(&self->given.config),
                                                .limits = self->given.limits};
    return status;
}

/* ---- the inputs ---------------------------------------------------------------------------------------- */

/* Each line of the text is an input; what follows the last line break is one when it is not empty. */
static theater_status split_lines(benching *self, theater_error *reterr)
{
    th_slice text = th_buf_slice(&self->text);
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += text.data[i] == '\n' || i + 1 == text.size;
    if (count == 0)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s has no line", cli_value(self->cli, "--file"));
    self->inputs = th_alloc_zero(count, sizeof *self->inputs);
    if (!self->inputs)
        return th_fail_memory(reterr, "the lines of a file");
    size_t begin = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] != '\n' && i + 1 < text.size)
            continue;
        size_t end = text.data[i] == '\n' ? i : i + 1;
        self->inputs[self->bench.input_count++] = th_slice_of(text.data + begin, end - begin);
        begin = i + 1;
    }
    return THEATER_OK;
}

/* One input: an operand, a file, or what the counter understands; filled up with spaces to --size. */
static theater_status make_input(benching *self, theater_error *reterr)
{
    const cli_run *cli = self->cli;
    bool own = cli->operand_count > 1,
         counter = !cli->operand_count && !cli_flag(cli, "--component") && !self->given.has_manifest;
    uint64_t size = 0;
    theater_status status = cli_size(cli, "--size", &size, reterr);
    if (!status && size > CLI_BENCH_BYTES_MAX)
        status = th_fail(reterr, THEATER_TOO_LARGE, "--size is over 1 GiB");
    if (!status && !cli_flag(cli, "--file"))
        status = th_buf_append(&self->text,
                               th_slice_text(own       ? cli->operands[1]
                                             : counter ? "inc"
                                                       : ""),
                               reterr);
    if (counter && !cli_flag(cli, "--size") && !cli_flag(cli, "--file"))
        size = INPUT_BYTES;
    while (!status && self->text.size < size) {
        static const uint8_t spaces[] = "                                                                ";
        uint64_t left = size - self->text.size;
        status = th_buf_append(
            &self->text, th_slice_of(spaces, left < sizeof spaces - 1 ? (size_t)left : sizeof spaces - 1),
            reterr);
    }
    self->inputs = status ? NULL : th_alloc_zero(1, sizeof *self->inputs);
    if (!status && !self->inputs)
        status = th_fail_memory(reterr, "an input");
    if (!status)
        self->inputs[self->bench.input_count++] = th_buf_slice(&self->text);
    return status;
}

static theater_status choose_inputs(benching *self, theater_error *reterr)
{
    const cli_run *cli = self->cli;
    const char *file = cli_value(cli, "--file");
    bool lines = cli_flag(cli, "--lines");
    if (lines && (!file || cli_flag(cli, "--size")))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "--lines goes with --file and without --size");
    if (file && cli->operand_count > 1)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "INPUT and --file exclude each other");
    theater_status status = file ? cli_read_file(file, CLI_FILE_MAX, &self->text, reterr) : THEATER_OK;
    if (!status)
        status = lines ? split_lines(self, reterr) : make_input(self, reterr);
    uint64_t largest = 0;
    for (size_t i = 0; !status && i < self->bench.input_count; i++)
        largest = self->inputs[i].size > largest ? self->inputs[i].size : largest;
    if (!status && largest > CLI_BENCH_BYTES_MAX / self->bench.clients)
        status =
            th_fail(reterr, THEATER_TOO_LARGE,
                    "%llu clients with inputs of %llu bytes are over 1 GiB in flight: give fewer --clients",
                    (unsigned long long)self->bench.clients, (unsigned long long)largest);
    self->bench.inputs = self->inputs;
    return status;
}

/* ---- the run ------------------------------------------------------------------------------------------- */

static theater_status read_load(benching *self, theater_error *reterr)
{
    cli_bench *bench = &self->bench;
    const cli_run *cli = self->cli;
    const struct {
        const char *name;
        uint64_t *value, max;
    } numbers[] = {{"--actors", &bench->actors, CLI_BENCH_ACTORS_MAX},
                   {"--clients", &bench->clients, CLI_BENCH_CLIENTS_MAX},
                   {"--workers", &bench->workers, WORKERS_MAX}};
    bench->actors = 1;
    bench->clients = CLIENTS;
    bench->time_ms = TIME_MS;
    bench->async = cli_flag(cli, "--async");
    bench->no_disk = cli_flag(cli, "--no-disk");
    theater_status status = cli_duration(cli, "--time", &bench->time_ms, reterr);
    if (!status && (bench->time_ms == 0 || bench->time_ms > TIME_MAX_MS))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "--time must be over 0 and at most a day");
    for (size_t i = 0; !status && i < sizeof numbers / sizeof *numbers; i++) {
        status = cli_number(cli, numbers[i].name, numbers[i].value, reterr);
        if (!status && cli_flag(cli, numbers[i].name) &&
            (*numbers[i].value == 0 || *numbers[i].value > numbers[i].max))
            status = th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s must be from 1 to %llu", numbers[i].name,
                             (unsigned long long)numbers[i].max);
    }
    if (!status && bench->async && bench->no_disk)
        status = th_fail(reterr, THEATER_INVALID_ARGUMENT, "--async and --no-disk exclude each other");
    return status;
}

/* A folder of its own: in the data folder that is named, so on its disk, or where temporary files go. */
static theater_status make_scratch(benching *self, theater_error *reterr)
{
    const char *parent = getenv("TMPDIR");
    if (!parent || !*parent)
        parent = "/tmp";
    theater_status status = self->cli->data ? cli_data(self->cli, true, &parent, reterr) : THEATER_OK;
    char path[PATH_MAX];
    if (!status)
        status = th_tool_make_scratch(parent, path, reterr);
    if (!status)
        memcpy(self->scratch, path, sizeof path);
    return status;
}

static theater_status run_bench(benching *self, theater_error *reterr)
{
    const cli_bench *bench = &self->bench;
    cli_bench_result *result = th_alloc(sizeof *result);
    if (!result)
        return th_fail_memory(reterr, "a benchmark");
    char folder[PATH_MAX];
    theater_status status = bench->no_disk ? THEATER_OK : make_scratch(self, reterr);
    if (!status && !bench->no_disk)
        status = th_tool_join(self->scratch, "data", folder, reterr);
    theater_runtime_options options = {.folder = bench->no_disk ? NULL : folder,
                                       .durability = bench->async ? THEATER_ASYNC : THEATER_SYNC,
                                       .workers = (unsigned)bench->workers,
                                       .mailbox_messages = (uint32_t)bench->clients + 1};
    theater_runtime *runtime;
    cli_catch_interrupt();
    if (!status)
        status = theater_runtime_open(&options, &runtime, reterr);
    if (!status)
        status = cli_bench_run(bench, runtime, result, reterr);
    if (!status)
        cli_bench_print(self->cli, bench, result);
    if (!status && cli_interrupted())
        status =
            th_fail(reterr, THEATER_INTERRUPTED, "interrupted: the figures are of what was run until then");
    if (self->scratch[0])
        th_guest_remove_folder(self->scratch);
    th_free(result);
    return status;
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    benching self = {.cli = cli};
    th_buf_init(&self.text, CLI_FILE_MAX);
    theater_status status = cli_actor_read(cli, &self.given, reterr);
    if (!status)
        status = read_load(&self, reterr);
    if (!status)
        status = choose_actor(&self, reterr);
    if (!status)
        status = choose_inputs(&self, reterr);
    if (!status)
        status = run_bench(&self, reterr);
    cli_actor_done(&self.given);
    th_buf_done(&self.text);
    th_free(self.inputs);
    return status;
}

static const cli_option options[] = {
    CLI_ACTOR_OPTIONS,
    {"--actors", "N", "Actors of it, which get the messages in turn; 1 when not given"},
    {"--clients", "N", "Clients, each with one message in flight; 256 when not given"},
    {"--time", "TIME", "How long to measure; 5s when not given"},
    {"--file", "FILE", "Takes the input, or the lines, from a file; - is standard input"},
    {"--lines", NULL, "Each line of the file is an input; they are sent in turn, again and again"},
    {"--size", "SIZE", "Fills the input up with spaces to this size"},
    {"--workers", "N", "Threads that run turns; one for each processor when not given"},
    {"--async", NULL, "Answers may come before they are on disk"},
    {"--no-disk", NULL, "Keeps everything in memory"},
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"bench", "what the machine can do: a counter, 16 bytes an input"},
    {"bench ledger.wasm --file transfers.txt --lines --actors 100 --time 20s",
     "an actor of yours with inputs of yours"},
    {"--data data bench cart 'add 5' --clients 1",
     "what one client would see of an actor of the data folder, on the disk of that folder"},
    {"bench --size 64KiB --clients 64 --json", "figures for a program"},
    {NULL, NULL},
};

const cli_command cli_cmd_bench = {
    .name = "bench",
    .operands = "[COMPONENT|NAME [INPUT]]",
    .summary = "Measures how fast an actor runs on this machine",
    .description =
        "Starts actors of a component (a file that ends with .wasm or is named with a slash, or --component, "
        "or --manifest), of an actor of the data folder (its component, its limits and the configuration "
        "that "
        "it was started with), or of a counter that is built in, and sends them messages from many clients, "
        "each of which waits for its answer. This happens in a new folder inside the data folder, so on its "
        "disk, or inside TMPDIR when none is named; no actor of the data folder is touched, and the new "
        "folder "
        "is removed at the end. An interrupt ends it early, with the figures so far and exit code 26.\n\n"
        "Latency is from sending a message to its answer. The CPU time of a turn is that of the whole "
        "process, "
        "then by kind of thread: the client's is sending, the worker's running, the committer's writing, the "
        "indexer's keeping the index. The stages of a turn are measured for a quarter of the time "
        "afterwards: "
        "making the instance, the calls into it, dropping it, hashing, encoding. Allocations are those of "
        "the "
        "code in C.\n\n"
        "Compare figures only when nothing else runs, or as ratios; bench/compare in the sources "
        "compares two builds that way.",
    .options = options,
    .examples = examples,
    .operands_max = 2,
    .no_server = true,
    .run = run,
};

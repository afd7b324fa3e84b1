/* The live view: one thread that waits for a key, the next sample, or an interrupt.
 *
 * The terminal is set to single keys and the second screen while it runs; every way out goes through
 * `leave`, and a signal only sets a flag. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/top.h"
#include "port/system.h"

#define INTERVAL_MIN_MS 100
#define INTERVAL_MAX_MS 3600000

static volatile sig_atomic_t resized; /* or stopped and continued: draw anew */

typedef struct screen {
    cli_run *cli;
    top_view view;
    top_sample samples[2]; /* the one before and the newest, in turns */
    size_t newest;
    uint64_t interval_ns, next_ns;
    theater_error trouble;
    struct termios cooked;
    bool over;
} screen;

static void on_resize(int number)
{
    (void)number;
    resized = 1;
}

/* ---- the terminal -------------------------------------------------------------------------------------- */

static void single_keys(const screen *self)
{
    struct termios raw = self->cooked;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

static void enter(screen *self)
{
    struct sigaction action = {.sa_handler = on_resize};
    sigemptyset(&action.sa_mask);
    sigaction(SIGWINCH, &action, NULL);
    sigaction(SIGCONT, &action, NULL);
    tcgetattr(STDIN_FILENO, &self->cooked);
    single_keys(self);
    cli_puts(&self->cli->out, "\x1b[?1049h\x1b[?25l");
    resized = 1;
}

static void leave(screen *self)
{
    cli_puts(&self->cli->out, "\x1b[?25h\x1b[?1049l");
    cli_flush(&self->cli->out);
    tcsetattr(STDIN_FILENO, TCSANOW, &self->cooked);
}

static void measure(screen *self)
{
    struct winsize size = {0};
    resized = 0;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_row == 0 || size.ws_col == 0)
        size = (struct winsize){.ws_row = 24, .ws_col = 80};
    self->view.rows = size.ws_row;
    self->view.columns = size.ws_col;
    single_keys(self);
    cli_puts(&self->cli->out, "\x1b[2J");
}

/* ---- samples ------------------------------------------------------------------------------------------- */

static theater_status next_sample(screen *self, theater_error *reterr)
{
    top_sample fresh;
    theater_status status = top_sample_take(self->view.client, &fresh, reterr);
    if (status) {
        top_sample_done(&fresh);
        return status;
    }
    if (self->view.now)
        top_sample_compare(self->view.now, &fresh);
    self->newest = 1 - self->newest;
    top_sample_done(&self->samples[self->newest]);
    self->samples[self->newest] = fresh;
    self->view.before = self->view.now;
    self->view.now = &self->samples[self->newest];
    return THEATER_OK;
}

/* A server that went away may come back: the view stays and says so. */
static void sample_again(screen *self)
{
    theater_status status = next_sample(self, &self->trouble);
    self->over = status == THEATER_INTERRUPTED;
    self->view.trouble = status ? self->trouble.message : NULL;
    self->next_ns = th_port_monotonic_ns(th_port_system()) + self->interval_ns;
}

/* ---- keys ---------------------------------------------------------------------------------------------- */

static void move(screen *self, int by)
{
    size_t count = self->view.now->actor_count;
    if (by < 0)
        self->view.first_actor -= self->view.first_actor > 0;
    else if (self->view.first_actor + 1 < count)
        self->view.first_actor++;
}

static void take_keys(screen *self)
{
    char keys[64];
    ssize_t count = read(STDIN_FILENO, keys, sizeof keys);
    self->over = self->over || count == 0; /* the terminal is gone */
    for (ssize_t i = 0; i < count; i++) {
        if (keys[i] == 0x1b && i + 2 < count && keys[i + 1] == '[') {
            move(self, keys[i + 2] == 'A' ? -1 : 1);
            i += 2;
        } else if (keys[i] == 'q' || keys[i] == 'Q') {
            self->over = true;
        } else if (keys[i] == 's') {
            self->view.order = (top_order)((self->view.order + 1) % TOP_ORDERS);
            self->view.first_actor = 0;
        } else if (keys[i] == ' ' || keys[i] == 'p') {
            self->view.paused = !self->view.paused;
        } else if (keys[i] == 'k' || keys[i] == 'j') {
            move(self, keys[i] == 'k' ? -1 : 1);
        }
    }
}

static void live(screen *self)
{
    enter(self);
    while (!self->over && !cli_interrupted() && !cli_output_ended(&self->cli->out)) {
        uint64_t now = th_port_monotonic_ns(th_port_system());
        if (!self->view.paused && now >= self->next_ns)
            sample_again(self);
        if (resized)
            measure(self);
        if (self->over)
            break;
        top_print(&self->cli->out, &self->view);
        now = th_port_monotonic_ns(th_port_system());
        int wait =
            self->next_ns > now && !self->view.paused ? (int)((self->next_ns - now) / 1000000) + 1 : 500;
        struct pollfd keys = {.fd = STDIN_FILENO, .events = POLLIN};
        if (poll(&keys, 1, wait) > 0)
            take_keys(self);
    }
    leave(self);
}

/* ---- the command --------------------------------------------------------------------------------------- */

static theater_status connect_server(cli_run *cli, cli_place *place, theater_error *reterr)
{
    const char *data;
    char path[256];
    if (!cli->server) {
        theater_status status = cli_data(cli, true, &data, reterr);
        if (status)
            return status;
        int size = snprintf(path, sizeof path, "%s/server.sock", data);
        if (size < 0 || (size_t)size >= sizeof path || !th_client_probe(path))
            return th_fail(reterr, THEATER_NOT_FOUND,
                           "no server runs on %s, and top shows a running one: \"theater --data %s serve\" "
                           "starts one, --server URL names another",
                           data, data);
    }
    return cli_place_open(cli, CLI_WRITE, NULL, place, reterr);
}

static void wait_interval(const screen *self)
{
    uint64_t end = th_port_monotonic_ns(th_port_system()) + self->interval_ns, now;
    while (!cli_interrupted() && (now = th_port_monotonic_ns(th_port_system())) < end)
        poll(NULL, 0, (int)((end - now) / 1000000) + 1);
}

static theater_status show(screen *self, bool once, theater_error *reterr)
{
    theater_status status = next_sample(self, reterr);
    if (!status)
        wait_interval(self);
    if (!status && !cli_interrupted())
        status = next_sample(self, reterr);
    if (status || cli_interrupted())
        return status;
    self->next_ns = th_port_monotonic_ns(th_port_system()) + self->interval_ns;
    if (self->cli->json)
        top_print_json(&self->cli->out, &self->view);
    else if (once)
        top_print(&self->cli->out, &self->view);
    else
        live(self);
    return THEATER_OK;
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    uint64_t interval_ms = 1000;
    cli_place place;
    theater_status status = cli_duration(cli, "--interval", &interval_ms, reterr);
    if (!status && (interval_ms < INTERVAL_MIN_MS || interval_ms > INTERVAL_MAX_MS))
        status = th_fail(reterr, THEATER_INVALID_ARGUMENT, "--interval is 100ms to 1h");
    if (!status)
        status = connect_server(cli, &place, reterr);
    if (status)
        return status;
    bool once = cli_flag(cli, "--once") || !cli->out.terminal || isatty(STDIN_FILENO) != 1;
    screen self = {.cli = cli, .view = {.client = place.client}, .interval_ns = interval_ms * 1000000};
    status = place.client ? show(&self, once, reterr)
                          : th_fail(reterr, THEATER_NOT_FOUND, "the server of %s has just ended", cli->data);
    top_sample_done(&self.samples[0]);
    top_sample_done(&self.samples[1]);
    cli_place_close(&place);
    return status == THEATER_INTERRUPTED ? THEATER_OK : status;
}

static const cli_option options[] = {
    {"--interval", "TIME", "Time between two samples; 1s when not given"},
    {"--once", NULL, "Prints one view of one interval and ends, as it also does without a terminal"},
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"--data data top", "the live view of the server that runs on the folder"},
    {"--server https://theater.example:8443 --ca ca.pem top", "of another one"},
    {"--data data top --once --json", "one sample for a program"},
    {NULL, NULL},
};

const cli_command cli_cmd_top = {
    .name = "top",
    .operands = "",
    .summary = "Shows live what a server does",
    .description =
        "Shows the figures of a running server, drawn anew each second: turns, rejections, commits, how long "
        "messages queue, turns run, commits take and answers wait (percentiles of the interval), mailboxes, "
        "memory, the store, and the actors with their rates. q quits, s changes the order of the actors, the "
        "space bar pauses, up and down move.\n\n"
        "With --json, --once, or when no terminal is there it prints one view and ends. Rates and "
        "percentiles "
        "are those of the interval between its two samples; times in JSON are nanoseconds.",
    .options = options,
    .examples = examples,
    .run = run,
};

/* Actors in Rust: a cargo project whose library is a cdylib, with the crate theater-actor of the SDK at
 * .theater/rust.
 *
 * The standard library for wasm32-unknown-unknown comes with rustup's target. Where only Debian's compiler
 * is, which has none, cargo builds it from Debian's sources (rust-web-src): -Zbuild-std is for nightly
 * compilers, and RUSTC_BOOTSTRAP says that it may be used here.
 *
 * The paths of other crates and of the library are remapped, so that a build by another user gives the same
 * bytes. Those of the project need no flag: cargo gives them relative to it. A flag with the project's folder
 * would make cargo build the library anew for each project. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/languages.h"
#include "tool/compiler.h"
#include "tool/files.h"

/* Where a compiler's sysroot keeps a standard library for the target; "" when it has none. */
static bool has_target(const char *sysroot)
{
    char path[PATH_MAX];
    struct stat info;
    return snprintf(path, sizeof path, "%s/lib/rustlib/wasm32-unknown-unknown/lib", sysroot) < PATH_MAX &&
           stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool has_sources(const char *sysroot)
{
    char path[PATH_MAX];
    struct stat info;
    return snprintf(path, sizeof path, "%s/lib/rustlib/src/rust/library/std", sysroot) < PATH_MAX &&
           stat(path, &info) == 0;
}

/* The folder above the compiler's own: rustc --print sysroot without running it would be a guess, so it is
 * run, and its one line read. */
static bool sysroot_of(const char *cargo, char *ret)
{
    char command[PATH_MAX + 128];
    const char *slash = strrchr(cargo, '/');
    if (strchr(cargo, '\''))
        return false;
    snprintf(command, sizeof command, "PATH='%.*s':\"$PATH\" rustc --print sysroot 2>/dev/null",
             (int)(slash - cargo), cargo);
    FILE *pipe = popen(command, "re");
    if (!pipe)
        return false;
    bool read = fgets(ret, PATH_MAX, pipe) != NULL;
    pclose(pipe);
    ret[strcspn(ret, "\n")] = 0;
    return read && ret[0] == '/';
}

/* A cargo whose compiler can make WebAssembly: with rustup's target, or with the library's sources. */
static bool fits(const char *cargo, char *ret_sysroot)
{
    return access(cargo, X_OK) == 0 && sysroot_of(cargo, ret_sysroot) &&
           (has_target(ret_sysroot) || has_sources(ret_sysroot));
}

static theater_status find_cargo(char *ret, char *ret_sysroot, theater_error *reterr)
{
    const char *home = getenv("HOME"), *cargo_home = getenv("CARGO_HOME");
    if (th_guest_find("cargo", ret) && fits(ret, ret_sysroot))
        return THEATER_OK;
    if (cargo_home && *cargo_home)
        snprintf(ret, PATH_MAX, "%s/bin/cargo", cargo_home);
    else
        snprintf(ret, PATH_MAX, "%s/.cargo/bin/cargo", home ? home : "/root");
    if (fits(ret, ret_sysroot))
        return THEATER_OK;
    snprintf(ret, PATH_MAX, "/usr/bin/cargo");
    if (fits(ret, ret_sysroot))
        return THEATER_OK;
    char any[PATH_MAX];
    if (th_guest_find("rustup", any))
        return th_fail(reterr, THEATER_TOOL_MISSING,
                       "Rust has no standard library for WebAssembly: rustup target add wasm32-unknown-unknown");
    return th_fail(reterr, THEATER_TOOL_MISSING,
                   "no Rust that can make WebAssembly: %s, or on Debian: apt install cargo-web rustc-web "
                   "rust-web-src lld",
                   th_guest_remedy(&(th_guest_tool){.remedy = "tools/guest-tools rust"}, any));
}

static theater_status find(char *ret, theater_error *reterr)
{
    char sysroot[PATH_MAX];
    return find_cargo(ret, sysroot, reterr);
}

/* The library that cargo made: the one .wasm file in its folder. */
static theater_status take_module(const th_guest_job *job, const char *target, theater_error *reterr)
{
    char folder[PATH_MAX], path[PATH_MAX];
    th_tool_names names;
    if (snprintf(folder, sizeof folder, "%s/wasm32-unknown-unknown/release", target) >= PATH_MAX)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s: the path is too long", target);
    theater_status status = th_tool_list(folder, ".wasm", &names, reterr);
    if (status != THEATER_OK)
        return status;
    if (names.count != 1)
        status = th_fail(reterr, THEATER_INVALID_ARGUMENT,
                         "%s: cargo made %zu modules where one is needed; does Cargo.toml say crate-type = "
                         "[\"cdylib\"]?",
                         job->folder, names.count);
    if (status == THEATER_OK)
        status = th_tool_join(folder, names.names[0], path, reterr);
    th_buf module;
    th_buf_init(&module, 256 << 20);
    if (status == THEATER_OK)
        status = th_tool_read(path, &module, reterr);
    if (status == THEATER_OK)
        status = th_tool_replace(job->module, th_buf_slice(&module), reterr);
    th_buf_done(&module);
    th_tool_names_done(&names);
    return status;
}

/* A module of an older name would be a second one. */
static void forget_modules(const char *target)
{
    char folder[PATH_MAX], path[PATH_MAX];
    th_tool_names names;
    snprintf(folder, sizeof folder, "%.3900s/wasm32-unknown-unknown/release", target);
    if (th_tool_list(folder, ".wasm", &names, NULL) != THEATER_OK)
        return;
    for (size_t i = 0; i < names.count; i++)
        if (th_tool_join(folder, names.names[i], path, NULL) == THEATER_OK)
            unlink(path);
    th_tool_names_done(&names);
}

static theater_status run_cargo(const th_guest_job *job, const char *cargo, const char *sysroot,
                                const char *target, theater_error *reterr)
{
    char manifest[PATH_MAX], path[2 * PATH_MAX], flags[4 * PATH_MAX], linker[PATH_MAX + 64];
    const char *slash = strrchr(cargo, '/'), *home = getenv("HOME"), *cargo_home = getenv("CARGO_HOME");
    bool own_library = !has_target(sysroot);
    snprintf(manifest, sizeof manifest, "%s", job->entry);
    snprintf(path, sizeof path, "PATH=%.*s:%.4000s", (int)(slash - cargo), cargo,
             getenv("PATH") ? getenv("PATH") : "");
    snprintf(flags, sizeof flags,
             "CARGO_ENCODED_RUSTFLAGS=--remap-path-prefix=%s%s=/cargo\x1f"
             "--remap-path-prefix=%s=/rust\x1f-Clink-arg=-zstack-size=65536",
             cargo_home ? cargo_home : home ? home : "/root", cargo_home ? "" : "/.cargo", sysroot);
    const char *arguments[16] = {cargo, "build", "--release", "--target", "wasm32-unknown-unknown",
                                 "--manifest-path", manifest, "--target-dir", target};
    const char *environment[8] = {path, flags, "CARGO_INCREMENTAL=0"};
    if (own_library) {
        th_tool_compiler compiler;
        theater_status status = th_tool_find_compiler(&compiler, reterr);
        if (status != THEATER_OK)
            return status;
        snprintf(linker, sizeof linker, "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=%s", compiler.linker);
        arguments[9] = "-Zbuild-std=std,panic_abort";
        arguments[10] = "-Zbuild-std-features=";
        environment[3] = "RUSTC_BOOTSTRAP=1";
        environment[4] = linker;
    }
    return th_guest_run(&(th_guest_command){.arguments = arguments,
                                            .environment = environment,
                                            .folder = job->folder,
                                            .what = "cargo"},
                        reterr);
}

static theater_status build(const th_guest_job *job, char *ret_tool, theater_error *reterr)
{
    char sysroot[PATH_MAX], target[PATH_MAX];
    const char *given = getenv("THEATER_CARGO");
    theater_status status = THEATER_OK;
    if (given && *given) {
        status = th_guest_need(&th_guest_rust, "cargo", ret_tool, reterr);
        if (status == THEATER_OK && !fits(ret_tool, sysroot))
            status = th_fail(reterr, THEATER_TOOL_MISSING,
                             "THEATER_CARGO is %.512s, which cannot make WebAssembly: unset it", ret_tool);
    } else {
        status = find_cargo(ret_tool, sysroot, reterr);
    }
    if (status == THEATER_OK)
        status = th_tool_join(job->cache, "rust", target, reterr);
    if (status == THEATER_OK)
        status = th_guest_make_folders(target, reterr);
    if (status != THEATER_OK)
        return status;
    forget_modules(target);
    status = run_cargo(job, ret_tool, sysroot, target, reterr);
    if (status == THEATER_OK)
        status = take_module(job, target, reterr);
    return status ? status : th_guest_componentize(job, false, reterr);
}

static const char *const extensions[] = {"Cargo.toml", NULL};
static const char *const markers[] = {"Cargo.toml", NULL};
static const th_guest_tool tools[] = {
    {.program = "cargo", .variable = "THEATER_CARGO", .find = find},
    {0},
};

const th_guest_language th_guest_rust = {
    .name = "rust",
    .other_name = "rs",
    .title = "Rust",
    .extensions = extensions,
    .markers = markers,
    .sdk = "rust",
    .place_sdk = true,
    .tools = tools,
    .build = build,
};

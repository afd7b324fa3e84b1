/* Compiled forms that `theater test` keeps, so that a component of some megabytes is compiled once. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/guest.h"
#include "guest/script_run.h"
#include "tool/files.h"

enum { COMPILED_MAX = 1 << 30 };

bool th_script_cache_folder(char *ret)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    struct stat info;
    int size = -1;
    if (cache && *cache)
        size = snprintf(ret, PATH_MAX, "%s/theater", cache);
    else if (home && *home)
        size = snprintf(ret, PATH_MAX, "%s/.cache/theater", home);
    if (size < 0 || size >= PATH_MAX)
        return false;
    if (stat(ret, &info) != 0) {
        char *slash = strrchr(ret, '/');
        *slash = 0;
        bool made = th_guest_make_folders(ret, NULL) == THEATER_OK;
        *slash = '/';
        if (!made || mkdir(ret, 0700) != 0 || stat(ret, &info) != 0)
            return false;
    }
    return S_ISDIR(info.st_mode) && info.st_uid == geteuid() && !(info.st_mode & 022);
}

/* One file for each component and engine. */
static bool path_of(const char *folder, const th_hash *hash, const char *fingerprint, char *ret)
{
    char hex[2 * THEATER_HASH_SIZE + 1];
    th_hex_encode(th_slice_of(hash->bytes, THEATER_HASH_SIZE), hex);
    return strchr(fingerprint, '/') == NULL &&
           snprintf(ret, PATH_MAX, "%s/%s-%s", folder, hex, fingerprint) < PATH_MAX;
}

static theater_status hash_of(th_slice bytes, th_hash *ret, theater_error *reterr)
{
    th_hasher *hasher;
    theater_status status = th_hasher_new(&hasher, reterr);
    if (status == THEATER_OK)
        th_sha256_of(hasher, bytes, ret);
    if (status == THEATER_OK)
        th_hasher_free(hasher);
    return status;
}

theater_status th_script_cache_read(const char *folder, const th_hash *hash, const char *fingerprint,
                                    th_buf *out, theater_error *reterr)
{
    char path[PATH_MAX];
    th_hash is;
    th_buf file;
    if (!path_of(folder, hash, fingerprint, path))
        return th_fail(reterr, THEATER_NOT_FOUND, "no compiled form");
    th_buf_init(&file, COMPILED_MAX);
    theater_status status = th_tool_read(path, &file, reterr);
    if (status == THEATER_OK && file.size < sizeof is)
        status = th_fail(reterr, THEATER_CORRUPT, "%s: too short", path);
    th_slice compiled = status ? (th_slice){0} : th_slice_of(file.data + sizeof is, file.size - sizeof is);
    if (status == THEATER_OK)
        status = hash_of(compiled, &is, reterr);
    if (status == THEATER_OK && memcmp(is.bytes, file.data, sizeof is) != 0)
        status = th_fail(reterr, THEATER_CORRUPT, "%s: not what was written", path);
    if (status == THEATER_OK)
        status = th_buf_append(out, compiled, reterr);
    th_buf_done(&file);
    return status;
}

void th_script_cache_write(const char *folder, const th_hash *hash, const char *fingerprint, th_slice compiled)
{
    char path[PATH_MAX];
    th_hash is;
    th_buf file;
    th_buf_init(&file, COMPILED_MAX);
    if (path_of(folder, hash, fingerprint, path) && hash_of(compiled, &is, NULL) == THEATER_OK &&
        th_buf_append(&file, th_slice_of(is.bytes, sizeof is), NULL) == THEATER_OK &&
        th_buf_append(&file, compiled, NULL) == THEATER_OK) {
        theater_status status = th_tool_replace(path, th_buf_slice(&file), NULL);
        (void)status; /* the next test compiles again, which costs time only */
    }
    th_buf_done(&file);
}

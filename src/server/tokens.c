/* FOLDER/tokens: one token a line: id, scope, time, SHA-256 of the secret, name. A running server reads it
 * again when it changes. */
#include <inttypes.h>
#include <stdio.h>

#include "crypto/sha256.h"
#include "port/system.h"
#include "server/server.h"

#define FILE_MAX ((size_t)1 << 20)
#define PATH_SIZE 4096
#define SECRET_PREFIX "theater_"

static theater_status file_path(const char *folder, char out[PATH_SIZE], theater_error *reterr)
{
    int size = snprintf(out, PATH_SIZE, "%s/tokens", folder);
    return size < PATH_SIZE
               ? THEATER_OK
               : th_fail(reterr, THEATER_INVALID_ARGUMENT, "the path %.100s... is too long", folder);
}

/* 1 to `max` bytes of text that a line can show. */
static bool printable(const char *text, size_t max)
{
    size_t size = strlen(text);
    bool good = size >= 1 && size <= max && th_utf8_valid(th_slice_text(text)) && text[0] != ' ';
    for (size_t i = 0; i < size; i++)
        good &= (unsigned char)text[i] >= 0x20 && text[i] != 0x7f;
    return good;
}

static bool parse_line(const char *line, size_t size, th_token *ret)
{
    char copy[512], scope[8], hex[65];
    int name_at = 0;
    if (size >= sizeof copy)
        return false;
    memcpy(copy, line, size);
    copy[size] = 0;
    memset(ret, 0, sizeof *ret);
    if (sscanf(copy, "%23s %7s %" SCNu64 " %64s %n", ret->id, scope, &ret->created_ns, hex, &name_at) != 4 ||
        name_at == 0)
        return false;
    ret->write = strcmp(scope, "write") == 0;
    if ((!ret->write && strcmp(scope, "read") != 0) || strlen(hex) != 64 ||
        !th_hex_decode(hex, 64, ret->hash.bytes, sizeof ret->hash.bytes))
        return false;
    size_t name_size = size - (size_t)name_at;
    if (name_size == 0 || name_size > TH_TOKEN_NAME_MAX)
        return false;
    memcpy(ret->name, copy + name_at, name_size);
    /* The id becomes a principal on chains, the name is shown. */
    return memchr(copy, 0, size) == NULL && printable(ret->id, TH_TOKEN_ID_SIZE) &&
           printable(ret->name, TH_TOKEN_NAME_MAX);
}

void th_tokens_done(th_tokens *tokens)
{
    th_free(tokens->list);
    *tokens = (th_tokens){0};
}

theater_status th_tokens_parse(th_slice text, const char *path, th_tokens *ret, theater_error *reterr)
{
    *ret = (th_tokens){0};
    size_t lines = 0;
    for (size_t i = 0; i < text.size; i++)
        lines += text.data[i] == '\n';
    ret->list = th_alloc_zero(lines + 1, sizeof *ret->list);
    if (!ret->list)
        return th_fail_memory(reterr, "tokens");
    const char *at = (const char *)text.data, *end = at + text.size;
    for (size_t number = 1; at < end; number++) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (!line_end || number > TH_TOKENS_MAX ||
            !parse_line(at, (size_t)(line_end - at), &ret->list[ret->count])) {
            th_tokens_done(ret);
            return th_fail(reterr, THEATER_CORRUPT, "%s: line %zu is no token", path, number);
        }
        ret->count++;
        at = line_end + 1;
    }
    return THEATER_OK;
}

theater_status th_tokens_read(const char *folder, th_tokens *ret, theater_error *reterr)
{
    char path[PATH_SIZE];
    *ret = (th_tokens){0};
    theater_status status = file_path(folder, path, reterr);
    if (status)
        return status;
    th_buf text;
    th_buf_init(&text, FILE_MAX);
    theater_error error = {0};
    status = th_port_read_file(th_port_system(), path, FILE_MAX, &text, &error);
    if (status == THEATER_NOT_FOUND)
        status = THEATER_OK;
    else if (status && reterr)
        *reterr = error;
    else if (!status)
        status = th_tokens_parse(th_buf_slice(&text), path, ret, reterr);
    th_buf_done(&text);
    if (status)
        th_tokens_done(ret);
    return status;
}

static theater_status hash_secret(th_slice secret, theater_hash *ret, theater_error *reterr)
{
    th_hasher *hasher;
    theater_status status = th_hasher_new(&hasher, reterr);
    if (status)
        return status;
    th_sha256_of(hasher, secret, ret);
    th_hasher_free(hasher);
    return THEATER_OK;
}

const th_token *th_tokens_find(const th_tokens *tokens, th_slice secret)
{
    theater_hash hash;
    const th_token *found = NULL;
    if (hash_secret(secret, &hash, NULL))
        return NULL;
    /* Every byte of every hash is looked at, whatever matches. */
    for (size_t i = 0; i < tokens->count; i++) {
        unsigned difference = 0;
        for (size_t k = 0; k < sizeof hash.bytes; k++)
            difference |= (unsigned)(hash.bytes[k] ^ tokens->list[i].hash.bytes[k]);
        if (difference == 0)
            found = &tokens->list[i];
    }
    return found;
}

static theater_status write_all(const char *folder, const th_tokens *tokens, theater_error *reterr)
{
    char path[PATH_SIZE], hex[65];
    theater_status status = file_path(folder, path, reterr);
    th_buf text;
    th_buf_init(&text, FILE_MAX);
    for (size_t i = 0; !status && i < tokens->count; i++) {
        const th_token *token = &tokens->list[i];
        th_hex_encode(th_slice_of(token->hash.bytes, sizeof token->hash.bytes), hex);
        status = th_buf_printf(&text, reterr, "%s %s %" PRIu64 " %s %s\n", token->id,
                               token->write ? "write" : "read", token->created_ns, hex, token->name);
    }
    if (!status)
        status = th_port_replace_file(th_port_system(), path, TH_FILE_PRIVATE, th_buf_slice(&text), reterr);
    th_buf_done(&text);
    return status;
}

static theater_status check_name(const char *name, theater_error *reterr)
{
    return printable(name, TH_TOKEN_NAME_MAX)
               ? THEATER_OK
               : th_fail(reterr, THEATER_INVALID_ARGUMENT,
                         "the name of a token is 1 to %d bytes of printable text", TH_TOKEN_NAME_MAX);
}

/* Gives the secret and what is kept of it. */
static theater_status make(const char *name, bool write, th_token *ret, char ret_secret[TH_TOKEN_TEXT_SIZE],
                           theater_error *reterr)
{
    uint8_t random[24 + 8];
    th_port *port = th_port_system();
    theater_status status = th_port_entropy(port, random, sizeof random, reterr);
    if (status)
        return status;
    memset(ret, 0, sizeof *ret);
    memcpy(ret_secret, SECRET_PREFIX, sizeof SECRET_PREFIX);
    th_hex_encode(th_slice_of(random, 24), ret_secret + strlen(SECRET_PREFIX));
    memcpy(ret->id, "tok-", 4);
    th_hex_encode(th_slice_of(random + 24, 8), ret->id + 4);
    snprintf(ret->name, sizeof ret->name, "%s", name);
    ret->write = write;
    ret->created_ns = th_port_wall_ns(port);
    return hash_secret(th_slice_text(ret_secret), &ret->hash, reterr);
}

theater_status th_token_new(const char *folder, const char *name, bool write, th_token *ret,
                            char ret_secret[TH_TOKEN_TEXT_SIZE], theater_error *reterr)
{
    th_tokens tokens = {0};
    theater_status status = check_name(name, reterr);
    if (!status)
        status = th_tokens_read(folder, &tokens, reterr);
    if (!status && tokens.count >= TH_TOKENS_MAX)
        status =
            th_fail(reterr, THEATER_TOO_LARGE, "there are %d tokens already: revoke some", TH_TOKENS_MAX);
    if (!status)
        status = make(name, write, ret, ret_secret, reterr);
    if (!status) {
        th_token *list = th_realloc(tokens.list, (tokens.count + 1) * sizeof *list);
        if (list) {
            tokens.list = list;
            list[tokens.count++] = *ret;
            status = write_all(folder, &tokens, reterr);
        } else {
            status = th_fail_memory(reterr, "tokens");
        }
    }
    th_tokens_done(&tokens);
    return status;
}

theater_status th_token_revoke(const char *folder, const char *id, theater_error *reterr)
{
    th_tokens tokens;
    theater_status status = th_tokens_read(folder, &tokens, reterr);
    if (status)
        return status;
    size_t kept = 0;
    for (size_t i = 0; i < tokens.count; i++)
        if (strcmp(tokens.list[i].id, id) != 0)
            tokens.list[kept++] = tokens.list[i];
    bool found = kept != tokens.count;
    tokens.count = kept;
    if (!found)
        status = th_fail(reterr, THEATER_NOT_FOUND,
                         "there is no token %.64s; `theater token list` shows their ids", id);
    else
        status = write_all(folder, &tokens, reterr);
    th_tokens_done(&tokens);
    return status;
}

/* The web page: the document at / and its files under /assets/.
 *
 * The document changes with each version of the program, so a browser asks for it each time and mostly gets a
 * 304. The other files have a hash of their content in their names and are kept for ever. What a browser may
 * do on the page is bounded to this server: no script, style or address from elsewhere, no frame around it. */
#define ZLIB_CONST
#include "server/page.h"

#include <string.h>
#include <zlib.h>

#define POLICY                                                                                               \
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "    \
    "worker-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static const th_page_file *find(const char *name)
{
    for (size_t i = 0; i < th_page_file_count; i++)
        if (strcmp(th_page_files[i].name, name) == 0)
            return &th_page_files[i];
    return NULL;
}

/* For the rare client that takes no gzip. */
static theater_status unpack(const th_page_file *file, th_buf *out, theater_error *reterr)
{
    uint8_t *room;
    theater_status status = th_buf_extend(out, file->plain_size, &room, reterr);
    if (status)
        return status;
    z_stream stream = {.next_in = file->data,
                       .avail_in = (uInt)file->size,
                       .next_out = room,
                       .avail_out = (uInt)file->plain_size};
    if (inflateInit2(&stream, 15 + 16) != Z_OK)
        return th_fail_memory(reterr, "a file of the page");
    int result = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    if (result != Z_STREAM_END || stream.total_out != file->plain_size)
        return th_fail(reterr, THEATER_CORRUPT, "the embedded file %s cannot be unpacked", file->name);
    return THEATER_OK;
}

static void reply_file(th_exchange *x, const th_page_file *file)
{
    bool packed = file->packed && th_accepts_gzip(x);
    char etag[72];
    snprintf(etag, sizeof etag, "%s%s", file->etag, packed ? "-gzip" : "");
    bool known = th_reply_etag(x, etag);
    x->reply.policy = POLICY;
    x->reply.cache = file->name[0] ? "public, max-age=31536000, immutable" : "no-cache";
    if (known) {
        th_exchange_reply(x);
        return;
    }
    theater_error error;
    theater_status status = THEATER_OK;
    th_reply_text(x, 200, file->type, (th_slice){0});
    if (packed || !file->packed)
        status = th_buf_append(&x->reply.body, th_slice_of(file->data, file->size), &error);
    else
        status = unpack(file, &x->reply.body, &error);
    if (status)
        th_reply_error(x, &error);
    else
        x->reply.packed = packed;
    th_exchange_reply(x);
}

static void document(th_exchange *x)
{
    reply_file(x, find(""));
}

static void asset(th_exchange *x)
{
    const th_page_file *file = x->segments[0][0] ? find(x->segments[0]) : NULL;
    if (file) {
        reply_file(x, file);
        return;
    }
    th_reply_problem(x, 404, "not-found", "not found",
                     "the page has no such file: it is of another version; load the page anew");
    th_exchange_reply(x);
}

const th_route th_page_routes[] = {
    {HTTP_GET, "/", TH_SCOPE_NONE, "page", "The web page", NULL, "text/html", 200, NULL, document, NULL,
     false},
    {HTTP_GET, "/assets/{name}", TH_SCOPE_NONE, "asset", "A file of the web page", NULL,
     "application/octet-stream", 200, NULL, asset, NULL, false},
};
const size_t th_page_route_count = sizeof th_page_routes / sizeof *th_page_routes;

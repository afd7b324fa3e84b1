/* server/page.h: the files of the web page, as the build embedded them.
 *
 * They come from page_files.c, which web/build.mjs makes, or from page_none.c where the page was not built. */
#ifndef TH_SERVER_PAGE_H
#define TH_SERVER_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/internal.h"

typedef struct th_page_file {
    const char *name; /* below /assets/, with a hash of its content in it; empty: the document at / */
    const char *type; /* Content-Type */
    const char *etag; /* from the content; without quotes */
    const uint8_t *data;
    size_t size; /* of the data as it is here */
    bool packed; /* the data is a gzip stream */
    size_t plain_size; /* bytes when it is unpacked */
} th_page_file;

extern const th_page_file th_page_files[];
extern const size_t th_page_file_count;

/* The routes of the page, which are no part of the API: GET / and GET /assets/{name}, without a token. */
extern const th_route th_page_routes[];
extern const size_t th_page_route_count;

#endif

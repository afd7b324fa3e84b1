/* What stands at / when the program was built without the page. */
#include "server/page.h"

static const char text[] =
    "<!doctype html>\n"
    "<html lang=\"en\">\n"
    "<head><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light "
    "dark\"><title>Theater</title></head>\n"
    "<body>\n"
    "<h1>Theater</h1>\n"
    "<p>The server runs, but this program was built without its web page: that takes Node 18 or newer and "
    "npm\n"
    "at build time. Install them (Debian: nodejs and npm), then configure and build again.</p>\n"
    "<p>Everything else is here: the HTTP interface describes itself at\n"
    "<a href=\"/v1/openapi.json\">/v1/openapi.json</a>, the actors are at\n"
    "<a href=\"/v1/actors\">/v1/actors</a>, the figures at <a href=\"/metrics\">/metrics</a>; and\n"
    "<code>theater help</code> lists the commands.</p>\n"
    "</body>\n"
    "</html>\n";

const th_page_file th_page_files[] = {
    {"", "text/html; charset=utf-8", "built-without-the-page-1", (const uint8_t *)text, sizeof text - 1,
     false, sizeof text - 1},
};
const size_t th_page_file_count = 1;

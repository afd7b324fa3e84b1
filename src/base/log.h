/* base/log.h: diagnostic messages of the library. They never reach a chain, and nothing depends on them.
 *
 * The library itself writes nowhere: messages go to the sink that the program set, none by default. */
#ifndef TH_BASE_LOG_H
#define TH_BASE_LOG_H

#include "theater/error.h"

typedef enum th_log_level { TH_LOG_TRACE, TH_LOG_DEBUG, TH_LOG_INFO, TH_LOG_WARN, TH_LOG_ERROR } th_log_level;

/* Called on whatever thread logs, possibly several at once. `message` is one line without a newline. */
typedef void (*th_log_sink)(void *context, th_log_level level, const char *message);

/* Set before the first runtime opens; `minimum` drops what is below it. NULL turns logging off. */
void th_log_set_sink(th_log_sink sink, void *context, th_log_level minimum);
void th_log(th_log_level level, const char *format, ...) THEATER_PRINTF(2, 3);

#endif

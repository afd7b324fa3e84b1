/* store/path.h: names of files. */
#ifndef TH_STORE_PATH_H
#define TH_STORE_PATH_H

#include "base/bytes.h"

/* "FOLDER/NAME"; the caller's (th_free). NULL without memory. */
char *th_path_join(const char *folder, const char *name);
/* The folder that holds the path's last part: "." when there is no slash. The caller's (th_free). NULL
 * without memory. */
char *th_path_parent(const char *path);

#endif

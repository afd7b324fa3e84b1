/* theater/folder_internal.h: what the reading half of libtheater shares about a data folder. */
#ifndef TH_THEATER_FOLDER_INTERNAL_H
#define TH_THEATER_FOLDER_INTERNAL_H

#include "port/port.h"
#include "store/store.h"
#include "theater/execution.h"
#include "theater/folder.h"

/* No record of an element, a snapshot or a component is larger: the store refuses an append of more. */
#define TH_READ_MAX ((size_t)1 << 30)

struct theater_folder {
    th_port *port;
    char *path;
    th_store *store;
    th_mutex lock; /* guards the making of `execution` */
    th_scan_place scan; /* where theater_log_scan stopped the last time; guarded by `lock` */
    th_execution *execution; /* made when a state must be computed; NULL before */
};

/* The engine with the folder's components behind it, made at the first call and kept until the folder is
 * closed. */
THEATER_CHECKED theater_status th_folder_execution(theater_folder *folder, th_execution **ret,
                                                   theater_error *reterr);

/* The components of the folder and their compiled forms in FOLDER/cache; `folder` is a theater_folder. For
 * th_component_source. */
theater_status th_folder_binary(void *folder, const th_hash *hash, th_buf *out, theater_error *reterr);
theater_status th_folder_compiled(void *folder, const th_hash *hash, const char *fingerprint, th_buf *out,
                                  theater_error *reterr);

/* What the index and the chain say of an actor: the public form of the store's. */
THEATER_CHECKED theater_status th_folder_actor_info(theater_folder *folder, const th_actor_info *info,
                                                    theater_actor_info *ret, theater_error *reterr);

/* The descriptor in force after element `sequence`; its slices point into `buf`. `ret_sequence` (may be NULL)
 * is the element that holds it. */
THEATER_CHECKED theater_status th_folder_descriptor(theater_folder *folder, uint64_t actor, uint64_t sequence,
                                                    th_buf *buf, th_descriptor *ret, uint64_t *ret_sequence,
                                                    theater_error *reterr);

/* "name#ID" into its parts; false when there is no good id behind a #. */
bool th_name_split(const char *text, th_slice *ret_name, bool *ret_has_id, uint64_t *ret_id);

/* Calls back for every actor that ever was, by ascending id; stops when the callback returns false. The
 * callback may read from the folder. */
THEATER_CHECKED theater_status th_folder_list(theater_folder *folder,
                                              bool (*each)(void *context, const th_actor_info *info),
                                              void *context, theater_error *reterr);

/* Calls back for every actor that has, or had, this name, archives too, by ascending id; stops when the
 * callback returns false. Costs a walk over all actors. */
THEATER_CHECKED theater_status th_folder_named(theater_folder *folder, th_slice name,
                                               bool (*each)(void *context, const th_actor_info *info),
                                               void *context, theater_error *reterr);

/* Makes durable what this folder's log holds now, so that nothing leaves the folder which a crash of the machine
 * could still take from it: a writer that was killed leaves records behind that it had written and not synced,
 * and whoever opens the folder next reads them as good. For what hands elements out for good. IO as
 * th_file_sync. */
THEATER_CHECKED theater_status th_folder_sync_log(theater_folder *folder, theater_error *reterr);

/* The verifier key of an actor's chain into `ret` (cleared first). NOT_FOUND: the folder has no key, or one
 * that this user may not read and no checkpoint. */
THEATER_CHECKED theater_status th_folder_key(theater_folder *folder, const th_actor_info *info, th_buf *ret,
                                             theater_error *reterr);

#endif

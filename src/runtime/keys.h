/* runtime/keys.h: the signing key of a data folder, and what it has signed.
 *
 * FOLDER/keys/signing.key    the seed and the public key, each a line of hex; mode 0600, made on first use
 * FOLDER/keys/signed/GENESIS the largest size that was signed of the chain with that genesis hash, twice
 *
 * Both say things twice so that damage shows. The size is written before a note leaves the process, beside the
 * log's own record: a folder whose log is an older copy sees that it is older, and refuses. */
#ifndef TH_RUNTIME_KEYS_H
#define TH_RUNTIME_KEYS_H

#include "chain/checkpoint.h"
#include "runtime/core.h"

/* The folder's key; made, for its owner alone to read, when it is missing and `create`. NOT_FOUND, CORRUPT,
 * PERMISSION. `folder` NULL: a key made from fresh entropy, for a runtime in memory. *ret is the caller's. */
THEATER_CHECKED theater_status th_keys_open(th_port *port, const char *folder, bool create,
                                            th_signing_key **ret, theater_error *reterr);

/* Makes the checkpoint of the tree as it stands, and the genesis hash. CORRUPT: the key has signed a larger
 * tree of this chain. */
THEATER_CHECKED theater_status th_checkpoint_make(theater_runtime *runtime, const th_entry *entry,
                                                  const th_log_tree *tree, th_hash *ret_head, th_buf *note,
                                                  th_hash *ret_genesis, theater_error *reterr);
/* Notes the size beside the key, before the note is given out. */
THEATER_CHECKED theater_status th_checkpoint_note_signed(theater_runtime *runtime, const th_hash *genesis,
                                                         uint64_t size, theater_error *reterr);

#endif

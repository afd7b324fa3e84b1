/* theater/source_internal.h: what the two kinds of source give to source.c. */
#ifndef TH_THEATER_SOURCE_INTERNAL_H
#define TH_THEATER_SOURCE_INTERNAL_H

#include "theater/folder_internal.h"
#include "theater/source.h"

/* Which chains have a name, sorted by name and then by place. */
typedef struct th_source_name {
    char name[TH_NAME_MAX + 1];
    uint64_t place;
} th_source_name;

typedef struct th_name_table {
    th_source_name *entries;
    uint64_t *places; /* of the entries, in their order */
    size_t count, capacity;
    bool made;
} th_name_table;

THEATER_CHECKED theater_status th_name_table_add(th_name_table *table, const char *name, uint64_t place,
                                                 theater_error *reterr);

/* Each kind of source uses one of the two. */
struct th_source_reader {
    th_source *source;
    th_element_reader *elements; /* of a folder */
    th_buf buf; /* of a bundle: the element that was read last */
};

typedef struct th_source_operations {
    void (*close)(th_source *source);
    theater_status (*walk)(th_source *source, const th_walker *walker, theater_error *reterr);
    theater_status (*pin)(th_source *source, theater_error *reterr); /* NULL: nothing changes */
    theater_status (*element)(th_source *source, uint64_t place, uint64_t sequence, th_buf *buf,
                              th_source_element *ret, theater_error *reterr);
    /* NULL: `element` is as fast for many. */
    theater_status (*open_reader)(th_source_reader *reader, theater_error *reterr);
    theater_status (*get)(th_source_reader *reader, uint64_t place, uint64_t sequence, th_source_element *ret,
                          theater_error *reterr);
    theater_status (*snapshot)(th_source *source, uint64_t place, uint64_t sequence, th_buf *buf,
                               th_slice *ret_state, theater_error *reterr);
    theater_status (*binary)(void *source, const th_hash *hash, th_buf *out, theater_error *reterr);
    theater_status (*compiled)(void *source, const th_hash *hash, const char *fingerprint, th_buf *out,
                               theater_error *reterr); /* NULL: none */
    theater_status (*names)(th_source *source, th_name_table *table, theater_error *reterr);
} th_source_operations;

struct th_source {
    const th_source_operations *operations;
    const char *path;
    th_name_table names;
};

THEATER_CHECKED theater_status th_source_open_folder(theater_folder *folder, uint64_t actor, th_source **ret,
                                                     theater_error *reterr);
THEATER_CHECKED theater_status th_source_open_bundle(const char *path, th_source **ret,
                                                     theater_error *reterr);

#endif

/* store/kv_lmdb_file.c: what can be told of LMDB's file without mapping it. The note in kv_lmdb.c says what
 * for. */
#include "store/kv_lmdb_file.h"

#include "store/frame.h"
#include "store/kv.h"
#include "store/path.h"
#include "store/window.h"

/* "THEATSUM", the file's size, its checksum, and the checksum of these 24 bytes. */
#define SUM_SIZE 32

static theater_status sum_of_file(const char *folder, th_file *file, uint8_t out[SUM_SIZE],
                                  theater_error *reterr)
{
    uint64_t size;
    th_checksum_stream *sum;
    theater_status status = th_file_size(file, &size, reterr);
    if (!status)
        status = th_checksum_begin(&sum, reterr);
    if (status)
        return status;
    th_window window;
    th_window_init(&window);
    for (uint64_t offset = 0; !status && offset < size;) {
        th_slice bytes;
        status = th_window_get(&window, file, offset, 1, &bytes, reterr);
        if (!status && bytes.size == 0)
            status = th_fail(reterr, THEATER_IO, "the index in %s became shorter while it was read", folder);
        if (!status)
            th_checksum_add(sum, bytes);
        offset += bytes.size;
    }
    th_window_done(&window);
    memcpy(out, "THEATSUM", 8);
    th_put_u64le(out + 8, size);
    th_put_u64le(out + 16, th_checksum_end(sum));
    th_put_u64le(out + 24, th_checksum(th_slice_of(out, 24), 0));
    return status;
}

/* What a meta page of LMDB 0.9 says: a 16-byte page head, then magic, version, two words, two databases of
 * 48 bytes of which the first begins with the page size, the number of the last page, the number of the
 * transaction. */
typedef struct meta {
    uint32_t page_size;
    uint64_t last_page;
    uint64_t transaction;
} meta;

#define META_SIZE 152

static theater_status read_meta(th_file *file, uint64_t offset, meta *ret, bool *ret_good,
                                theater_error *reterr)
{
    uint8_t page[META_SIZE];
    size_t got;
    uint32_t magic = 0, version = 0;
    theater_status status = th_file_read(file, offset, page, sizeof page, &got, reterr);
    *ret_good = false;
    if (status || got < sizeof page)
        return status;
    memcpy(&magic, page + 16, 4);
    memcpy(&version, page + 20, 4);
    memcpy(&ret->page_size, page + 40, 4);
    memcpy(&ret->last_page, page + 136, 8);
    memcpy(&ret->transaction, page + 144, 8);
    *ret_good = magic == 0xBEEFC0DE && version == 1 && ret->page_size >= 512 && ret->page_size <= 65536;
    return THEATER_OK;
}

static theater_status check_meta(const char *folder, th_file *file, theater_error *reterr)
{
    meta first, second;
    bool good, also = false;
    uint64_t size = 0;
    theater_status status = read_meta(file, 0, &first, &good, reterr);
    if (!status && good)
        status = read_meta(file, first.page_size, &second, &also, reterr);
    if (!status)
        status = th_file_size(file, &size, reterr);
    if (status)
        return status;
    if (good && also) {
        const meta *newest = first.transaction > second.transaction ? &first : &second;
        good = newest->last_page < size / first.page_size && first.page_size == second.page_size;
    }
    return good && also ? THEATER_OK
                        : th_fail(reterr, THEATER_CORRUPT, "the index in %s is not whole", folder);
}

static theater_status read_sum(th_port *port, const char *folder, uint8_t out[SUM_SIZE], bool *ret_found,
                               theater_error *reterr)
{
    char *path = th_path_join(folder, "sum");
    if (!path)
        return th_fail_memory(reterr, "a path");
    th_buf buf;
    th_buf_init(&buf, 4096);
    theater_status status = th_port_read_file(port, path, 4096, &buf, reterr);
    *ret_found = !status;
    if (!status && buf.size == SUM_SIZE)
        memcpy(out, buf.data, SUM_SIZE);
    else if (!status)
        memset(out, 0, SUM_SIZE); /* matches no file */
    th_buf_done(&buf);
    th_free(path);
    return status == THEATER_NOT_FOUND ? THEATER_OK : status;
}

theater_status th_lmdb_file_check(th_port *port, const char *folder, bool *ret_has_sum, theater_error *reterr)
{
    char *path = th_path_join(folder, "data.mdb");
    if (!path)
        return th_fail_memory(reterr, "a path");
    th_file *file;
    theater_status status = th_file_open(port, path, TH_FILE_READ, &file, reterr);
    th_free(path);
    if (status)
        return status;
    uint8_t expected[SUM_SIZE], actual[SUM_SIZE], again[SUM_SIZE];
    bool found;
    status = read_sum(port, folder, expected, &found, reterr);
    if (!status && found) {
        status = sum_of_file(folder, file, actual, reterr);
        if (!status && memcmp(expected, actual, SUM_SIZE) != 0) {
            /* A reader: a writer may have begun to change the file meanwhile, and then has removed `sum`
             * before. */
            status = read_sum(port, folder, again, &found, reterr);
            if (!status && found)
                status = th_fail(reterr, THEATER_CORRUPT, "the index in %s is not as it was closed", folder);
        }
    }
    *ret_has_sum = !status && found;
    if (!status)
        status = check_meta(folder, file, reterr);
    th_file_close(file);
    return status;
}

static theater_status remove_file(th_port *port, const char *folder, const char *name, theater_error *reterr)
{
    char *path = th_path_join(folder, name);
    if (!path)
        return th_fail_memory(reterr, "a path");
    theater_status status = th_port_remove(port, path, reterr);
    th_free(path);
    return status == THEATER_NOT_FOUND ? THEATER_OK : status;
}

theater_status th_lmdb_file_remove_sum(th_port *port, const char *folder, theater_error *reterr)
{
    theater_status status = remove_file(port, folder, "sum", reterr);
    return status ? status : th_port_sync_folder(port, folder, reterr);
}

void th_lmdb_file_write_sum(th_port *port, const char *folder)
{
    char *data = th_path_join(folder, "data.mdb"), *path = th_path_join(folder, "sum");
    uint8_t sum[SUM_SIZE];
    th_file *file;
    if (data && path && !th_file_open(port, data, TH_FILE_READ, &file, NULL)) {
        theater_status status = sum_of_file(folder, file, sum, NULL);
        if (!status)
            status = th_port_replace_file(port, path, 0, th_slice_of(sum, sizeof sum), NULL);
        th_file_close(file);
    }
    th_free(data);
    th_free(path);
}

theater_status th_kv_lmdb_remove(th_port *port, const char *folder, theater_error *reterr)
{
    static const char *const names[] = {"sum", "data.mdb", "lock.mdb"};
    theater_status status = THEATER_OK;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && !status; i++)
        status = remove_file(port, folder, names[i], reterr);
    if (!status)
        status = th_port_sync_folder(port, folder, reterr);
    return status == THEATER_NOT_FOUND ? THEATER_OK : status;
}

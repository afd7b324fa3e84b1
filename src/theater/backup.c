#include "theater/folder_internal.h"

theater_status theater_backup(theater_folder *folder, const char *to, theater_error *reterr)
{
    return th_store_backup(folder->store, to, reterr);
}

theater_status theater_folder_check(theater_folder *folder, uint64_t *ret_records, uint64_t *ret_bytes,
                                    theater_error *reterr)
{
    return th_store_check(folder->store, ret_records, ret_bytes, reterr);
}

uint64_t theater_folder_records(theater_folder *folder)
{
    return th_store_next_number(folder->store);
}

uint64_t theater_folder_indexed(theater_folder *folder)
{
    return th_store_covered(folder->store);
}

/* port/system_error.c: error numbers become statuses; faults for tests. */
#include <stdio.h>

#include "port/system_internal.h"

static theater_status status_of(int error_number)
{
    switch (error_number) {
    case ENOENT:
    case ENOTDIR:
        return THEATER_NOT_FOUND;
    case EEXIST:
    case ENOTEMPTY:
        return THEATER_EXISTS;
    case EACCES:
    case EPERM:
        return THEATER_PERMISSION;
    case EROFS:
        return THEATER_READ_ONLY;
    case ENOSPC:
    case EDQUOT:
        return THEATER_NO_SPACE;
    case EFBIG:
        return THEATER_TOO_LARGE;
    case EBUSY:
    case ETXTBSY:
        return THEATER_BUSY;
    case ENOMEM:
        return THEATER_NO_MEMORY;
    case ENAMETOOLONG:
    case EISDIR:
        return THEATER_INVALID_ARGUMENT;
    default:
        return THEATER_IO;
    }
}

theater_status th_system_fail(theater_error *reterr, int error_number, const char *what, const char *path)
{
    char words[128];
    return th_fail(reterr, status_of(error_number), "cannot %s %s: %s", what, path,
                   strerror_r(error_number, words, sizeof words));
}

#ifdef TH_FAULTS
static uint64_t calls_left; /* 0: off; 1: the next one fails */
static int fault_number = EIO;
static size_t transfer_most;

uint64_t th_file_fail_with(uint64_t place, int error_number)
{
    /* Released with the place, so that whoever sees the place also sees the number. */
    __atomic_store_n(&fault_number, error_number, __ATOMIC_RELAXED);
    return __atomic_exchange_n(&calls_left, place, __ATOMIC_RELEASE);
}

uint64_t th_file_fail_at(uint64_t place)
{
    return th_file_fail_with(place, EIO);
}

void th_file_transfer_at_most(size_t bytes)
{
    __atomic_store_n(&transfer_most, bytes, __ATOMIC_RELAXED);
}

bool th_system_call_fails(void)
{
    uint64_t left = __atomic_load_n(&calls_left, __ATOMIC_ACQUIRE);
    while (left > 0) {
        if (!__atomic_compare_exchange_n(&calls_left, &left, left - 1, false, __ATOMIC_ACQUIRE,
                                         __ATOMIC_ACQUIRE))
            continue;
        if (left != 1)
            return false;
        errno = __atomic_load_n(&fault_number, __ATOMIC_RELAXED);
        return true;
    }
    return false;
}

size_t th_system_transfer_size(size_t size)
{
    size_t most = __atomic_load_n(&transfer_most, __ATOMIC_RELAXED);
    return most > 0 && size > most ? most : size;
}
#endif

/* port/system.h: the port that is the machine. */
#ifndef TH_PORT_SYSTEM_H
#define TH_PORT_SYSTEM_H

#include "port/port.h"

/* The one port of this process; it needs no making and is never freed. Any thread. */
th_port *th_port_system(void);

#ifdef TH_FAULTS
/* For tests, in builds with TH_FAULTS: makes the system's file and folder calls fail in turn, as
 * th_allocation_fail_at does with allocations. The `place`-th system call on files or folders from now on
 * (from 1) is not made and gives EIO, once; 0 turns it off. A call of port.h may make several system calls.
 * Returns what was left of the place set before: 0 when that call failed, or none was set. Process-wide. */
uint64_t th_file_fail_at(uint64_t place);
/* The same with an error number of the caller's choice: ENOSPC, EROFS, EINTR (which is retried) and so on. */
uint64_t th_file_fail_with(uint64_t place, int error_number);
/* Limits what one read or write system call transfers, so that the loops over short ones run; 0 is no
 * limit. */
void th_file_transfer_at_most(size_t bytes);
#endif

#endif

/* port/system.h: the port that is the machine. */
#ifndef TH_PORT_SYSTEM_H
#define TH_PORT_SYSTEM_H

#include "port/port.h"

/* The one port of this process; made on first use, never freed. Any thread. */
th_port *th_port_system(void);

#endif

/* Says why it is not there. */
#error "a turn's time is theater_now(), of theater_host.h"

#include "actor/machine.h"

void th_machine_done(th_machine *machine)
{
    if (machine->free && machine->context)
        machine->free(machine->context);
    *machine = (th_machine){0};
}

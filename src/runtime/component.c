#include "runtime/core.h"

theater_status theater_component_check(theater_runtime *runtime, theater_slice component,
                                       theater_hash *ret_hash, theater_error *reterr)
{
    th_loaded *loaded;
    theater_status status = th_loader_add(runtime->loader, component, &loaded, reterr);
    if (status)
        return status;
    *ret_hash = *th_loaded_hash(loaded);
    th_loaded_unref(loaded);
    return THEATER_OK;
}

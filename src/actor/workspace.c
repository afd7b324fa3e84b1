#include "actor/internal.h"

theater_status th_workspace_new(th_workspace **ret, theater_error *reterr)
{
    th_workspace *workspace = th_alloc_zero(1, sizeof *workspace);
    if (!workspace)
        return th_fail_memory(reterr, "a workspace");
    theater_status status = th_hasher_new(&workspace->hasher, reterr);
    if (status) {
        th_free(workspace);
        return status;
    }
    th_arena_init(&workspace->arena, WORKSPACE_MAX);
    th_effects_init(&workspace->effects);
    th_buf_init(&workspace->scratch, WORKSPACE_MAX);
    th_sha256_of(workspace->hasher, th_slice_text(TH_EFFECTS_NONE), &workspace->no_effects);
    *ret = workspace;
    return THEATER_OK;
}

void th_workspace_free(th_workspace *workspace)
{
    if (!workspace)
        return;
    th_arena_done(&workspace->arena);
    th_effects_done(&workspace->effects);
    th_buf_done(&workspace->scratch);
    th_free(workspace->sent);
    th_hasher_free(workspace->hasher);
    th_free(workspace);
}

void th_workspace_clear(th_workspace *workspace)
{
    th_arena_clear(&workspace->arena, WORKSPACE_KEEP);
    /* One large turn must not hold its memory for as long as the thread lives. */
    if (workspace->scratch.capacity > WORKSPACE_KEEP)
        th_buf_done(&workspace->scratch);
    if (workspace->effects.bytes.capacity > WORKSPACE_KEEP) {
        th_effects_done(&workspace->effects);
        th_effects_init(&workspace->effects);
    }
    if (workspace->sent_capacity > WORKSPACE_KEEP / sizeof *workspace->sent) {
        th_free(workspace->sent);
        workspace->sent = NULL;
        workspace->sent_capacity = 0;
    }
}

size_t th_workspace_used(const th_workspace *workspace)
{
    return workspace->arena.used;
}

void th_workspace_measure(th_workspace *workspace, uint64_t (*clock)(void *context), void *context)
{
    workspace->clock = clock;
    workspace->clock_context = context;
}

const th_stage_times *th_workspace_times(const th_workspace *workspace)
{
    return &workspace->times;
}

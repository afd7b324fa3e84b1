/* An instance: how it is made, loaded and freed, where it stands, and the steps that move it. */
#include "actor/internal.h"

theater_status th_descriptor_keep(const th_descriptor *descriptor, th_buf *out, th_descriptor *ret,
                                  theater_error *reterr)
{
    /* Map, keys, three hashes' worth of fixed fields and limits take less than 256 bytes. */
    th_buf_init(out, 256 + descriptor->name.size + descriptor->engine.size + descriptor->config.size);
    theater_status status = th_descriptor_encode(descriptor, out, reterr);
    if (!status)
        status = th_descriptor_decode(th_buf_slice(out), ret, reterr);
    if (status)
        th_buf_done(out);
    return status;
}

void th_instance_take_descriptor(th_instance *instance, void *component, const th_descriptor *descriptor,
                                 th_buf *take_bytes)
{
    th_buf_done(&instance->descriptor_bytes);
    instance->descriptor_bytes = *take_bytes;
    instance->descriptor = *descriptor;
    instance->component = component;
    instance->foreign = !th_slice_equal(descriptor->engine, th_slice_text(instance->machine->name));
    instance->state.max = descriptor->limits.state > SIZE_MAX ? SIZE_MAX : (size_t)descriptor->limits.state;
    *take_bytes = (th_buf){0};
}

theater_status th_instance_make(const th_machine *machine, void *component, const th_descriptor *descriptor,
                                th_instance **ret, theater_error *reterr)
{
    th_instance *instance = th_alloc_zero(1, sizeof *instance);
    if (!instance)
        return th_fail_memory(reterr, "an actor");
    instance->machine = machine;
    th_state_tree_init(&instance->tree);
    th_log_tree_init(&instance->log);
    instance->has_log = true;
    instance->root = th_sha256_empty;
    th_descriptor kept;
    th_buf bytes;
    theater_status status = th_descriptor_keep(descriptor, &bytes, &kept, reterr);
    if (status) {
        th_free(instance);
        return status;
    }
    th_instance_take_descriptor(instance, component, &kept, &bytes);
    *ret = instance;
    return THEATER_OK;
}

void th_instance_prefetch(const th_instance *instance)
{
    th_prefetch(instance, offsetof(th_instance, log.nodes) + 4 * sizeof(th_hash));
    th_prefetch(&instance->head, sizeof *instance - offsetof(th_instance, head));
    th_prefetch(instance->state.data, 64);
    th_prefetch(instance->tree.hashes, 64);
}

void th_instance_free(th_instance *instance)
{
    if (!instance)
        return;
    th_state_tree_done(&instance->tree);
    th_buf_done(&instance->state);
    th_buf_done(&instance->descriptor_bytes);
    th_free(instance);
}

/* ---- loading ----------------------------------------------------------------------------------------- */

static theater_status load_state(th_instance *instance, const th_element *element, th_slice state,
                                 th_hasher *hasher, theater_error *reterr)
{
    unsigned long long sequence = (unsigned long long)element->sequence;
    if (state.size != element->state_size)
        return th_fail(reterr, THEATER_CORRUPT,
                       "snapshot after element %llu: it has %zu bytes, the element says %llu", sequence,
                       state.size, (unsigned long long)element->state_size);
    if (state.size > instance->descriptor.limits.state)
        return th_fail(reterr, THEATER_CORRUPT, "snapshot after element %llu: it passes the state limit",
                       sequence);
    theater_status status = th_instance_take_state(instance, hasher, state, reterr);
    if (status)
        return status;
    if (!th_hash_equal(&instance->root, &element->state_after))
        return th_fail(reterr, THEATER_CORRUPT, "snapshot after element %llu: its root is not the element's",
                       sequence);
    return THEATER_OK;
}

static theater_status load_log(th_instance *instance, const th_element *element, const th_hash *hash,
                               th_slice tree, theater_error *reterr)
{
    instance->has_log = tree.size > 0;
    if (!instance->has_log)
        return THEATER_OK;
    theater_status status = th_log_tree_decode(tree, &instance->log, reterr);
    if (status)
        return status;
    const th_log_tree *log = &instance->log;
    if (log->size != element->sequence + 1)
        return th_fail(reterr, THEATER_CORRUPT,
                       "snapshot after element %llu: its log tree is of %llu elements",
                       (unsigned long long)element->sequence, (unsigned long long)log->size);
    /* The last leaf stands alone in a tree of odd size; in others it lies below a node. */
    if (log->size % 2 == 1 && !th_hash_equal(&log->nodes[__builtin_popcountll(log->size) - 1], hash))
        return th_fail(reterr, THEATER_CORRUPT,
                       "snapshot after element %llu: its log tree ends with another element",
                       (unsigned long long)element->sequence);
    return THEATER_OK;
}

theater_status th_instance_load(const th_machine *machine, void *component, const th_descriptor *descriptor,
                                th_slice element, th_slice tree, th_slice state, th_workspace *workspace,
                                th_instance **ret, theater_error *reterr)
{
    th_element fields;
    theater_status status = th_element_decode(element, &fields, reterr);
    if (status)
        return status;
    th_instance *instance;
    status = th_instance_make(machine, component, descriptor, &instance, reterr);
    if (status)
        return status;
    th_element_hash(workspace->hasher, element, &instance->head);
    instance->elements = fields.sequence + 1;
    instance->timestamp_ns = fields.timestamp;
    status = load_state(instance, &fields, state, workspace->hasher, reterr);
    if (!status)
        status = load_log(instance, &fields, &instance->head, tree, reterr);
    if (status) {
        th_instance_free(instance);
        return th_fail_in(reterr, status, "actor %.*s", TH_SHOW(descriptor->name));
    }
    *ret = instance;
    return THEATER_OK;
}

/* ---- moving ------------------------------------------------------------------------------------------ */

th_turn th_instance_next(const th_instance *instance, th_element_type type, uint64_t timestamp_ns)
{
    return (th_turn){
        .type = type,
        .machine = instance->machine,
        .component = instance->component,
        .descriptor = &instance->descriptor,
        .foreign = instance->foreign,
        .sequence = instance->elements,
        .timestamp_ns = timestamp_ns > instance->timestamp_ns ? timestamp_ns : instance->timestamp_ns,
        .previous = &instance->head,
        .state = th_buf_slice(&instance->state),
    };
}

theater_status th_instance_take_state(th_instance *instance, th_hasher *hasher, th_slice state,
                                      theater_error *reterr)
{
    th_buf *held = &instance->state;
    if (state.size > held->size) {
        theater_status status = th_buf_reserve(held, state.size - held->size, reterr);
        if (status)
            return status;
    }
    th_hash root;
    theater_status status = th_state_tree_take(&instance->tree, hasher, held->data, state, &root, reterr);
    if (status)
        return status;
    held->size = state.size;
    instance->root = root;
    return THEATER_OK;
}

void th_instance_advance(th_instance *instance, th_hasher *hasher, const th_hash *hash, uint64_t timestamp_ns)
{
    instance->head = *hash;
    instance->elements++;
    instance->timestamp_ns = timestamp_ns;
    if (instance->has_log)
        th_log_tree_append(&instance->log, hasher, hash);
}

/* ---- where it stands --------------------------------------------------------------------------------- */

const th_descriptor *th_instance_descriptor(const th_instance *instance)
{
    return &instance->descriptor;
}

uint64_t th_instance_elements(const th_instance *instance)
{
    return instance->elements;
}

const th_hash *th_instance_head(const th_instance *instance)
{
    return &instance->head;
}

uint64_t th_instance_timestamp_ns(const th_instance *instance)
{
    return instance->timestamp_ns;
}

th_slice th_instance_state(const th_instance *instance)
{
    return th_buf_slice(&instance->state);
}

const th_hash *th_instance_state_root(const th_instance *instance)
{
    return &instance->root;
}

const th_log_tree *th_instance_tree(const th_instance *instance)
{
    return instance->has_log ? &instance->log : NULL;
}

size_t th_instance_memory(const th_instance *instance)
{
    /* The tree holds two hashes and one place a chunk. */
    return sizeof *instance + instance->state.capacity + instance->descriptor_bytes.capacity +
           instance->tree.capacity * (2 * sizeof(th_hash) + sizeof(uint32_t));
}

#include <stdio.h>

#include "chain/causes.h"
#include "port/system.h"
#include "theater/finder.h"
#include "theater/pass.h"

/* The check of causes across chains: which chain a name means at the moment. */
typedef struct cause_check {
    th_source_reader *reader; /* of the chains that are gone through */
    th_finder *finder; /* of what their causes name */
    th_slice actor; /* whose cause is being checked, and the place that it means; empty when not known */
    uint64_t place;
    const th_element *element;
    th_slice own_name; /* of the chain that is checked, and its place */
    uint64_t own_place;
    th_hasher *hasher;
    uint64_t table_seed; /* nobody who made a chain knows it */
    const bool *cancel;
    struct claim *claims; /* that requests were not delivered, of all chains; sorted before they are used */
    size_t claim_count;
} cause_check;

/* An element of a chain says that this request was not delivered. */
typedef struct claim {
    th_undelivered_request request;
    const th_pass_chain *chain;
} claim;

static theater_status look_up(void *context, th_slice actor, uint64_t sequence, th_found_element *ret,
                              theater_error *reterr)
{
    cause_check *check = context;
    uint64_t place = check->own_place;
    const th_cause *cause = &check->element->cause;
    if (th_slice_equal(actor, cause->actor) || !th_slice_equal(actor, check->own_name)) {
        if (!th_slice_equal(check->actor, actor)) {
            theater_status status = th_finder_chain(check->finder, actor, cause, &check->place, reterr);
            if (status)
                return status;
            check->actor = actor;
        }
        place = check->place;
    }
    th_source_element found;
    theater_status status = th_finder_read(check->finder, place, sequence, &found, reterr);
    if (!status)
        *ret = (th_found_element){found.encoding, found.payloads};
    return status;
}

static theater_status keep_claims(cause_check *check, const th_pass_chain *chain, const th_causes *causes,
                                  theater_error *reterr)
{
    size_t count;
    const th_undelivered_request *undelivered = th_causes_undelivered(causes, &count);
    if (count == 0)
        return THEATER_OK;
    claim *grown = th_realloc(check->claims, (check->claim_count + count) * sizeof *grown);
    if (!grown)
        return th_fail_memory(reterr, "undelivered requests");
    check->claims = grown;
    for (size_t i = 0; i < count; i++)
        check->claims[check->claim_count++] = (claim){undelivered[i], chain};
    return THEATER_OK;
}

static int compare_claims(const void *left, const void *right)
{
    const th_undelivered_request *a = &((const claim *)left)->request, *b = &((const claim *)right)->request;
    int order = memcmp(a->element.bytes, b->element.bytes, sizeof a->element.bytes);
    return order ? order : (a->index > b->index) - (a->index < b->index);
}

/* Once more over a chain when requests are said to be undelivered: whether it took one of them in. */
static theater_status check_taken(cause_check *check, const th_pass_chain *chain, theater_report *report,
                                  theater_error *reterr)
{
    theater_status status = THEATER_OK;
    for (uint64_t i = 0; chain->caused && !status && i < chain->elements; i++) {
        th_source_element recorded;
        th_element element;
        status = th_check_cancelled(check->cancel, reterr);
        if (!status)
            status = th_source_reader_get(check->reader, chain->place, i, &recorded, reterr);
        if (!status)
            status = th_element_decode(recorded.encoding, &element, reterr);
        if (status || element.cause.kind != TH_CAUSE_MESSAGE)
            continue;
        claim wanted = {.request = {.element = element.cause.hash, .index = element.cause.index}};
        const claim *lie = bsearch(&wanted, check->claims, check->claim_count, sizeof wanted, compare_claims);
        if (!lie)
            continue;
        th_finding finding;
        unsigned long long place = lie->request.sequence;
        snprintf(
            finding.message, sizeof finding.message,
            "element %llu of actor %s: the request that it says was not delivered is element %llu of actor "
            "%s",
            place, lie->chain->name, (unsigned long long)i, chain->name);
        th_report_finding(report, THEATER_VERIFY_FAILED, lie->chain->name, lie->request.sequence,
                          th_check_name(TH_CHECK_CAUSE), finding.message);
        return THEATER_OK;
    }
    return status;
}

static theater_status check_chain(cause_check *check, const th_pass_chain *chain, theater_report *report,
                                  theater_error *reterr)
{
    if (chain->caused == 0)
        return THEATER_OK;
    check->own_name = th_slice_text(chain->name);
    check->own_place = chain->place;
    th_causes *causes;
    theater_status status = th_causes_new(check->own_name, check->hasher, look_up, check, 0,
                                          check->table_seed, &causes, reterr);
    if (status)
        return status;
    theater_error why = {.status = THEATER_OK};
    for (uint64_t i = 0; !status && i < chain->elements; i++) {
        th_source_element recorded;
        th_element element;
        status = th_check_cancelled(check->cancel, &why);
        if (!status)
            status = th_source_reader_get(check->reader, chain->place, i, &recorded, &why);
        if (!status)
            status = th_element_decode(recorded.encoding, &element, &why);
        if (status || element.cause.kind == TH_CAUSE_NONE)
            continue;
        check->element = &element;
        check->actor = (th_slice){0};
        status = th_causes_element(causes, &element, &why);
    }
    if (status == THEATER_VERIFY_FAILED) {
        const th_finding *finding = &th_causes_report_of(causes)->finding;
        th_report_finding(report, status, chain->name, finding->sequence, th_check_name(finding->check),
                          finding->message);
        status = THEATER_OK;
    } else if (status && reterr) {
        *reterr = why;
    }
    if (!status) {
        const th_causes_report *seen = th_causes_report_of(causes);
        report->causes += seen->messages + seen->answers + seen->undelivered;
        report->missing_causes += seen->missing + seen->unchecked;
    }
    if (!status && report->status == THEATER_OK)
        status = keep_claims(check, chain, causes, reterr);
    th_causes_free(causes);
    return status;
}

static theater_status check_causes(th_source *source, const th_pass *pass, const bool *cancel,
                                   theater_report *report, theater_error *reterr)
{
    cause_check check = {.cancel = cancel};
    theater_status status =
        th_port_entropy(th_port_system(), (uint8_t *)&check.table_seed, sizeof check.table_seed, reterr);
    if (!status)
        status = th_hasher_new(&check.hasher, reterr);
    if (!status)
        status = th_source_reader_new(source, &check.reader, reterr);
    if (!status)
        status = th_finder_new(source, check.hasher, check.table_seed, &check.finder, reterr);
    for (size_t i = 0; !status && report->status == THEATER_OK && i < pass->count; i++)
        status = check_chain(&check, &pass->chains[i], report, reterr);
    if (check.claim_count > 1)
        qsort(check.claims, check.claim_count, sizeof *check.claims, compare_claims);
    for (size_t i = 0; check.claim_count > 0 && !status && report->status == THEATER_OK && i < pass->count;
         i++)
        status = check_taken(&check, &pass->chains[i], report, reterr);
    th_free(check.claims);
    th_source_reader_free(check.reader);
    th_finder_free(check.finder);
    th_hasher_free(check.hasher);
    if (status || report->status)
        return status;
    size_t length = strlen(report->message);
    snprintf(report->message + length, sizeof report->message - length,
             ", %llu cause%s checked, %llu not there to check", (unsigned long long)report->causes,
             report->causes == 1 ? "" : "s", (unsigned long long)report->missing_causes);
    return THEATER_OK;
}

theater_status theater_verify(const theater_source *source, const theater_check_options *options,
                              theater_report *ret, theater_error *reterr)
{
    static const theater_check_options defaults = {0};
    options = options ? options : &defaults;
    memset(ret, 0, sizeof *ret);
    uint64_t begin = th_port_monotonic_ns(th_port_system());
    th_source *opened;
    theater_status status = th_source_open(source, &opened, reterr);
    if (status)
        return status;
    th_pass pass = {0};
    status = th_pass_run(opened, source->path != NULL, options, &pass, ret, reterr);
    if (!status && ret->status == THEATER_OK && options->all)
        status = check_causes(opened, &pass, options->cancel, ret, reterr);
    th_pass_done(&pass);
    th_source_close(opened);
    ret->nanoseconds = th_port_monotonic_ns(th_port_system()) - begin;
    return status;
}

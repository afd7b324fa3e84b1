#include "theater/proof_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "crypto/base64.h"

/* ---- writing ------------------------------------------------------------------------------------------- */

static theater_status append_base64(th_buf *out, th_slice bytes, theater_error *reterr)
{
    uint8_t *room;
    theater_status status = th_buf_extend(out, th_base64_size(bytes.size), &room, reterr);
    if (!status)
        th_base64_encode(bytes, (char *)room);
    return status ? status : th_buf_append_byte(out, '\n', reterr);
}

static theater_status append_hashes(th_buf *out, const th_proof *proof, theater_error *reterr)
{
    theater_status status = THEATER_OK;
    for (size_t i = 0; !status && i < proof->count; i++)
        status = append_base64(out, th_slice_of(proof->hashes[i].bytes, THEATER_HASH_SIZE), reterr);
    return status ? status : th_buf_append_byte(out, '\n', reterr);
}

theater_status th_proof_text_inclusion(uint64_t index, th_slice element, const th_proof *proof, th_slice note,
                                       th_buf *out, theater_error *reterr)
{
    theater_status status = th_buf_printf(out, reterr, TH_INCLUSION_HEADER "\nextra ");
    if (!status)
        status = append_base64(out, element, reterr);
    if (!status)
        status = th_buf_printf(out, reterr, "index %" PRIu64 "\n", index);
    if (!status)
        status = append_hashes(out, proof, reterr);
    return status ? status : th_buf_append(out, note, reterr);
}

theater_status th_proof_text_consistency(const th_proof *proof, th_slice older, th_slice newer, th_buf *out,
                                         theater_error *reterr)
{
    theater_status status = th_buf_printf(out, reterr, TH_CONSISTENCY_HEADER "\nolder ");
    if (!status)
        status = append_base64(out, older, reterr);
    if (!status)
        status = append_hashes(out, proof, reterr);
    return status ? status : th_buf_append(out, newer, reterr);
}

/* ---- reading ------------------------------------------------------------------------------------------- */

typedef struct line_reader {
    th_slice rest;
    unsigned line; /* number of the line read last, from 1 */
} line_reader;

/* The next line without its newline; false when there is none that ends. */
static bool next_line(line_reader *in, th_slice *ret)
{
    const uint8_t *end = in->rest.size ? memchr(in->rest.data, '\n', in->rest.size) : NULL;
    if (!end)
        return false;
    *ret = th_slice_of(in->rest.data, (size_t)(end - in->rest.data));
    in->rest = th_slice_of(end + 1, in->rest.size - ret->size - 1);
    in->line++;
    return true;
}

static theater_status bad_line(const line_reader *in, const char *what, theater_error *reterr)
{
    return th_fail(reterr, THEATER_CORRUPT, "proof, line %u: %s", in->line, what);
}

static bool starts_with(th_slice line, const char *word, th_slice *ret_rest)
{
    size_t size = strlen(word);
    if (line.size < size || memcmp(line.data, word, size) != 0)
        return false;
    *ret_rest = th_slice_of(line.data + size, line.size - size);
    return true;
}

static bool parse_index(th_slice text, uint64_t *ret)
{
    if (text.size == 0 || text.size > 19 || (text.size > 1 && text.data[0] == '0'))
        return false;
    *ret = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *ret = *ret * 10 + (uint64_t)(text.data[i] - '0');
    }
    return true;
}

/* Hashes up to the empty line. */
static theater_status parse_hashes(line_reader *in, th_proof *ret, theater_error *reterr)
{
    ret->count = 0;
    th_slice line;
    while (next_line(in, &line)) {
        if (line.size == 0)
            return THEATER_OK;
        size_t size;
        if (ret->count == TH_PROOF_MAX)
            return bad_line(in, "more hashes than any proof has", reterr);
        if (!th_base64_decode(line, ret->hashes[ret->count].bytes, THEATER_HASH_SIZE, &size) ||
            size != THEATER_HASH_SIZE)
            return bad_line(in, "not a hash of 32 bytes in base64", reterr);
        ret->count++;
    }
    in->line++;
    return bad_line(in, "an empty line and a checkpoint are missing", reterr);
}

static theater_status parse_inclusion(line_reader *in, th_proof_text *ret, theater_error *reterr)
{
    th_slice line, rest;
    if (!next_line(in, &line) || !starts_with(line, "extra ", &rest))
        return bad_line(in, "\"extra\" with the element is missing behind it", reterr);
    if (!th_base64_decode(rest, ret->element, sizeof ret->element, &ret->element_size))
        return bad_line(in, "the element is not in base64, or longer than any element", reterr);
    if (!next_line(in, &line) || !starts_with(line, "index ", &rest) || !parse_index(rest, &ret->index))
        return bad_line(in, "\"index\" with a number is missing", reterr);
    return parse_hashes(in, &ret->proof, reterr);
}

static theater_status parse_consistency(line_reader *in, th_proof_text *ret, theater_error *reterr)
{
    th_slice line;
    if (!next_line(in, &line) || !starts_with(line, "older ", &ret->older))
        return bad_line(in, "\"older\" with a checkpoint in base64 is missing behind it", reterr);
    return parse_hashes(in, &ret->proof, reterr);
}

theater_status th_proof_text_parse(th_slice text, th_proof_text *ret, theater_error *reterr)
{
    memset(ret, 0, sizeof *ret);
    line_reader in = {text, 0};
    th_slice line, version;
    theater_status status;
    if (!next_line(&in, &line))
        return th_fail(reterr, THEATER_CORRUPT, "this is no proof: it has no first line");
    if (th_slice_equal(line, th_slice_text(TH_INCLUSION_HEADER))) {
        status = parse_inclusion(&in, ret, reterr);
    } else if (th_slice_equal(line, th_slice_text(TH_CONSISTENCY_HEADER))) {
        ret->is_consistency = true;
        status = parse_consistency(&in, ret, reterr);
    } else if (starts_with(line, "c2sp.org/tlog-proof@", &version) ||
               starts_with(line, "theater-consistency-proof@", &version)) {
        return th_fail(reterr, THEATER_VERSION, "a proof of version %.*s is not supported",
                       version.size > 20 ? 20 : (int)version.size, (const char *)version.data);
    } else {
        return th_fail(reterr, THEATER_CORRUPT, "this is no proof: the first line is neither %s nor %s",
                       TH_INCLUSION_HEADER, TH_CONSISTENCY_HEADER);
    }
    ret->note = in.rest;
    return status;
}

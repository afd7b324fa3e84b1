/* port/simulation_image.c: the bytes of a simulated file. Pages that were never written are not there, so
 * that a large reservation costs one pointer a page. */
#include "port/simulation_internal.h"

void th_sim_image_done(th_sim_image *image)
{
    for (size_t i = 0; i < image->page_count; i++)
        th_free(image->pages[i]);
    th_free(image->pages);
    *image = (th_sim_image){.size = 0};
}

void th_sim_image_read(const th_sim_image *image, uint64_t offset, uint8_t *out, size_t size)
{
    while (size > 0) {
        uint64_t page = offset / TH_SIM_PAGE;
        size_t start = (size_t)(offset % TH_SIM_PAGE);
        size_t part = TH_SIM_PAGE - start < size ? TH_SIM_PAGE - start : size;
        const uint8_t *bytes = page < image->page_count ? image->pages[page] : NULL;
        if (bytes)
            memcpy(out, bytes + start, part);
        else
            memset(out, 0, part);
        offset += part;
        out += part;
        size -= part;
    }
}

static theater_status grow_pages(th_sim_image *image, uint64_t needed, theater_error *reterr)
{
    if (needed <= image->page_count)
        return THEATER_OK;
    size_t count = image->page_count * 2 > needed ? image->page_count * 2 : (size_t)needed;
    uint8_t **pages = th_realloc(image->pages, count * sizeof *pages);
    if (!pages)
        return th_fail_memory(reterr, "a simulated file");
    memset(pages + image->page_count, 0, (count - image->page_count) * sizeof *pages);
    image->pages = pages;
    image->page_count = count;
    return THEATER_OK;
}

theater_status th_sim_image_write(th_sim_image *image, uint64_t offset, const uint8_t *data, size_t size,
                                  theater_error *reterr)
{
    uint64_t end = offset + size;
    theater_status status = grow_pages(image, (end + TH_SIM_PAGE - 1) / TH_SIM_PAGE, reterr);
    if (status != THEATER_OK)
        return status;
    while (offset < end) {
        uint8_t **page = &image->pages[offset / TH_SIM_PAGE];
        size_t start = (size_t)(offset % TH_SIM_PAGE);
        size_t part = TH_SIM_PAGE - start < end - offset ? TH_SIM_PAGE - start : (size_t)(end - offset);
        if (!*page && !(*page = th_alloc_zero(1, TH_SIM_PAGE)))
            return th_fail_memory(reterr, "a page of a simulated file");
        memcpy(*page + start, data, part);
        offset += part;
        data += part;
    }
    if (image->size < end)
        image->size = end;
    return THEATER_OK;
}

void th_sim_image_resize(th_sim_image *image, uint64_t size)
{
    if (size < image->size) {
        /* What is cut must read as zero when the file grows again. */
        uint64_t first = size / TH_SIM_PAGE;
        size_t start = (size_t)(size % TH_SIM_PAGE);
        if (first < image->page_count && image->pages[first])
            memset(image->pages[first] + start, 0, TH_SIM_PAGE - start);
        for (uint64_t i = first + 1; i < image->page_count; i++) {
            th_free(image->pages[i]);
            image->pages[i] = NULL;
        }
    }
    image->size = size;
}

theater_status th_sim_image_copy(th_sim_image *to, const th_sim_image *from, theater_error *reterr)
{
    th_sim_image_resize(to, 0);
    for (size_t i = 0; i < from->page_count; i++) {
        uint64_t offset = (uint64_t)i * TH_SIM_PAGE;
        if (!from->pages[i])
            continue;
        theater_status status = th_sim_image_write(to, offset, from->pages[i], TH_SIM_PAGE, reterr);
        if (status != THEATER_OK)
            return status;
    }
    /* Cuts off the rest of the last page, which is zero. */
    th_sim_image_resize(to, from->size);
    return THEATER_OK;
}

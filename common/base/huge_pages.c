#include "common/base/huge_pages.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { CACHE_LINE = 64, HUGE_PAGE = 2 * 1024 * 1024 };

void *nas_huge_pages_create(size_t n_bytes)
{
    const size_t alignment = n_bytes >= HUGE_PAGE ? HUGE_PAGE : CACHE_LINE;
    const size_t size = (n_bytes / alignment + 1) * alignment; /* never 0 */
    void *pages = aligned_alloc(alignment, size);
    if (!pages) return NULL;
    if (alignment == HUGE_PAGE) (void)madvise(pages, size, MADV_HUGEPAGE); /* a wish, no need */
    memset(pages, 0, size);
    return pages;
}

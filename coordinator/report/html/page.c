#include "coordinator/report/html/page.h"

bool nas_page_is_search(const nas_page_t *page)
{
    return page->state->n_repeat > 0;
}

bool nas_page_is_scored(const nas_page_t *page)
{
    return page->state->scores.n > 0 && page->state->metrics.n > 0;
}

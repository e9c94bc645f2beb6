#include "coordinator/report/export_job.h"
#include "coordinator/report/html/markup.h"
#include "coordinator/report/html/page.h"

#include <stdlib.h>

enum { MOST_BYTES = 1 << 18 };

nas_status_t nas_section_job(const nas_page_t *page, nas_error_t *err)
{
    char *text = nas_export_job(page->state->job_text ? page->state->job_text : "", err);
    if (!text) return NAS_ENOMEM;
    (void)fputs("<p class=\"note\">As it was resolved, with absolute paths cut to their last "
                "part.</p>\n<pre tabindex=\"0\" aria-label=\"Job file\">",
                page->out);
    const size_t n_left = nas_html_lines(text, MOST_BYTES, page->out);
    (void)fputs("</pre>\n", page->out);
    if (n_left > 0)
        (void)fprintf(page->out, "<p class=\"note\">%zu bytes more are in the run's file.</p>\n",
                      n_left);
    free(text);
    return NAS_OK;
}

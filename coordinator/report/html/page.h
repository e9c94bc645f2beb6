/* The sections of a page: each is one function in a file section_*.c and one line in the list of
 * html.c. */
#ifndef NAS_COORDINATOR_REPORT_HTML_PAGE_H
#define NAS_COORDINATOR_REPORT_HTML_PAGE_H

#include "common/base/error.h"
#include "coordinator/report/report.h"
#include "coordinator/report/under_way.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** What a section is written from. Borrowed. */
typedef struct nas_page {
    const nas_state_t *state; /**< of the run that the page is of */
    const nas_compared_t *run;
    size_t n_run;
    const nas_under_way_t *under_way;
    FILE *out;
} nas_page_t;

/** The style of the page, with the colours of both schemes: texts, one behind the other, up to
 *  NULL. */
extern const char *const nas_page_style[];

/** Whether something was searched; whether the run scored its pool; whether networks were trained
 *  whose losses are known. */
bool nas_page_is_search(const nas_page_t *page);
bool nas_page_is_scored(const nas_page_t *page);
bool nas_page_has_curves(const nas_page_t *page);

/** Whether anything is known of metrics or columns besides objectives; whether anything was learned
 *  of metrics. */
bool nas_page_has_pairs(const nas_page_t *page);
bool nas_page_has_learned(const nas_page_t *page);

/** The sections, what is between their headings.  Not collective. NAS_ENOMEM. */
nas_status_t nas_section_best(const nas_page_t *page, nas_error_t *err);
nas_status_t nas_section_course(const nas_page_t *page, nas_error_t *err);
nas_status_t nas_section_objective(const nas_page_t *page, nas_error_t *err);
nas_status_t nas_section_metrics(const nas_page_t *page, nas_error_t *err);
nas_status_t nas_section_learned(const nas_page_t *page, nas_error_t *err);
nas_status_t nas_section_curves(const nas_page_t *page, nas_error_t *err);
nas_status_t nas_section_failures(const nas_page_t *page, nas_error_t *err);
nas_status_t nas_section_job(const nas_page_t *page, nas_error_t *err);
nas_status_t nas_section_timing(const nas_page_t *page, nas_error_t *err);

/** A drawing of an architecture's cell, or a table of its choices, where it is of a space.  Not
 *  collective. NAS_ENOMEM. */
nas_status_t nas_page_draw_arch(const char *name, FILE *out, nas_error_t *err);

/** One of several numbers beside each other. */
typedef struct nas_bar {
    const char *label;     /**< from anywhere */
    double value;          /**< NaN: none */
    const double *part;    /**< numbers that it is the mean of, each with a mark; NULL: none */
    const char *when_none; /**< what stands there in its place */
    int n_part;
    const char *format; /**< of the value, for printf */
} nas_bar_t;

/** Bars from 0, one below the other, in a drawing of its own.  Not collective.
 *  id, title: as of a plot; least, largest: of the axis, least <= 0 < largest. */
typedef struct nas_bars {
    FILE *out;
    const char *id;
    const char *title;
    const nas_bar_t *bar;
    int n;
    double least, largest;
} nas_bars_t;
void nas_bars_draw(const nas_bars_t *bars);

#endif

/* What a state says about a run: figures of each repeat and statistics over the repeats. */
#ifndef NAS_COORDINATOR_REPORT_SUMMARY_H
#define NAS_COORDINATOR_REPORT_SUMMARY_H

#include "common/base/error.h"
#include "common/state/state.h"

#include <stdint.h>

/** Statistics of one figure over the repeats that have it; all NaN where none has. */
typedef struct nas_statistics {
    double mean;
    double std; /**< population standard deviation, as in the paper's tables: 0 for one repeat */
    double min;
    double max;
    int64_t n;
} nas_statistics_t;

/** The figures of one repeat; NaN where unknown. */
typedef struct nas_figures {
    double t0;        /**< distinct architectures evaluated while exploring */
    double cost;      /**< sum over the evaluations whose cost is known */
    double target;    /**< objective of the best, in the user's unit */
    double pool_rank; /**< of the best: 1 + number of strictly better architectures */
    double precision_at_t;
    double expected_rank; /**< (T + 1) / (precision T + 1), He et al. 2024 */
    /* of a method that has reasons (nas_summary_has_reasons) */
    double start, improvement, hedge; /**< evaluations by reason */
    double posterior_mean;            /**< of the best, in units of the standardised targets */
    double posterior_std;
} nas_figures_t;

/** Figures of repeat r.  Not collective. */
nas_figures_t nas_summary_figures(const nas_state_t *state, int64_t r);

/** Whether evaluations are made for reasons of their own: to start, for their expected improvement,
 *  or as a hedge. The first one there is tells.  Not collective. */
bool nas_summary_has_reasons(const nas_state_t *state);

/** Weight of a metric under the best weights of repeat r; NaN where these are not known, and of a
 *  metric that is the same for every architecture, which any weight would fit.  Not collective. */
double nas_summary_weight(const nas_state_t *state, int64_t r, size_t metric);

/** Mean of that over the repeats that know it; NaN where none does.  Not collective. */
double nas_summary_mean_weight(const nas_state_t *state, size_t metric);

/** Statistics of n values, NaN ones left out. Two passes in index order: deterministic. */
nas_statistics_t nas_statistics_of(const double *value, int64_t n);

/** A figure of all repeats, by the offset of its field: NAS_SUMMARY(state, t0, &statistics, err).
 *  NAS_ENOMEM. */
nas_status_t nas_summary_over(const nas_state_t *state, size_t field, nas_statistics_t *statistics,
                              nas_error_t *err);

#define NAS_SUMMARY(state, field, statistics, err)                                                 \
    nas_summary_over((state), offsetof(nas_figures_t, field), (statistics), (err))

/** Report column `column` at the best architecture of every repeat.  NAS_ENOMEM. */
nas_status_t nas_summary_column(const nas_state_t *state, size_t column,
                                nas_statistics_t *statistics, nas_error_t *err);

/** Mean over the repeats of the best target among the first n evaluations, NaN where a repeat has
 *  none yet. */
double nas_summary_best_after(const nas_state_t *state, int64_t n);

/** The repeat whose best is best, the earliest on a tie; -1 where no evaluation succeeded. */
int64_t nas_summary_best_repeat(const nas_state_t *state);

/** The weights that repeat r found best, or what it has learned of each metric; NULL while unknown,
 *  and where nothing succeeded, so that they tell of nothing. Borrowed. */
const double *nas_summary_weights(const nas_state_t *state, int64_t r);

/** Values of one metric over the architectures that were scored; n counts those that are finite,
 *  n_missing those that are not. */
nas_statistics_t nas_summary_metric(const nas_state_t *state, size_t metric, int64_t *n_missing);

#endif

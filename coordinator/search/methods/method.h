/* Search methods behind one table of functions: each is one file and one line in the list of
 * methods.c.
 *
 * A method is a state machine that a group leader drives, one step after the other:
 *
 *   ask      what it wants to know of the score table: the best architecture under each of n
 *            weight vectors, the k best under one, nothing, or "I am done"
 *   propose  given the answer, which architectures to look at next
 *   tell     what came of each of them, in the order proposed
 *
 * A method that learns over the architectures themselves asks the posterior (posterior.h) as often
 * as it likes before that:
 *
 *   ask      a question to the posterior
 *   hear     its answer; then it is asked again, in the same step
 *
 * Its state is a pure function of what it was told: after a restart it is created anew and told the
 * recorded observations, and goes on as if nothing had happened. Randomness is keyed by (seed,
 * stream, number of observations or steps), never carried over. Targets are always "higher is
 * better" here.
 */
#ifndef NAS_COORDINATOR_SEARCH_METHODS_METHOD_H
#define NAS_COORDINATOR_SEARCH_METHODS_METHOD_H

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/job/section.h"
#include "common/space/encoding.h"
#include "common/state/state.h"

#include <stdbool.h>
#include <stdint.h>

/** What every method is created with. Borrowed pointers must outlive the method. */
typedef struct nas_method_setup {
    int64_t n_metric;                 /**< of the job; 0 for methods that take none */
    int64_t n_arch;                   /**< architectures in the pool */
    int64_t budget;                   /**< T, at most n_arch: distinct architectures to evaluate */
    int64_t parallel;                 /**< q, at least 1: the most proposals of one step */
    uint64_t seed;                    /**< of this repeat */
    int64_t metric;                   /**< method single: which column; -1 otherwise */
    int64_t n_kept;                   /**< metrics that the posterior keeps; 0 without one */
    int n_position;                   /**< positions that the posterior compares; 0 without one */
    double hidden;                    /**< share of the pool that first steps leave out */
    const nas_encoding_t *encoding;   /**< borrowed; NULL unless the method needs it */
    const nas_interrupt_t *interrupt; /**< borrowed; asked by all that can take a second, or NULL */
} nas_method_setup_t;

typedef enum nas_query_kind {
    NAS_QUERY_DONE = 0, /**< the budget is spent and nothing more is to be known */
    NAS_QUERY_NONE,     /**< nothing to look up: go on to propose */
    NAS_QUERY_BEST,     /**< the best architecture under each of n weight vectors */
    NAS_QUERY_TOP,      /**< the k best architectures under one weight vector */
    NAS_QUERY_APPEND,   /**< posterior: one architecture more is a point */
    NAS_QUERY_IMPROVE,  /**< posterior: where the expected improvement is highest */
    NAS_QUERY_LEARNED   /**< posterior: what it says of one architecture and of the metrics */
} nas_query_kind_t;

/** A question to the score table, or to the posterior. Pointers are the method's, valid until the
 *  next call. */
typedef struct nas_query {
    nas_query_kind_t kind;
    int64_t n_weights;     /**< BEST: at most q; TOP: 1 */
    int64_t k;             /**< BEST: 1; TOP: at most budget */
    const double *weights; /**< BEST, TOP: n_weights x n_metric row-major */
    int64_t n_points; /**< APPEND, IMPROVE, LEARNED: the points that the method knows of, at most
                            budget; any behind them are another repeat's and forgotten */
    int64_t arch;     /**< APPEND, LEARNED: pool index */
    const double *z;  /**< IMPROVE, LEARNED: [n_points] L^-1 (t - m) */
    double incumbent; /**< IMPROVE: the highest value of the points */
    double hidden;    /**< IMPROVE: share of the pool that is not admitted; 0: all is */
} nas_query_t;

/** What the posterior answers. */
typedef struct nas_posterior_answer {
    int64_t arch;         /**< APPEND, LEARNED: as asked; IMPROVE: the pick, -1: none is admitted */
    double mean;          /**< APPEND: prior mean; IMPROVE, LEARNED: posterior mean */
    double std;           /**< LEARNED: posterior standard deviation */
    const double *values; /**< APPEND: [n_points + 1] the row of L that it adds, its diagonal last;
                               LEARNED: [n_metric] correlation of the posterior mean with each
                               metric, 0 for those that are not kept; borrowed for the call */
} nas_posterior_answer_t;

/** What a step asks to be evaluated. */
typedef struct nas_proposals {
    int64_t n;          /**< 0 ..= q; several may name one architecture */
    int64_t *arch;      /**< [q] out: pool indices, evaluated before or not */
    int64_t *phase;     /**< [q] out: nas_phase_t of each */
    double *weights;    /**< [q x n_metric] out, unless the method has no weights */
    int64_t n_frontier; /**< T or 0 */
    int64_t *frontier; /**< [budget] out: the T best architectures under best_weights, best first */
    bool has_learned;  /**< best_weights, and where it has one the posterior of the best, are known
                            from here on */
    double *best_weights;  /**< [n_metric] out, where has_learned */
    double posterior_mean; /**< of the best architecture, in units of the standardised targets; NaN
                                where the method has no posterior */
    double posterior_std;
} nas_proposals_t;

/** One result. */
typedef struct nas_result {
    int64_t arch;
    double target; /**< higher is better; ignored where failed */
    bool failed;
    nas_phase_t phase;
    const double
        *weights; /**< [n_metric] as proposed; NULL without weights. Borrowed for the call. */
} nas_result_t;

/** What a search with a method takes besides lookups and evaluations: an estimate. */
typedef struct nas_method_need {
    double n_bytes; /**< on the rank that leads the repeat, at its end */
    double seconds; /**< of a repeat, on one core of the year 2020 or later */
} nas_method_need_t;

/** One method. All functions: group leader only, no communication, deterministic. ask, propose and
 *  tell may return NAS_ESTOP once setup.interrupt has said so; then nothing but destroy follows. */
typedef struct nas_method {
    const char *name;
    const char *summary; /**< one line for --help */
    bool observes;       /**< exploring ends after T observations, be they evaluations or not */
    bool needs_metrics;  /**< asks BEST or TOP, proposals carry weights */
    bool needs_encoding;
    bool has_posterior; /**< asks the posterior, of the metrics and the encoding that there are */
    bool needs_metric;  /**< wants search.metric */
    /** For setups that create would take; encoding may be NULL. Costs nothing. */
    nas_method_need_t (*need)(const nas_method_setup_t *setup);
    nas_status_t (*create)(const nas_method_setup_t *setup, void **self_p, nas_error_t *err);
    void (*destroy)(void *self);
    /** query [out]. */
    nas_status_t (*ask)(void *self, nas_query_t *query, nas_error_t *err);
    /** answer [in] n_weights x k pool indices, best first (fewer than k architectures: -1); NULL
     * for QUERY_NONE. proposals [out], arrays allocated by the caller. */
    nas_status_t (*propose)(void *self, const int64_t *answer, nas_proposals_t *proposals,
                            nas_error_t *err);
    /** has_posterior: the answer to what was asked last. */
    nas_status_t (*hear)(void *self, const nas_posterior_answer_t *answer, nas_error_t *err);
    /** Results of one step, n of them in the order proposed. After a restart: the recorded
     * observations, step by step or all at once; both must lead to the same state. */
    nas_status_t (*tell)(void *self, const nas_result_t *result, int64_t n, nas_error_t *err);
} nas_method_t;

/** Whether it is given the job's metrics: to weigh them, or for its posterior, where there
 *  are any. */
static inline bool nas_method_takes_metrics(const nas_method_t *method)
{
    return method->needs_metrics || method->has_posterior;
}

/** The method of a job that names none. */
#define NAS_METHOD_DEFAULT "pool-gp"

/** Architectures of a pool from which on a method with a posterior hides a share, search.hidden. */
enum { NAS_METHOD_LEAST_HIDING = 100 };

/** The job's keys about the search. */
extern const nas_job_section_t nas_method_keys;

/** The method of this name, or NULL. */
const nas_method_t *nas_method_find(const char *name);

/** The method of a job that is read to search. */
const nas_method_t *nas_method_of(const nas_job_t *job);

/** All methods, in the order of the list;
 *  n [out]. */
const nas_method_t *const *nas_method_list(int *n);

#endif

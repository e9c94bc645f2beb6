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
    int64_t n_metric;                 /**< columns of the score table; 0 without metrics */
    int64_t n_arch;                   /**< architectures in the pool */
    int64_t budget;                   /**< T, at most n_arch: distinct architectures to evaluate */
    int64_t parallel;                 /**< q, at least 1: the most proposals of one step */
    uint64_t seed;                    /**< of this repeat */
    int64_t metric;                   /**< method single: which column; -1 otherwise */
    const nas_encoding_t *encoding;   /**< borrowed; NULL unless the method needs it */
    const nas_interrupt_t *interrupt; /**< borrowed; asked by all that can take a second, or NULL */
} nas_method_setup_t;

typedef enum nas_query_kind {
    NAS_QUERY_DONE = 0, /**< the budget is spent and nothing more is to be known */
    NAS_QUERY_NONE,     /**< nothing to look up: go on to propose */
    NAS_QUERY_BEST,     /**< the best architecture under each of n weight vectors */
    NAS_QUERY_TOP       /**< the k best architectures under one weight vector */
} nas_query_kind_t;

/** A question to the score table. */
typedef struct nas_query {
    nas_query_kind_t kind;
    int64_t n_weights; /**< BEST: at most q; TOP: 1 */
    int64_t k;         /**< BEST: 1; TOP: at most budget */
    const double
        *weights; /**< n_weights x n_metric row-major; the method's, valid until the next call */
} nas_query_t;

/** What a step asks to be evaluated. */
typedef struct nas_proposals {
    int64_t n;          /**< 0 ..= q; several may name one architecture */
    int64_t *arch;      /**< [q] out: pool indices, evaluated before or not */
    double *weights;    /**< [q x n_metric] out, unless the method has no weights */
    nas_phase_t phase;  /**< of all of them */
    int64_t n_frontier; /**< T or 0 */
    int64_t *frontier; /**< [budget] out: the T best architectures under best_weights, best first */
    double *best_weights; /**< [n_metric] out, where n_frontier > 0 */
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
    bool needs_metric; /**< wants search.metric */
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
    /** Results of one step, n of them in the order proposed. After a restart: the recorded
     * observations, step by step or all at once; both must lead to the same state. */
    nas_status_t (*tell)(void *self, const nas_result_t *result, int64_t n, nas_error_t *err);
} nas_method_t;

/** The job's keys about the search. */
extern const nas_job_section_t nas_method_keys;

/** The method of this name, or NULL. */
const nas_method_t *nas_method_find(const char *name);

/** All methods, in the order of the list;
 *  n [out]. */
const nas_method_t *const *nas_method_list(int *n);

#endif

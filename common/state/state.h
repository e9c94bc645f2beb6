/* The state of a run in memory: what a state file holds, what the coordinator extends and `report`
 * reads. */
#ifndef NAS_COMMON_STATE_STATE_H
#define NAS_COMMON_STATE_STATE_H

#include "common/base/arch_index.h"
#include "common/base/digest.h"
#include "common/base/error.h"
#include "common/base/name_source.h"
#include "common/base/strings.h"

#include <stdbool.h>
#include <stdint.h>

/** Part of the method that asked for an observation. */
typedef enum nas_phase {
    NAS_PHASE_EXPLORE = 0,     /**< Bayesian optimisation, sampling */
    NAS_PHASE_EXPLOIT = 1,     /**< greedy search */
    NAS_PHASE_START = 2,       /**< pool-gp: before anything is known */
    NAS_PHASE_IMPROVEMENT = 3, /**< pool-gp: the highest expected improvement */
    NAS_PHASE_HEDGE = 4        /**< pool-gp: drawn, where the process predicts badly */
} nas_phase_t;

enum { NAS_N_PHASES = 5 };

/** "explore", "exploit", ...; NULL where it is no phase. */
const char *nas_phase_name(int32_t phase);

/** Whether it says why an evaluation was made: start, improvement or hedge. */
bool nas_phase_is_reason(int32_t phase);

/** Outcome of an evaluation. */
typedef enum nas_eval_status {
    NAS_EVAL_OK = 0,
    NAS_EVAL_MISSING = 1, /**< the table has no objective for this architecture */
    NAS_EVAL_FAILED = 2   /**< training, or the user's trainer, failed: see its reason */
} nas_eval_status_t;

/** Room for the values of an architecture; every objective has one so far. */
enum { NAS_MAX_GOALS = 4 };

/** What is known of every epoch of a training. */
enum {
    NAS_CURVE_TRAIN_LOSS = 0,
    NAS_CURVE_VALID_LOSS,
    NAS_CURVE_VALID_ACCURACY, /**< in percent */
    NAS_CURVE_COLUMNS
};

/** One architecture, evaluated. */
typedef struct nas_evaluation {
    int64_t arch;                /**< pool index */
    char *name;                  /**< owned */
    double value[NAS_MAX_GOALS]; /**< [n_goals] in the user's unit and direction, NaN unless status
                                      is NAS_EVAL_OK; the first one is what the search goes by */
    double cost;                 /**< in the user's unit; NaN where unknown */
    double *columns;             /**< report columns [n_report], NaN where missing; owned */
    int64_t pool_rank; /**< 1 + number of strictly better architectures; 0 where unknown */
    uint64_t seed;     /**< of the evaluation */
    int32_t status;    /**< nas_eval_status_t */
    int32_t phase;     /**< nas_phase_t of the step that evaluated it */
    int32_t rank;      /**< that evaluated it */
    bool reused;       /**< taken from another run's ledger */
    char *reason;      /**< why it failed, one line, NULL otherwise; owned */
    double *curve; /**< [n_epochs x NAS_CURVE_COLUMNS] of a training, NaN where it did not get to;
                        NULL: none; owned */
} nas_evaluation_t;

/** One step of a method: a point that was looked at, evaluated anew or known already. */
typedef struct nas_observation {
    int64_t arch;  /**< pool index, evaluated */
    int32_t phase; /**< nas_phase_t */
} nas_observation_t;

/** One repeat of the search. */
typedef struct nas_repeat {
    uint64_t seed;
    bool complete;
    nas_evaluation_t *evaluation; /**< in the order of evaluation */
    int64_t n_evaluation;
    int64_t evaluation_capacity;
    nas_arch_index_t evaluated; /**< their architectures; number i is that of evaluation i */
    nas_evaluation_t *known; /**< that succeeded before failures were retried, whether or not they
                                  are evaluated again; one an architecture */
    int64_t n_known;
    int64_t known_capacity;
    nas_observation_t *observation; /**< in order */
    double *weights;                /**< n_observation x nas_state_weights row-major */
    int64_t n_observation;
    int64_t observation_capacity; /**< of observation and weights */
    double *best_weights;         /**< n_metric, or NULL while unknown; where the method weighs no
                                       metrics, what it has learned of each, in [-1, 1] */
    double posterior_mean;        /**< of the best evaluation, in units of the standardised targets;
                                       NaN where the method has no posterior, or while unknown */
    double posterior_std;
    double precision_at_t; /**< of best_weights; NaN while unknown */
} nas_repeat_t;

/** Outcome of scoring one architecture. */
typedef enum nas_score_status {
    NAS_SCORE_PENDING = 0, /**< not scored yet */
    NAS_SCORE_OK,          /**< values are there; a metric may be NaN all the same */
    NAS_SCORE_FAILED,      /**< could not be scored: values are NaN */
    NAS_SCORE_UNFIT        /**< the GPU has no memory for it, not even alone: values are NaN; it is
                                tried again where the run is resumed */
} nas_score_status_t;

/** Metric values that this run computed, a row an architecture of the pool; none: n is 0. */
typedef struct nas_scores {
    nas_digest_t hash;        /**< identity of the scoring stage: equal hashes, equal values */
    nas_digest_t measurement; /**< how they were measured, whatever was; all 0: not known, or in
                                   more than one way */
    int64_t n;                /**< architectures */
    int64_t n_done;           /**< of them that are not pending */
    nas_name_source_t arch;   /**< [n] native names, of arch_text or borrowed from the pool */
    char *arch_text;          /**< names of a state that was read; NULL: the pool has them */
    double *value;            /**< n x n_metric row-major, NaN where unknown or undefined */
    uint8_t *status;          /**< [n] nas_score_status_t; set by nas_scores_set */
    float *seconds;           /**< [n] that scoring took, 0 while pending */
    int32_t *rank;            /**< [n] that scored it, -1 while pending */
} nas_scores_t;

/** Something that happened to the run (started, resumed, stopped, fell back to the previous file).
 */
typedef struct nas_event {
    double time_s; /**< Unix time */
    char *text;    /**< one line; owned */
} nas_event_t;

/** Zero-initialise; end with nas_state_fini. */
typedef struct nas_state {
    /* identity: fixed for the life of a run */
    char *job_name;
    char *job_text; /**< resolved job, YAML */
    char *method;
    nas_digest_t job_hash;
    nas_digest_t job_hash_without_budget;
    nas_digest_t objective_hash;
    nas_digest_t seen_hash; /**< of the job's keys with sizes and times of its files, as the last
                                 session saw them before it read them; all 0: not known */
    char *table_path;
    nas_digest_t table_digest; /**< of its content as one; all 0: not known */
    nas_digest_t files; /**< of a pool of files: their architectures, and what is in them; all
                                 *   0: it has none */
    nas_digest_t table_blocks; /**< of its content's blocks (digest.h); all 0: not known */
    int64_t budget;            /**< T */
    int64_t n_goals;           /**< values of an evaluation, 1 to NAS_MAX_GOALS */
    int64_t n_arch;
    nas_strings_t metrics;
    int32_t *metric_is_constant; /**< [metrics.n] 1: the same for every architecture, so that its
                                      weights mean nothing; NULL: not known of any */
    nas_scores_t scores;
    nas_strings_t report_columns;
    nas_strings_t class_names; /**< of the labels from 0 on; n is 0 where the data has none */
    nas_strings_t reused_from; /**< runs whose evaluations were taken over, relative to this one's
                                    folder where they may be */
    int64_t n_epochs;          /**< of every evaluation's curve; 0: none has one */
    /* provenance: may differ between equal runs */
    char *program_version;
    char *commit;
    char *host;
    char *isa;
    char *blas;   /**< kernels of the linear algebra, as OpenBLAS names them; NULL: not known */
    char *device; /**< "cpu" or "gpu", what networks are computed on, which no session changes; NULL
                          or "": none were, or by a program that knew the CPU alone */
    uint64_t golden; /**< digest of its GPUs' golden kernels; 0: of the CPU */
    int32_t n_ranks;
    double created_s;
    double updated_s;
    double elapsed_s; /**< over all sessions */
    nas_event_t *event;
    int64_t n_event;
    int64_t event_capacity;
    /* results */
    bool complete;
    int64_t generation; /**< how often failures were retried */
    bool gave_up;       /**< ended before it was complete, since nothing succeeded */
    bool minimise;      /**< identity, as is has_weights */
    bool has_weights;   /**< the method weighs metrics: observations have weights */
    nas_repeat_t *repeat;
    int64_t n_repeat;
} nas_state_t;

/** Free everything and zero the struct. Accepts a partly filled state. */
void nas_state_fini(nas_state_t *state);

/** Identity of a run, which its candidates' files carry: by its objective and when it was begun.
 *  NAS_ENOMEM. */
nas_status_t nas_state_identity(const nas_state_t *state, nas_digest_t *run, nas_error_t *err);

/** Make n empty repeats, where none were; repeat r gets the seed `seed` + r.  NAS_ENOMEM. */
nas_status_t nas_state_make_repeats(nas_state_t *state, int64_t n, uint64_t seed, nas_error_t *err);

/** Make room for the scores of the architectures that `arch` names, all pending, where none were;
 *  the metrics are filled by the caller.
 *  arch: copied, what it reads from is borrowed while the state lives. NAS_ENOMEM. */
nas_status_t nas_state_make_scores(nas_state_t *state, const nas_name_source_t *arch,
                                   nas_error_t *err);

/** Say how architecture i was scored, and by which rank; its values are set by the caller. */
void nas_scores_set(nas_scores_t *scores, int64_t i, nas_score_status_t status, double seconds,
                    int rank);

/** Architectures of a status. O(n). */
int64_t nas_scores_count(const nas_scores_t *scores, nas_score_status_t status);

/** Let what did not fit be scored again, unless a search has begun with the scores as they are.
 *  Returns the number of architectures. O(n). */
int64_t nas_state_retry_unfit(nas_state_t *state);

/** Take the names of the pool in place of those that were read, which are equal. */
void nas_scores_name(nas_scores_t *scores, const nas_name_source_t *arch);

/** Append an event, now.  Amortised O(1). NAS_ENOMEM. */
nas_status_t nas_state_add_event(nas_state_t *state, nas_error_t *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Append an evaluation; its name, columns [n_report_columns], reason and curve are copied.
 *  Amortised O(1).
 *  NAS_EINPUT: the repeat has evaluated this architecture, or it has a negative index.
 *  NAS_ENOMEM. */
nas_status_t nas_state_add_evaluation(nas_state_t *state, int64_t repeat,
                                      const nas_evaluation_t *evaluation, nas_error_t *err);

/** Append a known result, likewise; it succeeded.  Amortised O(1). NAS_ENOMEM. */
nas_status_t nas_state_add_known(nas_state_t *state, int64_t repeat,
                                 const nas_evaluation_t *evaluation, nas_error_t *err);

/** Evaluations of all repeats that have failed. O(n_evaluation). */
int64_t nas_state_count_failed(const nas_state_t *state);

/** Begin a retry of what has failed: the generation rises; where an evaluation has failed, those
 *  that succeeded become known results, failures become events, and all repeats are empty again.
 *  O(n log n). NAS_ENOMEM: the state is of no use but to nas_state_fini. */
nas_status_t nas_state_retry(nas_state_t *state, nas_error_t *err);

/** Weights of an observation: n_metric for methods that weigh metrics, 0 for others. */
size_t nas_state_weights(const nas_state_t *state);

/** Append an observation with its nas_state_weights weights (NULL: zeros). Amortised O(1) each.
 *  NAS_ENOMEM. */
nas_status_t nas_state_add_observation(nas_state_t *state, int64_t repeat,
                                       nas_observation_t observation, const double *weights,
                                       nas_error_t *err);

/** The evaluation of architecture `arch` in a repeat, or NULL. O(1). Borrowed. */
const nas_evaluation_t *nas_repeat_find(const nas_repeat_t *repeat, int64_t arch);

/** The best evaluation: highest first value (lowest with minimise), the earliest on a tie. NULL
 *  where all failed. Borrowed. */
const nas_evaluation_t *nas_repeat_best(const nas_repeat_t *repeat, bool minimise);

#endif

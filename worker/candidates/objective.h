/* Objectives: what a candidate is worth. A kind of objective is one table of functions in a folder
 * of its own below worker/objectives, and one line in the list of objectives.h there.
 *
 * A run goes through the functions in the order below. Rank 0 checks the inputs, names what is
 * reported, and packs what the other ranks must know; all ranks create what evaluates, in teams; a
 * team evaluates one candidate after the other, or several at once. A kind whose values stand in a table evaluates
 * nothing: rank 0 looks up. */
#ifndef NAS_WORKER_CANDIDATES_OBJECTIVE_H
#define NAS_WORKER_CANDIDATES_OBJECTIVE_H

#include "common/base/digest.h"
#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/strings.h"
#include "common/comm/buffer.h"
#include "common/comm/comm.h"
#include "common/job/job.h"
#include "common/space/pool.h"
#include "worker/candidates/candidate.h"
#include "worker/data/dataset.h"
#include "worker/engine/device/device.h"
#include "worker/engine/graph/networks.h"

#include <stdint.h>

/** What there is on rank 0 once the job's files are read; borrowed. */
typedef struct nas_objective_inputs {
    const nas_job_t *job;
    const nas_dataset_t *images; /**< of a kind on images */
    nas_networks_t *networks;    /**< likewise: the pool's */
} nas_objective_inputs_t;

/** What an evaluation takes: an estimate, at the pool's mean. */
typedef struct nas_objective_needs {
    double n_images;     /**< that it sees */
    double flops;        /**< of all its ranks together */
    double tensor_bytes; /**< on each rank, of the pool's largest network as this machine would take
                              it; NaN: another program's backend */
    double gpu_bytes;    /**< the same on a GPU; NaN: none computes it */
    double image_bytes;  /**< on each rank of the run */
} nas_objective_needs_t;

/** What a rank evaluates with. Kept (borrowed) by what is created. */
typedef struct nas_objective_setup {
    nas_comm_t *world;
    nas_comm_t *team;         /**< NULL: this rank evaluates nothing */
    nas_device_t *device;     /**< of an objective on images, where there is a team; else NULL */
    nas_networks_t *networks; /**< of an objective on images: this rank's source of the pool's */
    const char *packed;       /**< what `pack` wrote; on every rank */
    const char *job_folder;   /**< likewise, as all below but the images */
    const nas_strings_t *columns;
    int64_t n_goals;
    nas_digest_t run;            /**< identity of the run, kept in the files of its candidates, */
    int64_t generation;          /**< as is how often its failures were retried */
    double interval_s;           /**< most seconds between two checkpoints of an evaluation */
    const nas_dataset_t *images; /**< rank 0, of a kind on images; NULL elsewhere */
} nas_objective_setup_t;

/** Candidates to evaluate at once; borrowed. */
typedef struct nas_objective_work {
    const nas_candidate_t *const *candidate; /**< [n] */
    const char *const *stem;                 /**< [n] of the candidates' files, on the leader */
    int n;                                   /**< from 1 to the kind's width */
    const nas_interrupt_t *interrupt;        /**< asked between any two steps of work */
} nas_objective_work_t;

/** One kind of objective. Functions may be NULL where nothing is said of them. */
typedef struct nas_objective_kind {
    const char *name;              /**< as `objective.kind` says it */
    unsigned traits;               /**< NAS_OBJECTIVE_ON_IMAGES, NAS_OBJECTIVE_IN_TABLE, or 0 */
    const char *output;            /**< ending of the file, beside a candidate's own, with what an
                                    *   evaluation printed; NULL: none prints */
    const nas_job_section_t *keys; /**< that apply with it */

    /** Whatever can be known before any work.  Coordinator only. NULL: nothing.
     *  NAS_EINPUT by nas_job_error. NAS_ENOMEM. */
    nas_status_t (*check)(const nas_objective_inputs_t *inputs, nas_error_t *err);

    /** Append what nothing forbids and nobody may have meant, a line each.  Coordinator only. NULL:
     *  nothing. NAS_ENOMEM. */
    nas_status_t (*note)(const nas_objective_inputs_t *inputs, nas_strings_t *notes,
                         nas_error_t *err);

    /** Names of the numbers that its outcomes have besides values.  Coordinator only. names [in,
     *  out] appended to. NULL: those of `objective.report`. NAS_ENOMEM. */
    nas_status_t (*columns)(const nas_objective_inputs_t *inputs, nas_strings_t *names,
                            nas_error_t *err);

    /** Rows of the curve that an outcome has.  Coordinator only. NULL: none. */
    int64_t (*n_epochs)(const nas_job_t *job);

    /** Ranks that can share one evaluation.  Coordinator only. NULL: 1. */
    int64_t (*team_size)(const nas_job_t *job);

    /** What an evaluation takes, before anything runs.  Coordinator only; some 10 microseconds an
     *  architecture. needs [in, out] zero before. NULL: nothing that could be known. NAS_EARG,
     *  NAS_ENOMEM. */
    nas_status_t (*needs)(const nas_objective_inputs_t *inputs, const nas_pool_t *pool,
                          nas_objective_needs_t *needs, nas_error_t *err);

    /** Append what every rank must know to evaluate.  Coordinator only. NAS_ENOMEM. */
    nas_status_t (*pack)(const nas_job_t *job, nas_buffer_t *buffer, nas_error_t *err);

    /** Make what evaluates.  Collective over setup->world. The caller owns *self_p (destroy); NULL
     *  where this rank evaluates nothing and holds nothing. NAS_EINPUT: this program cannot.
     *  NAS_ENOMEM. Errors on any rank fail all. */
    nas_status_t (*create)(const nas_objective_setup_t *setup, void **self_p, nas_error_t *err);

    /** What an evaluation takes, in any unit.  Not collective, on every rank, equal everywhere.
     *  NULL: all take the same. NAS_EINPUT, NAS_ENOMEM. */
    nas_status_t (*cost)(const void *self, const nas_candidate_t *candidate, double *cost,
                         nas_error_t *err);

    /** Candidates that a team evaluates at once at most.  Not collective, equal on all ranks of a
     *  team. NULL: 1. */
    int (*width)(const void *self);

    /** Evaluate candidates, or find what came of them in their files.  Collective over the team.
     *  outcome [out] n of them on the leader; the caller's. They do not depend on who is evaluated
     *  together. A candidate that fails is an outcome, not an error. NAS_ESTOP: interrupted; what
     *  was done is saved, or will be done anew. NAS_EIO, NAS_EINPUT, NAS_ENOMEM; on any rank of the
     *  team they fail all of it. */
    nas_status_t (*evaluate)(void *self, const nas_objective_work_t *work, nas_outcome_t *outcome,
                             nas_error_t *err);

    /** Accepts NULL. */
    void (*destroy)(void *self);
} nas_objective_kind_t;

#endif

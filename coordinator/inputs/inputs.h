/* The inputs of a run, read and checked against each other: job, method, pool, and what each stage
 * takes besides. Each stage is given its own part and knows no other. */
#ifndef NAS_COORDINATOR_INPUTS_INPUTS_H
#define NAS_COORDINATOR_INPUTS_INPUTS_H

#include "common/base/digest.h"
#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/job/job.h"
#include "common/space/pool.h"
#include "coordinator/inputs/inputs_evaluate.h"
#include "coordinator/inputs/inputs_images.h"
#include "coordinator/inputs/inputs_score.h"
#include "coordinator/inputs/inputs_search.h"
#include "worker/onnx/pool/pool.h"
#include "worker/tables/shared_table.h"

#include <stddef.h>

enum { NAS_INPUTS_MAX_DIGESTS = 6 };

/** All owned; end with nas_inputs_fini. What a job does not need is NULL or empty. */
typedef struct nas_inputs {
    nas_job_t *job;
    const nas_interrupt_t *interrupt; /**< borrowed; asked while files are read; may be NULL */
    nas_comm_t *comm;          /**< borrowed: the ranks that serve (inputs_ranks.h); NULL: none */
    nas_comm_t *self;          /**< this rank alone */
    nas_shared_table_t *table; /**< of the pool, or else of the objective */
    nas_pool_t pool;
    nas_digest_t subset;      /**< of a listed subset */
    nas_networks_t *networks; /**< the pool's, where any are computed; else NULL */
    nas_onnx_seen_t files;    /**< of a pool of files: what was seen in them */
    nas_image_inputs_t images;
    nas_score_inputs_t score;                     /**< source compute */
    nas_search_inputs_t search;                   /**< its method is NULL when the job is read to
                                                       score: then there is no search */
    nas_evaluate_inputs_t evaluate;               /**< of a search */
    nas_digest_t content[NAS_INPUTS_MAX_DIGESTS]; /**< of all files that count */
    size_t n_content;
} nas_inputs_t;

/** Read the job file alone, with its overrides.  Coordinator only.
 *  inputs [out]: the job; zero-initialised before. Errors as nas_job_read, and an
 *  unknown metric. */
nas_status_t nas_inputs_read_job(nas_inputs_t *inputs, const nas_job_source_t *source,
                                 nas_error_t *err);

/** Find the job's method.  Coordinator only; after nas_inputs_read_job.
 *  began_with: the method of the run that is resumed, which goes on with it where the job names
 *  none and it is a method; NULL: nothing is resumed.
 *  NAS_EINPUT: keys that the method needs are missing, or those of another one are there. */
nas_status_t nas_inputs_choose_method(nas_inputs_t *inputs, const char *began_with,
                                      nas_error_t *err);

/** Read what the job names and check it.  Coordinator only; after nas_inputs_choose_method.
 *  NAS_ESTOP: inputs->interrupt said so.
 *  NAS_EINPUT, one line: errors of the files; a metric, also after its transform, or the objective
 *  without any value; a budget beyond the pool; architecture strings that encoding or space do not
 *  know; a backend that this program was built without. */
nas_status_t nas_inputs_read_files(nas_inputs_t *inputs, nas_error_t *err);

/** Refuse an output that is one of the job's inputs.  path: of the job file.  Not collective.
 *  NAS_EINPUT. */
nas_status_t nas_inputs_check_output(const nas_job_t *job, const char *path, nas_error_t *err);

/** What a job looks like before its files are read: a digest of the keys that affect values and of
 *  sizes and times of all files that it names. Equal ones: the files hold what they held.
 *  Coordinator only; after nas_inputs_choose_method.
 *  seen [out] all 0 where it cannot be known, since a file is missing or a folder of images named.
 *  NAS_ENOMEM. */
nas_status_t nas_inputs_seen(const nas_inputs_t *inputs, nas_digest_t *seen, nas_error_t *err);

/** What the objective is given of them. */
nas_objective_inputs_t nas_inputs_objective(const nas_inputs_t *inputs);

/** Free everything and zero the struct. */
void nas_inputs_fini(nas_inputs_t *inputs);

#endif

/* Files of candidates: OUTPUT.d/000123-s10.h5 holds what came of architecture 123 of the pool with
 * seed 10, or where its training stands.
 *
 * A candidate's outcome is saved here the moment it is known, and found again after a restart,
 * before the state file knows of it; a training goes on from the step that is saved here. Once it
 * is done the file keeps the trained parameters for `export`. Checksummed and replaced as a whole,
 * as state files are.
 *
 *     /                attributes: format_version, arch, seed, run (identity), generation, done,
 *                      step, loss_sum, status, cost, reason
 *     /value           [n_goals] of the outcome; an attribute in files of version 1
 *     /columns         [n_columns] of the outcome
 *     /curve           [n_epochs, NAS_CURVE_COLUMNS] so far, NaN behind
 *     /parameters, /statistics, /velocity (until done)     of a training
 *     /network         of a training: image channels, height, width, channels, cells, classes
 *                      and of a network of an ONNX file, attributes: onnx (path), onnx_content
 *     /mean, /std      of a training: by which its images were normalised
 */
#ifndef NAS_WORKER_CANDIDATES_CANDIDATE_FILE_H
#define NAS_WORKER_CANDIDATES_CANDIDATE_FILE_H

#include "common/base/digest.h"
#include "common/base/error.h"
#include "common/space/network.h"
#include "worker/candidates/candidate.h"

#include <stdbool.h>
#include <stdint.h>

/** An array of numbers; owned where it was read, else borrowed. */
typedef struct nas_numbers {
    double *at;
    int64_t n;
} nas_numbers_t;

/** What a file holds. */
typedef struct nas_candidate_record {
    nas_candidate_t candidate; /**< its place in the pool is in the file's name only */
    nas_digest_t run;          /**< of which run it is */
    int64_t generation;        /**< of the run: how often its failures were retried */
    bool done;                 /**< the outcome counts */
    nas_outcome_t outcome;     /**< its curve is set also before it is done */
    int64_t n_goals;
    int64_t n_columns;
    int64_t n_epochs;
    int64_t step; /**< done, of a training under way */
    double loss_sum;
    nas_numbers_t parameters; /**< of a training; n is 0 otherwise, as for the two below */
    nas_numbers_t statistics;
    nas_numbers_t velocity; /**< n is 0 once it is done */
    nas_network_t network;  /**< of a training; its convention is TRAIN */
    nas_numbers_t mean;     /**< of a training: [image channels] */
    nas_numbers_t std;
    char *onnx;                /**< of a training: file that the network is of, NULL: none; owned
                                    where it was read, else borrowed */
    nas_digest_t onnx_content; /**< of that file */
} nas_candidate_record_t;

/** OUTPUT.d/000123-s10, to which the ending of a file is added. The caller frees it; NULL with err
 *  set when out of memory. */
char *nas_candidate_stem(const char *output, const nas_candidate_t *candidate, nas_error_t *err);

/** Replace STEM.h5.  Not collective; one writer. Makes its folder, none above it.
 *  NAS_EIO, NAS_EINPUT as nas_file_replace; NAS_ENOMEM. */
nas_status_t nas_candidate_write(const char *stem, const nas_candidate_record_t *record,
                                 nas_error_t *err);

/** Read STEM.h5 where it is there, is whole, and is of this candidate and run.  Not collective.
 *  record [in] candidate, run, n_goals, n_columns and n_epochs that it must have, and the
 *  generation; [out] the rest, owned; end it with nas_candidate_record_fini.
 *  found [out] false: none is there, or one of another run or a failure of a generation before,
 *  which are as good as none.
 *  NAS_EINPUT: damaged or inconsistent, with path and reason; NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_candidate_read(const char *stem, nas_candidate_record_t *record, bool *found,
                                nas_error_t *err);

/** Read the file at path, whichever candidate it is of, where it is of this run.  Not collective.
 *  record [in] run, n_goals, n_columns and n_epochs that it must have; [out] all but
 *  candidate.arch, owned; its candidate.name is in *name_p, the caller's (free). Without a file of
 *  this run both stay.
 *  found [out], errors: as nas_candidate_read. */
nas_status_t nas_candidate_read_any(const char *path, nas_candidate_record_t *record, char **name_p,
                                    bool *found, nas_error_t *err);

/** Free what was read; candidate, run and sizes stay. */
void nas_candidate_record_fini(nas_candidate_record_t *record);

#endif

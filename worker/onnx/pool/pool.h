/* A pool of ONNX files: networks of a table's rows, each in a file that is there, or that a program
 * of the user's writes when it is needed.
 *
 * Every rank reads the files that it needs itself; what travels is their list, some 100 bytes each,
 * once: a pool of files is as long as somebody has files, of 100 KB and more.
 *
 * Before anything is computed all files are looked at, each by one rank: what is in them identifies
 * the run, as that of a table does, and they are read and hashed at some 300 MB/s a rank where
 * scoring a network of 1 MB takes a hundred times as long; the same reading counts their work, by
 * which the schedule is made. So a schedule never rests on a guess, and is the same on all ranks.
 * What a program writes is known once it has written it: all count alike, and the program and its
 * arguments, as the job has them, identify the run.
 */
#ifndef NAS_WORKER_ONNX_POOL_POOL_H
#define NAS_WORKER_ONNX_POOL_POOL_H

#include "common/base/digest.h"
#include "common/base/error.h"
#include "common/base/strings.h"
#include "common/comm/comm.h"
#include "worker/engine/graph/networks.h"

#include <stdbool.h>
#include <stdint.h>

/** What it is of. Lists and texts are owned; zero-initialise, end with nas_onnx_list_fini. */
typedef struct nas_onnx_files {
    nas_strings_t arch;    /**< [n] names of the architectures */
    nas_strings_t path;    /**< [n] of their files; n is 0: the command writes them */
    nas_strings_t command; /**< program and arguments */
    char *job_folder;      /**< {job}; NULL without a command */
    char *folder;          /**< of the files that the command has written; likewise */
    double timeout_s;      /**< of the command; 0: none */
    nas_weights_t weights; /**< any but BY_NAME */
    nas_network_t images;  /**< extents of the images, and their classes */
    int64_t most;          /**< files that are looked at */
} nas_onnx_files_t;

void nas_onnx_files_fini(nas_onnx_files_t *files);

enum { NAS_ONNX_TOLD = 10 };

/** A file that cannot be read, or has no network that can be computed. */
typedef struct nas_onnx_failure {
    int64_t arch;
    nas_error_t reason;
} nas_onnx_failure_t;

/** What was seen in the files. */
typedef struct nas_onnx_seen {
    int64_t n_looked; /**< files that were looked at; 0: they are written when they are needed */
    int64_t n_failed;
    nas_onnx_failure_t failure[NAS_ONNX_TOLD]; /**< [n_told] the first ones */
    int n_told;
    /** Of all architectures' names and what was looked at, in their order; without files, of the
     *  command as the job has it. */
    nas_digest_t content;
} nas_onnx_seen_t;

/** Look at the files, each rank at a share.  Collective over comm; interrupt: this rank's, asked
 *  between files, may be NULL.
 *  files [in] the same on all ranks; become the source's, whatever happens.
 *  seen [out] on rank 0; NULL elsewhere. A file that fails is no error. The caller owns
 *  *networks_p. NAS_ESTOP: interrupted on any rank. NAS_ENOMEM on any rank fails all. */
nas_status_t nas_onnx_pool_create(nas_comm_t *comm, nas_onnx_files_t *files,
                                  const nas_interrupt_t *interrupt, nas_onnx_seen_t *seen,
                                  nas_networks_t **networks_p, nas_error_t *err);

/** Whether a command can be run at all, and its placeholders are known.  Not collective.
 *  NAS_EINPUT, without a place in front: it is for the job's key. NAS_ENOMEM. */
nas_status_t nas_onnx_command_check(const nas_strings_t *command, const char *job_folder,
                                    nas_error_t *err);

#endif

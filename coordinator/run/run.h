/* A run on rank 0: its inputs, its session and its stages, put together. */
#ifndef NAS_COORDINATOR_RUN_RUN_H
#define NAS_COORDINATOR_RUN_RUN_H

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/job/job.h"
#include "coordinator/devices/devices.h"
#include "coordinator/inputs/inputs.h"
#include "coordinator/score/score.h"
#include "coordinator/search/search.h"
#include "coordinator/session/reuse.h"
#include "coordinator/session/session.h"

#include <stdbool.h>

/** What the command line asks for; borrowed. */
typedef struct nas_run_options {
    nas_job_source_t job; /**< and what it is read for */
    bool resume;
    bool retry_failed; /**< with resume: begin a retry of what has failed */
    bool fresh;
    const char *reuse; /**< an older state file whose evaluations and scores are taken over, or
                            NULL */
    nas_comm_t *world; /**< whose other ranks serve while inputs are read (inputs_ranks.h) */
    int n_ranks;
    const char *isa;                  /**< instruction set that all ranks use */
    const char *blas;                 /**< kernels of linear algebra that rank 0 uses */
    const nas_interrupt_t *interrupt; /**< asked while inputs are read, of OUTPUT.stop too */
} nas_run_options_t;

/** Zero-initialise; end with nas_run_close. */
typedef struct nas_run {
    nas_inputs_t inputs;
    bool has_saved_method; /**< the job names none, and that of the saved state is no default */
    bool is_fresh;         /**< it replaces what is at its output */
    bool goes_on;          /**< with a state that was saved */
    bool is_settled;       /**< that was complete, so that no other input was read */
    nas_session_t *session;
    nas_reusable_t old;         /**< an older run that is reused */
    nas_score_stage_t *score;   /**< NULL: nothing is scored */
    nas_search_stage_t *search; /**< NULL: nothing is searched */
} nas_run_t;

/** Read and check every input, lock the output, begin a state or take up a saved one.  Coordinator
 *  only; nas_run_open_stages is next. Where the saved one is complete and the job's keys and its files' sizes and times are what
 *  they were, no other input is read: then there are job and state alone.
 *  NAS_ESTOP: interrupted while inputs are read: nothing was begun.
 *  NAS_EINPUT: anything wrong with the inputs; an output that is there while neither resume nor
 *  fresh is asked for; a file that is no run's; a state file that is damaged or of another job.
 *  NAS_EIO: the output cannot be written. Nothing on disk is changed but the output's folders and
 *  its lock. */
nas_status_t nas_run_open(nas_run_t *run, const nas_run_options_t *options, nas_error_t *err);

/** Whether networks are still to be computed, for which devices are opened.  Coordinator only; after
 *  nas_run_open. */
bool nas_run_computes(const nas_run_t *run);

/** What they are to be computed on.  Coordinator only; likewise. */
nas_devices_request_t nas_run_devices(const nas_run_t *run);

/** Make the stages, take over what is reused, and say in the state what computes.  Coordinator
 *  only; the options are those of nas_run_open.
 *  devices: all zero where nothing computes.
 *  NAS_EINPUT: nothing can be reused. NAS_ENOMEM. */
nas_status_t nas_run_open_stages(nas_run_t *run, const nas_run_options_t *options,
                                 const nas_devices_t *devices, nas_error_t *err);

/** Announce the run and write its state file at once, so that an unwritable output shows before any
 *  work is done.  Coordinator only. NAS_EIO. */
nas_status_t nas_run_begin(nas_run_t *run, nas_error_t *err);

/** Release the lock and free everything. Accepts a zeroed one. */
void nas_run_close(nas_run_t *run);

#endif

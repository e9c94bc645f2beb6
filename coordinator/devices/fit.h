/* Whether a pool's networks fit into a GPU, and how many of them at once. */
#ifndef NAS_COORDINATOR_DEVICES_FIT_H
#define NAS_COORDINATOR_DEVICES_FIT_H

#include "common/base/error.h"
#include "common/job/job.h"
#include "worker/engine/device/find.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** A GPU, and what is to fit. With nas_devices_fit_set. */
typedef struct nas_devices_fit {
    const char *device; /**< its name */
    size_t memory;      /**< bytes that one network may take */
    size_t free_memory; /**< bytes that all of a pack may take */
    double n_bytes;     /**< of the pool's largest network; NaN: nothing is computed */
    const char *what;   /**< is done with it: "scored", "trained" */
} nas_devices_fit_t;

/** Let it be into a GPU of this name.  Not collective. fit [in, out] n_bytes and what stay. */
void nas_devices_fit_set(nas_devices_fit_t *fit, const char *device, const nas_gpu_info_t *info);

/** Refuse what does not fit alone.  Not collective.
 *  NAS_EINPUT, as an error about the job's key `device`. */
nas_status_t nas_devices_check_fit(const nas_job_t *job, const nas_devices_fit_t *fit,
                                   nas_error_t *err);

/** Networks of this size that are computed at once, as far as memory goes; 1 at least. */
int nas_devices_pack(const nas_devices_fit_t *fit);

/** What this machine has for a job: a plain value. */
typedef struct nas_devices_view {
    nas_device_choice_t choice;
    bool may_take_gpu; /**< else it computes on the CPU */
    bool is_here;      /**< and this machine has one that fits, as its first rank would take it: */
    char name[NAS_DEVICE_NAME_SIZE];
    nas_gpu_info_t info;
    nas_error_t reason; /**< why not */
} nas_devices_view_t;

/** Look for GPUs on this machine, where the job may take one.  Not collective; loads drivers. */
void nas_devices_look(const nas_job_t *job, nas_devices_view_t *view);

/** Of what is computed: let each fit be into the GPU in view, and refuse what does not fit where a
 *  GPU is asked for.  Not collective.
 *  fit [in, out] n of them, with n_bytes and what. Errors of nas_devices_check_fit. */
nas_status_t nas_devices_fit_all(const nas_job_t *job, const nas_devices_view_t *view,
                                 nas_devices_fit_t *fit, int n, nas_error_t *err);

/** What `check` says of them: lines for people that begin with a '#'. */
void nas_devices_print(const nas_job_t *job, const nas_devices_view_t *view,
                       const nas_devices_fit_t *fit, int n, FILE *out);

#endif

/* Choices: which device a job, or the option --device, asks for.
 *
 *     auto                     a GPU where any rank has one, else the CPU (coordinator/devices)
 *     cpu                      the processor's cores, by `backend`
 *     gpu                      a GPU of the best layer that has one
 *     cuda[:N]  hip[:N]        one of that layer
 *     opencl[:PLATFORM[:N]]    likewise, a processor that OpenCL offers among them
 *     threads                  threads that stand for a GPU; only where the tests are built
 *
 * Numbers that are left out mean the device that is bound to the rank (bind.h).
 */
#ifndef NAS_WORKER_ENGINE_DEVICE_CHOICE_H
#define NAS_WORKER_ENGINE_DEVICE_CHOICE_H

#include "common/base/error.h"
#include "common/job/section.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum nas_device_kind {
    NAS_DEVICE_AUTO = 0, /**< only of a choice */
    NAS_DEVICE_CPU,
    NAS_DEVICE_GPU
} nas_device_kind_t;

enum { NAS_DEVICE_LAYER_SIZE = 16 };

/** What was asked for; a plain value without pointers, so that its bytes can travel. */
typedef struct nas_device_choice {
    int64_t kind;                      /**< nas_device_kind_t */
    char layer[NAS_DEVICE_LAYER_SIZE]; /**< of a GPU, by name; "": any that has a real one */
    int64_t platform;                  /**< OpenCL's; -1: any */
    int64_t index;                     /**< in the layer or platform; -1: that bound to the rank */
} nas_device_choice_t;

/** The job's key `device`, and what it may not be together with `backend`. */
extern const nas_job_section_t nas_device_keys;

/** Not collective.
 *  NAS_EARG: what it may be, in one line. */
nas_status_t nas_device_choice_parse(const char *text, nas_device_choice_t *choice,
                                     nas_error_t *err);

/** The choice of a job, whose text is checked already.  Not collective. */
nas_device_choice_t nas_device_choice_of(const nas_job_t *job);

/** "cpu", "gpu"; what the state of a run says of it. Static. */
const char *nas_device_kind_name(nas_device_kind_t kind);

#endif

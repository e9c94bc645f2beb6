/* `robotnas verify`: a device against reference files. */
#ifndef NAS_WORKER_VERIFY_VERIFY_H
#define NAS_WORKER_VERIFY_VERIFY_H

#include "common/base/error.h"
#include "worker/engine/device/device.h"

#include <stdio.h>

/** What to verify. Borrowed for the call. */
typedef struct nas_verify_options {
    nas_device_t *device;
    const char *const *path;  /**< [n_paths] reference files (reference.h) */
    int n_paths;              /**< at least 1 */
    const char *images;       /**< CIFAR-10 file for trainings without images; NULL: none */
    const nas_space_t *space; /**< that builds the networks of ONNX files; NULL: as those say */
    const char *dump;         /**< file for what was computed; NULL: none. One path then */
} nas_verify_options_t;

/** Compute every value of the files, compare (comparison.h), print a table; of gradients that agree
 *  only the worst, of losses of a training the worst of each tolerance. Where ReLUs on the other
 *  side of their kinks explain all that differs (explanation.h), the expected values are those with
 *  them there, and a line says so.  Not collective; forks. Deterministic.
 *  NAS_ENUMERIC: a value differs; err names the first. NAS_EINPUT: a file is no reference.
 *  NAS_EARG: a dump of several. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_verify(const nas_verify_options_t *options, FILE *out, nas_error_t *err);

#endif

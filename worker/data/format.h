/* Formats of image files: a reader each. */
#ifndef NAS_WORKER_DATA_FORMAT_H
#define NAS_WORKER_DATA_FORMAT_H

#include "worker/data/images.h"

#include <stdbool.h>

/** One format. */
typedef struct nas_format {
    const char *name; /**< as `data.format` says it */
    size_t n_files;   /**< that belong together; the last of them has the labels */
    int n_classes;    /**< where the user gives none; 0: one more than the largest training label */
    bool has_class_names; /**< a file may have some (see class_names.h) */

    /** Read the images of files that belong together.  Not collective. path [in] n_files;
     *  n_classes: 0 where it is not known. Labels are checked no further than that they fit
     *  int32_t. part [out]; the caller's (nas_images_fini).
     *  NAS_EINPUT, naming file and place. NAS_EIO, NAS_ENOMEM. */
    nas_status_t (*read)(char *const *path, int n_classes, nas_images_t *part, nas_error_t *err);
} nas_format_t;

/** The list, in the order of docs/job-file.md: FORMAT is the nas_format_FORMAT that its file
 *  defines. CIFAR-10's or CIFAR-100's binary files; pairs of IDX files, plain or gzip; datasets
 *  `images` and `labels` of HDF5. */
#define NAS_FORMATS(FORMAT)                                                                        \
    FORMAT(cifar)                                                                                  \
    FORMAT(idx)                                                                                    \
    FORMAT(hdf5)

#define NAS_FORMAT_DECLARE(name) extern const nas_format_t nas_format_##name;
NAS_FORMATS(NAS_FORMAT_DECLARE)

/** The format at a place of the list; NULL: there are no more. */
const nas_format_t *nas_format_at(size_t place);

#endif

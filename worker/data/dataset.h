/* A data set: training and test images of one size, their labels, and the numbers that normalise
 * them. docs/data.md describes the formats. */
#ifndef NAS_WORKER_DATA_DATASET_H
#define NAS_WORKER_DATA_DATASET_H

#include "common/base/interrupt.h"
#include "common/base/strings.h"
#include "common/job/section.h"
#include "worker/data/format.h"
#include "worker/data/source.h"

#include <stdbool.h>

/** The job's keys about images. */
extern const nas_job_section_t nas_data_keys;

/** A number a channel, or none. */
typedef struct nas_channel_numbers {
    const double *at; /**< [n], borrowed */
    size_t n;         /**< C or 0 */
} nas_channel_numbers_t;

/** What to read. Borrowed for the call. */
typedef struct nas_dataset_options {
    const nas_format_t *format;
    const nas_strings_t *train; /**< files, in this order; at least one */
    const nas_strings_t *test;  /**< NULL or empty: no test images */
    int n_classes;              /**< 0: as the format, or 1 + the largest training label */
    nas_channel_numbers_t mean; /**< none: of the training images in use */
    nas_channel_numbers_t std;  /**< likewise */
    int64_t limit; /**< at most this many images of each split, from the front; 0: all */
    const nas_interrupt_t *interrupt; /**< asked between two files; may be NULL */
} nas_dataset_options_t;

/** Which classes have images, of a split. */
typedef struct nas_class_use {
    int whole;   /**< in its files */
    int used;    /**< among the images in use, which `limit` leaves */
    bool sorted; /**< those stand class after class, two of each or more on the mean */
} nas_class_use_t;

/** A plain value; end with nas_dataset_fini. */
typedef struct nas_dataset {
    nas_image_source_t train; /**< labels in [0, n_classes) */
    nas_image_source_t test;  /**< the same, of equal C, H, W and kind of pixel; n may be 0 */
    int n_classes;            /**< at least 2 */
    double mean[NAS_IMAGES_MAX_CHANNELS]; /**< [C] */
    double std[NAS_IMAGES_MAX_CHANNELS];  /**< [C], > 0 */
    nas_class_use_t train_use;            /**< known to who read it, as are the next two */
    nas_class_use_t test_use;
    nas_strings_t class_names; /**< of the labels from 0 on, where the files have them; maybe more
                                    than n_classes */
} nas_dataset_t;

/** Read a data set.  Not collective: rank 0 reads, and forks for HDF5 (see sandbox.h). Files beyond
 *  `limit` are read too, for the classes that they have.
 *  Memory: the images, and for a moment one file more. Deterministic.
 *  dataset [out]; the caller's.
 *  NAS_EINPUT, naming file and place: missing, damaged or cut short, not of the format, images that
 *  differ in size, a label outside its range, files whose classes have other names, classes of a
 *  split sorted by class that `limit` leaves out; or without a file: options that do not fit
 *  the images (number of files, classes, means). NAS_ESTOP: interrupted. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_dataset_read(const nas_dataset_options_t *options, nas_dataset_t *dataset,
                              nas_error_t *err);

/** Identity of all that trainings learn from: classes, normalisation, every image and label.  Not
 *  collective. O(images). NAS_ESTOP: interrupted. NAS_ENOMEM. */
nas_status_t nas_dataset_digest(const nas_dataset_t *dataset, const nas_interrupt_t *interrupt,
                                nas_digest_t *digest, nas_error_t *err);

/** Free everything; dataset is empty afterwards. */
void nas_dataset_fini(nas_dataset_t *dataset);

#endif

/* Reading a data set, and what holds of one that was read. */
#ifndef NAS_TESTS_FUZZ_IMAGES_CHECK_H
#define NAS_TESTS_FUZZ_IMAGES_CHECK_H

#include "worker/data/dataset.h"

/** Read a data set, which may be refused. Its labels are in range and its normalised values
 *  finite; batches are made of it. */
void fuzz_try_dataset(const nas_dataset_options_t *options);

#endif

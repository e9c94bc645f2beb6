/* The images of a job: all of them for trainings, a mini-batch for scores. */
#ifndef NAS_COORDINATOR_INPUTS_INPUTS_IMAGES_H
#define NAS_COORDINATOR_INPUTS_INPUTS_IMAGES_H

#include "common/base/strings.h"
#include "worker/data/dataset.h"

#include <stdint.h>

/** What is known of the images that were read, kept where they are not. Zero where none were. */
typedef struct nas_image_facts {
    int64_t n_train;
    int64_t n_test;
    nas_class_use_t train;
    nas_class_use_t test;
} nas_image_facts_t;

/** All owned; end with nas_image_inputs_fini. */
typedef struct nas_image_inputs {
    nas_dataset_t dataset; /**< objective train: all images */
    int n_classes;         /**< of the images that were read */
    nas_image_facts_t facts;
    nas_strings_t class_names; /**< of the images that were read; n is 0 where they have none */
} nas_image_inputs_t;

/** Free everything and zero the struct. */
void nas_image_inputs_fini(nas_image_inputs_t *images);

#endif

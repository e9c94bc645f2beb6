#include "coordinator/notes.h"

#include "worker/train/augment.h"

#include <stdlib.h>
#include <string.h>

/* Fewer steps than this hardly tell networks apart; the benchmarks' trainings have about as many as
 * the second. */
enum { FEW_STEPS = 300, USUAL_STEPS = 1000 };

static nas_status_t add(nas_strings_t *notes, char *text, nas_error_t *err)
{
    const nas_status_t status = text ? nas_strings_add(notes, text, strlen(text), err) : NAS_ENOMEM;
    free(text);
    return status;
}

/* -------------------------------------------------------------------------------------- images */

/* A split that has not all of its classes. */
static nas_status_t note_classes(const char *split, const nas_class_use_t *use, int64_t n_images,
                                 nas_strings_t *notes, nas_error_t *err)
{
    if (use->used >= use->whole) return NAS_OK;
    return add(notes,
               nas_string_format(err,
                                 "data.limit: the first %lld images of data.%s have %d of its %d "
                                 "classes",
                                 (long long)n_images, split, use->used, use->whole),
               err);
}

static nas_status_t note_images(const nas_inputs_t *inputs, nas_strings_t *notes, nas_error_t *err)
{
    const nas_image_facts_t *facts = &inputs->image_facts;
    nas_status_t status = note_classes("train", &facts->train, facts->n_train, notes, err);
    if (!status) status = note_classes("test", &facts->test, facts->n_test, notes, err);
    if (status || facts->train.whole >= inputs->n_classes) return status;
    return add(notes,
               nas_string_format(err,
                                 "data.train: %d of %d classes have no image; labels count from 0",
                                 inputs->n_classes - facts->train.whole, inputs->n_classes),
               err);
}

/* ----------------------------------------------------------------------------------- trainings */

static nas_status_t note_steps(const nas_inputs_t *inputs, nas_strings_t *notes, nas_error_t *err)
{
    const nas_recipe_t *recipe = &inputs->judging.recipe;
    nas_split_t split = {0};
    nas_status_t status =
        nas_split_make(&inputs->dataset, recipe, (uint64_t)inputs->job->seed, &split, err);
    if (status) return status;
    const int64_t of_epoch = nas_split_steps(&split, recipe);
    nas_split_fini(&split);
    if (of_epoch * recipe->epochs >= FEW_STEPS) return NAS_OK;
    const int64_t usual_epochs = (USUAL_STEPS + of_epoch - 1) / of_epoch;
    return add(notes,
               nas_string_format(err,
                                 "objective.epochs: %lld x %lld = %lld steps a training tell "
                                 "networks apart poorly; %d or more are usual: %lld epochs, or a "
                                 "smaller objective.batch",
                                 (long long)recipe->epochs, (long long)of_epoch,
                                 (long long)(of_epoch * recipe->epochs), USUAL_STEPS,
                                 (long long)usual_epochs),
               err);
}

/* ----------------------------------------------------------------------------------------- all */

nas_status_t nas_inputs_note(const nas_inputs_t *inputs, nas_strings_t *notes, nas_error_t *err)
{
    nas_status_t status = note_images(inputs, notes, err);
    if (!status && inputs->method && inputs->judging.kind == NAS_OBJECTIVE_TRAIN)
        status = note_steps(inputs, notes, err);
    return status;
}

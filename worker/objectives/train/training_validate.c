#include "worker/engine/metrics/portable.h"
#include "worker/objectives/train/training_internal.h"

#include <math.h>

/* -log of the softmax at `label`. */
static double cross_entropy(const double *logit, int n, int label, bool is_portable)
{
    double most = logit[0], sum = 0;
    for (int i = 1; i < n; i++)
        if (logit[i] > most) most = logit[i];
    for (int i = 0; i < n; i++)
        sum += is_portable ? nas_portable_exp(logit[i] - most) : exp(logit[i] - most);
    return (is_portable ? nas_portable_log(sum) : log(sum)) - (logit[label] - most);
}

/* The label's logit is the first of the largest; one that is not a number never is. */
static bool is_right(const double *logit, int n, int label)
{
    for (int i = 0; i < n; i++) {
        const bool behind = i < label ? logit[i] < logit[label] : logit[i] <= logit[label];
        if (!behind) return false;
    }
    return true;
}

/* Of a batch of n images. */
static nas_tally_t count(const nas_training_t *training, const nas_image_source_t *images,
                         const int64_t *index, int64_t n, const double *logit)
{
    const int n_classes = training->options.graph->network.classes;
    const bool is_portable = training->options.engine->is_portable;
    nas_tally_t tally = {0};
    for (int64_t i = 0; i < n; i++, logit += n_classes) {
        const int label = images->labels[index[i]];
        tally.loss += cross_entropy(logit, n_classes, label, is_portable);
        tally.n_right += is_right(logit, n_classes, label);
    }
    return tally;
}

/* A batch of n images or fewer; its first image fills it up. */
static nas_tally_t validate_batch(nas_training_t *training, const nas_image_source_t *images,
                                  const int64_t *index, int64_t n)
{
    for (int64_t i = 0; i < training->n_images; i++) training->index[i] = index[i < n ? i : 0];
    nas_source_read(images, training->index, training->n_images, training->images);
    const nas_engine_task_t task = {.program = training->validate,
                                    .parameters = training->state.parameter,
                                    .images = training->images,
                                    .statistics = training->state.statistics};
    nas_program_values_t values;
    nas_training_compute(training, &task, &values);
    return count(training, images, index, n, values.logits);
}

/* Up to `batches` whole ones, of n images in all; a tally each. */
static nas_status_t validate_batches(nas_training_t *training, const nas_image_source_t *images,
                                     const int64_t *index, int64_t n, nas_tally_t *tally)
{
    const int64_t size = training->n_images;
    const size_t n_logits = (size_t)(size * training->options.graph->network.classes);
    if (!training->learner) {
        *tally = validate_batch(training, images, index, n);
        return NAS_OK;
    }
    const nas_status_t status = nas_training_learner_logits(training, images, index, n);
    for (int64_t b = 0; !status && b * size < n; b++)
        tally[b] =
            count(training, images, index + b * size, n - b * size < size ? n - b * size : size,
                  training->logits + (size_t)b * n_logits);
    return status;
}

/* For the user's eyes: of all steps. */
static double share_done(const nas_training_t *training)
{
    const int64_t n_epochs = training->options.recipe->epochs;
    return (double)training->state.step / (double)(n_epochs * training->n_steps);
}

/* Sums are over whole batches in their order, so that who had them does not matter. */
bool nas_training_validate_on(nas_training_t *training, const nas_image_source_t *images,
                              const int64_t *index, int64_t n, double *loss, double *accuracy)
{
    nas_comm_t *team = training->options.team;
    const int64_t size = training->n_images, n_batches = (n + size - 1) / size;
    nas_tally_t sum = {0};
    double interrupted = 0;
    const char *all = NULL;
    int64_t first, n_own;
    NAS_ASSERT(n > 0 && n_batches <= training->max_tally);
    nas_comm_bcast(team, 0, training->state.statistics,
                   (size_t)training->options.graph->n_statistics * sizeof(double));
    nas_comm_shard(n_batches, nas_comm_rank(team), nas_comm_size(team), &first, &n_own);
    for (int64_t b = 0; b < n_own && !(interrupted > 0); b += training->batches) {
        const int64_t left = n_own - b,
                      n_batches_now = left < training->batches ? left : training->batches;
        const int64_t at = (first + b) * size, most = n_batches_now * size;
        interrupted = nas_interrupted(training->options.interrupt, share_done(training));
        training->has_failed =
            validate_batches(training, images, index + at, n - at < most ? n - at : most,
                             training->tally + b) != NAS_OK;
        if (training->has_failed) interrupted = 1;
    }
    nas_comm_max(team, &interrupted, 1);
    if (interrupted > 0) return false;
    nas_comm_gather(team, training->tally, (size_t)n_own * sizeof sum, &all, training->offset);
    if (!nas_training_leads(training)) return true;
    const nas_tally_t *tally = (const nas_tally_t *)(const void *)all;
    for (int64_t b = 0; b < n_batches; b++) {
        sum.loss += tally[b].loss;
        sum.n_right += tally[b].n_right;
    }
    *loss = sum.loss / (double)n;
    *accuracy = 100 * sum.n_right / (double)n;
    return true;
}

bool nas_training_validate(nas_training_t *training)
{
    const nas_training_options_t *options = &training->options;
    const nas_split_t *split = options->split;
    const nas_image_source_t *images =
        split->of_test ? &options->dataset->test : &options->dataset->train;
    nas_training_state_t *state = &training->state;
    nas_epoch_t epoch = {0};
    NAS_ASSERT(state->step > 0 && state->step % training->n_steps == 0);
    if (!nas_training_validate_on(training, images, split->valid, split->n_valid, &epoch.valid_loss,
                                  &epoch.valid_accuracy))
        return false;
    if (!nas_training_leads(training)) return true;
    epoch.train_loss = state->loss_sum / (double)training->n_steps;
    state->epoch[state->step / training->n_steps - 1] = epoch;
    state->loss_sum = 0;
    training->is_behind = training->learner != NULL; /* it still has the old sum */
    return true;
}

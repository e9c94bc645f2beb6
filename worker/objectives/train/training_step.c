#include "worker/objectives/train/sgd.h"
#include "worker/objectives/train/training_internal.h"

#include <math.h>
#include <string.h>

/* Parts that a sum is made of, whatever the vectors of the processor hold. */
enum { LANES = 8 };

/* ---------------------------------------------------------------------------------------- rows */

static void add_row(int64_t n, const double *row, double *sum)
{
    const double *restrict from = row;
    double *restrict to = sum;
    for (int64_t i = 0; i < n; i++) to[i] += from[i];
}

static void scale_row(int64_t n, double factor, double *row)
{
    for (int64_t i = 0; i < n; i++) row[i] *= factor;
}

/* Every number is finite: times 0 the others are not 0. */
static bool is_finite(int64_t n, const double *x)
{
    const int64_t n_whole = n / LANES * LANES;
    double lane[LANES] = {0}, sum = 0;
    for (int64_t i = 0; i < n_whole; i += LANES)
        for (int k = 0; k < LANES; k++) lane[k] += 0 * x[i + k];
    for (int k = 0; k < LANES; k++) sum += lane[k];
    for (int64_t i = n_whole; i < n; i++) sum += 0 * x[i];
    return sum == 0;
}

/* -------------------------------------------------------------------------------------- shards */

static void load_images(nas_training_t *training, int64_t shard)
{
    const nas_training_options_t *options = &training->options;
    const int64_t epoch = training->state.step / training->n_steps,
                  place = training->state.step % training->n_steps, n = training->n_images;
    if (training->order_of != epoch) {
        nas_epoch_order(options->split, options->seed, epoch, training->order);
        training->order_of = epoch;
    }
    const int64_t *index = training->order + place * options->recipe->batch + shard * n;
    const nas_augment_options_t augment = {.dataset = options->dataset,
                                           .recipe = options->recipe,
                                           .seed = options->seed,
                                           .epoch = epoch};
    nas_augment(&augment, index, n, training->images);
    for (int64_t i = 0; i < n; i++) training->labels[i] = options->dataset->train.labels[index[i]];
}

static nas_program_values_t compute_shard(nas_training_t *training, int64_t shard)
{
    nas_program_values_t values;
    load_images(training, shard);
    const nas_engine_task_t task = {.program = training->descend,
                                    .parameters = training->state.parameter,
                                    .images = training->images,
                                    .labels = training->labels};
    nas_training_compute(training, &task, &values);
    return values;
}

static void put_shard(nas_training_t *training, int64_t shard, double *row)
{
    const nas_graph_t *graph = training->options.graph;
    const nas_program_values_t values = compute_shard(training, shard);
    memcpy(row, values.gradient, (size_t)graph->n_values * sizeof *row);
    memcpy(row + graph->n_values, values.moments, (size_t)graph->n_statistics * sizeof *row);
    row[training->row_length - 1] = values.loss;
}

static void add_shard(nas_training_t *training, int64_t shard, double *row)
{
    const nas_graph_t *graph = training->options.graph;
    const nas_program_values_t values = compute_shard(training, shard);
    add_row(graph->n_values, values.gradient, row);
    add_row(graph->n_statistics, values.moments, row + graph->n_values);
    row[training->row_length - 1] += values.loss;
}

/* On the leader: the sum over its shards. */
static void sum_shards(nas_training_t *training)
{
    put_shard(training, 0, training->row);
    for (int64_t s = 1; s < training->n_shards; s++) add_shard(training, s, training->row);
}

/* Send rows to the leader, which adds them to its sum in the order of the shards, those of the
 * lower rank first. */
static void collect_rows(nas_training_t *training)
{
    const size_t n_bytes = (size_t)training->row_length * sizeof *training->row;
    nas_comm_t *team = training->options.team;
    const char *all = NULL;
    if (nas_comm_size(team) == 1) return;
    if (!nas_training_leads(training)) {
        nas_comm_gather(team, training->row, (size_t)training->n_shards * n_bytes, &all, NULL);
        return;
    }
    nas_comm_gather(team, NULL, 0, &all, training->offset);
    for (size_t at = 0; at < training->offset[nas_comm_size(team)]; at += n_bytes)
        add_row(training->row_length, (const double *)(const void *)(all + at), training->row);
}

/* --------------------------------------------------------------------------------------- steps */

static double moved(double running, double found, double share)
{
    return (1 - share) * running + share * found;
}

/* Of one norm, in one shard. Variances become unbiased, except of one value. */
static void update_norm(nas_training_t *training, const nas_node_t *norm, const double *moments)
{
    const int n = norm->extents.c;
    const double unbiased = nas_training_unbiased(training, norm);
    const double *mean = moments + norm->statistics, *variance = mean + n;
    double *running_mean = training->state.statistics + norm->statistics;
    double *running_variance = running_mean + n;
    for (int c = 0; c < n; c++) {
        running_mean[c] = moved(running_mean[c], mean[c], norm->momentum);
        running_variance[c] = moved(running_variance[c], unbiased * variance[c], norm->momentum);
    }
}

/* What does not reach the logits has no moments. */
static void update_statistics(nas_training_t *training, const double *moments)
{
    const nas_graph_t *graph = training->options.graph;
    for (int i = 0; i < graph->n_nodes; i++) {
        const nas_node_t *node = &graph->node[i];
        if (node->kind == NAS_NODE_NORM && node->live) update_norm(training, node, moments);
    }
}

/* On the leader, from the sum over all shards; nothing is changed where it diverged. */
static nas_training_verdict_t descend(nas_training_t *training)
{
    const nas_recipe_t *recipe = training->options.recipe;
    const int64_t n_values = training->options.graph->n_values;
    nas_training_state_t *state = &training->state;
    double *row = training->row, *loss = row + training->row_length - 1;
    if (recipe->shards > 1) scale_row(training->row_length, 1 / (double)recipe->shards, row);
    if (!isfinite(*loss) || !is_finite(n_values, row)) return NAS_TRAINING_DIVERGED;
    update_statistics(training, row + n_values);
    const nas_sgd_values_t values = {
        .n = n_values, .parameter = state->parameter, .velocity = state->velocity, .gradient = row};
    nas_sgd_step(recipe, nas_sgd_rate(recipe, state->step, recipe->epochs * training->n_steps),
                 state->step == 0, &values);
    state->loss_sum += *loss;
    return (state->step + 1) % training->n_steps == 0 ? NAS_TRAINING_EPOCH_END : NAS_TRAINING_ON;
}

void nas_trainings_step(nas_training_t *const *training, int n, nas_training_verdict_t *verdict)
{
    if (training[0]->learner)
        nas_training_learner_steps(training, n, verdict);
    else
        for (int i = 0; i < n; i++) verdict[i] = nas_training_step(training[i], NULL);
}

/* Loss and verdict travel behind the parameters, in one message. */
nas_training_verdict_t nas_training_step(nas_training_t *training, double *loss)
{
    const size_t n_values = (size_t)training->options.graph->n_values;
    double *parameter = training->state.parameter;
    NAS_ASSERT(training->state.step < training->options.recipe->epochs * training->n_steps);
    if (training->learner) return nas_training_learner_step(training, loss);
    if (nas_training_leads(training))
        sum_shards(training);
    else
        for (int64_t s = 0; s < training->n_shards; s++)
            put_shard(training, training->first_shard + s,
                      training->row + s * training->row_length);
    collect_rows(training);
    if (nas_training_leads(training)) {
        parameter[n_values + 1] = descend(training);
        parameter[n_values] = training->row[training->row_length - 1];
    }
    nas_comm_bcast(training->options.team, 0, parameter, (n_values + 2) * sizeof *parameter);
    if (loss) *loss = parameter[n_values];
    const nas_training_verdict_t verdict = (nas_training_verdict_t)parameter[n_values + 1];
    if (verdict != NAS_TRAINING_DIVERGED) training->state.step++;
    return verdict;
}

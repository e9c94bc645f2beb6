/* A learner's launches: planned once, queued step after step.
 *
 * A step is the program of a shard, once for each shard, all with the same parameters; before it
 * the images of the step are made, behind it gradients are added up and the network descends.
 * Which step it is stands in a vector, so that all steps are the same launches. A validation is the
 * other program, once for each batch.
 *
 *     arena     tensors of one shard (batch) after the other, their images, parts of gradients
 *     vectors   step; state; gradient; results and vectors of shards, then of batches; parts
 *     data      images, tables, labels; the epoch's order; images to validate on
 */
#include "common/base/rng.h"
#include "worker/engine/gpu/pack/learner_internal.h"
#include "worker/engine/gpu/plan/size.h"

#include <stdlib.h>
#include <string.h>

enum { CLEARED_A_GROUP = 1024, ALIGNMENT = 32, DATA_ALIGNMENT = 256 };

/* Bytes of parts of gradients in one wave. */
#define SCRATCH_BYTES ((int64_t)64 << 20)

static int64_t align(int64_t n)
{
    return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* ------------------------------------------------------------------------------------------ data */

static int64_t take_data(nas_learner_t *learner, size_t bytes)
{
    const int64_t at = (int64_t)learner->data_bytes;
    learner->data_bytes += (bytes + DATA_ALIGNMENT - 1) / DATA_ALIGNMENT * DATA_ALIGNMENT;
    return at;
}

static void place_images(nas_learner_t *learner, const nas_learner_images_t *images,
                         nas_learner_data_t *at)
{
    const size_t n = (size_t)images->n, c = (size_t)images->c;
    const size_t n_values = n * c * (size_t)images->h * (size_t)images->w;
    at->images = take_data(learner, images->bytes ? n_values : n_values * sizeof(float));
    at->table = images->bytes ? take_data(learner, c * 256 * sizeof(float)) : -1;
    at->black = take_data(learner, c * sizeof(float));
    at->labels = take_data(learner, n * sizeof(int32_t));
}

static void place_data(nas_learner_t *learner)
{
    const nas_learner_options_t *o = &learner->options;
    const size_t n_index = (size_t)NAS_LEARNER_VALIDATES * (size_t)o->program->n;
    place_images(learner, o->train, &learner->of[0]);
    if (o->test) place_images(learner, o->test, &learner->of[1]);
    learner->order = take_data(learner, (size_t)o->train->n * sizeof(int32_t));
    learner->index = take_data(learner, n_index * sizeof(int32_t));
}

/* --------------------------------------------------------------------------------------- vectors */

static int64_t groups_of(int64_t n, int64_t each)
{
    return (n + each - 1) / each;
}

/* Results first, of one member after the other, then their other vectors. Returns the end. */
static int64_t place_members(const nas_program_t *program, int n, int64_t first,
                             nas_learner_launches_t *launches)
{
    int64_t at = first;
    launches->results = align((int64_t)program->n_results);
    for (int i = 0; i < n; i++, at += launches->results) launches->places[i].results = at;
    for (int i = 0; i < n; i++) {
        launches->places[i].vectors = at;
        at = align(at + (int64_t)(program->n_vectors - program->n_results));
        launches->places[i].counts = -1;
    }
    return at;
}

static void place_vectors(nas_learner_t *learner)
{
    const nas_learner_options_t *o = &learner->options;
    nas_learner_vectors_t *at = &learner->at;
    int64_t next = align(NAS_GPU_STEP_SIZE);
    at->parameter = next;
    at->velocity = align(at->parameter + o->n_values);
    at->statistics = align(at->velocity + o->n_values);
    at->unbiased = align(at->statistics + o->n_statistics);
    at->gradient = align(at->unbiased + o->n_statistics);
    at->gather_parts = align(at->gradient + o->n_values);
    at->cleared = align(at->gather_parts + 2 * groups_of(o->n_values, NAS_GPU_GATHER));
    next = place_members(o->program, o->n_shards, at->cleared, &learner->learn);
    at->n_cleared = next - at->cleared;
    at->validated = next;
    for (int i = 0; i < 2; i++)
        next =
            place_members(o->validate, NAS_LEARNER_VALIDATES, at->validated, &learner->validate[i]);
    at->n_validated = next - at->validated;
    at->parts = next;
}

/* ------------------------------------------------------------------------------------- launches */

static void *add(nas_learner_launches_t *launches, int variant, int64_t groups_x, int n,
                 size_t n_bytes)
{
    const nas_gpu_step_t step = {
        .variant = variant, .groups_x = (int)groups_x, .n = n, .n_bytes = (int)n_bytes};
    return nas_gpu_waves_add(&launches->waves, &launches->steps, &step);
}

static nas_status_t add_clear(nas_learner_launches_t *launches, int64_t at, int64_t n)
{
    nas_gpu_clear_t *work = add(launches, NAS_GPU_PLAIN_CLEAR, groups_of(n, CLEARED_A_GROUP), 1,
                                sizeof(nas_gpu_clear_t));
    if (!work) return NAS_ENOMEM;
    *work = (nas_gpu_clear_t){.at = at, .n = n};
    return NAS_OK;
}

/* What makes a member's images; `of` the images to train on, in the order of a step, or any, in the
 * order that is asked for. */
static nas_status_t add_images(nas_learner_t *learner, nas_learner_launches_t *launches, int n,
                               int of, bool learns)
{
    const nas_learner_options_t *o = &learner->options;
    const nas_shape_t *s = &o->program->image;
    const nas_learner_data_t *data = &learner->of[of];
    nas_gpu_augment_t *work =
        add(launches, NAS_GPU_PLAIN_AUGMENT, s->n, n, sizeof(nas_gpu_augment_t));
    if (!work) return NAS_ENOMEM;
    for (int i = 0; i < n; i++)
        work[i] = (nas_gpu_augment_t){.images = data->images,
                                      .table = data->table,
                                      .black = data->black,
                                      .order = learns ? learner->order : learner->index,
                                      .step = learns ? learner->at.step : -1,
                                      .to = launches->places[i].images,
                                      .n = s->n,
                                      .c = s->c,
                                      .h = s->h,
                                      .w = s->w,
                                      .first = i * s->n,
                                      .crop = o->crop,
                                      .flip = o->flip,
                                      .cutout = o->cutout,
                                      .seed = {(u32)o->seed, (u32)(o->seed >> 32)},
                                      .stream = NAS_STREAM_AUGMENT};
    return NAS_OK;
}

static int64_t result(const nas_learner_launches_t *launches, nas_vector_t vector)
{
    return launches->places[0].results + vector;
}

/* Behind the shards. */
static nas_status_t add_descent(nas_learner_t *learner)
{
    const nas_learner_options_t *o = &learner->options;
    const nas_learner_vectors_t *at = &learner->at;
    const nas_program_results_t *results = &o->program->results;
    nas_learner_launches_t *l = &learner->learn;
    const int64_t n_groups = groups_of(o->n_values, NAS_GPU_GATHER);
    nas_gpu_gather_t *gather = add(l, NAS_GPU_PLAIN_GATHER, n_groups, 1, sizeof *gather);
    if (!gather) return NAS_ENOMEM;
    *gather = (nas_gpu_gather_t){.shards = result(l, results->gradient),
                                 .stride = l->results,
                                 .out = at->gradient,
                                 .parts = at->gather_parts,
                                 .n = o->n_values,
                                 .n_shards = o->n_shards};
    nas_gpu_settle_t *settle = add(l, NAS_GPU_PLAIN_SETTLE, 1, 1, sizeof *settle);
    if (!settle) return NAS_ENOMEM;
    *settle = (nas_gpu_settle_t){.step = at->step,
                                 .parts = at->gather_parts,
                                 .loss = result(l, results->loss),
                                 .moments = result(l, results->moments),
                                 .stride = l->results,
                                 .statistics = at->statistics,
                                 .unbiased = at->unbiased,
                                 .n_statistics = o->n_statistics,
                                 .most = o->clip,
                                 .n_parts = (int)n_groups,
                                 .n_shards = o->n_shards};
    nas_gpu_descend_t *descend = add(l, NAS_GPU_PLAIN_DESCEND, n_groups, 1, sizeof *descend);
    if (!descend) return NAS_ENOMEM;
    *descend = (nas_gpu_descend_t){.step = at->step,
                                   .gradient = at->gradient,
                                   .parameter = at->parameter,
                                   .velocity = at->velocity,
                                   .n = o->n_values,
                                   .momentum = o->momentum,
                                   .weight_decay = o->weight_decay,
                                   .nesterov = o->nesterov};
    return NAS_OK;
}

/* --------------------------------------------------------------------------------------- members */

/* Tensors, then images, of one after the other. */
static void place_tensors(nas_learner_t *learner, const nas_program_t *program, int n,
                          nas_learner_launches_t *launches)
{
    const nas_shape_t *s = &program->image;
    const int64_t tensors = (int64_t)(nas_gpu_program_arena_bytes(program) / sizeof(float));
    const int64_t images = align((int64_t)s->n * s->c * NAS_GPU_PITCH(s->h, s->w));
    for (int i = 0; i < n; i++) {
        launches->places[i].arena = i * (tensors + images);
        launches->places[i].images = launches->places[i].arena + tensors;
        launches->places[i].is_staged = true;
    }
    if (n * (tensors + images) > learner->n_arena) learner->n_arena = n * (tensors + images);
}

static nas_status_t add_members(nas_learner_t *learner, const nas_program_t *program, int n,
                                nas_learner_launches_t *launches, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (int i = 0; !status && i < n; i++) {
        launches->places[i].parts = learner->at.parts;
        launches->places[i].parameters = learner->at.parameter;
        status = nas_gpu_steps_add(&launches->steps, learner->device->planner, program,
                                   &launches->places[i], err);
    }
    if (!status && learner->at.parts + launches->steps.n_parts > learner->at.n)
        learner->at.n = learner->at.parts + launches->steps.n_parts;
    return status;
}

static nas_status_t make_waves(nas_learner_t *learner, nas_learner_launches_t *launches,
                               int64_t *scratch, nas_error_t *err)
{
    const nas_gpu_scratch_t room = {.at = learner->n_arena,
                                    .floats = SCRATCH_BYTES / (int64_t)sizeof(float)};
    const nas_status_t status = nas_gpu_waves_make(&launches->waves, &launches->steps, &room, err);
    if (launches->waves.most_floats > *scratch) *scratch = launches->waves.most_floats;
    return status;
}

static nas_status_t plan_learning(nas_learner_t *learner, int64_t *scratch, nas_error_t *err)
{
    const nas_learner_options_t *o = &learner->options;
    nas_learner_launches_t *l = &learner->learn;
    for (int i = 0; i < o->n_shards; i++) {
        l->places[i].statistics = -1;
        l->places[i].labels = learner->of[0].labels;
        l->places[i].order = learner->order;
        l->places[i].step = learner->at.step;
        l->places[i].first = i * o->program->n;
        l->places[i].learns = true;
    }
    nas_status_t status = add_members(learner, o->program, o->n_shards, l, err);
    if (!status) status = add_clear(l, learner->at.cleared, learner->at.n_cleared);
    if (!status) status = add_images(learner, l, o->n_shards, 0, true);
    if (!status) status = make_waves(learner, l, scratch, err);
    return status ? status : add_descent(learner);
}

static nas_status_t plan_validation(nas_learner_t *learner, int of, int64_t *scratch,
                                    nas_error_t *err)
{
    const nas_learner_options_t *o = &learner->options;
    nas_learner_launches_t *l = &learner->validate[of];
    for (int i = 0; i < NAS_LEARNER_VALIDATES; i++) {
        l->places[i].statistics = learner->at.statistics;
        l->places[i].labels = -1;
    }
    nas_status_t status = add_members(learner, o->validate, NAS_LEARNER_VALIDATES, l, err);
    if (!status) status = add_clear(l, learner->at.validated, learner->at.n_validated);
    if (!status) status = add_images(learner, l, NAS_LEARNER_VALIDATES, of, false);
    return status ? status : make_waves(learner, l, scratch, err);
}

nas_status_t nas_learner_plan(nas_learner_t *learner, nas_error_t *err)
{
    const nas_learner_options_t *o = &learner->options;
    nas_learner_launches_t *all[] = {&learner->learn, &learner->validate[0], &learner->validate[1]};
    int64_t scratch = 0;
    for (int i = 0; i < 3; i++) {
        const int n = i == 0 ? o->n_shards : NAS_LEARNER_VALIDATES;
        all[i]->places = calloc((size_t)n, sizeof *all[i]->places);
        if (!all[i]->places) return nas_error_nomem(err, "a training on a GPU");
        nas_gpu_steps_clear(&all[i]->steps);
        nas_gpu_waves_clear(&all[i]->waves);
        place_tensors(learner, i == 0 ? o->program : o->validate, n, all[i]);
    }
    place_data(learner);
    place_vectors(learner);
    nas_status_t status = plan_learning(learner, &scratch, err);
    for (int of = 0; !status && of < 1 + (o->test != NULL); of++)
        status = plan_validation(learner, of, &scratch, err);
    learner->n_arena += scratch;
    return status ? nas_error_nomem(err, "a training on a GPU") : NAS_OK;
}

void nas_learner_unplan(nas_learner_t *learner)
{
    nas_learner_launches_t *all[] = {&learner->learn, &learner->validate[0], &learner->validate[1]};
    for (int i = 0; i < 3; i++) {
        nas_gpu_steps_fini(&all[i]->steps);
        nas_gpu_waves_fini(&all[i]->waves);
        free(all[i]->places);
    }
}

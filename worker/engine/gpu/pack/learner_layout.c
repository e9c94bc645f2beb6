/* Where the things of a learner lie.
 *
 *     arena     tensors of one shard after the other, of one member after the other, their images;
 *               a validation, which is of one member, has the same room; parts of gradients
 *     vectors   of one member after the other: step, state, gradient, results and vectors of its
 *               shards; results and vectors of batches; parts
 *     data      images, tables, labels; the order of each member's epoch; images to validate on
 *
 * What a step leaves for the next one is among the vectors of its member, and nothing else is.
 */
#include "worker/engine/gpu/pack/learner_internal.h"
#include "worker/engine/gpu/plan/size.h"

#include <stdlib.h>

enum { DATA_ALIGNMENT = 256 };

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
    const nas_program_t *program = learner->network[0].member.program;
    const size_t n_index = (size_t)NAS_LEARNER_VALIDATES * (size_t)program->n;
    place_images(learner, o->train, &learner->of[0]);
    if (o->test) place_images(learner, o->test, &learner->of[1]);
    for (int i = 0; i < o->n_members; i++)
        learner->network[i].order = take_data(learner, (size_t)o->train->n * sizeof(int32_t));
    learner->index = take_data(learner, n_index * sizeof(int32_t));
}

/* --------------------------------------------------------------------------------------- vectors */

/* Results first, of one after the other, then their other vectors. Returns the end. */
static int64_t place_copies(nas_learner_copies_t *copies, int64_t first)
{
    const nas_program_t *program = copies->program;
    int64_t at = first;
    copies->results = nas_learner_align((int64_t)program->n_results);
    for (int i = 0; i < copies->n; i++, at += copies->results) copies->places[i].results = at;
    for (int i = 0; i < copies->n; i++) {
        copies->places[i].vectors = at;
        at = nas_learner_align(at + (int64_t)(program->n_vectors - program->n_results));
        copies->places[i].counts = -1;
    }
    copies->cleared = first;
    copies->n_cleared = at - first;
    return at;
}

static int64_t place_network(nas_learner_network_t *network, int64_t first)
{
    const nas_learner_member_t *member = &network->member;
    nas_learner_vectors_t *at = &network->at;
    const int64_t n_sums = 2 * nas_learner_groups(member->n_values, NAS_GPU_GATHER);
    at->step = first;
    at->parameter = nas_learner_align(at->step + NAS_GPU_STEP_SIZE);
    at->velocity = nas_learner_align(at->parameter + member->n_values);
    at->statistics = nas_learner_align(at->velocity + member->n_values);
    at->unbiased = nas_learner_align(at->statistics + member->n_statistics);
    at->share = nas_learner_align(at->unbiased + member->n_statistics);
    at->gradient = nas_learner_align(at->share + member->n_statistics);
    at->gather_parts = nas_learner_align(at->gradient + member->n_values);
    return place_copies(&network->shards, nas_learner_align(at->gather_parts + n_sums));
}

static void place_vectors(nas_learner_t *learner)
{
    int64_t batches = 0;
    for (int i = 0; i < learner->options.n_members; i++)
        batches = place_network(&learner->network[i], batches);
    learner->parts = batches;
    for (int i = 0; i < learner->options.n_members; i++)
        for (int of = 0; of < 2; of++) {
            const int64_t end = place_copies(&learner->network[i].batches[of], batches);
            if (end > learner->parts) learner->parts = end;
        }
}

/* --------------------------------------------------------------------------------------- tensors */

/* Tensors, then images, of one after the other. Returns the end. */
static int64_t place_tensors(nas_learner_copies_t *copies, int64_t first)
{
    const nas_shape_t *s = &copies->program->image;
    const int64_t tensors = (int64_t)(nas_gpu_program_arena_bytes(copies->program) / sizeof(float));
    const int64_t images = nas_learner_align((int64_t)s->n * s->c * NAS_GPU_PITCH(s->h, s->w));
    for (int i = 0; i < copies->n; i++) {
        copies->places[i].arena = first + i * (tensors + images);
        copies->places[i].images = copies->places[i].arena + tensors;
        copies->places[i].is_staged = true;
    }
    return first + copies->n * (tensors + images);
}

static void place_arena(nas_learner_t *learner)
{
    const int n = learner->options.n_members;
    int64_t end = 0;
    for (int i = 0; i < n; i++) end = place_tensors(&learner->network[i].shards, end);
    learner->n_arena = end;
    for (int i = 0; i < n; i++)
        for (int of = 0; of < 2; of++) {
            end = place_tensors(&learner->network[i].batches[of], 0);
            if (end > learner->n_arena) learner->n_arena = end;
        }
}

/* ------------------------------------------------------------------------------------------- all */

static nas_status_t make_copies(const nas_program_t *program, int n, nas_learner_copies_t *copies,
                                nas_error_t *err)
{
    copies->program = program;
    copies->n = n;
    copies->places = calloc((size_t)n, sizeof *copies->places);
    return copies->places ? NAS_OK : nas_error_nomem(err, "a training on a GPU");
}

nas_status_t nas_learner_lay_out(nas_learner_t *learner, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (int i = 0; !status && i < learner->options.n_members; i++) {
        nas_learner_network_t *network = &learner->network[i];
        const nas_program_t *validate = network->member.validate;
        status =
            make_copies(network->member.program, learner->options.n_shards, &network->shards, err);
        for (int of = 0; !status && of < 2; of++)
            status = make_copies(validate, NAS_LEARNER_VALIDATES, &network->batches[of], err);
    }
    if (status) return status;
    place_data(learner);
    place_vectors(learner);
    place_arena(learner);
    return NAS_OK;
}

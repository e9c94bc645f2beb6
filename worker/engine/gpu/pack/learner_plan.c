/* A learner's launches: planned once, queued step after step.
 *
 * A step is the program of a shard, once for each shard of each member that is in it, those of a
 * member with the same parameters; before it the images of the step are made, behind it gradients
 * are added up and the networks descend. Which step it is stands in a vector of the member, so that
 * all steps are the same launches. A validation is the other program of a member, once for each
 * batch.
 */
#include "common/base/rng.h"
#include "worker/engine/gpu/pack/learner_internal.h"

#include <stdlib.h>

enum { CLEARED_A_GROUP = 1024, MOST_SCRATCHES = 4 };

/* Bytes of parts of gradients in one wave: for each member, as long as they are few. */
#define SCRATCH_BYTES ((int64_t)64 << 20)

/* ------------------------------------------------------------------------------------- launches */

static void *add(nas_learner_launches_t *launches, int variant, int64_t groups_x, int n,
                 size_t n_bytes)
{
    const nas_gpu_step_t step = {
        .variant = variant, .groups_x = (int)groups_x, .n = n, .n_bytes = (int)n_bytes};
    return nas_gpu_waves_add(&launches->waves, &launches->steps, &step);
}

/* Copies of programs that are computed in the same launches. */
typedef struct company {
    const nas_learner_network_t **network; /* [n] */
    const nas_learner_copies_t **copies;   /* [n] */
    int n;
    int of; /* images: to train on, to test on */
    bool learns;
} company_t;

static int64_t most_cleared(const company_t *company)
{
    int64_t most = 0;
    for (int i = 0; i < company->n; i++)
        if (company->copies[i]->n_cleared > most) most = company->copies[i]->n_cleared;
    return most;
}

static nas_status_t add_clear(const company_t *company, nas_learner_launches_t *launches)
{
    const int64_t n_groups = nas_learner_groups(most_cleared(company), CLEARED_A_GROUP);
    nas_gpu_clear_t *work = add(launches, NAS_GPU_PLAIN_CLEAR, n_groups, company->n, sizeof *work);
    if (!work) return NAS_ENOMEM;
    for (int i = 0; i < company->n; i++)
        work[i] = (nas_gpu_clear_t){.at = company->copies[i]->cleared,
                                    .n = company->copies[i]->n_cleared};
    return NAS_OK;
}

/* What makes the images of a copy: of a step, or those that are asked for. */
static nas_gpu_augment_t images_of(const nas_learner_t *learner, const company_t *company,
                                   int number, int copy)
{
    const nas_learner_options_t *o = &learner->options;
    const nas_learner_data_t *data = &learner->of[company->of];
    const nas_learner_network_t *network = company->network[number];
    const nas_shape_t *s = &network->member.program->image;
    const uint64_t seed = network->member.seed;
    return (nas_gpu_augment_t){.images = data->images,
                               .table = data->table,
                               .black = data->black,
                               .order = company->learns ? network->order : learner->index,
                               .step = company->learns ? network->at.step : -1,
                               .to = company->copies[number]->places[copy].images,
                               .n = s->n,
                               .c = s->c,
                               .h = s->h,
                               .w = s->w,
                               .first = copy * s->n,
                               .crop = o->crop,
                               .flip = o->flip,
                               .cutout = o->cutout,
                               .seed = {(u32)seed, (u32)(seed >> 32)},
                               .stream = NAS_STREAM_AUGMENT};
}

static nas_status_t add_images(const nas_learner_t *learner, const company_t *company,
                               nas_learner_launches_t *launches)
{
    const int n_images = company->copies[0]->program->image.n, n_copies = company->copies[0]->n;
    nas_gpu_augment_t *work =
        add(launches, NAS_GPU_PLAIN_AUGMENT, n_images, company->n * n_copies, sizeof *work);
    if (!work) return NAS_ENOMEM;
    for (int i = 0; i < company->n; i++)
        for (int copy = 0; copy < n_copies; copy++) *work++ = images_of(learner, company, i, copy);
    return NAS_OK;
}

/* Programs, all of which may be in the same waves. */
static nas_status_t add_programs(const nas_learner_t *learner, const company_t *company,
                                 nas_learner_launches_t *launches, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (int i = 0; i < company->n; i++)
        for (int copy = 0; !status && copy < company->copies[i]->n; copy++)
            status = nas_gpu_steps_add(&launches->steps, learner->device->planner,
                                       company->copies[i]->program,
                                       &company->copies[i]->places[copy], err);
    return status;
}

/* All but the descent. room: floats of scratch that there may be. */
static nas_status_t plan_company(nas_learner_t *learner, const company_t *company, int64_t room,
                                 nas_learner_launches_t *launches, nas_error_t *err)
{
    const nas_gpu_scratch_t scratch = {.at = learner->n_arena, .floats = room};
    nas_gpu_steps_clear(&launches->steps);
    nas_status_t status = add_programs(learner, company, launches, err);
    nas_gpu_waves_clear(&launches->waves);
    if (!status) status = add_clear(company, launches);
    if (!status) status = add_images(learner, company, launches);
    if (!status) status = nas_gpu_waves_make(&launches->waves, &launches->steps, &scratch, err);
    return status ? nas_error_nomem(err, "a training on a GPU") : NAS_OK;
}

/* -------------------------------------------------------------------------------------- descent */

static int64_t result(const nas_learner_copies_t *shards, nas_vector_t vector)
{
    return shards->places[0].results + vector;
}

static int64_t values_groups(const nas_learner_network_t *network)
{
    return nas_learner_groups(network->member.n_values, NAS_GPU_GATHER);
}

static int64_t most_groups(const company_t *company)
{
    int64_t most = 0;
    for (int i = 0; i < company->n; i++)
        if (values_groups(company->network[i]) > most) most = values_groups(company->network[i]);
    return most;
}

static nas_gpu_gather_t gather_of(const nas_learner_network_t *network)
{
    const nas_learner_copies_t *shards = &network->shards;
    return (nas_gpu_gather_t){.shards = result(shards, shards->program->results.gradient),
                              .stride = shards->results,
                              .out = network->at.gradient,
                              .parts = network->at.gather_parts,
                              .n = network->member.n_values,
                              .n_shards = shards->n};
}

static nas_gpu_settle_t settle_of(const nas_learner_options_t *o,
                                  const nas_learner_network_t *network)
{
    const nas_learner_copies_t *shards = &network->shards;
    return (nas_gpu_settle_t){.step = network->at.step,
                              .parts = network->at.gather_parts,
                              .loss = result(shards, shards->program->results.loss),
                              .moments = result(shards, shards->program->results.moments),
                              .stride = shards->results,
                              .statistics = network->at.statistics,
                              .unbiased = network->at.unbiased,
                              .share = network->at.share,
                              .n_statistics = network->member.n_statistics,
                              .most = o->clip,
                              .n_parts = (int)values_groups(network),
                              .n_shards = shards->n};
}

static nas_gpu_descend_t descend_of(const nas_learner_options_t *o,
                                    const nas_learner_network_t *network)
{
    return (nas_gpu_descend_t){.step = network->at.step,
                               .gradient = network->at.gradient,
                               .parameter = network->at.parameter,
                               .velocity = network->at.velocity,
                               .n = network->member.n_values,
                               .momentum = o->momentum,
                               .weight_decay = o->weight_decay,
                               .nesterov = o->nesterov};
}

/* Behind the shards. */
static nas_status_t add_descent(nas_learner_t *learner, const company_t *company)
{
    const nas_learner_options_t *o = &learner->options;
    nas_learner_launches_t *l = &learner->learn;
    const int64_t n_groups = most_groups(company);
    const int n = company->n;
    nas_gpu_gather_t *gather = add(l, NAS_GPU_PLAIN_GATHER, n_groups, n, sizeof *gather);
    if (!gather) return NAS_ENOMEM;
    for (int i = 0; i < n; i++) gather[i] = gather_of(company->network[i]);
    nas_gpu_settle_t *settle = add(l, NAS_GPU_PLAIN_SETTLE, 1, n, sizeof *settle);
    if (!settle) return NAS_ENOMEM;
    for (int i = 0; i < n; i++) settle[i] = settle_of(o, company->network[i]);
    nas_gpu_descend_t *descend = add(l, NAS_GPU_PLAIN_DESCEND, n_groups, n, sizeof *descend);
    if (!descend) return NAS_ENOMEM;
    for (int i = 0; i < n; i++) descend[i] = descend_of(o, company->network[i]);
    return NAS_OK;
}

/* ------------------------------------------------------------------------------------- programs */

/* What the programs read and write besides their tensors and vectors. */
static void place_shards(const nas_learner_t *learner, nas_learner_network_t *network)
{
    for (int i = 0; i < network->shards.n; i++) {
        nas_gpu_places_t *places = &network->shards.places[i];
        places->parts = learner->parts;
        places->parameters = network->at.parameter;
        places->statistics = -1;
        places->labels = learner->of[0].labels;
        places->order = network->order;
        places->step = network->at.step;
        places->first = i * network->shards.program->n;
        places->learns = true;
    }
}

static void place_batches(const nas_learner_t *learner, nas_learner_network_t *network, int of)
{
    for (int i = 0; i < network->batches[of].n; i++) {
        nas_gpu_places_t *places = &network->batches[of].places[i];
        places->parts = learner->parts;
        places->parameters = network->at.parameter;
        places->statistics = network->at.statistics;
        places->labels = -1;
    }
}

/* What the launches take of the device. */
static void take_room(nas_learner_t *learner, const nas_learner_launches_t *launches)
{
    if (launches->waves.most_floats > learner->scratch)
        learner->scratch = launches->waves.most_floats;
    if (launches->steps.n_parts > learner->n_parts) learner->n_parts = launches->steps.n_parts;
}

static int64_t room_of(const nas_learner_t *learner)
{
    const int n = learner->options.n_members;
    return (n < MOST_SCRATCHES ? n : MOST_SCRATCHES) * SCRATCH_BYTES / (int64_t)sizeof(float);
}

static nas_status_t plan_validation(nas_learner_t *learner, nas_learner_network_t *network, int of,
                                    nas_error_t *err)
{
    const nas_learner_network_t *const only = network;
    const nas_learner_copies_t *const batches = &network->batches[of];
    const company_t company = {.network = (const nas_learner_network_t *[]){only},
                               .copies = (const nas_learner_copies_t *[]){batches},
                               .n = 1,
                               .of = of};
    place_batches(learner, network, of);
    const nas_status_t status =
        plan_company(learner, &company, room_of(learner), &network->validate[of], err);
    take_room(learner, &network->validate[of]);
    return status;
}

static nas_status_t plan_step(nas_learner_t *learner, int64_t room, nas_error_t *err)
{
    const int n_members = learner->options.n_members;
    company_t company = {.learns = true};
    company.network = malloc((size_t)n_members * sizeof(void *));
    company.copies = malloc((size_t)n_members * sizeof(void *));
    nas_status_t status = company.network && company.copies ? NAS_OK : NAS_ENOMEM;
    for (int i = 0; !status && i < n_members; i++) {
        if (!learner->network[i].is_in_step) continue;
        company.network[company.n] = &learner->network[i];
        company.copies[company.n++] = &learner->network[i].shards;
    }
    if (!status) status = plan_company(learner, &company, room, &learner->learn, err);
    if (!status) status = add_descent(learner, &company);
    free(company.network);
    free(company.copies);
    return status ? nas_error_nomem(err, "a training on a GPU") : NAS_OK;
}

nas_status_t nas_learner_plan_step(nas_learner_t *learner, nas_error_t *err)
{
    return plan_step(learner, learner->scratch, err);
}

nas_status_t nas_learner_plan(nas_learner_t *learner, nas_error_t *err)
{
    const int n_members = learner->options.n_members;
    for (int i = 0; i < n_members; i++) {
        learner->network[i].is_in_step = true;
        place_shards(learner, &learner->network[i]);
    }
    nas_status_t status = plan_step(learner, room_of(learner), err);
    take_room(learner, &learner->learn);
    for (int i = 0; i < n_members; i++)
        for (int of = 0; !status && of < 1 + (learner->options.test != NULL); of++)
            status = plan_validation(learner, &learner->network[i], of, err);
    return status;
}

static void drop_launches(nas_learner_launches_t *launches)
{
    nas_gpu_steps_fini(&launches->steps);
    nas_gpu_waves_fini(&launches->waves);
}

void nas_learner_unplan(nas_learner_t *learner)
{
    drop_launches(&learner->learn);
    for (int i = 0; learner->network && i < learner->options.n_members; i++) {
        nas_learner_network_t *network = &learner->network[i];
        free(network->shards.places);
        for (int of = 0; of < 2; of++) {
            free(network->batches[of].places);
            drop_launches(&network->validate[of]);
        }
    }
}

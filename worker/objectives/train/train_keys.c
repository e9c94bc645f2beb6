/* The job's keys about short trainings. */
#include "worker/objectives/train/objective_train.h"

/* Their values: the recipe, but for how its rate goes on. */
typedef struct keys {
    nas_recipe_t recipe;
    int schedule;
} keys_t;

enum { COSINE = 0 };

static const char *const schedule_names[] = {[COSINE] = "cosine", "constant", NULL};

static const nas_job_field_t fields[] = {
    {.key = "objective.epochs",
     .type = NAS_JOB_INT,
     .affects = NAS_JOB_OF_OBJECTIVE,
     .search_only = true,
     .own = true,
     .offset = offsetof(keys_t, recipe.epochs),
     .initial = "12",
     .least = 1,
     .most = 10000,
     .doc = "Passes over the training images."},
    {.key = "objective.batch",
     .type = NAS_JOB_INT,
     .affects = NAS_JOB_OF_OBJECTIVE,
     .search_only = true,
     .own = true,
     .offset = offsetof(keys_t, recipe.batch),
     .initial = "256",
     .least = 1,
     .most = 65536,
     .doc = "Images of a step. What is left of an epoch's images is not seen in it."},
    {.key = "objective.shards",
     .type = NAS_JOB_INT,
     .affects = NAS_JOB_OF_OBJECTIVE,
     .search_only = true,
     .own = true,
     .offset = offsetof(keys_t, recipe.shards),
     .initial = "1",
     .least = 1,
     .most = 1024,
     .doc =
         "Equal parts of a batch, each normalised by itself; as many ranks, or fewer, share one training. The result depends on this number and on no number of ranks."},
    {.key = "objective.rate",
     .type = NAS_JOB_FLOAT,
     .affects = NAS_JOB_OF_OBJECTIVE,
     .search_only = true,
     .own = true,
     .offset = offsetof(keys_t, recipe.rate),
     .initial = "0.1",
     .least = 1e-9,
     .most = 1e3,
     .doc = "Learning rate of the first step."},
    {.key = "objective.schedule",
     .type = NAS_JOB_ENUM,
     .affects = NAS_JOB_OF_OBJECTIVE,
     .search_only = true,
     .own = true,
     .offset = offsetof(keys_t, schedule),
     .initial = "cosine",
     .names = schedule_names,
     .doc = "How the learning rate goes on: down to 0 as half a cosine over all steps, or not."},
    {.key = "objective.momentum",
     .type = NAS_JOB_FLOAT,
     .affects = NAS_JOB_OF_OBJECTIVE,
     .search_only = true,
     .own = true,
     .offset = offsetof(keys_t, recipe.momentum),
     .initial = "0.9",
     .most = 0.9999,
     .doc = "Momentum of stochastic gradient descent."},
    {.key = "objective.nesterov",
     .type = NAS_JOB_BOOL,
     .affects = NAS_JOB_OF_OBJECTIVE,
     .search_only = true,
     .own = true,
     .offset = offsetof(keys_t, recipe.nesterov),
     .initial = "true",
     .doc = "Whether the momentum is Nesterov's."},
    {.key = "objective.weight_decay",
     .type = NAS_JOB_FLOAT,
     .affects = NAS_JOB_OF_OBJECTIVE,
     .search_only = true,
     .own = true,
     .offset = offsetof(keys_t, recipe.weight_decay),
     .initial = "0.0005",
     .most = 1,
     .doc = "Weight decay on every parameter."},
    {.key = "objective.smoothing",
     .type = NAS_JOB_FLOAT,
     .affects = NAS_JOB_OF_OBJECTIVE,
     .search_only = true,
     .own = true,
     .offset = offsetof(keys_t, recipe.smoothing),
     .initial = "0",
     .most = 0.99,
     .doc = "Share of the label that is spread evenly over all classes."},
    {.key = "objective.clip",
     .type = NAS_JOB_FLOAT,
     .affects = NAS_JOB_OF_OBJECTIVE,
     .search_only = true,
     .own = true,
     .offset = offsetof(keys_t, recipe.clip),
     .initial = "0",
     .most = 1e9,
     .doc = "The largest norm of the whole gradient, which is scaled down to it; 0: any."},
    {.key = "objective.validation",
     .type = NAS_JOB_FLOAT,
     .affects = NAS_JOB_OF_OBJECTIVE,
     .search_only = true,
     .own = true,
     .offset = offsetof(keys_t, recipe.validation),
     .initial = "0.2",
     .most = 0.9,
     .doc =
         "Share of the training images that is held out, by the seed, to validate; 0: validated on the test images."},
    {.key = "objective.flip",
     .type = NAS_JOB_BOOL,
     .affects = NAS_JOB_OF_OBJECTIVE,
     .search_only = true,
     .own = true,
     .offset = offsetof(keys_t, recipe.flip),
     .initial = "false",
     .doc = "Whether half of the images, by the seed, are mirrored left to right."},
    {.key = "objective.crop",
     .type = NAS_JOB_INT,
     .affects = NAS_JOB_OF_OBJECTIVE,
     .search_only = true,
     .own = true,
     .offset = offsetof(keys_t, recipe.crop),
     .initial = "0",
     .most = 256,
     .doc =
         "Pixels of black around an image, of which a random part of the old size is cut out; 0: none."},
    {.key = "objective.cutout",
     .type = NAS_JOB_INT,
     .affects = NAS_JOB_OF_OBJECTIVE,
     .search_only = true,
     .own = true,
     .offset = offsetof(keys_t, recipe.cutout),
     .initial = "0",
     .most = 4096,
     .doc = "Side of a square, anywhere in the image, that is blanked out; 0: none."},
    {.key = "objective.patience"},
};

nas_recipe_t nas_job_recipe(const nas_job_t *job)
{
    const keys_t *keys = nas_job_values(job, &nas_objective_keys_train);
    nas_recipe_t recipe = keys->recipe;
    recipe.cosine = keys->schedule == COSINE;
    return recipe;
}

static nas_status_t check(const nas_job_t *job, nas_error_t *err)
{
    const nas_recipe_t recipe = nas_job_recipe(job);
    char spaces[NAS_JOB_NAMES_SIZE];
    nas_job_names_with(job, "pool.space", NAS_POOL_WITH_NETWORKS, spaces);
    if (!nas_job_has(job, "pool.space", NAS_POOL_WITH_NETWORKS))
        return nas_job_error(
            job, "objective.kind", err,
            "this release trains networks of %s only; set pool.space to one of them, or take an objective of a table or a command",
            spaces);
    if (recipe.batch % recipe.shards != 0)
        return nas_job_error(
            job, "objective.shards", err,
            "%lld equal parts of a batch of %lld images do not exist; choose a divisor",
            (long long)recipe.shards, (long long)recipe.batch);
    if (recipe.validation == 0 && job->data.test.n == 0)
        return nas_job_error(
            job, "objective.validation", err,
            "with 0 the test images validate, and there are none; name data.test, or hold out a share such as 0.2");
    return NAS_OK;
}

const nas_job_section_t nas_objective_keys_train = {
    .key = "objective.kind",
    .name = "train",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .n_bytes = sizeof(keys_t),
    .check = check,
};

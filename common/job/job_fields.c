/* The field table: one row a field gives its parser, default, `--set` key, where it applies,
 * printing, part in the hashes, and reference text. A new field is a member of nas_job_t and a row
 * here; fields of one group stand together. */
#include "common/job/job_internal.h"

#include <stdlib.h>
#include <string.h>

static const char *const backend_names[] = {"ref", "cpu", NULL};
static const char *const coordinator_names[] = {"shared", "dedicated", NULL};
static const char *const pool_names[] = {"table", "nas-bench-201", "transnas-micro",
                                         "transnas-macro", NULL};
static const char *const encoding_names[] = {"none", "nas-bench-201", "digits", NULL};
static const char *const source_names[] = {"table", "compute", "scores", NULL};
static const char *const transform_names[] = {"none", "log", "exp", "rank", NULL};
static const char *const choice_names[] = {"random", "per-class", NULL};
static const char *const convention_names[] = {"score", "train", NULL};
static const char *const format_names[] = {"cifar-binary", "idx", "hdf5", NULL};
static const char *const objective_names[] = {"table", "train", "command", NULL};
static const char *const schedule_names[] = {"cosine", "constant", NULL};

enum {
    VALUES = NAS_JOB_AFFECTS_VALUES,
    SCORES = NAS_JOB_AFFECTS_VALUES | NAS_JOB_AFFECTS_SCORES,
    OBJECTIVE = NAS_JOB_AFFECTS_VALUES | NAS_JOB_AFFECTS_OBJECTIVE,
    IMAGES = SCORES | NAS_JOB_AFFECTS_TRAINING,
    NOTHING = NAS_JOB_AFFECTS_NOTHING
};

static const nas_job_condition_t in_table = {.key = "pool.space", .choices = 1u << NAS_POOL_TABLE};
static const nas_job_condition_t in_space = {.key = "pool.space",
                                             .choices = 1u << NAS_POOL_NB201 |
                                                        1u << NAS_POOL_TRANSNAS_MICRO |
                                                        1u << NAS_POOL_TRANSNAS_MACRO};
static const nas_job_condition_t from_scores = {
    .key = "metrics.source", .choices = 1u << NAS_SOURCE_SCORES, .tolerant = true};
static const nas_job_condition_t computed = {
    .key = "metrics.source", .choices = 1u << NAS_SOURCE_COMPUTE, .tolerant = true};

static const nas_job_condition_t trained = {
    .key = "objective.kind", .choices = 1u << NAS_OBJECTIVE_TRAIN, .tolerant = true};
static const nas_job_condition_t computed_or_trained = {.key = "metrics.source",
                                                        .choices = 1u << NAS_SOURCE_COMPUTE,
                                                        .tolerant = true,
                                                        .instead = &trained};

/* The objective of a kind. */
static const nas_job_condition_t by_table = {.key = "objective.kind",
                                             .choices = 1u << NAS_OBJECTIVE_TABLE};
static const nas_job_condition_t by_train = {.key = "objective.kind",
                                             .choices = 1u << NAS_OBJECTIVE_TRAIN};
static const nas_job_condition_t by_command = {.key = "objective.kind",
                                               .choices = 1u << NAS_OBJECTIVE_COMMAND};
static const nas_job_condition_t by_table_or_command = {
    .key = "objective.kind", .choices = 1u << NAS_OBJECTIVE_TABLE | 1u << NAS_OBJECTIVE_COMMAND};
static const nas_job_condition_t by_train_or_command = {
    .key = "objective.kind", .choices = 1u << NAS_OBJECTIVE_TRAIN | 1u << NAS_OBJECTIVE_COMMAND};
static const nas_job_condition_t of_space_by_table = {
    .key = "pool.space",
    .choices = 1u << NAS_POOL_NB201 | 1u << NAS_POOL_TRANSNAS_MICRO | 1u << NAS_POOL_TRANSNAS_MACRO,
    .also = &by_table};

/* Seeds stay exact in readers of JSON that keep numbers as doubles. */
#define MOST_SEED 9007199254740992.0

static const nas_job_field_t fields[] = {
    {.key = "name",
     .type = NAS_JOB_IDENTIFIER,
     .affects = VALUES,
     .offset = offsetof(nas_job_t, name),
     .doc = "Names the job in reports."},
    {.key = "seed",
     .type = NAS_JOB_INT,
     .affects = SCORES,
     .offset = offsetof(nas_job_t, seed),
     .initial = "0",
     .most = MOST_SEED,
     .doc = "Every random choice follows from it. Repeat r, counted from 0, runs with seed + r."},
    {.key = "output",
     .type = NAS_JOB_OUTPUT_PATH,
     .affects = NOTHING,
     .offset = offsetof(nas_job_t, output),
     .initial = "<name>.h5",
     .doc = "The state file of the run, which `report` reads and `--resume` continues."},
    {.key = "backend",
     .type = NAS_JOB_ENUM,
     .affects = IMAGES,
     .condition = &computed_or_trained,
     .offset = offsetof(nas_job_t, backend),
     .initial = "cpu",
     .names = backend_names,
     .doc = "What computes: `cpu` in single precision, fast, or `ref` in double precision, slow."},
    {.key = "coordinator",
     .type = NAS_JOB_ENUM,
     .affects = NOTHING,
     .offset = offsetof(nas_job_t, coordinator),
     .initial = "shared",
     .names = coordinator_names,
     .doc =
         "Whether rank 0, which coordinates, works besides like the others, or is dedicated to coordinating. The results are the same."},

    {.key = "silence",
     .type = NAS_JOB_FLOAT,
     .affects = NOTHING,
     .offset = offsetof(nas_job_t, silence_s),
     .initial = "300",
     .most = 1e8,
     .doc =
         "Seconds without a sign of life after which a rank counts as lost: its name is printed, the state is saved and the job ends. 0: never."},

    {.key = "pool.space",
     .type = NAS_JOB_ENUM,
     .affects = SCORES,
     .offset = offsetof(nas_job_t, pool.space),
     .names = pool_names,
     .doc = "Where architectures come from: the rows of a CSV table, or a search space."},
    {.key = "pool.table",
     .type = NAS_JOB_INPUT_PATH,
     .affects = NOTHING,
     .condition = &in_table,
     .offset = offsetof(nas_job_t, pool.table),
     .doc =
         "The table: CSV (RFC 4180) with a header row. An empty field, `nan` or an infinity means missing."},
    {.key = "pool.arch",
     .type = NAS_JOB_STRING,
     .affects = OBJECTIVE,
     .condition = &in_table,
     .offset = offsetof(nas_job_t, pool.arch),
     .initial = "arch",
     .doc = "The column that holds the architectures, each once."},
    {.key = "pool.encoding",
     .type = NAS_JOB_ENUM,
     .affects = VALUES,
     .condition = &in_table,
     .offset = offsetof(nas_job_t, pool.encoding),
     .initial = "none",
     .names = encoding_names,
     .doc =
         "How an architecture is read as positions with a choice each, which the methods `rea` and `reinforce` need: operations on the edges of a NAS-Bench-201 cell, or the digits of a tuple such as `(1, 0, 2)`."},
    {.key = "pool.missing",
     .type = NAS_JOB_STRINGS,
     .affects = OBJECTIVE,
     .condition = &in_table,
     .offset = offsetof(nas_job_t, pool.missing),
     .initial = "[]",
     .doc = "Further field values that mean missing, compared as text or as numbers."},
    {.key = "pool.subset",
     .type = NAS_JOB_SUBSET,
     .affects = SCORES,
     .condition = &in_space,
     .offset = offsetof(nas_job_t, pool.subset),
     .initial = "all",
     .least = 1,
     .most = 1e6,
     .doc =
         "Which architectures of the space: all of them; the first of every class, either by the authors' rule (`unique`) or by equal forward computation (`equivalent`), of nas-bench-201 only; N distinct ones drawn by the seed; or those that a file lists, one a line."},

    {.key = "metrics.source",
     .type = NAS_JOB_ENUM,
     .affects = SCORES,
     .offset = offsetof(nas_job_t, metrics.source),
     .initial = "table",
     .names = source_names,
     .doc =
         "Where metric values come from: columns of the pool's table, networks of nas-bench-201 that are built and measured, or a file that `robotnas score` wrote."},
    {.key = "metrics.file",
     .type = NAS_JOB_INPUT_PATH,
     .affects = NOTHING,
     .condition = &from_scores,
     .offset = offsetof(nas_job_t, metrics.file),
     .doc = "The state file of a scoring run, whose values are taken."},
    {.key = "metrics.names",
     .type = NAS_JOB_STRINGS,
     .affects = SCORES,
     .offset = offsetof(nas_job_t, metrics.names),
     .initial = "[]",
     .doc = "The metrics to compute or to combine. Methods that weigh metrics need at least one."},
    {.key = "metrics.transform",
     .type = NAS_JOB_CHOICES,
     .affects = VALUES,
     .search_only = true,
     .offset = offsetof(nas_job_t, metrics.transform_of),
     .value_offset = offsetof(nas_job_t, metrics.transform),
     .allowed_offset = offsetof(nas_job_t, metrics.names),
     .initial = "{}",
     .names = transform_names,
     .doc =
         "Per metric of `metrics.names`, what is applied before min-max normalisation; metrics without an entry stay as they are."},
    {.key = "metrics.batch",
     .type = NAS_JOB_INT,
     .affects = SCORES,
     .condition = &computed,
     .offset = offsetof(nas_job_t, metrics.batch),
     .initial = "64",
     .least = 1,
     .most = 65536,
     .doc = "The number of training images that the metrics are measured on."},
    {.key = "metrics.choice",
     .type = NAS_JOB_ENUM,
     .affects = SCORES,
     .condition = &computed,
     .offset = offsetof(nas_job_t, metrics.choice),
     .initial = "random",
     .names = choice_names,
     .doc = "Which images, by the seed: any, or equally many of every class."},

    {.key = "network.channels",
     .type = NAS_JOB_INT,
     .affects = IMAGES,
     .condition = &computed_or_trained,
     .offset = offsetof(nas_job_t, network.channels),
     .initial = "16",
     .least = 1,
     .most = 1024,
     .doc = "Channels of the first stage; the second has twice, the third four times as many."},
    {.key = "network.cells",
     .type = NAS_JOB_INT,
     .affects = IMAGES,
     .condition = &computed_or_trained,
     .offset = offsetof(nas_job_t, network.cells),
     .initial = "5",
     .least = 1,
     .most = 64,
     .doc = "Cells of each stage."},
    {.key = "network.convention",
     .type = NAS_JOB_ENUM,
     .affects = SCORES,
     .condition = &computed,
     .offset = offsetof(nas_job_t, network.convention),
     .initial = "score",
     .names = convention_names,
     .doc =
         "Parameters of the cells: as in the published metrics (convolutions with a bias, batch normalisation without parameters), or as in training (the reverse)."},

    {.key = "data.format",
     .type = NAS_JOB_ENUM,
     .affects = IMAGES,
     .condition = &computed_or_trained,
     .offset = offsetof(nas_job_t, data.format),
     .names = format_names,
     .doc =
         "How the files hold images: as the binary version of CIFAR-10 or CIFAR-100, as pairs of IDX files (images, then labels; gzip or not), or as HDF5 with `images` and `labels`."},
    {.key = "data.train",
     .type = NAS_JOB_INPUT_PATHS,
     .affects = IMAGES,
     .condition = &computed_or_trained,
     .offset = offsetof(nas_job_t, data.train),
     .doc = "Files of training images, in this order; at least one."},
    {.key = "data.test",
     .type = NAS_JOB_INPUT_PATHS,
     .affects = IMAGES,
     .condition = &computed_or_trained,
     .offset = offsetof(nas_job_t, data.test),
     .initial = "[]",
     .doc = "Files of test images."},
    {.key = "data.classes",
     .type = NAS_JOB_INT,
     .affects = IMAGES,
     .condition = &computed_or_trained,
     .offset = offsetof(nas_job_t, data.classes),
     .initial = "0",
     .most = 65536,
     .doc = "Number of classes; 0: as the format or the labels say."},
    {.key = "data.mean",
     .type = NAS_JOB_FLOATS,
     .affects = IMAGES,
     .condition = &computed_or_trained,
     .offset = offsetof(nas_job_t, data.mean),
     .initial = "[]",
     .least = -1e6,
     .most = 1e6,
     .doc =
         "A number a channel, subtracted from its values, which are 0 to 1 where the files hold bytes. Empty: the mean of the training images."},
    {.key = "data.std",
     .type = NAS_JOB_FLOATS,
     .affects = IMAGES,
     .condition = &computed_or_trained,
     .offset = offsetof(nas_job_t, data.std),
     .initial = "[]",
     .least = 1e-6,
     .most = 1e6,
     .doc =
         "A number a channel, by which its values are then divided. Empty: the standard deviation of the training images."},
    {.key = "data.limit",
     .type = NAS_JOB_INT,
     .affects = IMAGES,
     .condition = &computed_or_trained,
     .offset = offsetof(nas_job_t, data.limit),
     .initial = "0",
     .most = 1e9,
     .doc = "The most images of each split, from the front; 0: all."},

    {.key = "objective.kind",
     .type = NAS_JOB_ENUM,
     .affects = OBJECTIVE,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.kind),
     .names = objective_names,
     .doc =
         "How an architecture is judged: by a column of a table, by a short training of its network on the job's images (`docs/training.md`), or by a program of the user's (`docs/command.md`)."},
    {.key = "objective.table",
     .type = NAS_JOB_INPUT_PATH,
     .affects = NOTHING,
     .condition = &of_space_by_table,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.table),
     .doc =
         "The table of the columns below, a CSV file as `pool.table`, joined on the architecture in either form of the space."},
    {.key = "objective.arch",
     .type = NAS_JOB_STRING,
     .affects = OBJECTIVE,
     .condition = &of_space_by_table,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.arch),
     .initial = "arch",
     .doc = "Its column that holds the architectures, each once."},
    {.key = "objective.missing",
     .type = NAS_JOB_STRINGS,
     .affects = OBJECTIVE,
     .condition = &of_space_by_table,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.missing),
     .initial = "[]",
     .doc = "Further field values that mean missing in it, compared as text or as numbers."},
    {.key = "objective.column",
     .type = NAS_JOB_STRING,
     .affects = OBJECTIVE,
     .condition = &by_table,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.column),
     .doc = "The column of objective values."},
    {.key = "objective.minimise",
     .type = NAS_JOB_BOOL,
     .affects = OBJECTIVE,
     .condition = &by_table_or_command,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.minimise),
     .initial = "false",
     .doc = "Whether lower values are better."},
    {.key = "objective.cost",
     .type = NAS_JOB_OPTIONAL,
     .affects = OBJECTIVE,
     .condition = &by_table,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.cost),
     .initial = "",
     .doc =
         "The column of evaluation costs, which add up over a run. Empty: costs are not counted."},
    {.key = "objective.report",
     .type = NAS_JOB_STRINGS,
     .affects = OBJECTIVE,
     .condition = &by_table_or_command,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.report),
     .initial = "[]",
     .doc =
         "Columns to report of the best architecture, besides the objective; the search never sees them. Of a program's answer, the names of numbers under `columns`."},
    {.key = "objective.epochs",
     .type = NAS_JOB_INT,
     .affects = OBJECTIVE,
     .condition = &by_train,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.epochs),
     .initial = "12",
     .least = 1,
     .most = 10000,
     .doc = "Passes over the training images."},
    {.key = "objective.batch",
     .type = NAS_JOB_INT,
     .affects = OBJECTIVE,
     .condition = &by_train,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.batch),
     .initial = "256",
     .least = 1,
     .most = 65536,
     .doc = "Images of a step. What is left of an epoch's images is not seen in it."},
    {.key = "objective.shards",
     .type = NAS_JOB_INT,
     .affects = OBJECTIVE,
     .condition = &by_train,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.shards),
     .initial = "1",
     .least = 1,
     .most = 1024,
     .doc =
         "Equal parts of a batch, each normalised by itself; as many ranks, or fewer, share one training. The result depends on this number and on no number of ranks."},
    {.key = "objective.rate",
     .type = NAS_JOB_FLOAT,
     .affects = OBJECTIVE,
     .condition = &by_train,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.rate),
     .initial = "0.1",
     .least = 1e-9,
     .most = 1e3,
     .doc = "Learning rate of the first step."},
    {.key = "objective.schedule",
     .type = NAS_JOB_ENUM,
     .affects = OBJECTIVE,
     .condition = &by_train,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.schedule),
     .initial = "cosine",
     .names = schedule_names,
     .doc = "How the learning rate goes on: down to 0 as half a cosine over all steps, or not."},
    {.key = "objective.momentum",
     .type = NAS_JOB_FLOAT,
     .affects = OBJECTIVE,
     .condition = &by_train,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.momentum),
     .initial = "0.9",
     .most = 0.9999,
     .doc = "Momentum of stochastic gradient descent."},
    {.key = "objective.nesterov",
     .type = NAS_JOB_BOOL,
     .affects = OBJECTIVE,
     .condition = &by_train,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.nesterov),
     .initial = "true",
     .doc = "Whether the momentum is Nesterov's."},
    {.key = "objective.weight_decay",
     .type = NAS_JOB_FLOAT,
     .affects = OBJECTIVE,
     .condition = &by_train,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.weight_decay),
     .initial = "0.0005",
     .most = 1,
     .doc = "Weight decay on every parameter."},
    {.key = "objective.smoothing",
     .type = NAS_JOB_FLOAT,
     .affects = OBJECTIVE,
     .condition = &by_train,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.smoothing),
     .initial = "0",
     .most = 0.99,
     .doc = "Share of the label that is spread evenly over all classes."},
    {.key = "objective.clip",
     .type = NAS_JOB_FLOAT,
     .affects = OBJECTIVE,
     .condition = &by_train,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.clip),
     .initial = "0",
     .most = 1e9,
     .doc = "The largest norm of the whole gradient, which is scaled down to it; 0: any."},
    {.key = "objective.validation",
     .type = NAS_JOB_FLOAT,
     .affects = OBJECTIVE,
     .condition = &by_train,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.validation),
     .initial = "0.2",
     .most = 0.9,
     .doc =
         "Share of the training images that is held out, by the seed, to judge by; 0: the test images judge."},
    {.key = "objective.flip",
     .type = NAS_JOB_BOOL,
     .affects = OBJECTIVE,
     .condition = &by_train,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.flip),
     .initial = "false",
     .doc = "Whether half of the images, by the seed, are mirrored left to right."},
    {.key = "objective.crop",
     .type = NAS_JOB_INT,
     .affects = OBJECTIVE,
     .condition = &by_train,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.crop),
     .initial = "0",
     .most = 256,
     .doc =
         "Pixels of black around an image, of which a random part of the old size is cut out; 0: none."},
    {.key = "objective.cutout",
     .type = NAS_JOB_INT,
     .affects = OBJECTIVE,
     .condition = &by_train,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.cutout),
     .initial = "0",
     .most = 4096,
     .doc = "Side of a square, anywhere in the image, that is blanked out; 0: none."},
    {.key = "objective.command",
     .type = NAS_JOB_ARGUMENTS,
     .affects = OBJECTIVE,
     .condition = &by_command,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.command),
     .doc =
         "The program and its arguments, of which `{arch}`, `{index}`, `{seed}`, `{work}`, `{device}` and `{job}` are replaced. No shell."},
    {.key = "objective.timeout",
     .type = NAS_JOB_FLOAT,
     .affects = NOTHING,
     .condition = &by_command,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.timeout_s),
     .initial = "0",
     .most = 1e8,
     .doc = "Seconds after which a try of it is ended and has failed; 0: none."},
    {.key = "objective.retries",
     .type = NAS_JOB_INT,
     .affects = NOTHING,
     .condition = &by_command,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.retries),
     .initial = "0",
     .most = 100,
     .doc = "Tries after the first one that failed, before the architecture counts as failed."},
    {.key = "objective.patience",
     .type = NAS_JOB_INT,
     .affects = NOTHING,
     .condition = &by_train_or_command,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.patience),
     .initial = "3",
     .most = 1e9,
     .doc =
         "Failed evaluations after which a run gives up where none has succeeded; 0: it never does."},

    {.key = "search.method",
     .type = NAS_JOB_STRING,
     .affects = VALUES,
     .search_only = true,
     .offset = offsetof(nas_job_t, search.method),
     .initial = "robot",
     .doc = "The search method: `robot`, `random`, `rea`, `reinforce` or `single`."},
    {.key = "search.budget",
     .type = NAS_JOB_INT,
     .affects = VALUES,
     .search_only = true,
     .offset = offsetof(nas_job_t, search.budget),
     .least = 1,
     .most = 1e6,
     .doc = "T, the number of architectures that a repeat evaluates."},
    {.key = "search.repeats",
     .type = NAS_JOB_INT,
     .affects = VALUES,
     .search_only = true,
     .offset = offsetof(nas_job_t, search.repeats),
     .initial = "1",
     .least = 1,
     .most = 1e6,
     .doc = "How many times the search runs, each with its own seed."},
    {.key = "search.parallel",
     .type = NAS_JOB_INT,
     .affects = VALUES,
     .search_only = true,
     .offset = offsetof(nas_job_t, search.parallel),
     .initial = "1",
     .least = 1,
     .most = 1e4,
     .doc =
         "q, the number of architectures proposed at a time. It shapes the search and is independent of the number of ranks; 1 is the published method."},
    {.key = "search.groups",
     .type = NAS_JOB_INT,
     .affects = NOTHING,
     .search_only = true,
     .offset = offsetof(nas_job_t, search.groups),
     .initial = "0",
     .most = 1e6,
     .doc =
         "Rank groups over which the repeats are spread; 0 chooses by the size of the pool. The results are the same."},
    {.key = "search.metric",
     .type = NAS_JOB_OPTIONAL,
     .affects = VALUES,
     .search_only = true,
     .offset = offsetof(nas_job_t, search.metric),
     .initial = "",
     .doc = "The metric that the method `single` follows, one of `metrics.names`."},

    {.key = "checkpoint.interval",
     .type = NAS_JOB_FLOAT,
     .affects = NOTHING,
     .offset = offsetof(nas_job_t, checkpoint.interval_s),
     .initial = "60",
     .most = 60,
     .doc =
         "The most seconds between two checkpoints, as long as one takes less than 2 % of that; costlier ones are made less often. 0: one at every step."},
};

size_t nas_job_field_count(void)
{
    return sizeof fields / sizeof *fields;
}

const nas_job_field_t *nas_job_field_at(size_t i)
{
    return &fields[i];
}

ptrdiff_t nas_job_field_find(const char *key)
{
    for (size_t i = 0; i < nas_job_field_count(); i++)
        if (strcmp(fields[i].key, key) == 0) return (ptrdiff_t)i;
    return -1;
}

size_t nas_job_field_group(const nas_job_field_t *field)
{
    const char *dot = strchr(field->key, '.');
    return dot ? (size_t)(dot - field->key) : 0;
}

bool nas_job_same_group(const nas_job_field_t *a, const nas_job_field_t *b)
{
    const size_t length = nas_job_field_group(a);
    return length == nas_job_field_group(b) && strncmp(a->key, b->key, length) == 0;
}

bool nas_job_is_group(const char *name)
{
    for (size_t i = 0; i < nas_job_field_count(); i++) {
        const size_t length = nas_job_field_group(&fields[i]);
        if (length && strlen(name) == length && strncmp(fields[i].key, name, length) == 0)
            return true;
    }
    return false;
}

/* The field that a condition speaks of. */
static const nas_job_field_t *condition_field(const nas_job_condition_t *condition)
{
    const ptrdiff_t i = nas_job_field_find(condition->key);
    NAS_ASSERT(i >= 0 && fields[i].type == NAS_JOB_ENUM);
    return &fields[i];
}

static bool part_holds(const nas_job_t *job, const nas_job_condition_t *part)
{
    const int *choice = nas_job_value_const(job, condition_field(part)->offset);
    return part->choices >> *choice & 1u;
}

static bool holds(const nas_job_t *job, const nas_job_condition_t *condition)
{
    if (!part_holds(job, condition)) return condition->instead && holds(job, condition->instead);
    return !condition->also || holds(job, condition->also);
}

bool nas_job_condition_holds(const nas_job_t *job, const nas_job_field_t *field)
{
    return !field->condition || holds(job, field->condition);
}

const nas_job_condition_t *nas_job_condition_part(const nas_job_t *job,
                                                  const nas_job_field_t *field)
{
    const nas_job_condition_t *part = field->condition;
    if (part_holds(job, part)) return part->also && !holds(job, part->also) ? part->also : part;
    return part->instead && holds(job, part->instead) ? part->instead : part;
}

bool nas_job_applies(const nas_job_t *job, const nas_job_field_t *field)
{
    if (field->search_only && job->purpose != NAS_JOB_SEARCH) return false;
    return nas_job_condition_holds(job, field);
}

const char *nas_job_condition_value(const nas_job_t *job, const nas_job_condition_t *condition)
{
    const nas_job_field_t *field = condition_field(condition);
    return field->names[*(const int *)nas_job_value_const(job, field->offset)];
}

static const char *last_part(const char *key)
{
    const char *dot = strrchr(key, '.');
    return dot ? dot + 1 : key;
}

nas_status_t nas_job_field_nearest(const char *key, char **nearest_p, nas_error_t *err)
{
    nas_strings_t known = {0}, parts = {0};
    nas_status_t status = NAS_OK;
    for (size_t i = 0; !status && i < nas_job_field_count(); i++) {
        const char *name = fields[i].key, *part = last_part(name);
        status = nas_strings_add(&known, name, strlen(name), err);
        if (!status) status = nas_strings_add(&parts, part, strlen(part), err);
    }
    for (size_t i = 0; !status && i < nas_job_field_count(); i++) {
        const size_t length = nas_job_field_group(&fields[i]);
        if (length) status = nas_strings_add(&known, fields[i].key, length, err);
    }
    if (status) goto out;

    const char *nearest = nas_strings_nearest(&known, key);
    const char *part = nearest ? NULL : nas_strings_nearest(&parts, last_part(key));
    if (part) nearest = fields[nas_strings_find(&parts, part)].key;
    *nearest_p = nearest ? nas_string_copy(nearest, err) : NULL;
    if (nearest && !*nearest_p) status = NAS_ENOMEM;
out:
    nas_strings_fini(&known);
    nas_strings_fini(&parts);
    return status;
}

void *nas_job_value(nas_job_t *job, size_t offset)
{
    return (char *)job + offset;
}

const void *nas_job_value_const(const nas_job_t *job, size_t offset)
{
    return (const char *)job + offset;
}

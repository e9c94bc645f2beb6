/* Keys about the run as a whole, the pool and the networks around its cells; names of spaces and
 * encodings are asked of common/space. */
#include "common/job/job.h"
#include "common/space/encoding.h"
#include "common/space/subset.h"

#include <string.h>

#define FIELDS(list) .fields = (list), .n_fields = sizeof(list) / sizeof *(list)

static const nas_job_condition_t on_images = {
    .key = "objective.kind", .choices = NAS_OBJECTIVE_ON_IMAGES, .tolerant = true};
const nas_job_condition_t nas_job_with_networks = {.key = "metrics.source",
                                                   .choices = 1u << NAS_SOURCE_COMPUTE,
                                                   .tolerant = true,
                                                   .instead = &on_images};

/* ---- The run ---- */

/* Seeds stay exact in readers of JSON that keep numbers as doubles. */
#define MOST_SEED 9007199254740992.0

static const nas_job_field_t identity[] = {
    {.key = "name",
     .type = NAS_JOB_IDENTIFIER,
     .affects = NAS_JOB_AFFECTS_VALUES,
     .offset = offsetof(nas_job_t, name),
     .doc = "Names the job in reports."},
    {.key = "seed",
     .type = NAS_JOB_INT,
     .affects = NAS_JOB_OF_SCORES,
     .offset = offsetof(nas_job_t, seed),
     .initial = "0",
     .most = MOST_SEED,
     .doc = "Every random choice follows from it. Repeat r, counted from 0, runs with seed + r."},
    {.key = "output",
     .type = NAS_JOB_OUTPUT_PATH,
     .affects = NAS_JOB_AFFECTS_NOTHING,
     .offset = offsetof(nas_job_t, output),
     .initial = "<name>.h5",
     .doc = "The state file of the run, which `report` reads and `--resume` continues."},
};

const nas_job_section_t nas_job_identity = {FIELDS(identity)};

static const char *const coordinator_names[] = {"shared", "dedicated", NULL};

static const nas_job_field_t world[] = {
    {.key = "coordinator",
     .type = NAS_JOB_ENUM,
     .affects = NAS_JOB_AFFECTS_NOTHING,
     .offset = offsetof(nas_job_t, coordinator),
     .initial = "shared",
     .names = coordinator_names,
     .doc =
         "Whether rank 0, which coordinates, works besides like the others, or is dedicated to coordinating. The results are the same."},
    {.key = "silence",
     .type = NAS_JOB_FLOAT,
     .affects = NAS_JOB_AFFECTS_NOTHING,
     .offset = offsetof(nas_job_t, silence_s),
     .initial = "300",
     .most = 1e8,
     .doc =
         "Seconds without a sign of life after which a rank counts as lost: its name is printed, the state is saved and the job ends. 0: never."},
};

const nas_job_section_t nas_job_world = {FIELDS(world)};

static const nas_job_field_t checkpoint[] = {
    {.key = "checkpoint.interval",
     .type = NAS_JOB_FLOAT,
     .affects = NAS_JOB_AFFECTS_NOTHING,
     .offset = offsetof(nas_job_t, checkpoint.interval_s),
     .initial = "60",
     .most = 60,
     .doc =
         "The most seconds between two checkpoints, as long as one takes less than 2 % of that; costlier ones are made less often. 0: one at every step."},
};

const nas_job_section_t nas_job_checkpoint = {FIELDS(checkpoint)};

/* ---- The pool: the rows of a table, with or without networks in files, or a space of the list ---- */

/* The space of a choice; NULL: of a table, or past the last. */
static const nas_space_t *space_of(size_t choice)
{
    int n = 0;
    const nas_space_t *const *list = nas_space_list(&n);
    return choice >= 1 && choice <= (size_t)n ? list[choice - 1] : NULL;
}

static const char *pool_name(size_t choice)
{
    int n = 0;
    if (choice == 0) return "table";
    (void)nas_space_list(&n);
    if (choice == (size_t)n + 1) return "onnx";
    return space_of(choice) ? space_of(choice)->name : NULL;
}

static unsigned pool_traits(size_t choice)
{
    const nas_space_t *space = space_of(choice);
    if (choice == 0) return NAS_POOL_OF_TABLE;
    if (!space) return NAS_POOL_OF_TABLE | NAS_POOL_OF_FILES | NAS_POOL_WITH_NETWORKS;
    return NAS_POOL_OF_SPACE | (space->build ? NAS_POOL_WITH_NETWORKS : 0u) |
           (space->unique ? NAS_POOL_WITH_CLASSES : 0u) |
           (space->has_depth ? NAS_POOL_WITH_DEPTH : 0u);
}

const nas_space_t *nas_job_space(const nas_job_t *job)
{
    return space_of((size_t)job->pool.space);
}

static const nas_job_condition_t in_table = {.key = "pool.space", .choices = NAS_POOL_OF_TABLE};
static const nas_job_condition_t in_files = {.key = "pool.space", .choices = NAS_POOL_OF_FILES};
static const nas_job_condition_t in_space = {.key = "pool.space", .choices = NAS_POOL_OF_SPACE};

static const nas_job_field_t pool[] = {
    {.key = "pool.space",
     .type = NAS_JOB_ENUM,
     .affects = NAS_JOB_OF_SCORES,
     .offset = offsetof(nas_job_t, pool.space),
     .name = pool_name,
     .traits = pool_traits,
     .doc =
         "Where architectures come from: the rows of a CSV table; a search space; or `onnx`, the rows of a table with a network each in an ONNX file."},
    {.key = "pool.table",
     .type = NAS_JOB_INPUT_PATH,
     .affects = NAS_JOB_AFFECTS_NOTHING,
     .condition = &in_table,
     .offset = offsetof(nas_job_t, pool.table),
     .doc =
         "The table: CSV (RFC 4180) with a header row. An empty field, `nan` or an infinity means missing."},
    {.key = "pool.arch",
     .type = NAS_JOB_STRING,
     .affects = NAS_JOB_OF_OBJECTIVE,
     .condition = &in_table,
     .offset = offsetof(nas_job_t, pool.arch),
     .initial = "arch",
     .doc = "The column that holds the architectures, each once."},
    {.key = "pool.onnx",
     .type = NAS_JOB_INPUT_PATH,
     .affects = NAS_JOB_AFFECTS_NOTHING,
     .condition = &in_files,
     .offset = offsetof(nas_job_t, pool.onnx),
     .may_lack = true,
     .doc =
         "The file of an architecture, as `nets/{arch}.onnx`; `{{` and `}}` are braces. Without it, and without a command, the table's column `onnx` has the paths, relative to the table."},
    {.key = "pool.command",
     .type = NAS_JOB_ARGUMENTS,
     .affects = NAS_JOB_OF_IMAGES,
     .condition = &in_files,
     .offset = offsetof(nas_job_t, pool.command),
     .may_lack = true,
     .doc =
         "A program and its arguments that write the file of an architecture when it is needed, `{onnx}`; `{arch}` and `{job}` are replaced, too. No shell."},
    {.key = "pool.timeout",
     .type = NAS_JOB_FLOAT,
     .affects = NAS_JOB_AFFECTS_NOTHING,
     .condition = &in_files,
     .offset = offsetof(nas_job_t, pool.timeout_s),
     .initial = "300",
     .most = 1e8,
     .doc = "Seconds after which the command is ended, and the architecture has failed; 0: none."},
    {.key = "pool.encoding",
     .type = NAS_JOB_ENUM,
     .affects = NAS_JOB_AFFECTS_VALUES,
     .condition = &in_table,
     .offset = offsetof(nas_job_t, pool.encoding),
     .initial = "none",
     .name = nas_encoding_name,
     .doc =
         "How an architecture is read as positions with a choice each, which the methods `rea` and `reinforce` need and `pool-gp` learns from: operations on the edges of a NAS-Bench-201 cell, or the digits of a tuple such as `(1, 0, 2)`."},
    {.key = "pool.missing",
     .type = NAS_JOB_STRINGS,
     .affects = NAS_JOB_OF_OBJECTIVE,
     .condition = &in_table,
     .offset = offsetof(nas_job_t, pool.missing),
     .initial = "[]",
     .doc =
         "Further field values that mean missing, compared as text or as numbers. A number that stands for a missing one, such as -1e8, is a value like any other unless it is named here: `robot` would scale the metric by it."},
    {.key = "pool.subset",
     .type = NAS_JOB_SUBSET,
     .affects = NAS_JOB_OF_SCORES,
     .condition = &in_space,
     .offset = offsetof(nas_job_t, pool.subset),
     .initial = "all",
     .least = 1,
     .most = 1e6,
     .doc =
         "Which architectures of the space: all of them; the first of every class, either by the authors' rule (`unique`) or by equal forward computation (`equivalent`), of nas-bench-201 only; N distinct ones drawn by the seed; or those that a file lists, one a line."},
};

static nas_status_t check_subset(const nas_job_t *job, nas_error_t *err)
{
    const int kind = job->pool.subset.kind;
    if (nas_job_has(job, "pool.space", NAS_POOL_WITH_CLASSES) ||
        (kind != NAS_SUBSET_UNIQUE && kind != NAS_SUBSET_EQUIVALENT))
        return NAS_OK;
    char spaces[NAS_JOB_NAMES_SIZE];
    nas_job_names_with(job, "pool.space", NAS_POOL_WITH_CLASSES, spaces);
    return nas_job_error(
        job, "pool.subset", err,
        "only %s has classes of architectures; set all, {sample: N} or {file: PATH}", spaces);
}

const nas_job_section_t nas_job_pool = {FIELDS(pool)};

/* ---- The networks around the cells ---- */

static const nas_job_condition_t computed = {
    .key = "metrics.source", .choices = 1u << NAS_SOURCE_COMPUTE, .tolerant = true};

static const nas_job_condition_t of_depth = {.key = "pool.space",
                                             .choices = NAS_POOL_WITH_DEPTH,
                                             .tolerant = true,
                                             .also = &nas_job_with_networks};

/* Of files, networks are as they are. */
static const nas_job_condition_t of_space = {.key = "pool.space",
                                             .choices = NAS_POOL_OF_SPACE,
                                             .tolerant = true,
                                             .also = &nas_job_with_networks};

static const nas_job_condition_t computed_of_space = {
    .key = "pool.space", .choices = NAS_POOL_OF_SPACE, .tolerant = true, .also = &computed};

static const char *const convention_names[] = {"score", "train", NULL};
static const char *const weights_names[] = {"usual", "kaiming", "uniform", "file", NULL};

static const nas_job_field_t network[] = {
    {.key = "network.channels",
     .type = NAS_JOB_INT,
     .affects = NAS_JOB_OF_IMAGES,
     .condition = &of_space,
     .offset = offsetof(nas_job_t, network.channels),
     .initial = "16",
     .least = 1,
     .most = 1024,
     .doc =
         "Channels of the first stage, or of the first cell; those of later ones follow. The benchmark's own networks have 16 in nas-bench-201, and 64 in transnas-micro and transnas-macro."},
    {.key = "network.cells",
     .type = NAS_JOB_INT,
     .affects = NAS_JOB_OF_IMAGES,
     .condition = &of_depth,
     .offset = offsetof(nas_job_t, network.cells),
     .initial = "5",
     .least = 1,
     .most = 64,
     .doc =
         "Cells of each of the three stages of nas-bench-201; cells of a whole network of darts."},
    {.key = "network.convention",
     .type = NAS_JOB_ENUM,
     .affects = NAS_JOB_OF_SCORES,
     .condition = &computed_of_space,
     .offset = offsetof(nas_job_t, network.convention),
     .initial = "score",
     .names = convention_names,
     .doc =
         "Parameters of the cells of nas-bench-201: as in the published metrics (convolutions with a bias, batch normalisation without parameters), or as in training (the reverse). Networks of other spaces are always as in training."},
    {.key = "network.weights",
     .type = NAS_JOB_ENUM,
     .affects = NAS_JOB_OF_IMAGES,
     .condition = &nas_job_with_networks,
     .offset = offsetof(nas_job_t, network.weights),
     .initial = "usual",
     .is_later = true,
     .names = weights_names,
     .doc =
         "What networks are scored with and trainings begin with: `kaiming`, normal with variance 2 / fan-in, biases 0; `uniform`, PyTorch's default; `file`, what ONNX files have, with their running statistics. `usual` is kaiming for ONNX files and uniform in a space."},
};

static nas_status_t refuse_of_files(const nas_job_t *job, const char *key, nas_error_t *err)
{
    if (!nas_job_names(job, key)) return NAS_OK;
    return nas_job_error(job, key, err,
                         "networks of ONNX files are as they are; remove it, or set pool.space");
}

static nas_status_t check_files(const nas_job_t *job, nas_error_t *err)
{
    nas_status_t status = refuse_of_files(job, "network.channels", err);
    if (!status) status = refuse_of_files(job, "network.cells", err);
    if (!status) status = refuse_of_files(job, "network.convention", err);
    if (status) return status;
    if (job->pool.onnx && job->pool.command.n > 0)
        return nas_job_error(
            job, "pool.onnx", err,
            "the command says where it writes, {onnx}; remove pool.onnx, or pool.command");
    if (job->pool.onnx && !strstr(job->pool.onnx, "{arch}"))
        return nas_job_error(
            job, "pool.onnx", err,
            "has no {arch}, so that all architectures would have one file; write it as nets/{arch}.onnx");
    return NAS_OK;
}

static nas_status_t check_networks(const nas_job_t *job, nas_error_t *err)
{
    if (nas_job_has(job, "pool.space", NAS_POOL_OF_FILES)) return check_files(job, err);
    if (job->network.weights == NAS_JOB_WEIGHTS_FILE)
        return nas_job_error(
            job, "network.weights", err,
            "networks of this pool have no files to take weights from; set kaiming, uniform or usual");
    return check_subset(job, err);
}

/* After what is said of the pool and of the metrics. */
const nas_job_section_t nas_job_network = {FIELDS(network), .check = check_networks};

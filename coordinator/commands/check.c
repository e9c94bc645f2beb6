#include "common/io/file.h"
#include "common/space/arch.h"
#include "coordinator/commands/command.h"
#include "coordinator/commands/job_options.h"
#include "coordinator/inputs/notes.h"
#include "coordinator/registries/registries.h"
#include "coordinator/score/score_parameters.h"
#include "coordinator/search/search_parameters.h"
#include "worker/engine/backends/backends.h"
#include "worker/engine/graph/cost.h"
#include "worker/engine/metrics/metric.h"
#include "worker/engine/program/footprint.h"
#include "worker/engine/program/program.h"
#include "worker/objectives/train/objective_train.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: robotnas check JOB.yaml [--set KEY=VALUE]... [--ranks N] [--score]\n"
    "\n"
    "Read and check a job and all that it names, print it with every default filled in, and say\n"
    "what it will need. Runs nothing, never starts MPI, changes nothing.\n"
    "\n"
    "  --set KEY=VALUE   override a key of the job file (may be repeated)\n"
    "  --ranks N         ranks of the run to estimate for (default 1)\n"
    "  --score           check what robotnas score would do with the job\n";

/* What a rank does where cells have 3 x 3 convolutions, by docs/performance.md; others have less.
 */
static const double ASSUMED_FLOPS = 100e9, SECONDS_PER_HOUR = 3600.0;

/* Time that the search itself takes and that is worth a line. */
static const double NOTABLE_S = 60.0;

static double mebibytes(double bytes)
{
    return bytes / (1024.0 * 1024.0);
}

static bool scores(const nas_inputs_t *inputs)
{
    return inputs->score.batch.n > 0;
}

static bool trains(const nas_inputs_t *inputs)
{
    return inputs->search.method && nas_objective_has(inputs->job, NAS_OBJECTIVE_ON_IMAGES);
}

/* Zero where nothing is searched. */
static nas_search_parameters_t search_of(const nas_inputs_t *inputs, int n_ranks)
{
    if (!inputs->search.method) return (nas_search_parameters_t){.n_groups = 1};
    return nas_search_parameters(&inputs->search, &inputs->pool, n_ranks);
}

static int64_t groups_of(const nas_inputs_t *inputs, int n_ranks)
{
    return search_of(inputs, n_ranks).n_groups;
}

/* Teams that evaluate at a time, as evaluator_setup.c makes them, less those that find nothing to do.
 * team_size [in, out] that is wanted, that is had. */
static int64_t teams_at_work(const nas_inputs_t *inputs, int n_ranks, int64_t *team_size)
{
    const int64_t n_workers =
        n_ranks > 1 ? n_ranks - (inputs->job->coordinator == NAS_COORDINATOR_DEDICATED) : n_ranks;
    const int64_t n_candidates = inputs->job->search.parallel * groups_of(inputs, n_ranks);
    if (n_workers < *team_size) *team_size = n_workers;
    const int64_t n_teams = n_workers / *team_size;
    return n_teams < n_candidates ? n_teams : n_candidates;
}

/* What the method takes for a repeat. */
static nas_method_need_t method_need(const nas_inputs_t *inputs)
{
    const nas_search_inputs_t *search = &inputs->search;
    if (!search->method) return (nas_method_need_t){0};
    const nas_method_setup_t setup =
        nas_search_inputs_setup(search, &inputs->pool, (uint64_t)inputs->job->seed);
    return search->method->need(&setup);
}

/* Time of the search itself: of its method, and of a pass over a rank's shard of the score table for
 * each observation. */
static double search_s(const nas_inputs_t *inputs, int n_ranks)
{
    const nas_search_parameters_t search = search_of(inputs, n_ranks);
    const double values_per_s = 2e9; /* 4 bytes each, from memory */
    const int64_t n_groups = groups_of(inputs, n_ranks);
    const double ranks_of_group = floor((double)n_ranks / (double)n_groups);
    const double n_values = (double)search.budget * (double)search.n_arch * (double)search.n_metric;
    const double rounds = ceil((double)search.n_repeat / (double)n_groups);
    return rounds * (method_need(inputs).seconds + n_values / values_per_s / ranks_of_group);
}

/* Ranks that share the rows of the pool's table; rank 0 alone keeps what is no table's. */
static int keepers_of(const nas_inputs_t *inputs, int n_ranks)
{
    nas_file_stamp_t stamp = {0};
    const char *table = inputs->job->pool.table;
    if (!table || !nas_file_stamp(table, &stamp)) return 1;
    return nas_shared_table_readers(stamp.size, NAS_SHARED_TABLE_LEAST, n_ranks);
}

/* Memory of the largest ranks: each keeps its share of the table's columns and names and of the score
 * table, rank 0 what is scored, and as leader of a group what the method needs, as do other leaders. */
static void print_memory(const nas_inputs_t *inputs, int n_ranks, FILE *out)
{
    const nas_job_t *job = inputs->job;
    const double n_arch = (double)nas_pool_count(&inputs->pool);
    const double n_values = n_arch * (double)job->metrics.names.n;
    const int64_t n_groups = groups_of(inputs, n_ranks);
    const double shard = 4.0 * n_values / floor((double)n_ranks / (double)n_groups);
    const int n_keepers = keepers_of(inputs, n_ranks);
    const double rows =
        n_arch * (8.0 * (2.0 + (double)job->objective.report.n) + 64.0) + 8.0 * n_values;
    const double kept = rows / n_keepers, method = method_need(inputs).n_bytes;
    (void)fprintf(out, "# ranks:       %d in %lld group%s\n", n_ranks, (long long)n_groups,
                  n_groups == 1 ? "" : "s");
    (void)fprintf(
        out, "# memory:      about %.0f MiB on rank 0, %.0f MiB on the others, besides MPI's own\n",
        ceil(mebibytes(kept + shard + method)),
        ceil(mebibytes((n_keepers > 1 ? kept : 0.0) + shard + (n_groups > 1 ? method : 0.0))));
}

/* Programs of networks are planned as a run on this machine would. */
static nas_status_t print_tensors(const nas_inputs_t *inputs, const char *what,
                                  nas_footprint_options_t options, FILE *out, nas_error_t *err)
{
    nas_arch_t arch = {0};
    nas_pool_cost_t cost;
    size_t bytes = 0;
    if (options.n_needs == 0) return NAS_OK; /* metrics that are formulas */
    options.backend = nas_backend_of((nas_backend_kind_t)inputs->job->backend, nas_isa_best());
    if (!options.backend) return NAS_OK; /* of another program's job */
    nas_status_t status = nas_pool_cost(&inputs->pool, options.network, &cost, err);
    if (!status) status = nas_arch_init(&arch, inputs->pool.space, err);
    if (status) return status;
    nas_arch_set(&arch, cost.largest);
    options.arch = &arch;
    status = nas_footprint(&options, &bytes, err);
    nas_arch_fini(&arch);
    if (!status)
        (void)fprintf(out,
                      "#              and %.0f MiB for the tensors of a network while it is %s\n",
                      ceil(mebibytes((double)bytes)), what);
    return status;
}

static nas_status_t print_scoring_memory(const nas_inputs_t *inputs, FILE *out, nas_error_t *err)
{
    const nas_score_parameters_t score =
        nas_score_parameters(inputs->job, &inputs->pool, &inputs->score);
    unsigned needs[] = {0, 0};
    int n_metrics = 0;
    const nas_metric_t *const *metric = nas_metric_list(&n_metrics);
    for (int64_t m = 0; m < score.n_metric; m++) needs[0] |= metric[score.metric[m]]->needs;
    needs[1] = needs[0] & NAS_NEED_FLOW;
    needs[0] &= ~(unsigned)NAS_NEED_FLOW;
    const nas_footprint_options_t options = {.network = &score.network,
                                             .batch = (int)score.batch,
                                             .needs = needs[0] ? needs : needs + 1,
                                             .n_needs = (needs[0] != 0) + (needs[1] != 0)};
    return print_tensors(inputs, "scored", options, out, err);
}

static nas_status_t print_training_memory(const nas_inputs_t *inputs, FILE *out, nas_error_t *err)
{
    static const unsigned needs[] = {NAS_NEED_LOSS | NAS_NEED_GRADIENT, NAS_NEED_INFERENCE};
    const nas_recipe_t recipe = nas_job_recipe(inputs->job);
    const nas_network_t network = nas_job_trained_network(inputs->job, &inputs->images.dataset);
    const nas_footprint_options_t options = {.network = &network,
                                             .batch = (int)(recipe.batch / recipe.shards),
                                             .needs = needs,
                                             .n_needs = 2};
    return print_tensors(inputs, "trained", options, out, err);
}

/* All metrics together take about eight passes. */
static nas_status_t print_scoring(const nas_inputs_t *inputs, int n_ranks, FILE *out,
                                  nas_error_t *err)
{
    const nas_score_parameters_t score =
        nas_score_parameters(inputs->job, &inputs->pool, &inputs->score);
    const double passes = 8.0;
    nas_pool_cost_t cost;
    const nas_status_t status = nas_pool_cost(&inputs->pool, &score.network, &cost, err);
    if (status) return status;
    const double flops = 2.0 * passes * cost.mean_flops * (double)nas_pool_count(&inputs->pool) *
                         (double)inputs->score.batch.n;
    const double rank_hours = flops / ASSUMED_FLOPS / SECONDS_PER_HOUR;
    (void)fprintf(
        out,
        "# scoring:     about %.3g flops: %.3g rank hours at 100 GFLOP/s a rank, %.3g hours on %d rank%s\n",
        flops, rank_hours, rank_hours / n_ranks, n_ranks, n_ranks == 1 ? "" : "s");
    return NAS_OK;
}

/* Evaluations are looked up here; what they would have cost to make is the table's cost column. */
static void print_table_cost(const nas_inputs_t *inputs, double n_evaluations, int n_ranks,
                             FILE *out)
{
    const double cost = nas_objective_mean_cost(inputs->evaluate.objective) * n_evaluations;
    const bool is_quick = search_s(inputs, n_ranks) < NOTABLE_S;
    (void)fprintf(out, "# evaluations: %.0f, looked up in the table: %s\n", n_evaluations,
                  is_quick ? "seconds, no node hours" : "no time but the method's own");
    if (isfinite(cost))
        (void)fprintf(out, "# cost:        about %.4g in units of %s, at the pool's mean\n", cost,
                      inputs->job->objective.cost);
}

/* A step takes three passes of each image: forward, and backward by data and by weights. */
static nas_status_t print_training(const nas_inputs_t *inputs, double n_evaluations, int n_ranks,
                                   FILE *out, nas_error_t *err)
{
    const double passes = 3.0;
    const nas_recipe_t recipe = nas_job_recipe(inputs->job);
    const nas_network_t network = nas_job_trained_network(inputs->job, &inputs->images.dataset);
    const nas_image_source_t *train = &inputs->images.dataset.train;
    const double n_images = (double)recipe.epochs * (double)train->n * (1.0 - recipe.validation);
    nas_pool_cost_t cost;
    const nas_status_t status = nas_pool_cost(&inputs->pool, &network, &cost, err);
    if (status) return status;
    const double flops = 2.0 * passes * n_images * cost.mean_flops;
    const double rank_hours = n_evaluations * flops / ASSUMED_FLOPS / SECONDS_PER_HOUR;
    int64_t team_size = recipe.shards;
    const int64_t n_teams = teams_at_work(inputs, n_ranks, &team_size);
    const double at_once = (double)(n_teams * team_size);
    (void)fprintf(out, "# evaluations: %.0f trainings of %.0f images each\n", n_evaluations,
                  n_images);
    (void)fprintf(
        out,
        "# training:    about %.3g rank hours at 100 GFLOP/s a rank, %.3g hours with %.0f rank%s at work\n",
        rank_hours, rank_hours / at_once, at_once, at_once == 1 ? "" : "s");
    (void)fprintf(out, "#              the images are on every rank: %.0f MiB\n",
                  ceil(mebibytes((double)(train->n_bytes + inputs->images.dataset.test.n_bytes))));
    return NAS_OK;
}

static nas_status_t print_evaluations(const nas_inputs_t *inputs, int n_ranks, FILE *out,
                                      nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    const double n = (double)job->search.budget * (double)job->search.repeats;
    if (nas_objective_has(job, NAS_OBJECTIVE_IN_TABLE))
        print_table_cost(inputs, n, n_ranks, out);
    else if (nas_objective_has(job, NAS_OBJECTIVE_ON_IMAGES))
        return print_training(inputs, n, n_ranks, out, err);
    else
        (void)fprintf(out, "# evaluations: %.0f runs of the command, up to %lld at a time\n", n,
                      (long long)teams_at_work(inputs, n_ranks, &(int64_t){1}));
    return NAS_OK;
}

/* Where the search itself takes more than seconds. */
static void print_method(const nas_inputs_t *inputs, int n_ranks, FILE *out)
{
    const double seconds = search_s(inputs, n_ranks);
    const int64_t n_groups = groups_of(inputs, n_ranks);
    if (seconds < NOTABLE_S) return;
    (void)fprintf(
        out, "# method:      about %.3g hours with %lld repeat%s at a time, for the steps of %s\n",
        seconds / SECONDS_PER_HOUR, (long long)n_groups, n_groups == 1 ? "" : "s",
        inputs->search.method->name);
}

/* An observation has its weights, an evaluation its name, columns and some numbers; a score its
 * name and values. */
static void print_checkpoint(const nas_inputs_t *inputs, FILE *out)
{
    const nas_search_parameters_t search = search_of(inputs, 1);
    const double n_metric = (double)inputs->job->metrics.names.n;
    const double n_evaluations = (double)search.budget * (double)search.n_repeat;
    const double evaluation =
        8.0 * n_metric + 8.0 * (double)inputs->job->objective.report.n + 200.0;
    const double n_scores = scores(inputs) ? (double)nas_pool_count(&inputs->pool) : 0;
    const double bytes = 65536.0 + 4096.0 * (double)search.n_repeat + n_evaluations * evaluation +
                         n_scores * (8.0 * n_metric + 120.0);
    (void)fprintf(out, "# state file:  at most about %.1f MiB, twice (the previous one is kept)\n",
                  mebibytes(bytes));
}

/* What a run would find out when it begins is found before anything is printed. */
static nas_status_t collect_notes(const nas_inputs_t *inputs, nas_strings_t *notes,
                                  nas_error_t *err)
{
    const nas_status_t status = nas_inputs_note_output(inputs, notes, err);
    return status ? status : nas_inputs_note(inputs, notes, err);
}

static nas_status_t print_all(const nas_inputs_t *inputs, const nas_strings_t *notes, int n_ranks,
                              nas_error_t *err)
{
    char *text = NULL;
    nas_status_t status = nas_job_print(inputs->job, false, &text, err);
    if (status) return status;
    (void)fputs(text, stdout);
    free(text);
    (void)fprintf(stdout, "\n# pool:        %lld architectures\n",
                  (long long)nas_pool_count(&inputs->pool));
    print_memory(inputs, n_ranks, stdout);
    if (scores(inputs) && (status = print_scoring_memory(inputs, stdout, err))) return status;
    if (trains(inputs) && (status = print_training_memory(inputs, stdout, err))) return status;
    if (scores(inputs) && (status = print_scoring(inputs, n_ranks, stdout, err))) return status;
    if (inputs->search.method && (status = print_evaluations(inputs, n_ranks, stdout, err)))
        return status;
    if (inputs->search.method) print_method(inputs, n_ranks, stdout);
    print_checkpoint(inputs, stdout);
    for (size_t i = 0; i < notes->n; i++) (void)fprintf(stdout, "# note: %s\n", notes->at[i]);
    if (fflush(stdout)) return nas_error_set(err, NAS_EIO, "the output cannot be written");
    return NAS_OK;
}

static nas_status_t check(const nas_job_options_t *options, nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_job_source_t source = {.sections = nas_registries_job(),
                                     .path = options->job,
                                     .set = options->set,
                                     .n_set = options->n_set,
                                     .purpose = options->score ? NAS_JOB_SCORE : NAS_JOB_SEARCH};
    nas_strings_t notes = {0};
    nas_status_t status = nas_inputs_read_job(inputs, &source, err);
    if (!status) status = nas_inputs_read_files(inputs, err);
    if (!status) status = collect_notes(inputs, &notes, err);
    if (!status) status = print_all(inputs, &notes, options->n_ranks, err);
    nas_strings_fini(&notes);
    return status;
}

static int run(int argc, char **argv)
{
    nas_error_t err = {0};
    nas_job_options_t options = {0};
    nas_inputs_t inputs = {0};
    nas_status_t status = nas_job_options_parse(&nas_cli_check, argc, argv, &options, &err);
    if (!status && options.help) {
        (void)fputs(help, stdout);
    } else if (!status) {
        status = check(&options, &inputs, &err);
    }
    nas_inputs_fini(&inputs);
    nas_job_options_fini(&options);
    return nas_cli_finish(status, &err);
}

const nas_cli_command_t nas_cli_check = {
    .name = "check",
    .summary = "print the resolved job and what it will need; runs nothing",
    .help = help,
    .run = run,
};

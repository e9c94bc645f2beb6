#include "coordinator/commands/command.h"
#include "coordinator/commands/job_options.h"
#include "coordinator/commands/networks.h"
#include "coordinator/devices/fit.h"
#include "coordinator/evaluate/evaluate_needs.h"
#include "coordinator/inputs/inputs_needs.h"
#include "coordinator/inputs/notes.h"
#include "coordinator/registries/registries.h"
#include "coordinator/score/score_needs.h"
#include "coordinator/search/search_needs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "usage: robotnas check JOB.yaml [--set KEY=VALUE]... [--device DEVICE] [--ranks N] [--score]\n"
    "       robotnas check NET.onnx... [--batch N] [--backend NAME]\n"
    "       robotnas check --schema\n"
    "\n"
    "Read and check a job and all that it names, print it with every default filled in, and say\n"
    "what it will need. Runs nothing, never starts MPI, changes nothing.\n"
    "\n"
    "  --set KEY=VALUE   override a key of the job file (may be repeated)\n"
    "  --device DEVICE   what networks are to be computed on (--set device=DEVICE)\n"
    "  --ranks N         ranks of the run to estimate for (default 1)\n"
    "  --score           check what robotnas score would do with the job\n"
    "  --schema          print a JSON Schema of the job file, for editors, and read nothing\n";

/* What a rank does where cells have 3 x 3 convolutions, by docs/performance.md; others have less.
 */
static const double ASSUMED_FLOPS = 100e9, SECONDS_PER_HOUR = 3600.0;

/* Time that the search itself takes and that is worth a line. */
static const double NOTABLE_S = 60.0;

/* What a job will take. */
typedef struct needs {
    nas_inputs_needs_t inputs;
    nas_search_needs_t search;
    nas_score_needs_t score;       /* where metrics are computed */
    nas_evaluate_needs_t evaluate; /* where something is searched */
    nas_devices_view_t device;     /* where networks are computed */
    nas_devices_fit_t fit[2];      /* [n_fit] what on it */
    int n_fit;
} needs_t;

static bool scores(const nas_inputs_t *inputs)
{
    return inputs->score.batch.n > 0;
}

static bool trains(const nas_inputs_t *inputs)
{
    return inputs->search.method && nas_objective_has(inputs->job, NAS_OBJECTIVE_ON_IMAGES);
}

/* What is computed, and by what. */
static nas_status_t ask_device(const nas_inputs_t *inputs, needs_t *needs, nas_error_t *err)
{
    nas_devices_fit_t *fit = needs->fit;
    if (scores(inputs))
        fit[needs->n_fit++] =
            (nas_devices_fit_t){.n_bytes = needs->score.gpu_bytes, .what = "scored"};
    if (trains(inputs))
        fit[needs->n_fit++] =
            (nas_devices_fit_t){.n_bytes = needs->evaluate.of.gpu_bytes, .what = "trained"};
    if (needs->n_fit == 0) return NAS_OK;
    nas_devices_look(inputs->job, &needs->device);
    return nas_devices_fit_all(inputs->job, &needs->device, fit, needs->n_fit, err);
}

static nas_status_t ask_stages(const nas_inputs_t *inputs, int n_ranks, needs_t *needs,
                               nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    needs->inputs = nas_inputs_needs(inputs, n_ranks);
    needs->search = nas_search_needs(&inputs->search, &inputs->pool, n_ranks);
    const nas_evaluate_load_t load = {.objective = nas_inputs_objective(inputs),
                                      .pool = &inputs->pool,
                                      .n_candidates = needs->search.n_candidates,
                                      .n_ranks = n_ranks};
    if (scores(inputs))
        status = nas_score_needs(inputs->job, &inputs->pool, &inputs->score, &needs->score, err);
    if (!status && inputs->search.method) status = nas_evaluate_needs(&load, &needs->evaluate, err);
    return status ? status : ask_device(inputs, needs, err);
}

/* ------------------------------------------------------------------------------------- printing */

static double mebibytes(double bytes)
{
    return bytes / (1024.0 * 1024.0);
}

static const char *plural(double n)
{
    return n == 1.0 ? "" : "s";
}

/* Memory of the largest ranks: each keeps its share of what was read and of the score table or
 * posterior, and as leader of a group what the method needs. */
static void print_memory(const nas_inputs_needs_t *inputs, const nas_search_needs_t *search,
                         int n_ranks, FILE *out)
{
    const double shard = search->shard_bytes, method = search->method_bytes;
    const double others = inputs->n_keepers > 1 ? inputs->n_bytes : 0.0;
    (void)fprintf(out, "# ranks:       %d in %lld group%s\n", n_ranks, (long long)search->n_groups,
                  plural((double)search->n_groups));
    (void)fprintf(
        out, "# memory:      about %.0f MiB on rank 0, %.0f MiB on the others, besides MPI's own\n",
        ceil(mebibytes(inputs->n_bytes + shard + method)),
        ceil(mebibytes(others + shard + (search->n_groups > 1 ? method : 0.0))));
}

/* What a posterior keeps of its points, or makes again and again. */
static void print_rows(const nas_search_needs_t *needs, FILE *out)
{
    const double rows = ceil(mebibytes(needs->rows_bytes));
    if (!needs->has_posterior) return;
    if (!needs->keeps_rows) {
        (void)fprintf(
            out,
            "#              too little for the rows of its points, %.0f MiB on each rank, on machines like this\n"
            "#              one (half of a rank's memory leaves them %.0f MiB): they are made again in every step,\n"
            "#              and a resumed run takes up to %.2g s to learn the points of a repeat again\n",
            rows, floor(mebibytes(needs->rows_room)), needs->rows_seconds);
        return;
    }
    (void)fprintf(
        out,
        "#              of which %.0f MiB on each rank for the rows of its points; to make those of a repeat\n"
        "#              again, as a resumed run does, takes up to %.2g s\n",
        rows, needs->rows_seconds);
}

static void print_tensors(double n_bytes, const char *what, FILE *out)
{
    if (isnan(n_bytes)) return;
    (void)fprintf(out, "#              and %.0f MiB for the tensors of a network while it is %s\n",
                  ceil(mebibytes(n_bytes)), what);
}

/* Of networks that are not there before they are needed. */
static void print_unknown(const char *what, FILE *out)
{
    (void)fprintf(out, "# %s how long is known once pool.command has written the networks\n", what);
}

static void print_scoring(const nas_score_needs_t *needs, int n_ranks, FILE *out)
{
    const double rank_hours = needs->flops / ASSUMED_FLOPS / SECONDS_PER_HOUR;
    if (isnan(needs->flops)) {
        print_unknown("scoring:    ", out);
        return;
    }
    (void)fprintf(
        out,
        "# scoring:     about %.3g flops: %.3g rank hours at 100 GFLOP/s a rank, %.3g hours on %d rank%s\n",
        needs->flops, rank_hours, rank_hours / n_ranks, n_ranks, plural(n_ranks));
}

/* Evaluations are looked up here; what they would have cost to make is the table's cost column. */
static void print_table_cost(const nas_inputs_t *inputs, const nas_search_needs_t *needs, FILE *out)
{
    const double n = (double)needs->n_evaluations;
    const double cost = nas_objective_mean_cost(inputs->evaluate.objective) * n;
    const bool is_quick = needs->seconds < NOTABLE_S;
    (void)fprintf(out, "# evaluations: %.0f, looked up in the table: %s\n", n,
                  is_quick ? "seconds, no node hours" : "no time but the method's own");
    if (isfinite(cost))
        (void)fprintf(out, "# cost:        about %.4g in units of %s, at the pool's mean\n", cost,
                      nas_job_table(inputs->job)->cost);
}

static void print_training(const needs_t *needs, FILE *out)
{
    const nas_evaluate_needs_t *training = &needs->evaluate;
    const double n = (double)needs->search.n_evaluations;
    const double rank_hours = n * training->of.flops / ASSUMED_FLOPS / SECONDS_PER_HOUR;
    const double at_once = (double)(training->n_teams * training->team_size);
    (void)fprintf(out, "# evaluations: %.0f trainings of %.0f images each\n", n,
                  training->of.n_images);
    if (isnan(rank_hours))
        print_unknown("training:   ", out);
    else
        (void)fprintf(
            out,
            "# training:    about %.3g rank hours at 100 GFLOP/s a rank, %.3g hours with %.0f rank%s at work\n",
            rank_hours, rank_hours / at_once, at_once, plural(at_once));
    (void)fprintf(out, "#              the images are on every rank: %.0f MiB\n",
                  ceil(mebibytes(training->of.image_bytes)));
}

static void print_evaluations(const nas_inputs_t *inputs, const needs_t *needs, FILE *out)
{
    if (nas_objective_has(inputs->job, NAS_OBJECTIVE_IN_TABLE))
        print_table_cost(inputs, &needs->search, out);
    else if (nas_objective_has(inputs->job, NAS_OBJECTIVE_ON_IMAGES))
        print_training(needs, out);
    else
        (void)fprintf(out, "# evaluations: %.0f runs of the command, up to %lld at a time\n",
                      (double)needs->search.n_evaluations, (long long)needs->evaluate.n_teams);
}

/* Where the search itself takes more than seconds. */
static void print_method(const nas_search_needs_t *needs, const char *method, FILE *out)
{
    if (needs->seconds < NOTABLE_S) return;
    (void)fprintf(
        out, "# method:      about %.3g hours with %lld repeat%s at a time, for the steps of %s\n",
        needs->seconds / SECONDS_PER_HOUR, (long long)needs->n_groups,
        plural((double)needs->n_groups), method);
}

/* An observation has its weights, an evaluation its name, columns and some numbers; a score its
 * name and values. */
static void print_checkpoint(const nas_inputs_t *inputs, const nas_search_needs_t *needs, FILE *out)
{
    const double n_metric = (double)inputs->job->metrics.names.n;
    const double evaluation =
        8.0 * n_metric + 8.0 * (double)inputs->job->objective.report.n + 200.0;
    const double n_scores = scores(inputs) ? (double)nas_pool_count(&inputs->pool) : 0;
    const double bytes = 65536.0 + 4096.0 * (double)needs->n_repeat +
                         (double)needs->n_evaluations * evaluation +
                         n_scores * (8.0 * n_metric + 120.0);
    (void)fprintf(out, "# state file:  at most about %.1f MiB, twice (the previous one is kept)\n",
                  mebibytes(bytes));
}

static void print_needs(const nas_inputs_t *inputs, const needs_t *needs, int n_ranks, FILE *out)
{
    const nas_method_t *method = inputs->search.method;
    (void)fprintf(out, "\n# pool:        %lld architectures\n",
                  (long long)nas_pool_count(&inputs->pool));
    print_memory(&needs->inputs, &needs->search, n_ranks, out);
    print_rows(&needs->search, out);
    if (scores(inputs)) print_tensors(needs->score.tensor_bytes, "scored", out);
    if (trains(inputs)) print_tensors(needs->evaluate.of.tensor_bytes, "trained", out);
    if (needs->n_fit > 0)
        nas_devices_print(inputs->job, &needs->device, needs->fit, needs->n_fit, out);
    if (scores(inputs)) print_scoring(&needs->score, n_ranks, out);
    if (method) print_evaluations(inputs, needs, out);
    if (method) print_method(&needs->search, method->name, out);
    print_checkpoint(inputs, &needs->search, out);
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
    needs_t needs = {0};
    nas_status_t status = ask_stages(inputs, n_ranks, &needs, err);
    if (!status) status = nas_job_print(inputs->job, false, &text, err);
    if (status) return status;
    (void)fputs(text, stdout);
    free(text);
    print_needs(inputs, &needs, n_ranks, stdout);
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
    if (!status) status = nas_inputs_choose_method(inputs, NULL, err);
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
    if (nas_cli_names_networks(argc, argv))
        return nas_cli_run_networks(&nas_cli_check, false, argc, argv);
    nas_status_t status = nas_job_options_parse(&nas_cli_check, argc, argv, &options, &err);
    if (!status && options.help) {
        (void)fputs(help, stdout);
    } else if (!status && options.schema) {
        status = nas_job_write_schema(nas_registries_job(), stdout, &err);
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

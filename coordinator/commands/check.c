#include "coordinator/commands/command.h"
#include "coordinator/commands/job_options.h"
#include "coordinator/inputs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] = "usage: robotnas check JOB.yaml [--set key.path=value]... [--ranks N]\n"
                           "\n"
                           "Read and check a job and all that it names, print it with every "
                           "default filled in, and say\n"
                           "what it will need. Runs nothing, never starts MPI, changes nothing.\n"
                           "\n"
                           "  --set KEY=VALUE   override a key of the job file (may be repeated)\n"
                           "  --ranks N         ranks of the run to estimate for (default 1)\n";

static double mebibytes(double bytes)
{
    return bytes / (1024.0 * 1024.0);
}

/* Memory of the largest rank: rank 0 keeps the table's columns and names, and its share of the
 * scores. */
static void print_memory(const nas_inputs_t *inputs, int n_ranks, FILE *out)
{
    const nas_plan_t *plan = &inputs->plan;
    const nas_job_t *job = inputs->job;
    const int64_t n_groups =
        nas_plan_groups(job->search.groups, plan->n_repeat, plan->n_arch * plan->n_metric, n_ranks);
    const double per_group = (double)n_ranks / (double)n_groups;
    const double scores = 4.0 * (double)(plan->n_arch * plan->n_metric) / floor(per_group);
    const double n_columns = (double)plan->n_metric + 2.0 + (double)job->objective.report.n;
    const double table = (double)plan->n_arch * (8.0 * n_columns + 64.0);
    (void)fprintf(out, "# ranks:       %d in %lld group%s\n", n_ranks, (long long)n_groups,
                  n_groups == 1 ? "" : "s");
    (void)fprintf(
        out, "# memory:      about %.0f MiB on rank 0, %.0f MiB on the others, besides MPI's own\n",
        ceil(mebibytes(table + scores)), ceil(mebibytes(scores)));
}

/* Evaluations are looked up here; what they would have cost to make is the table's cost column. */
static void print_cost(const nas_inputs_t *inputs, FILE *out)
{
    const nas_plan_t *plan = &inputs->plan;
    const double n_evaluations = (double)plan->budget * (double)plan->n_repeat;
    const double cost = nas_objective_mean_cost(inputs->objective) * n_evaluations;
    (void)fprintf(out, "# evaluations: %.0f, looked up in the table: seconds, no node hours\n",
                  n_evaluations);
    if (isfinite(cost))
        (void)fprintf(out, "# cost:        about %.4g in units of %s, at the pool's mean\n", cost,
                      inputs->job->objective.cost);
}

/* An observation has its weights, an evaluation its name, columns and some numbers. */
static void print_checkpoint(const nas_inputs_t *inputs, FILE *out)
{
    const nas_plan_t *plan = &inputs->plan;
    const double n = (double)plan->budget * (double)plan->n_repeat;
    const double each =
        8.0 * (double)plan->n_metric + 8.0 * (double)inputs->job->objective.report.n + 200.0;
    const double bytes = 65536.0 + 4096.0 * (double)plan->n_repeat + n * each;
    (void)fprintf(out, "# state file:  at most about %.1f MiB, twice (the previous one is kept)\n",
                  mebibytes(bytes));
}

static nas_status_t print_all(const nas_inputs_t *inputs, int n_ranks, nas_error_t *err)
{
    char *text = NULL;
    const nas_status_t status = nas_job_print(inputs->job, false, &text, err);
    if (status) return status;
    (void)fputs(text, stdout);
    free(text);
    (void)fprintf(stdout, "\n# pool:        %lld architectures\n", (long long)inputs->plan.n_arch);
    print_memory(inputs, n_ranks, stdout);
    print_cost(inputs, stdout);
    print_checkpoint(inputs, stdout);
    if (fflush(stdout)) return nas_error_set(err, NAS_EIO, "the output cannot be written");
    return NAS_OK;
}

static int run(int argc, char **argv)
{
    nas_error_t err = {0};
    nas_job_options_t options = {0};
    nas_inputs_t inputs = {0};
    nas_status_t status = nas_job_options_parse(&nas_command_check, argc, argv, &options, &err);
    if (!status && options.help) {
        (void)fputs(help, stdout);
    } else {
        if (!status)
            status = nas_inputs_read_job(&inputs, options.job, options.set, options.n_set, &err);
        if (!status) status = nas_inputs_read_table(&inputs, &err);
        if (!status) status = print_all(&inputs, options.n_ranks, &err);
    }
    nas_inputs_fini(&inputs);
    nas_job_options_fini(&options);
    return nas_command_finish(status, &err);
}

const nas_command_t nas_command_check = {
    .name = "check",
    .summary = "print the resolved job and what it will need; runs nothing",
    .help = help,
    .run = run,
};

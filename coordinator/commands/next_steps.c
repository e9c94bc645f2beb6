#include "coordinator/commands/next_steps.h"

#include "common/base/strings.h"
#include "coordinator/commands/shell_word.h"
#include "coordinator/registries/registries.h"
#include "worker/objectives/objectives.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A run that has ended. */
typedef struct ended {
    const nas_cli_command_t *command;
    const nas_job_options_t *options;
    const nas_job_t *job;
    const nas_state_t *state;
    bool has_saved_method;
    FILE *out;
} ended_t;

/* A text as one word of a shell. */
static void write_word(FILE *out, const char *text)
{
    char *word = nas_shell_word(text, NULL);
    if (word) (void)fputs(word, out);
    free(word);
}

/* output with `suffix` in place of .h5; the caller's. */
static char *beside(const char *output, const char *suffix)
{
    const size_t n = strlen(output);
    const bool has_ending = n > 3 && strcmp(output + n - 3, ".h5") == 0;
    return nas_string_format(NULL, "%.*s%s", (int)(has_ending ? n - 3 : n), output, suffix);
}

/* A path as the value of a --set, which is YAML; the caller's. */
static char *path_setting(const char *key, const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (!stream) return NULL;
    (void)fprintf(stream, "%s=", key);
    nas_job_write_path(stream, path);
    if (fclose(stream) == 0) return text;
    free(text);
    return NULL;
}

/* "  robotnas COMMAND", or with the launcher that it was started by. */
static void begin_line(const ended_t *run, const char *command, bool launched)
{
    (void)fputs("  ", run->out);
    if (launched && run->state->n_ranks > 1)
        (void)fprintf(run->out, "%s -n %d ", getenv("SLURM_STEP_ID") ? "srun --mpi=pmix" : "mpirun",
                      run->state->n_ranks);
    (void)fprintf(run->out, "robotnas %s ", command);
}

static void end_line(const ended_t *run, const char *purpose)
{
    (void)fprintf(run->out, "    # %s\n", purpose);
}

/* The job as it was given, with its settings but those of `without`, keys that end with NULL. */
static void write_job(const ended_t *run, const char *const *without)
{
    write_word(run->out, run->options->job);
    for (size_t i = 0; i < run->options->n_set; i++) {
        const char *set = run->options->set[i];
        const size_t n = strcspn(set, "=");
        const char *const *key = without;
        while (*key && (strlen(*key) != n || strncmp(set, *key, n) != 0)) key++;
        if (*key) continue;
        (void)fputs(" --set ", run->out);
        write_word(run->out, set);
    }
}

static void write_path_setting(const ended_t *run, const char *key, const char *path)
{
    char *setting = path ? path_setting(key, path) : NULL;
    (void)fputs(" --set ", run->out);
    write_word(run->out, setting ? setting : key);
    free(setting);
}

static void print_resume(const ended_t *run)
{
    begin_line(run, run->command->name, true);
    write_job(run, (const char *[]){NULL});
    (void)fputs(" --resume", run->out);
    if (run->options->reuse) {
        (void)fputs(" --reuse ", run->out);
        write_word(run->out, run->options->reuse);
    }
    end_line(run, "goes on where it was");
}

static void print_report(const ended_t *run, const char *options, const char *purpose)
{
    begin_line(run, "report", false);
    write_word(run->out, run->job->output);
    (void)fputs(options, run->out);
    end_line(run, purpose);
}

static void print_export(const ended_t *run)
{
    const bool trained = nas_objective_has(run->job, NAS_OBJECTIVE_ON_IMAGES);
    char *file = beside(run->job->output, trained ? "-best.onnx" : "-best.json");
    begin_line(run, "export", false);
    write_word(run->out, run->job->output);
    (void)fprintf(run->out, " --format %s --output ", trained ? "onnx" : "json");
    if (file) write_word(run->out, file);
    end_line(run, trained ? "the best with its weights" : "the best, for other tools");
    free(file);
}

/* With twice the budget or, where the pool has no more, with seeds that were not used; what was
 * evaluated or scored is taken over. */
static void print_larger(const ended_t *run)
{
    const nas_job_t *job = run->job;
    const bool fits = 2 * job->search.budget <= run->state->n_arch;
    const int64_t n = fits ? 2 * job->search.budget : job->seed + job->search.repeats;
    char *suffix = nas_string_format(NULL, fits ? "-%lld.h5" : "-s%lld.h5", (long long)n);
    char *output = suffix ? beside(job->output, suffix) : NULL;
    begin_line(run, "search", true);
    const char *key = fits ? "search.budget" : "seed";
    write_job(run, (const char *[]){key, "output", NULL});
    if (run->has_saved_method)
        (void)fprintf(run->out, " --set search.method=%s", run->state->method);
    (void)fprintf(run->out, " --set %s=%lld", key, (long long)n);
    write_path_setting(run, "output", output);
    (void)fputs(" --reuse ", run->out);
    write_word(run->out, job->output);
    end_line(run,
             fits ? "a larger budget; nothing is evaluated twice" : "the same from other seeds");
    free(output);
    free(suffix);
}

/* Whether the job, which was read to score alone, is that of a whole search, too. */
static bool can_search(const nas_job_options_t *options)
{
    const nas_job_source_t source = {.sections = nas_registries_job(),
                                     .path = options->job,
                                     .set = options->set,
                                     .n_set = options->n_set,
                                     .purpose = NAS_JOB_SEARCH};
    nas_error_t ignored = {0};
    nas_job_t *job = NULL;
    const bool can = nas_job_read(&source, &job, &ignored) == NAS_OK;
    nas_job_destroy(job);
    return can;
}

static void print_search_of_scores(const ended_t *run)
{
    if (!can_search(run->options)) {
        (void)fputs("  # a search reads them by  metrics: {source: scores, file: ", run->out);
        write_word(run->out, run->job->output);
        (void)fputs(", ...}  in its job\n", run->out);
        return;
    }
    char *output = beside(run->job->output, "-search.h5");
    begin_line(run, "search", false);
    write_job(run, (const char *[]){"metrics.source", "metrics.file", "output", NULL});
    (void)fputs(" --set metrics.source=scores", run->out);
    write_path_setting(run, "metrics.file", run->job->output);
    write_path_setting(run, "output", output);
    end_line(run, "a search on these scores");
    free(output);
}

void nas_next_steps_print(const nas_cli_command_t *command, const nas_job_options_t *options,
                          const nas_run_t *run, nas_status_t status, FILE *out)
{
    const ended_t ended = {.command = command,
                           .options = options,
                           .job = run->inputs.job,
                           .state = nas_session_state(run->session),
                           .has_saved_method = run->has_saved_method,
                           .out = out};
    if (status && (status != NAS_ESTOP || getenv("ROBOTNAS_SLURM"))) return;
    (void)fputs("\nNext\n", out);
    if (status) {
        print_resume(&ended);
    } else if (ended.job->purpose == NAS_JOB_SEARCH) {
        print_report(&ended, " --json", "all that was found, for programs");
        print_export(&ended);
        print_larger(&ended);
    } else {
        print_report(&ended, " --csv scores.csv", "a row an architecture");
        print_search_of_scores(&ended);
    }
    (void)fflush(out);
}

#include "coordinator/report/report.h"

#include "common/state/statefile.h"
#include "coordinator/commands/command.h"
#include "coordinator/report/html/html.h"
#include "coordinator/report/user_file.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: robotnas report RUN.h5 [--json | --csv FILE | --csv-scores FILE]\n"
    "       robotnas report RUN.h5 [--html FILE] [--against OTHER.h5...]\n"
    "\n"
    "Say what a run has found so far: the best architecture, its columns, the best after so many\n"
    "evaluations, the weights, candidates under way. Works on a running or unfinished run. Where\n"
    "RUN.h5 is damaged, RUN.h5.prev is read with a notice.\n"
    "\n"
    "  --json             one JSON object, described in docs/report.md\n"
    "  --csv FILE         one row an evaluation; of a run that only scored, as --csv-scores;\n"
    "                     FILE - is standard output\n"
    "  --csv-scores FILE  one row an architecture that the run scored: arch, metrics, status, seconds\n"
    "  --html FILE        a page with drawings, one file for any browser; with --against, the\n"
    "                     course of all of the runs; FILE - is standard output\n"
    "  --against OTHER.h5...  the best that the runs found, beside each other, at the end\n";

/* Texts are borrowed from argv. */
typedef struct report_options {
    const char **run;  /* [n_run] the run to report, and those to compare it with; owned */
    size_t n_run;      /* at least 1 */
    const char *extra; /* an operand behind the first, NULL: none */
    const char *csv;
    const char *csv_scores;
    const char *html;
    bool against;
    bool json;
    bool help;
} report_options_t;

/* The first operand is the run to report, wherever it stands. */
static void add_operand(report_options_t *options, const char *path)
{
    if (!options->run[0]) {
        options->run[0] = path;
        return;
    }
    if (!options->extra) options->extra = path;
    options->run[options->n_run++] = path;
}

static nas_status_t check_options(const report_options_t *options, nas_error_t *err)
{
    const bool csv = options->csv || options->csv_scores;
    if (options->json + csv + options->against > 1)
        return nas_error_set(err, NAS_EARG,
                             "report: --json, --csv and --against exclude each other");
    if (options->html && (options->json || csv))
        return nas_error_set(err, NAS_EARG, "report: --html excludes --json and --csv");
    if (options->csv && options->csv_scores && strcmp(options->csv, options->csv_scores) == 0)
        return nas_error_set(err, NAS_EARG, "report: --csv and --csv-scores name one file, %s",
                             options->csv);
    if (!options->run[0])
        return nas_error_set(err, NAS_EARG,
                             "report: RUN.h5 is missing; see robotnas report --help");
    if (options->extra && !options->against)
        return nas_error_set(
            err, NAS_EARG,
            "report: one RUN.h5 is enough, '%s' is too much; --against compares runs",
            options->extra);
    return NAS_OK;
}

enum { OPERAND = 1 /* as getopt_long returns it where options and operands come in their order */ };

static nas_status_t take(char **argv, int option, report_options_t *options, nas_error_t *err)
{
    switch (option) {
    case 'j':
        options->json = true;
        return NAS_OK;
    case 'c':
        options->csv = optarg;
        return NAS_OK;
    case 's':
        options->csv_scores = optarg;
        return NAS_OK;
    case 'w':
        options->html = optarg;
        return NAS_OK;
    case 'a':
        options->against = true;
        options->run[options->n_run++] = optarg;
        return NAS_OK;
    case 'h':
        options->help = true;
        return NAS_OK;
    case OPERAND:
        add_operand(options, optarg);
        return NAS_OK;
    default:
        return nas_cli_bad_option(&nas_cli_report, argv, option, err);
    }
}

static nas_status_t parse(int argc, char **argv, report_options_t *options, nas_error_t *err)
{
    static const struct option known[] = {{"json", no_argument, NULL, 'j'},
                                          {"csv", required_argument, NULL, 'c'},
                                          {"csv-scores", required_argument, NULL, 's'},
                                          {"html", required_argument, NULL, 'w'},
                                          {"against", required_argument, NULL, 'a'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    nas_status_t status = NAS_OK;
    options->run = calloc((size_t)argc + 1, sizeof *options->run);
    if (!options->run) return nas_error_nomem(err, "the command line");
    options->n_run = 1;
    for (int option; !status && (option = getopt_long(argc, argv, "-:h", known, NULL)) != -1;)
        status = take(argv, option, options, err);
    if (status || options->help) return status;
    while (optind < argc) add_operand(options, argv[optind++]); /* behind -- */
    return check_options(options, err);
}

typedef nas_status_t (*csv_t)(const nas_state_t *state, FILE *out, nas_error_t *err);

static nas_status_t write_csv(const nas_state_t *state, csv_t csv, const char *path,
                              nas_error_t *err)
{
    nas_user_file_t file = {0};
    nas_status_t status = nas_user_file_open(path, &file, err);
    if (status) return status;
    status = csv(state, file.stream, err);
    return nas_user_file_close(&file, status, err);
}

static nas_status_t write_scores(const nas_state_t *state, const char *run, const char *path,
                                 nas_error_t *err)
{
    if (state->scores.n > 0) return write_csv(state, nas_report_csv_scores, path, err);
    return nas_error_set(
        err, NAS_EINPUT,
        "%s: this run took its metrics from a table or another run and has no scores of its own to write",
        run);
}

static nas_status_t write_tables(const report_options_t *options, const nas_state_t *state,
                                 nas_error_t *err)
{
    const char *run = options->run[0];
    nas_status_t status = NAS_OK;
    if (options->csv_scores) status = write_scores(state, run, options->csv_scores, err);
    if (status || !options->csv) return status;
    if (state->n_repeat > 0) return write_csv(state, nas_report_csv, options->csv, err);
    return write_scores(state, run, options->csv, err);
}

/* Read a state file, with a notice where it is the one before. */
static nas_status_t read_state(const char *path, nas_state_t *state, nas_error_t *err)
{
    nas_error_t notice = {0};
    const nas_status_t status = nas_statefile_read(path, state, &notice, err);
    if (!status && *notice.text) (void)fprintf(stderr, "robotnas: %s\n", notice.text);
    return status;
}

static nas_status_t print_text(const char *path, const nas_state_t *state, nas_error_t *err)
{
    nas_under_way_t under_way = {0};
    nas_status_t status = nas_under_way_read(path, state, &under_way, err);
    if (!status) status = nas_report_text(state, path, stdout, err);
    if (!status) status = nas_report_under_way(&under_way, state->n_epochs, stdout, err);
    nas_under_way_fini(&under_way);
    return status;
}

static nas_status_t print_json(const char *path, const nas_state_t *state, nas_error_t *err)
{
    nas_under_way_t under_way = {0};
    nas_status_t status = nas_under_way_read(path, state, &under_way, err);
    if (!status) status = nas_report_json(state, &under_way, stdout, err);
    nas_under_way_fini(&under_way);
    return status;
}

/* The page of the first of n runs. */
static nas_status_t write_page(const char *path, const nas_compared_t *run, size_t n,
                               nas_error_t *err)
{
    nas_under_way_t under_way = {0};
    nas_user_file_t file = {0};
    nas_status_t status = nas_under_way_read(run->path, run->state, &under_way, err);
    if (!status) status = nas_user_file_open(path, &file, err);
    if (!status) {
        status = nas_report_html(run, n, &under_way, file.stream, err);
        status = nas_user_file_close(&file, status, err);
    }
    nas_under_way_fini(&under_way);
    return status;
}

/* A run to compare, with its file's name for messages. */
static nas_status_t read_searched(const char *path, nas_state_t *state, nas_error_t *err)
{
    const nas_status_t status = read_state(path, state, err);
    if (status || state->n_repeat > 0) return status;
    nas_state_fini(state);
    return nas_error_set(err, NAS_EINPUT, "%s: this run searched nothing to compare", path);
}

static nas_status_t print_compared(const nas_compared_t *run, size_t n, nas_error_t *err)
{
    const nas_status_t status = print_text(run->path, run->state, err);
    return status ? status : nas_report_compare(run, n, stdout, err);
}

/* All runs beside each other. */
static nas_status_t print_against(const report_options_t *options, nas_error_t *err)
{
    nas_state_t *state = calloc(options->n_run, sizeof *state);
    nas_compared_t *compared = calloc(options->n_run, sizeof *compared);
    nas_status_t status = state && compared ? NAS_OK : nas_error_nomem(err, "runs to compare");
    for (size_t i = 0; i < options->n_run && !status; i++) {
        status = read_searched(options->run[i], &state[i], err);
        compared[i] = (nas_compared_t){.state = &state[i], .path = options->run[i]};
    }
    if (!status)
        status = options->html ? write_page(options->html, compared, options->n_run, err)
                               : print_compared(compared, options->n_run, err);
    for (size_t i = 0; state && i < options->n_run; i++) nas_state_fini(&state[i]);
    free(compared);
    free(state);
    return status;
}

static nas_status_t print_report(const report_options_t *options, nas_error_t *err)
{
    nas_state_t state = {0};
    if (options->against) return print_against(options, err);
    nas_status_t status = read_state(options->run[0], &state, err);
    if (status) return status;
    const nas_compared_t self = {.state = &state, .path = options->run[0]};
    if (options->html)
        status = write_page(options->html, &self, 1, err);
    else if (options->csv || options->csv_scores)
        status = write_tables(options, &state, err);
    else if (options->json)
        status = print_json(options->run[0], &state, err);
    else
        status = print_text(options->run[0], &state, err);
    nas_state_fini(&state);
    return status;
}

static int run(int argc, char **argv)
{
    nas_error_t err = {0};
    report_options_t options = {0};
    nas_status_t status = parse(argc, argv, &options, &err);
    if (!status && options.help)
        (void)fputs(help, stdout);
    else if (!status)
        status = print_report(&options, &err);
    free(options.run);
    return nas_cli_finish(status, &err);
}

const nas_cli_command_t nas_cli_report = {
    .name = "report",
    .summary = "what a run has found so far, for people or as JSON",
    .help = help,
    .run = run,
};

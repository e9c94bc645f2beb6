#include "coordinator/report.h"

#include "common/statefile.h"
#include "coordinator/commands/command.h"
#include "coordinator/commands/user_file.h"

#include <getopt.h>
#include <stdbool.h>

static const char help[] =
    "usage: robotnas report RUN.h5 [--json | --csv FILE | --against OTHER.h5]\n"
    "\n"
    "Say what a run has found so far: the best architecture, its columns, the budget's course, "
    "the\n"
    "weights. Works on a running or unfinished run. Where RUN.h5 is damaged, RUN.h5.prev is read\n"
    "with a notice.\n"
    "\n"
    "  --json       one JSON object, described in docs/report.md\n"
    "  --csv FILE   one row an architecture that the run scored: arch, metrics, status, seconds;\n"
    "               FILE - is standard output\n"
    "  --against OTHER.h5   the best that both runs found, beside each other, at the end\n";

typedef struct report_options {
    const char *path;
    const char *csv;
    const char *against;
    bool json;
    bool help;
} report_options_t;

static nas_status_t parse(int argc, char **argv, report_options_t *options, nas_error_t *err)
{
    static const struct option known[] = {{"json", no_argument, NULL, 'j'},
                                          {"csv", required_argument, NULL, 'c'},
                                          {"against", required_argument, NULL, 'a'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    for (int option; (option = getopt_long(argc, argv, ":h", known, NULL)) != -1;) {
        switch (option) {
        case 'j':
            options->json = true;
            break;
        case 'c':
            options->csv = optarg;
            break;
        case 'a':
            options->against = optarg;
            break;
        case 'h':
            options->help = true;
            return NAS_OK;
        default:
            return nas_cli_bad_option(&nas_cli_report, argv, option, err);
        }
    }
    if ((options->json != 0) + (options->csv != NULL) + (options->against != NULL) > 1)
        return nas_error_set(err, NAS_EARG,
                             "report: --json, --csv and --against exclude each other");
    return nas_cli_operand(&nas_cli_report, argc, argv, "RUN.h5", &options->path, err);
}

static nas_status_t write_csv(const nas_state_t *state, const char *path, nas_error_t *err)
{
    nas_user_file_t file = {0};
    nas_status_t status = nas_user_file_open(path, &file, err);
    if (status) return status;
    status = nas_report_csv(state, file.stream, err);
    return nas_user_file_close(&file, status, err);
}

/* Read a state file, with a notice where it is the one before. */
static nas_status_t read_state(const char *path, nas_state_t *state, nas_error_t *err)
{
    nas_error_t notice = {0};
    const nas_status_t status = nas_statefile_read(path, state, &notice, err);
    if (!status && *notice.text) (void)fprintf(stderr, "robotnas: %s\n", notice.text);
    return status;
}

static nas_status_t check_searched(const nas_state_t *state, const char *path, nas_error_t *err)
{
    if (state->n_repeat > 0) return NAS_OK;
    return nas_error_set(err, NAS_EINPUT, "%s: this run searched nothing to compare", path);
}

/* The report, and both runs beside each other. */
static nas_status_t print_against(const report_options_t *options, const nas_state_t *state,
                                  nas_error_t *err)
{
    nas_state_t both[2] = {*state};
    nas_status_t status = read_state(options->against, &both[1], err);
    if (!status) status = check_searched(state, options->path, err);
    if (!status) status = check_searched(&both[1], options->against, err);
    if (!status) status = nas_report_text(state, options->path, stdout, err);
    if (!status) status = nas_report_compare(both, 2, stdout, err);
    nas_state_fini(&both[1]);
    return status;
}

static nas_status_t print_report(const report_options_t *options, nas_error_t *err)
{
    nas_state_t state = {0};
    nas_status_t status = read_state(options->path, &state, err);
    if (status) return status;
    if (options->csv && state.scores.n == 0)
        status = nas_error_set(err, NAS_EINPUT,
                               "%s: this run took its metrics from a table or another run and has "
                               "no scores of its own to write",
                               options->path);
    else if (options->csv)
        status = write_csv(&state, options->csv, err);
    else if (options->against)
        status = print_against(options, &state, err);
    else if (options->json)
        status = nas_report_json(&state, stdout, err);
    else
        status = nas_report_text(&state, options->path, stdout, err);
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
    return nas_cli_finish(status, &err);
}

const nas_cli_command_t nas_cli_report = {
    .name = "report",
    .summary = "what a run has found so far, for people or as JSON",
    .help = help,
    .run = run,
};

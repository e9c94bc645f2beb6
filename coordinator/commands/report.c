#include "coordinator/report.h"

#include "common/statefile.h"
#include "coordinator/commands/command.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <string.h>

static const char help[] =
    "usage: robotnas report RUN.h5 [--json | --csv FILE]\n"
    "\n"
    "Say what a run has found so far: the best architecture, its columns, the budget's course, "
    "the\n"
    "weights. Works on a running or unfinished run. Where RUN.h5 is damaged, RUN.h5.prev is read\n"
    "with a notice.\n"
    "\n"
    "  --json       one JSON object, described in docs/report.md\n"
    "  --csv FILE   one row an architecture that the run scored: arch, metrics, status, seconds;\n"
    "               FILE - is standard output\n";

typedef struct report_options {
    const char *path;
    const char *csv;
    bool json;
    bool help;
} report_options_t;

static nas_status_t parse(int argc, char **argv, report_options_t *options, nas_error_t *err)
{
    static const struct option known[] = {{"json", no_argument, NULL, 'j'},
                                          {"csv", required_argument, NULL, 'c'},
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
        case 'h':
            options->help = true;
            return NAS_OK;
        default:
            return nas_command_bad_option(&nas_command_report, argv, option, err);
        }
    }
    if (options->json && options->csv)
        return nas_error_set(err, NAS_EARG, "report: --json and --csv exclude each other");
    return nas_command_operand(&nas_command_report, argc, argv, "RUN.h5", &options->path, err);
}

static nas_status_t write_csv(const nas_state_t *state, const char *path, nas_error_t *err)
{
    if (strcmp(path, "-") == 0) return nas_report_csv(state, stdout, err);
    FILE *out = fopen(path, "w");
    if (!out) return nas_error_set(err, NAS_EIO, "cannot write %s: %s", path, strerror(errno));
    nas_status_t status = nas_report_csv(state, out, err);
    if (fclose(out) && !status)
        status = nas_error_set(err, NAS_EIO, "cannot write %s: %s", path, strerror(errno));
    return status;
}

static nas_status_t print_report(const report_options_t *options, nas_error_t *err)
{
    nas_state_t state = {0};
    nas_error_t notice = {0};
    nas_status_t status = nas_statefile_read(options->path, &state, &notice, err);
    if (status) return status;
    if (*notice.text) (void)fprintf(stderr, "robotnas: %s\n", notice.text);
    if (options->csv && state.scores.n == 0)
        status = nas_error_set(err, NAS_EINPUT,
                               "%s: this run took its metrics from a table or another run and has "
                               "no scores of its own to write",
                               options->path);
    else if (options->csv)
        status = write_csv(&state, options->csv, err);
    else if (options->json)
        status = nas_report_json(&state, stdout, err);
    else
        status = nas_report_text(&state, stdout, err);
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
    return nas_command_finish(status, &err);
}

const nas_command_t nas_command_report = {
    .name = "report",
    .summary = "what a run has found so far, for people or as JSON",
    .help = help,
    .run = run,
};

#include "coordinator/report.h"

#include "common/statefile.h"
#include "coordinator/commands/command.h"

#include <getopt.h>
#include <stdbool.h>

static const char help[] =
    "usage: robotnas report RUN.h5 [--json]\n"
    "\n"
    "Say what a run has found so far: the best architecture, its columns, the budget's course, "
    "the\n"
    "weights. Works on a running or unfinished run. Where RUN.h5 is damaged, RUN.h5.prev is read\n"
    "with a notice.\n"
    "\n"
    "  --json   one JSON object, described in docs/report.md\n";

typedef struct report_options {
    const char *path;
    bool json;
    bool help;
} report_options_t;

static nas_status_t parse(int argc, char **argv, report_options_t *options, nas_error_t *err)
{
    static const struct option known[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
    for (int option; (option = getopt_long(argc, argv, ":h", known, NULL)) != -1;) {
        switch (option) {
        case 'j':
            options->json = true;
            break;
        case 'h':
            options->help = true;
            return NAS_OK;
        default:
            return nas_command_bad_option(&nas_command_report, argv, option, err);
        }
    }
    return nas_command_operand(&nas_command_report, argc, argv, "RUN.h5", &options->path, err);
}

static nas_status_t print_report(const report_options_t *options, nas_error_t *err)
{
    nas_state_t state = {0};
    nas_error_t notice = {0};
    nas_status_t status = nas_statefile_read(options->path, &state, &notice, err);
    if (status) return status;
    if (*notice.text) (void)fprintf(stderr, "robotnas: %s\n", notice.text);
    status =
        options->json ? nas_report_json(&state, stdout, err) : nas_report_text(&state, stdout, err);
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

#include "coordinator/report/export.h"

#include "common/state/statefile.h"
#include "coordinator/commands/command.h"
#include "coordinator/report/user_file.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: robotnas export RUN.h5 [--arch best|ARCH] [--format json|onnx] [--output FILE]\n"
    "\n"
    "Write an evaluated architecture for other tools: as JSON with its cell, network, accuracy and\n"
    "origin, or as an ONNX model with the parameters that were trained.\n"
    "\n"
    "  --arch ARCH      an architecture as the report prints it; best (default): the best found\n"
    "  --format FORMAT  json (default), or onnx, which needs RUN.h5.d beside RUN.h5\n"
    "  --output FILE    where to write; default, as -: standard output\n";

typedef struct export_options {
    const char *path;
    const char *arch;
    const char *output; /* "-": standard output */
    bool onnx;
    bool help;
} export_options_t;

static nas_status_t take_format(const char *name, export_options_t *options, nas_error_t *err)
{
    options->onnx = strcmp(name, "onnx") == 0;
    if (options->onnx || strcmp(name, "json") == 0) return NAS_OK;
    return nas_error_set(err, NAS_EARG, "export: --format '%s'; the formats are json and onnx",
                         name);
}

static nas_status_t parse(int argc, char **argv, export_options_t *options, nas_error_t *err)
{
    static const struct option known[] = {{"arch", required_argument, NULL, 'a'},
                                          {"format", required_argument, NULL, 'f'},
                                          {"output", required_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    nas_status_t status = NAS_OK;
    for (int option; !status && (option = getopt_long(argc, argv, ":h", known, NULL)) != -1;) {
        switch (option) {
        case 'a':
            options->arch = optarg;
            break;
        case 'f':
            status = take_format(optarg, options, err);
            break;
        case 'o':
            options->output = optarg;
            break;
        case 'h':
            options->help = true;
            return NAS_OK;
        default:
            return nas_cli_bad_option(&nas_cli_export, argv, option, err);
        }
    }
    if (status) return status;
    return nas_cli_operand(&nas_cli_export, argc, argv, "RUN.h5", &options->path, err);
}

static nas_status_t write_out(const char *path, const void *data, size_t size, nas_error_t *err)
{
    nas_user_file_t file = {0};
    const nas_status_t status = nas_user_file_open(path, &file, err);
    if (status) return status;
    (void)fwrite(data, 1, size, file.stream);
    return nas_user_file_close(&file, NAS_OK, err);
}

static nas_status_t write_export(const export_options_t *options, const nas_export_t *what,
                                 nas_error_t *err)
{
    unsigned char *model = NULL;
    char *json = NULL;
    size_t size = 0;
    nas_status_t status;
    if (options->onnx) {
        status = nas_export_onnx(what, &model, &size, err);
        if (!status) status = write_out(options->output, model, size, err);
    } else {
        status = nas_export_json(what, &json, err);
        if (!status) status = write_out(options->output, json, strlen(json), err);
    }
    free(model);
    free(json);
    return status;
}

static nas_status_t export(const export_options_t *options, nas_error_t *err)
{
    nas_state_t state = {0};
    nas_export_t what = {0};
    nas_error_t notice = {0};
    nas_status_t status = nas_statefile_read(options->path, &state, &notice, err);
    if (status) return status;
    if (*notice.text) (void)fprintf(stderr, "robotnas: %s\n", notice.text);
    status = nas_export_find(options->path, &state, options->arch, &what, err);
    if (!status) status = write_export(options, &what, err);
    nas_export_fini(&what);
    nas_state_fini(&state);
    return status;
}

static int run(int argc, char **argv)
{
    nas_error_t err = {0};
    export_options_t options = {.arch = "best", .output = "-"};
    nas_status_t status = parse(argc, argv, &options, &err);
    if (!status && options.help)
        (void)fputs(help, stdout);
    else if (!status)
        status = export(&options, &err);
    return nas_cli_finish(status, &err);
}

const nas_cli_command_t nas_cli_export = {
    .name = "export",
    .summary = "an architecture for other tools, as JSON or ONNX",
    .help = help,
    .run = run,
};

#include "coordinator/commands/job_options.h"

#include "common/base/strings.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPTION_HELP = 'h',
    OPTION_SET = 256,
    OPTION_DEVICE,
    OPTION_RESUME,
    OPTION_FRESH,
    OPTION_REUSE,
    OPTION_RETRY,
    OPTION_RANKS,
    OPTION_SCORE,
    OPTION_SCHEMA
};

/* clang-format off */
static const struct option search_options[] = {
    {"help", no_argument, NULL, OPTION_HELP},
    {"set", required_argument, NULL, OPTION_SET},
    {"device", required_argument, NULL, OPTION_DEVICE},
    {"resume", no_argument, NULL, OPTION_RESUME},
    {"fresh", no_argument, NULL, OPTION_FRESH},
    {"reuse", required_argument, NULL, OPTION_REUSE},
    {"retry-failed", no_argument, NULL, OPTION_RETRY},
    {0}};

static const struct option score_options[] = {
    {"help", no_argument, NULL, OPTION_HELP},
    {"set", required_argument, NULL, OPTION_SET},
    {"device", required_argument, NULL, OPTION_DEVICE},
    {"resume", no_argument, NULL, OPTION_RESUME},
    {"fresh", no_argument, NULL, OPTION_FRESH},
    {"reuse", required_argument, NULL, OPTION_REUSE},
    {0}};

static const struct option check_options[] = {
    {"help", no_argument, NULL, OPTION_HELP},
    {"set", required_argument, NULL, OPTION_SET},
    {"device", required_argument, NULL, OPTION_DEVICE},
    {"ranks", required_argument, NULL, OPTION_RANKS},
    {"score", no_argument, NULL, OPTION_SCORE},
    {"schema", no_argument, NULL, OPTION_SCHEMA},
    {0}};
/* clang-format on */

static const struct option *options_of(const nas_cli_command_t *command)
{
    if (strcmp(command->name, "search") == 0) return search_options;
    return strcmp(command->name, "score") == 0 ? score_options : check_options;
}

static nas_status_t parse_ranks(nas_job_options_t *options, nas_error_t *err)
{
    char *end = NULL;
    const long n = strtol(optarg, &end, 10);
    if (*end || n < 1 || n > 10 * 1000 * 1000)
        return nas_error_set(err, NAS_EARG, "check: --ranks '%s' is not a number of ranks from 1",
                             optarg);
    options->n_ranks = (int)n;
    return NAS_OK;
}

/* As --set device=..., after what came before it. */
static nas_status_t take_device(nas_job_options_t *options, nas_error_t *err)
{
    if (options->device) return nas_error_set(err, NAS_EARG, "one --device is enough");
    options->device = nas_string_format(err, "device=%s", optarg);
    if (!options->device) return NAS_ENOMEM;
    options->set[options->n_set++] = options->device;
    return NAS_OK;
}

static nas_status_t take(const nas_cli_command_t *command, char **argv, int option,
                         nas_job_options_t *options, nas_error_t *err)
{
    switch (option) {
    case OPTION_HELP:
        options->help = true;
        return NAS_OK;
    case OPTION_SET:
        options->set[options->n_set++] = optarg;
        return NAS_OK;
    case OPTION_DEVICE:
        return take_device(options, err);
    case OPTION_RESUME:
        options->resume = true;
        return NAS_OK;
    case OPTION_FRESH:
        options->fresh = true;
        return NAS_OK;
    case OPTION_RETRY:
        options->retry_failed = true;
        return NAS_OK;
    case OPTION_REUSE:
        options->reuse = optarg;
        return NAS_OK;
    case OPTION_SCORE:
        options->score = true;
        return NAS_OK;
    case OPTION_SCHEMA:
        options->schema = true;
        return NAS_OK;
    case OPTION_RANKS:
        return parse_ranks(options, err);
    default:
        return nas_cli_bad_option(command, argv, option, err);
    }
}

nas_status_t nas_job_options_parse(const nas_cli_command_t *command, int argc, char **argv,
                                   nas_job_options_t *options, nas_error_t *err)
{
    const struct option *known = options_of(command);
    *options = (nas_job_options_t){.n_ranks = 1, .set = calloc((size_t)argc, sizeof(char *))};
    if (!options->set) return nas_error_nomem(err, "options");
    nas_status_t status = NAS_OK;
    for (int option; !status && (option = getopt_long(argc, argv, ":h", known, NULL)) != -1;)
        status = take(command, argv, option, options, err);
    if (status || options->help) return status;
    if (options->schema && optind < argc)
        return nas_error_set(err, NAS_EARG, "check: --schema takes no job; leave '%.100s' out",
                             argv[optind]);
    if (options->schema) return NAS_OK;
    if (options->resume && options->fresh)
        return nas_error_set(err, NAS_EARG, "%s: --resume and --fresh exclude each other",
                             command->name);
    if (options->retry_failed && !options->resume)
        return nas_error_set(
            err, NAS_EARG,
            "%s: --retry-failed tries failures of a saved run again, and needs --resume",
            command->name);
    return nas_cli_operand(command, argc, argv, "JOB.yaml", &options->job, err);
}

void nas_job_options_fini(nas_job_options_t *options)
{
    free(options->set);
    free(options->device);
    *options = (nas_job_options_t){0};
}

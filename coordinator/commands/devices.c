#include "coordinator/commands/command.h"
#include "worker/engine/device/find.h"

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>

static const char help[] =
    "usage: robotnas devices [--ranks N] [--json]\n"
    "\n"
    "List the GPUs that this process may use, by driver, with the names that device and --device take;\n"
    "where a driver has none, why. Never starts MPI; nothing is computed.\n"
    "\n"
    "  --ranks N   and which of them each of N ranks on this machine takes, where a job leaves it open\n"
    "  --json      all of it as one object\n";

typedef struct devices_options {
    int n_ranks;
    bool json;
    bool help;
} devices_options_t;

/* A layer and what it has. */
typedef struct found {
    const nas_gpu_layer_t *layer;
    nas_gpu_info_t info[NAS_DEVICE_MOST];
    int n;
    nas_error_t reason; /* n is 0 */
} found_t;

static nas_status_t parse(int argc, char **argv, devices_options_t *options, nas_error_t *err)
{
    static const struct option known[] = {{"ranks", required_argument, NULL, 'r'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    for (int option; (option = getopt_long(argc, argv, ":h", known, NULL)) != -1;) {
        char *end = NULL;
        if (option == '?' || option == ':')
            return nas_cli_bad_option(&nas_cli_devices, argv, option, err);
        options->help |= option == 'h';
        options->json |= option == 'j';
        const long n = option == 'r' ? strtol(optarg, &end, 10) : 1;
        if (n < 1 || n > 4096 || (end && *end))
            return nas_error_set(err, NAS_EARG,
                                 "devices: --ranks '%s' is not a number of ranks from 1 to 4096",
                                 optarg);
        if (option == 'r') options->n_ranks = (int)n;
    }
    if (optind == argc || options->help) return NAS_OK;
    return nas_error_set(err, NAS_EARG, "devices: '%s' is too much; see robotnas devices --help",
                         argv[optind]);
}

/* A driver that does not work is as good as none, and says why. */
static nas_status_t ask(const nas_gpu_layer_t *layer, found_t *found, nas_error_t *err)
{
    nas_error_t failure = {0};
    *found = (found_t){.layer = layer};
    const nas_status_t status =
        layer->list(found->info, NAS_DEVICE_MOST, &found->n, &found->reason, &failure);
    if (found->n > NAS_DEVICE_MOST) found->n = NAS_DEVICE_MOST;
    if (status == NAS_OK) return NAS_OK;
    found->n = 0;
    found->reason = failure;
    if (status != NAS_ENOMEM) return NAS_OK;
    *err = failure;
    return status;
}

/* ---------------------------------------------------------------------------------------- text */

static double gibibytes(size_t bytes)
{
    return (double)bytes / (1024.0 * 1024.0 * 1024.0);
}

static void print_device(const nas_gpu_layer_t *layer, const nas_gpu_info_t *info, FILE *out)
{
    char name[NAS_DEVICE_NAME_SIZE];
    nas_device_spell(layer, info, name);
    (void)fprintf(out, "%-12s %s\n", name, info->name);
    if (info->free_memory > 0)
        (void)fprintf(out, "             memory %.1f GiB, %.1f GiB free", gibibytes(info->memory),
                      gibibytes(info->free_memory));
    else
        (void)fprintf(out, "             memory %.1f GiB", gibibytes(info->memory));
    (void)fprintf(out, ", %d compute units, %s, driver %s, id %s\n", info->compute_units,
                  info->architecture, info->driver, info->id);
    if (info->is_cpu)
        (void)fputs("             is a processor: taken only where a job names it\n", out);
    if (!info->has_float64)
        (void)fputs("             has no float64 and cannot run the kernels\n", out);
}

static void print_layer(const found_t *found, FILE *out)
{
    if (found->n == 0)
        (void)fprintf(out, "%-12s none: %s\n", found->layer->name, found->reason.text);
    for (int i = 0; i < found->n; i++) print_device(found->layer, &found->info[i], out);
}

/* What restricts the drivers, most often Slurm. */
static void print_limits(FILE *out)
{
    static const char *const variable[] = {"CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES",
                                           "ROCR_VISIBLE_DEVICES"};
    for (size_t i = 0; i < sizeof variable / sizeof *variable; i++)
        if (getenv(variable[i]))
            (void)fprintf(out, "%s=%s limits what is listed\n", variable[i], getenv(variable[i]));
}

/* --------------------------------------------------------------------------------------- ranks */

/* What a rank takes where a job says `gpu`; "cpu" where there is none. */
static void name_for_rank(int rank, char name[NAS_DEVICE_NAME_SIZE])
{
    const nas_device_choice_t choice = {.kind = NAS_DEVICE_GPU, .platform = -1, .index = -1};
    nas_device_place_t place;
    nas_error_t reason = {0};
    if (nas_device_find(&choice, rank, &place, &reason) == NAS_OK)
        nas_device_spell(place.layer, &place.info, name);
    else
        (void)snprintf(name, NAS_DEVICE_NAME_SIZE, "cpu");
}

static void print_ranks(int n_ranks, FILE *out)
{
    char name[NAS_DEVICE_NAME_SIZE];
    for (int r = 0; r < n_ranks; r++) {
        name_for_rank(r, name);
        (void)fprintf(out, "rank %d of this machine: %s\n", r, name);
    }
}

/* ---------------------------------------------------------------------------------------- json */

static json_t *device_json(const nas_gpu_layer_t *layer, const nas_gpu_info_t *info)
{
    char name[NAS_DEVICE_NAME_SIZE];
    nas_device_spell(layer, info, name);
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:i, s:b, s:b}", "device", name, "name", info->name,
        "platform", info->platform, "driver", info->driver, "id", info->id, "architecture",
        info->architecture, "memory_bytes", (json_int_t)info->memory, "compute_units",
        info->compute_units, "has_float64", info->has_float64, "is_processor", info->is_cpu);
    json_t *is_free =
        info->free_memory > 0 ? json_integer((json_int_t)info->free_memory) : json_null();
    (void)json_object_set_new(object, "free_bytes", is_free);
    return object;
}

static json_t *layer_json(const found_t *found)
{
    json_t *devices = json_array();
    for (int i = 0; i < found->n; i++)
        (void)json_array_append_new(devices, device_json(found->layer, &found->info[i]));
    return json_pack("{s:s, s:s, s:o}", "layer", found->layer->name, "reason",
                     found->n == 0 ? found->reason.text : "", "devices", devices);
}

static json_t *ranks_json(int n_ranks)
{
    char name[NAS_DEVICE_NAME_SIZE];
    json_t *ranks = json_array();
    for (int r = 0; r < n_ranks; r++) {
        name_for_rank(r, name);
        (void)json_array_append_new(ranks, json_string(name));
    }
    return ranks;
}

/* ----------------------------------------------------------------------------------------- all */

static nas_status_t print_json(json_t *layers, int n_ranks, nas_error_t *err)
{
    json_t *root = json_pack("{s:O, s:o}", "layers", layers, "ranks", ranks_json(n_ranks));
    if (!root) return nas_error_nomem(err, "the list of devices");
    (void)json_dumpf(root, stdout, JSON_INDENT(2));
    (void)fputc('\n', stdout);
    json_decref(root);
    return NAS_OK;
}

static nas_status_t list(const devices_options_t *options, nas_error_t *err)
{
    json_t *layers = json_array();
    found_t *found = calloc(1, sizeof *found);
    nas_status_t status = found && layers ? NAS_OK : nas_error_nomem(err, "the list of devices");
    if (!status && !options->json) print_limits(stdout);
    for (int i = 0; !status && nas_gpu_layer_at(i); i++) {
        status = ask(nas_gpu_layer_at(i), found, err);
        if (!status && options->json) (void)json_array_append_new(layers, layer_json(found));
        if (!status && !options->json) print_layer(found, stdout);
    }
    if (!status && options->json) status = print_json(layers, options->n_ranks, err);
    if (!status && !options->json) print_ranks(options->n_ranks, stdout);
    if (!status && fflush(stdout))
        status = nas_error_set(err, NAS_EIO, "the output cannot be written");
    json_decref(layers);
    free(found);
    return status;
}

static int run(int argc, char **argv)
{
    nas_error_t err = {0};
    devices_options_t options = {0};
    nas_status_t status = parse(argc, argv, &options, &err);
    if (!status && options.help)
        (void)fputs(help, stdout);
    else if (!status)
        status = list(&options, &err);
    return nas_cli_finish(status, &err);
}

const nas_cli_command_t nas_cli_devices = {
    .name = "devices",
    .summary = "the GPUs of this machine, and which rank takes which",
    .help = help,
    .run = run,
};

#include "coordinator/commands/networks.h"

#include "common/io/csv_write.h"
#include "coordinator/commands/device_option.h"
#include "coordinator/report/user_file.h"
#include "worker/onnx/measure/measure.h"

#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_BATCH = 64, MOST_BATCH = 4096 };

typedef struct network_options {
    const nas_cli_command_t *command;
    bool measures;
    nas_device_words_t words;
    const char *csv; /* NULL: none is written */
    nas_measure_options_t measure;
    const nas_metric_t *metric[NAS_METRICS_MAX];
    bool help;
    char **path;
    int n_paths;
} network_options_t;

static const char help[] =
    "usage: robotnas check NET.onnx... [--batch N] [--backend NAME]\n"
    "       robotnas score NET.onnx... [--metrics LIST] [--batch N] [--seed N] [--weights KIND]\n"
    "                      [--backend NAME] [--csv FILE]\n"
    "\n"
    "What a network of an ONNX file comes to: parameters, multiply-adds for an image, memory for a\n"
    "batch, and with score its training-free metrics, on a batch of noise. Runs on one core, without\n"
    "a job; docs/networks.md says what a file may have.\n"
    "\n"
    "  --metrics LIST   names, with commas (default: all but those that take other images than the\n"
    "                   batch: swap, zico, zen, ntk and az_...)\n"
    "  --batch N        images of the batch (default 64)\n"
    "  --seed N         of images, labels and weights (default 0)\n"
    "  --weights KIND   kaiming (the default: normal, variance 2 / fan-in, biases 0), uniform\n"
    "                   (PyTorch's default) or file (the file's own)\n"
    "  --backend NAME   cpu (float32; the default where it is built in) or ref (float64)\n"
    "  --csv FILE       write a table as well, a row a network; - for standard output\n";

static bool is_network(const char *text)
{
    const size_t n = strlen(text);
    return n > 5 && strcmp(text + n - 5, ".onnx") == 0;
}

bool nas_cli_names_networks(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const bool is_setting = strcmp(argv[i - 1], "--set") == 0 || argv[i][0] == '-';
        if (!is_setting && is_network(argv[i])) return true;
    }
    return false;
}

/* -------------------------------------------------------------------------------------- options */

static nas_status_t take_number(const network_options_t *o, const char *option, const char *text,
                                int64_t least, int64_t most, int64_t *number, nas_error_t *err)
{
    char *end = NULL;
    const long long value = strtoll(text, &end, 10);
    if (end == text || *end || value < least || value > most)
        return nas_error_set(err, NAS_EARG,
                             "%s: --%s: '%.40s' is no whole number from %" PRId64 " to %" PRId64,
                             o->command->name, option, text, least, most);
    *number = value;
    return NAS_OK;
}

static nas_status_t take_metric(network_options_t *o, const char *name, nas_error_t *err)
{
    const nas_metric_t *metric = nas_metric_find(name);
    if (!metric)
        return nas_error_set(
            err, NAS_EARG, "%s: --metrics: there is no metric '%.60s'; docs/metrics.md lists them",
            o->command->name, name);
    for (int i = 0; i < o->measure.n_metric; i++)
        if (o->metric[i] == metric)
            return nas_error_set(err, NAS_EARG, "%s: --metrics: '%s' is named twice",
                                 o->command->name, name);
    o->metric[o->measure.n_metric++] = metric;
    return NAS_OK;
}

/* text is cut at its commas. */
static nas_status_t take_metrics(network_options_t *o, char *text, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    char *rest = text;
    o->measure.n_metric = 0;
    while (!status && rest) {
        char *name = rest, *comma = strchr(rest, ',');
        rest = comma ? comma + 1 : NULL;
        if (comma) *comma = '\0';
        status = take_metric(o, name, err);
    }
    return status;
}

static nas_status_t take_weights(network_options_t *o, const char *text, nas_error_t *err)
{
    o->measure.has_file_weights = strcmp(text, "file") == 0;
    o->measure.weights = strcmp(text, "uniform") == 0 ? NAS_WEIGHTS_UNIFORM : NAS_WEIGHTS_KAIMING;
    if (o->measure.has_file_weights || o->measure.weights == NAS_WEIGHTS_UNIFORM ||
        strcmp(text, "kaiming") == 0)
        return NAS_OK;
    return nas_error_set(err, NAS_EARG,
                         "%s: --weights: '%.40s' is none of kaiming, uniform and file",
                         o->command->name, text);
}

static nas_status_t take_option(network_options_t *o, int option, nas_error_t *err)
{
    int64_t number = 0;
    nas_status_t status = NAS_OK;
    switch (option) {
    case 'b':
        o->words.backend = optarg;
        break;
    case 'c':
        o->csv = optarg;
        break;
    case 'm':
        status = take_metrics(o, optarg, err);
        break;
    case 'n':
        status = take_number(o, "batch", optarg, 1, MOST_BATCH, &number, err);
        o->measure.batch = (int)number;
        break;
    case 's':
        status = take_number(o, "seed", optarg, 0, INT64_MAX, &number, err);
        o->measure.seed = (uint64_t)number;
        break;
    case 'w':
        status = take_weights(o, optarg, err);
        break;
    default:
        o->help = true;
        break;
    }
    return status;
}

/* With those of other images it would take three times as long. */
static void take_default_metrics(network_options_t *o)
{
    int n = 0;
    const nas_metric_t *const *all = nas_metric_list(&n);
    for (int i = 0; i < n; i++)
        if (all[i]->on == NAS_RUNS_BATCH || all[i]->on == NAS_RUNS_FLOW)
            o->metric[o->measure.n_metric++] = all[i];
}

/* check has no more than the first ones. */
static const struct option KNOWN[] = {
    {"backend", required_argument, NULL, 'b'}, {"batch", required_argument, NULL, 'n'},
    {"help", no_argument, NULL, 'h'},          {"csv", required_argument, NULL, 'c'},
    {"metrics", required_argument, NULL, 'm'}, {"seed", required_argument, NULL, 's'},
    {"weights", required_argument, NULL, 'w'}, {0}};

enum { N_OF_CHECK = 3 };

static nas_status_t check_paths(const network_options_t *o, nas_error_t *err)
{
    for (int i = 0; i < o->n_paths; i++)
        if (!is_network(o->path[i]))
            return nas_error_set(err, NAS_EARG,
                                 "%s: '%.100s' is no ONNX file; networks and jobs are not mixed",
                                 o->command->name, o->path[i]);
    return NAS_OK;
}

static nas_status_t parse(int argc, char **argv, network_options_t *o, nas_error_t *err)
{
    struct option known[sizeof KNOWN / sizeof *KNOWN] = {0};
    memcpy(known, KNOWN, o->measures ? sizeof KNOWN : N_OF_CHECK * sizeof *KNOWN);
    o->measure.batch = DEFAULT_BATCH;
    o->measure.metric = o->metric;
    take_default_metrics(o);
    nas_status_t status = NAS_OK;
    for (int option; !status && (option = getopt_long(argc, argv, ":h", known, NULL)) != -1;)
        status = option == '?' || option == ':' ? nas_cli_bad_option(o->command, argv, option, err)
                                                : take_option(o, option, err);
    o->path = argv + optind;
    o->n_paths = argc - optind;
    return status || o->help ? status : check_paths(o, err);
}

/* --------------------------------------------------------------------------------------- output */

static void print(const network_options_t *o, const char *path, const nas_measured_t *measured)
{
    const nas_network_t *net = &measured->network;
    (void)printf("%s: images of %d x %d x %d, %d classes, %d layers\n", path, net->image_channels,
                 net->height, net->width, net->classes, measured->n_layers);
    (void)printf("  parameters      %" PRId64 "\n  multiply-adds   %" PRId64 " an image\n",
                 measured->params, measured->flops);
    (void)printf("  memory          %.1f MiB for a batch of %d\n", (double)measured->bytes / 0x1p20,
                 o->measure.batch);
    if (!measured->images_count)
        (void)printf("  jacob_cov       none: every path from the images ends in a BN with nothing "
                     "but linear operations behind it, and the gradient is 0\n");
    for (int i = 0; o->measures && i < o->measure.n_metric; i++)
        if (measured->images_count || !isnan(measured->value[i])) /* that one was told of */
            (void)printf("  %-15s %.9g\n", o->metric[i]->name, measured->value[i]);
}

static nas_status_t begin_csv(const network_options_t *o, nas_user_file_t *file, nas_error_t *err)
{
    const nas_status_t status = nas_user_file_open(o->csv, file, err);
    if (status) return status;
    (void)fputs("onnx,parameters,multiply_adds", file->stream);
    for (int i = 0; i < o->measure.n_metric; i++)
        (void)fprintf(file->stream, ",%s", o->metric[i]->name);
    (void)fputc('\n', file->stream);
    return NAS_OK;
}

static void write_row(const network_options_t *o, const char *path, const nas_measured_t *measured,
                      FILE *out)
{
    nas_csv_write(path, out);
    (void)fprintf(out, ",%" PRId64 ",%" PRId64, measured->params, measured->flops);
    for (int i = 0; i < o->measure.n_metric; i++) nas_csv_write_number(measured->value[i], out);
    (void)fputc('\n', out);
}

/* ------------------------------------------------------------------------------------------ run */

static nas_status_t run_all(network_options_t *o, FILE *csv, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    const bool is_quiet = csv == stdout;
    for (int i = 0; !status && i < o->n_paths; i++) {
        nas_measured_t measured = {0};
        status = nas_onnx_measure(o->path[i], &o->measure, &measured, err);
        if (!status && !is_quiet) print(o, o->path[i], &measured);
        if (!status && csv) write_row(o, o->path[i], &measured, csv);
    }
    return status;
}

static nas_status_t run(network_options_t *o, nas_error_t *err)
{
    nas_device_t *device = NULL;
    nas_user_file_t file = {0};
    o->words.device = "cpu"; /* for a look at a file, none is worth opening */
    nas_status_t status = nas_device_option(o->command, &o->words, &device, err);
    if (status) return status;
    o->measure.layout = nas_device_layout(device);
    if (o->measures) status = nas_device_engine(device, NULL, &o->measure.engine, err);
    if (!status && o->csv) status = begin_csv(o, &file, err);
    if (!status) status = run_all(o, file.stream, err);
    if (file.stream) status = nas_user_file_close(&file, status, err);
    nas_engine_destroy(o->measure.engine);
    nas_device_close(device);
    return status;
}

int nas_cli_run_networks(const nas_cli_command_t *command, bool measures, int argc, char **argv)
{
    nas_error_t err = {0};
    network_options_t options = {.command = command, .measures = measures};
    nas_status_t status = parse(argc, argv, &options, &err);
    if (!status && options.help)
        (void)fputs(help, stdout);
    else if (!status)
        status = run(&options, &err);
    return nas_cli_finish(status, &err);
}

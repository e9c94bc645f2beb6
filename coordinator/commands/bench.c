#include "coordinator/commands/device_option.h"
#include "coordinator/search/bo/bench_bo.h"
#include "worker/bench/bench_rank.h"
#include "worker/bench/bench_score.h"
#include "worker/bench/bench_train.h"

#include <cblas.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: robotnas bench score [--arch STRING | --onnx FILE] [--metrics LIST] [--batch N]\n"
    "                            [--channels C] [--cells K] [--device DEVICE] [--backend NAME]\n"
    "                            [--repeats R] [--json]\n"
    "       robotnas bench train [--arch STRING | --onnx FILE] [--batch N] [--channels C]\n"
    "                            [--cells K] [--device DEVICE] [--backend NAME] [--repeats R]\n"
    "                            [--json]\n"
    "       robotnas bench rank [--arch N] [--metrics M] [--points P] [--repeats R] [--json]\n"
    "       robotnas bench bo [--json]\n"
    "\n"
    "Measure this machine, on one core or one GPU (as robotnas verify --help says of DEVICE), without\n"
    "MPI.\n"
    "\n"
    "  score  architectures/s of the engine on networks of NAS-Bench-201, where the time goes, and\n"
    "         the least time that convolutions and memory allow (default: three cells from light\n"
    "         to heavy, the six metrics of the paper, batch 64, 16 channels, 5 cells a stage, 3\n"
    "         repeats; LIST is names with commas between)\n"
    "  train  images/s of whole training steps, and where the time goes (default: the same cells\n"
    "         and networks, batch 64, 5 repeats)\n"
    "         both: --onnx FILE in place of NAS-Bench-201's the network of a file, on one core\n"
    "  rank   combined score and best architecture of a synthetic pool: rows/s and GB/s beside\n"
    "         the measured read bandwidth of memory; then a step of method pool-gp with P points\n"
    "         (default: 10,000,000 architectures, 6 metrics, 20 points, 5 repeats; 3 GB)\n"
    "  bo     seconds of one step of Bayesian optimisation at 20, 100 and 500 observations\n";

/* Options by letter. What --arch and --metrics mean depends on the benchmark. */
typedef struct bench_options {
    const char *text[128]; /* of each letter, NULL where it was not given; borrowed from argv */
    const char *what;
    bool json;
    bool help;
} bench_options_t;

static const struct option known[] = {{"arch", required_argument, NULL, 'a'},
                                      {"metrics", required_argument, NULL, 'm'},
                                      {"onnx", required_argument, NULL, 'o'},
                                      {"repeats", required_argument, NULL, 'r'},
                                      {"batch", required_argument, NULL, 'n'},
                                      {"channels", required_argument, NULL, 'c'},
                                      {"cells", required_argument, NULL, 'k'},
                                      {"backend", required_argument, NULL, 'b'},
                                      {"device", required_argument, NULL, 'd'},
                                      {"points", required_argument, NULL, 'p'},
                                      {"json", no_argument, NULL, 'j'},
                                      {"help", no_argument, NULL, 'h'},
                                      {0}};

static nas_status_t parse(int argc, char **argv, bench_options_t *options, nas_error_t *err)
{
    for (int option; (option = getopt_long(argc, argv, ":h", known, NULL)) != -1;) {
        if (option == '?' || option == ':')
            return nas_cli_bad_option(&nas_cli_bench, argv, option, err);
        options->text[option] = optarg;
        options->json |= option == 'j';
        options->help |= option == 'h';
        if (options->help) return NAS_OK;
    }
    return nas_cli_operand(&nas_cli_bench, argc, argv, "'score', 'train', 'rank' or 'bo'",
                           &options->what, err);
}

/* Options that the benchmark does not have.  letters: those that it has. */
static nas_status_t refuse_others(const bench_options_t *options, const char *letters,
                                  nas_error_t *err)
{
    for (const struct option *o = known; o->name; o++)
        if (options->text[o->val] && !strchr(letters, o->val))
            return nas_error_set(err, NAS_EARG, "bench: %s has no option --%s", options->what,
                                 o->name);
    return NAS_OK;
}

/* The count of an option, where it was given. */
static nas_status_t take_count(const bench_options_t *options, int letter, int most, int *count,
                               nas_error_t *err)
{
    const char *text = options->text[letter];
    const struct option *o = known;
    char *end = NULL;
    if (!text) return NAS_OK;
    while (o->val != letter) o++;
    const long n = strtol(text, &end, 10);
    if (*end || n < 1 || n > most)
        return nas_error_set(err, NAS_EARG, "bench: --%s '%s' is not a whole number from 1 to %d",
                             o->name, text, most);
    *count = (int)n;
    return NAS_OK;
}

/* A file has its own network, and the packs that are timed on GPUs are of architectures of a space. */
static nas_status_t take_network(const bench_options_t *options, nas_device_words_t *words,
                                 nas_error_t *err)
{
    *words = (nas_device_words_t){.device = options->text['d'], .backend = options->text['b']};
    if (!options->text['o']) return NAS_OK;
    if (options->text['a'] || options->text['c'] || options->text['k'])
        return nas_error_set(
            err, NAS_EARG,
            "bench: --onnx: a file says the network; --arch, --channels and --cells are of others");
    if (words->device && strcmp(words->device, "cpu") != 0)
        return nas_error_set(err, NAS_EARG,
                             "bench: --onnx: the networks of files run on a core: --device cpu");
    words->device = "cpu";
    return NAS_OK;
}

/* ---------------------------------------------------------------------------------- rank */

static nas_status_t bench_rank(const bench_options_t *options, nas_error_t *err)
{
    const int most = 1000 * 1000 * 1000;
    int n_arch = 10 * 1000 * 1000, n_metric = 6, n_points = 20, n_repeats = 5;
    nas_status_t status = refuse_others(options, "ampr", err);
    if (!status) status = take_count(options, 'a', most, &n_arch, err);
    if (!status) status = take_count(options, 'm', most, &n_metric, err);
    if (!status) status = take_count(options, 'p', most, &n_points, err);
    if (!status) status = take_count(options, 'r', most, &n_repeats, err);
    if (status) return status;
    const nas_bench_rank_options_t rank = {
        .n_arch = n_arch, .n_metric = n_metric, .n_points = n_points, .n_repeats = n_repeats};
    openblas_set_num_threads(1);
    return nas_bench_rank(&rank, stdout, options->json, err);
}

/* --------------------------------------------------------------------------------- score */

enum { MOST_METRICS = 64 };

/* The metrics of a list with commas between; returns their number in *n. */
static nas_status_t find_metrics(const char *list, const nas_metric_t *metric[MOST_METRICS], int *n,
                                 nas_error_t *err)
{
    const char *at = list;
    int count = 0;
    do {
        const size_t length = strcspn(at, ",");
        char name[64];
        (void)snprintf(name, sizeof name, "%.*s", (int)length, at);
        const nas_metric_t *found = count < MOST_METRICS ? nas_metric_find(name) : NULL;
        if (!found)
            return nas_error_set(err, NAS_EARG, "bench: --metrics '%s': there is no metric '%s'",
                                 list, name);
        metric[count++] = found;
        at += length;
    } while (*at++ == ',');
    *n = count;
    return NAS_OK;
}

static nas_status_t bench_score(const bench_options_t *options, nas_error_t *err)
{
    const char *list = options->text['m'];
    nas_device_words_t words;
    const nas_metric_t *metric[MOST_METRICS];
    nas_bench_score_options_t score = {.arch = options->text['a'],
                                       .onnx = options->text['o'],
                                       .metric = metric,
                                       .batch = 64,
                                       .channels = 16,
                                       .cells = 5,
                                       .n_repeats = 3};
    nas_status_t status =
        find_metrics(list ? list : "grad_norm,snip,grasp,fisher,synflow,jacob_cov", metric,
                     &score.n_metric, err);
    if (!status) status = take_count(options, 'n', 4096, &score.batch, err);
    if (!status) status = take_count(options, 'c', 1024, &score.channels, err);
    if (!status) status = take_count(options, 'k', 64, &score.cells, err);
    if (!status) status = take_count(options, 'r', 1000 * 1000, &score.n_repeats, err);
    if (!status) status = take_network(options, &words, err);
    if (!status) status = nas_device_option(&nas_cli_bench, &words, &score.device, err);
    if (!status) status = nas_bench_score(&score, stdout, options->json, err);
    nas_device_close(score.device);
    return status;
}

/* --------------------------------------------------------------------------------- train */

static nas_status_t bench_train(const bench_options_t *options, nas_error_t *err)
{
    nas_device_words_t words;
    nas_bench_train_options_t train = {.arch = options->text['a'],
                                       .onnx = options->text['o'],
                                       .batch = 64,
                                       .channels = 16,
                                       .cells = 5,
                                       .n_repeats = 5};
    nas_status_t status = refuse_others(options, "aonckrbd", err);
    if (!status) status = take_count(options, 'n', 4096, &train.batch, err);
    if (!status) status = take_count(options, 'c', 1024, &train.channels, err);
    if (!status) status = take_count(options, 'k', 64, &train.cells, err);
    if (!status) status = take_count(options, 'r', 1000 * 1000, &train.n_repeats, err);
    if (!status) status = take_network(options, &words, err);
    if (!status) status = nas_device_option(&nas_cli_bench, &words, &train.device, err);
    if (!status) status = nas_bench_train(&train, stdout, options->json, err);
    nas_device_close(train.device);
    return status;
}

/* ------------------------------------------------------------------------------------ bo */

static nas_status_t bench_bo(const bench_options_t *options, nas_error_t *err)
{
    const nas_status_t status = refuse_others(options, "", err);
    if (status) return status;
    openblas_set_num_threads(1);
    return nas_bench_bo(stdout, options->json, err);
}

static nas_status_t bench(const bench_options_t *options, nas_error_t *err)
{
    if (strcmp(options->what, "score") == 0) return bench_score(options, err);
    if (strcmp(options->what, "train") == 0) return bench_train(options, err);
    if (strcmp(options->what, "rank") == 0) return bench_rank(options, err);
    if (strcmp(options->what, "bo") == 0) return bench_bo(options, err);
    return nas_error_set(
        err, NAS_EARG,
        "bench: there is no benchmark '%s'; 'score', 'train', 'rank' and 'bo' are there",
        options->what);
}

static int run(int argc, char **argv)
{
    nas_error_t err = {0};
    bench_options_t options = {0};
    nas_status_t status = parse(argc, argv, &options, &err);
    if (!status && options.help)
        (void)fputs(help, stdout);
    else if (!status)
        status = bench(&options, &err);
    return nas_cli_finish(status, &err);
}

const nas_cli_command_t nas_cli_bench = {
    .name = "bench",
    .summary = "rates on this machine",
    .help = help,
    .run = run,
};

#include "coordinator/bench_bo.h"
#include "coordinator/commands/command.h"
#include "worker/bench_rank.h"

#include <cblas.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: robotnas bench rank [--arch N] [--metrics M] [--repeats R] [--json]\n"
    "       robotnas bench bo [--json]\n"
    "\n"
    "Measure this machine, on one core, without MPI.\n"
    "\n"
    "  rank   combined score and best architecture of a synthetic pool: rows/s and GB/s beside\n"
    "         the measured read bandwidth of memory (default: 10,000,000 architectures, 6 "
    "metrics,\n"
    "         5 repeats)\n"
    "  bo     seconds of one step of Bayesian optimisation at 20, 100 and 500 observations\n";

typedef struct bench_options {
    nas_bench_rank_options_t rank;
    const char *what;
    bool json;
    bool help;
} bench_options_t;

static nas_status_t parse_count(const char *name, int64_t *value, nas_error_t *err)
{
    const long long most = 1000LL * 1000 * 1000;
    char *end = NULL;
    const long long n = strtoll(optarg, &end, 10);
    if (*end || n < 1 || n > most)
        return nas_error_set(err, NAS_EARG, "bench: --%s '%s' is not a whole number from 1 to %lld",
                             name, optarg, most);
    *value = n;
    return NAS_OK;
}

static nas_status_t parse(int argc, char **argv, bench_options_t *options, nas_error_t *err)
{
    static const struct option known[] = {
        {"arch", required_argument, NULL, 'a'},    {"metrics", required_argument, NULL, 'm'},
        {"repeats", required_argument, NULL, 'r'}, {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},          {0}};
    nas_status_t status = NAS_OK;
    for (int option; !status && (option = getopt_long(argc, argv, ":h", known, NULL)) != -1;) {
        switch (option) {
        case 'a':
            status = parse_count("arch", &options->rank.n_arch, err);
            break;
        case 'm':
            status = parse_count("metrics", &options->rank.n_metric, err);
            break;
        case 'r':
            status = parse_count("repeats", &options->rank.n_repeats, err);
            break;
        case 'j':
            options->json = true;
            break;
        case 'h':
            options->help = true;
            return NAS_OK;
        default:
            status = nas_command_bad_option(&nas_command_bench, argv, option, err);
        }
    }
    if (status) return status;
    return nas_command_operand(&nas_command_bench, argc, argv, "'rank' or 'bo'", &options->what,
                               err);
}

static nas_status_t bench(const bench_options_t *options, nas_error_t *err)
{
    openblas_set_num_threads(1);
    if (strcmp(options->what, "rank") == 0)
        return nas_bench_rank(&options->rank, stdout, options->json, err);
    if (strcmp(options->what, "bo") == 0) return nas_bench_bo(stdout, options->json, err);
    return nas_error_set(err, NAS_EARG,
                         "bench: there is no benchmark '%s'; 'rank' and 'bo' are there",
                         options->what);
}

static int run(int argc, char **argv)
{
    nas_error_t err = {0};
    bench_options_t options = {.rank = {.n_arch = 10 * 1000 * 1000, .n_metric = 6, .n_repeats = 5}};
    nas_status_t status = parse(argc, argv, &options, &err);
    if (!status && options.help)
        (void)fputs(help, stdout);
    else if (!status)
        status = bench(&options, &err);
    return nas_command_finish(status, &err);
}

const nas_command_t nas_command_bench = {
    .name = "bench",
    .summary = "rates on this machine",
    .help = help,
    .run = run,
};

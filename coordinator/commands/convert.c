#include "common/base/log.h"
#include "common/io/file.h"
#include "common/io/stop.h"
#include "coordinator/commands/command.h"
#include "worker/data/folders/folder.h"
#include "worker/data/images.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: robotnas convert FOLDER OUT.h5 --size N|HxW [--gray] [--per-class N]\n"
    "                        [--classes-from TRAIN.h5] [--force]\n"
    "\n"
    "Read a folder of images (JPEG or PNG; each folder in FOLDER is a class), bring them to one size\n"
    "and write the file that data.format hdf5 reads. docs/data.md says how.\n"
    "\n"
    "  --size N             N rows and N columns; HxW: H rows and W columns\n"
    "  --gray               one channel in place of three\n"
    "  --per-class N        the first N images of every class, for a small file\n"
    "  --classes-from FILE  refuse a folder whose classes are not those of FILE, which this command\n"
    "                       made: for test images\n"
    "  --force              replace OUT.h5 where it is there\n";

/* Texts are borrowed from argv. */
typedef struct convert_options {
    nas_folder_options_t folder;
    bool force;
    bool help;
} convert_options_t;

/* A side from text up to `end`; returns 0 where it is none. */
static int parse_side(const char *text, char end)
{
    char *rest = NULL;
    if (*text < '0' || *text > '9') return 0;
    const long n = strtol(text, &rest, 10);
    return *rest == end && n <= NAS_IMAGES_MAX_SIDE ? (int)n : 0;
}

static nas_status_t parse_size(const char *text, nas_folder_options_t *options, nas_error_t *err)
{
    const char *times = strchr(text, 'x');
    options->height = parse_side(text, times ? 'x' : '\0');
    options->width = times ? parse_side(times + 1, '\0') : options->height;
    if (options->height > 0 && options->width > 0) return NAS_OK;
    return nas_error_set(
        err, NAS_EARG, "convert: --size '%s' is neither N nor HxW, numbers of pixels from 1 to %d",
        text, NAS_IMAGES_MAX_SIDE);
}

static nas_status_t parse_per_class(const char *text, nas_folder_options_t *options,
                                    nas_error_t *err)
{
    char *rest = NULL;
    options->per_class = *text >= '0' && *text <= '9' ? strtol(text, &rest, 10) : 0;
    if (options->per_class > 0 && !*rest) return NAS_OK;
    return nas_error_set(err, NAS_EARG, "convert: --per-class '%s' is no number of images from 1",
                         text);
}

static nas_status_t take(char **argv, int option, convert_options_t *options, nas_error_t *err)
{
    switch (option) {
    case 's':
        return parse_size(optarg, &options->folder, err);
    case 'g':
        options->folder.gray = true;
        return NAS_OK;
    case 'p':
        return parse_per_class(optarg, &options->folder, err);
    case 'c':
        options->folder.classes_from = optarg;
        return NAS_OK;
    case 'f':
        options->force = true;
        return NAS_OK;
    case 'h':
        options->help = true;
        return NAS_OK;
    default:
        return nas_cli_bad_option(&nas_cli_convert, argv, option, err);
    }
}

static nas_status_t take_operands(int argc, char **argv, nas_folder_options_t *options,
                                  nas_error_t *err)
{
    const int n = argc - optind;
    if (n < 2)
        return nas_error_set(err, NAS_EARG, "convert: %s is missing; see robotnas convert --help",
                             n < 1 ? "FOLDER" : "OUT.h5");
    options->folder = argv[optind++];
    return nas_cli_operand(&nas_cli_convert, argc, argv, "OUT.h5", &options->output, err);
}

static nas_status_t parse(int argc, char **argv, convert_options_t *options, nas_error_t *err)
{
    static const struct option known[] = {{"size", required_argument, NULL, 's'},
                                          {"gray", no_argument, NULL, 'g'},
                                          {"per-class", required_argument, NULL, 'p'},
                                          {"classes-from", required_argument, NULL, 'c'},
                                          {"force", no_argument, NULL, 'f'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    nas_status_t status = NAS_OK;
    for (int option; !status && (option = getopt_long(argc, argv, ":h", known, NULL)) != -1;)
        status = take(argv, option, options, err);
    if (status || options->help) return status;
    status = take_operands(argc, argv, &options->folder, err);
    if (status || options->folder.height > 0) return status;
    return nas_error_set(err, NAS_EARG, "convert: --size is missing; see robotnas convert --help");
}

static bool stop_asked(void *context, double share)
{
    (void)context;
    (void)share;
    return nas_stop_signal() != 0;
}

/* Every fault on a line of its own, where the error's text is but their number. */
static void print_faults(const nas_folder_faults_t *faults)
{
    if (faults->n < 2) return;
    for (size_t i = 0; i < faults->line.n; i++)
        (void)fprintf(stderr, "robotnas: %s\n", faults->line.at[i]);
    if (faults->n > (int64_t)faults->line.n)
        (void)fprintf(stderr, "robotnas: and %lld more\n",
                      (long long)(faults->n - (int64_t)faults->line.n));
}

static nas_status_t print_summary(const nas_folder_options_t *options,
                                  const nas_folder_summary_t *summary, nas_error_t *err)
{
    (void)printf("%s: %lld images of %zu classes, %d x %d x %d\n", options->output,
                 (long long)summary->n_images, summary->classes.n, options->gray ? 1 : 3,
                 options->height, options->width);
    (void)printf("label   images  class\n");
    for (size_t k = 0; k < summary->classes.n; k++)
        (void)printf("%5zu %8lld  %s\n", k, (long long)summary->n_of_class[k],
                     summary->classes.at[k]);
    for (size_t i = 0; i < summary->notes.n; i++)
        (void)printf("# note: %s\n", summary->notes.at[i]);
    if (fflush(stdout)) return nas_error_set(err, NAS_EIO, "the output cannot be written");
    return NAS_OK;
}

static nas_status_t convert(const convert_options_t *options, nas_error_t *err)
{
    const nas_folder_options_t *folder = &options->folder;
    const nas_interrupt_t interrupt = {.asked = stop_asked};
    nas_folder_summary_t summary = {0};
    char *target = nas_file_locate(folder->output, err); /* a link to nothing is no file yet */
    if (!target) return NAS_ENOMEM;
    const bool there = nas_file_exists(target);
    free(target);
    if (!options->force && there)
        return nas_error_set(err, NAS_EINPUT, "%s is there already; --force replaces it",
                             folder->output);
    nas_log_open();
    nas_stop_install();
    nas_status_t status = nas_folder_convert(folder, &interrupt, &summary, err);
    if (status == NAS_EINPUT) print_faults(&summary.faults);
    if (!status) status = print_summary(folder, &summary, err);
    nas_folder_summary_fini(&summary);
    return status;
}

static int run(int argc, char **argv)
{
    nas_error_t err = {0};
    convert_options_t options = {0};
    nas_status_t status = parse(argc, argv, &options, &err);
    if (!status && options.help)
        (void)fputs(help, stdout);
    else if (!status)
        status = convert(&options, &err);
    return nas_cli_finish(status, &err);
}

const nas_cli_command_t nas_cli_convert = {
    .name = "convert",
    .summary = "a folder of images as a file that data.format hdf5 reads",
    .help = help,
    .run = run,
};

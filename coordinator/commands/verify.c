#include "worker/verify/verify.h"

#include "coordinator/commands/device_option.h"

#include <getopt.h>
#include <stdbool.h>

static const char help[] =
    "usage: robotnas verify REFERENCE.h5... [--images FILE] [--device DEVICE] [--backend NAME]\n"
    "                       [--space SPACE] [--dump OUT.h5]\n"
    "\n"
    "Compute every value that reference files have (logits, loss, metrics, gradients, or the\n"
    "losses of a training) on this machine and compare. Exit code 1 where a value\n"
    "differs by more than rounding explains. A ReLU with an input that rounding moves\n"
    "across its kink explains values only if float64 gives just them with that ReLU on its\n"
    "other side; else values may differ by what float64's own move by where parameters and\n"
    "images change by a few roundings. A line below the table says either.\n"
    "\n"
    "  --images FILE    a CIFAR-10 binary file, whose first images trainings take that\n"
    "                   have none of their own\n"
    "  --device DEVICE  auto (a GPU where there is one; the default unless a backend is named),\n"
    "                   cpu, gpu, or one that robotnas devices lists, as cuda:0\n"
    "  --backend NAME   on the CPU: cpu (float32; the default where it is built in) or ref\n"
    "                   (float64)\n"
    "  --space SPACE    darts, transnas-micro or transnas-macro: it builds the networks that\n"
    "                   references name, in place of the ONNX files beside them, which give the\n"
    "                   parameters alone\n"
    "  --dump OUT.h5    write what was computed, as a reference file, for others to compare;\n"
    "                   takes one REFERENCE.h5\n";

typedef struct verify_options {
    nas_verify_options_t verify;
    nas_device_words_t words;
    bool help;
} verify_options_t;

static nas_status_t parse(int argc, char **argv, verify_options_t *options, nas_error_t *err)
{
    static const struct option known[] = {{"backend", required_argument, NULL, 'b'},
                                          {"device", required_argument, NULL, 'c'},
                                          {"dump", required_argument, NULL, 'd'},
                                          {"images", required_argument, NULL, 'i'},
                                          {"help", no_argument, NULL, 'h'},
                                          {"space", required_argument, NULL, 's'},
                                          {0}};
    for (int option; (option = getopt_long(argc, argv, ":h", known, NULL)) != -1;) {
        switch (option) {
        case 'b':
            options->words.backend = optarg;
            break;
        case 'c':
            options->words.device = optarg;
            break;
        case 'd':
            options->verify.dump = optarg;
            break;
        case 'i':
            options->verify.images = optarg;
            break;
        case 'h':
            options->help = true;
            return NAS_OK;
        case 's':
            options->verify.space = nas_space_find(optarg);
            if (!options->verify.space || !options->verify.space->build)
                return nas_error_set(
                    err, NAS_EARG,
                    "verify: --space %.60s: expected darts, transnas-micro or transnas-macro",
                    optarg);
            break;
        default:
            return nas_cli_bad_option(&nas_cli_verify, argv, option, err);
        }
    }
    options->verify.path = (const char *const *)argv + optind;
    options->verify.n_paths = argc - optind;
    if (optind < argc) return NAS_OK;
    return nas_error_set(err, NAS_EARG,
                         "verify: REFERENCE.h5 is missing; see robotnas verify --help");
}

static int run(int argc, char **argv)
{
    nas_error_t err = {0};
    verify_options_t options = {0};
    nas_status_t status = parse(argc, argv, &options, &err);
    if (!status && options.help) {
        (void)fputs(help, stdout);
        return 0;
    }
    if (!status)
        status = nas_device_option(&nas_cli_verify, &options.words, &options.verify.device, &err);
    if (!status) status = nas_verify(&options.verify, stdout, &err);
    nas_device_close(options.verify.device);
    return nas_cli_finish(status, &err);
}

const nas_cli_command_t nas_cli_verify = {
    .name = "verify",
    .summary = "the engine against reference values, on this machine",
    .help = help,
    .run = run,
};

/* robotnas-gpu-bench: what a GPU makes of the kernels, on a machine that has nothing else of this
 * project. A part that fails is said and the others go on, unless the device is lost. */
#include "worker/engine/device/find.h"
#include "worker/gpu_bench/bench.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: robotnas-gpu-bench [--device DEVICE] [--only PART] [--quick] [--once] [--json]\n"
    "       robotnas-gpu-bench --list [--json]\n"
    "\n"
    "Golden kernels and rates of a GPU.\n"
    "\n"
    "  --device DEVICE  gpu, cuda[:N], hip[:N] or opencl[:PLATFORM[:N]]; default gpu, the best there is\n"
    "  --only PART      golden, launches, convs, tensors, networks or training alone; default all\n"
    "  --golden-only    the same as --only golden\n"
    "  --quick          tiny shapes: whether it works, in seconds\n"
    "  --once           each case is launched once, for profilers and sanitizers\n"
    "  --json           one JSON object in place of tables\n"
    "  --list           the devices of all drivers, and nothing else\n"
    "\n"
    "exit: 0; 1: a part failed, or the golden kernels found other bits; 2: usage, or no such device\n";

static const struct part {
    const char *name;
    nas_gpu_bench_part_t *measure;
} parts[] = {{"golden", nas_gpu_bench_golden},     {"launches", nas_gpu_bench_launches},
             {"convs", nas_gpu_bench_convs},       {"tensors", nas_gpu_bench_tensors},
             {"networks", nas_gpu_bench_networks}, {"training", nas_gpu_bench_training}};

enum { N_PARTS = (int)(sizeof parts / sizeof *parts) };

typedef struct options {
    const char *device, *only; /* only NULL: all */
    bool is_quick, is_once, is_json, lists, helps;
} options_t;

/* ------------------------------------------------------------------------------------ arguments */

static bool is_part(const char *name)
{
    for (int i = 0; i < N_PARTS; i++)
        if (strcmp(parts[i].name, name) == 0) return true;
    return false;
}

/* The switch of this name, or NULL. */
static bool *switch_of(options_t *options, const char *name)
{
    const struct {
        const char *name;
        bool *value;
    } all[] = {{"--quick", &options->is_quick},
               {"--once", &options->is_once},
               {"--json", &options->is_json},
               {"--list", &options->lists},
               {"--help", &options->helps}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].name, name) == 0) return all[i].value;
    return NULL;
}

static nas_status_t parse(int argc, char **argv, options_t *options, nas_error_t *err)
{
    for (int i = 1; i < argc; i++) {
        bool *flag = switch_of(options, argv[i]);
        const bool has_value = i + 1 < argc;
        if (flag)
            *flag = true;
        else if (strcmp(argv[i], "--golden-only") == 0)
            options->only = "golden";
        else if (strcmp(argv[i], "--device") == 0 && has_value)
            options->device = argv[++i];
        else if (strcmp(argv[i], "--only") == 0 && has_value && is_part(argv[i + 1]))
            options->only = argv[++i];
        else
            return nas_error_set(err, NAS_EARG, "'%s' is no option, or lacks its value; see --help",
                                 argv[i]);
    }
    return NAS_OK;
}

/* ------------------------------------------------------------------------------------- measuring */

static void complain(const char *where, const nas_error_t *err)
{
    (void)fprintf(stderr, "robotnas-gpu-bench: %s%s%s\n", where, *where ? ": " : "", err->text);
}

static void print_device(nas_gpu_bench_t *bench, const nas_device_place_t *place)
{
    static const nas_sheet_column_t column[] = {
        {"device", "device", -12, 0}, {"driver", "driver", -16, 0}, {"name", "name", -1, 0}};
    char device[NAS_DEVICE_NAME_SIZE];
    nas_device_spell(place->layer, &place->info, device);
    const nas_sheet_cell_t cell[] = {
        {.text = device}, {.text = place->info.driver}, {.text = place->info.name}};
    nas_sheet_table(bench->sheet, "device", "Measured", column, sizeof column / sizeof *column);
    nas_sheet_row(bench->sheet, cell);
    nas_sheet_end_table(bench->sheet);
}

/* The worst that befell a part. */
static nas_status_t measure_parts(const nas_gpu_bench_t *bench, const char *only)
{
    nas_status_t worst = NAS_OK;
    for (int i = 0; i < N_PARTS; i++) {
        nas_error_t err = {0};
        if (only && strcmp(only, parts[i].name) != 0) continue;
        const nas_status_t status = parts[i].measure(bench, &err);
        if (status) complain(parts[i].name, &err);
        if (status > worst) worst = status;
        if (status == NAS_EIO) break;
    }
    return worst;
}

static nas_status_t measure(const options_t *options, nas_sheet_t *sheet, nas_error_t *err)
{
    nas_gpu_bench_t bench = {
        .sheet = sheet, .is_quick = options->is_quick, .is_once = options->is_once};
    nas_device_choice_t choice;
    nas_device_place_t place;
    nas_status_t status = nas_device_choice_parse(options->device, &choice, err);
    if (!status && choice.kind == NAS_DEVICE_CPU)
        status = nas_error_set(err, NAS_EARG,
                               "--device cpu is no GPU; robotnas bench score measures it");
    if (!status) status = nas_device_find(&choice, 0, &place, err);
    if (!status) status = place.layer->open(place.position, &bench.gpu, err);
    if (status) return status;
    place.layer->describe(bench.gpu, &bench.info);
    print_device(&bench, &place);
    const nas_status_t worst = measure_parts(&bench, options->only);
    place.layer->close(bench.gpu);
    return worst ? NAS_EFAILED : NAS_OK;
}

int main(int argc, char **argv)
{
    options_t options = {.device = "gpu"};
    nas_error_t err = {0};
    nas_sheet_t sheet;
    nas_status_t status = parse(argc, argv, &options, &err);
    if (!status && options.helps) return fputs(usage, stdout) == EOF;
    if (!status) {
        nas_sheet_begin(&sheet, stdout, options.is_json);
        status =
            options.lists ? nas_gpu_bench_devices(&sheet, &err) : measure(&options, &sheet, &err);
        nas_sheet_end(&sheet);
        if (!status && ferror(stdout))
            status = nas_error_set(&err, NAS_EIO, "the report cannot be written");
    }
    if (*err.text) complain("", &err);
    return nas_exit_code(status);
}

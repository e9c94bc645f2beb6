#include "worker/engine/device/find.h"
#include "worker/gpu_bench/bench.h"

#include <stdio.h>
#include <stdlib.h>

static void print(nas_sheet_t *sheet, const nas_gpu_layer_t *layer, const nas_gpu_info_t *info)
{
    char device[NAS_DEVICE_NAME_SIZE];
    nas_device_spell(layer, info, device);
    const nas_sheet_cell_t cell[] = {{.text = device},
                                     {.text = info->architecture},
                                     {.number = (double)info->memory / (1 << 20)},
                                     {.number = info->compute_units},
                                     {.text = info->driver},
                                     {.text = info->name}};
    nas_sheet_row(sheet, cell);
}

static void print_reason(nas_sheet_t *sheet, const nas_gpu_layer_t *layer, const char *reason)
{
    const nas_sheet_cell_t cell[] = {{.text = layer->name}, {.text = ""}, {.number = 0},
                                     {.number = 0},         {.text = ""}, {.text = reason}};
    nas_sheet_row(sheet, cell);
}

static void list(nas_sheet_t *sheet, const nas_gpu_layer_t *layer, nas_gpu_info_t *info)
{
    int n = 0;
    nas_error_t reason = {0}, err = {0};
    const nas_status_t status = layer->list(info, NAS_DEVICE_MOST, &n, &reason, &err);
    if (status || n == 0) print_reason(sheet, layer, status ? err.text : reason.text);
    for (int i = 0; !status && i < n && i < NAS_DEVICE_MOST; i++) print(sheet, layer, &info[i]);
}

nas_status_t nas_gpu_bench_devices(nas_sheet_t *sheet, nas_error_t *err)
{
    static const nas_sheet_column_t column[] = {
        {"device", "device", -12, 0}, {"architecture", "built for", -12, 0},
        {"mebibytes", "MiB", 9, 0},   {"compute_units", "units", 6, 0},
        {"driver", "driver", -16, 0}, {"name", "name, or why there is none", -1, 0}};
    nas_gpu_info_t *info = calloc(NAS_DEVICE_MOST, sizeof *info);
    if (!info) return nas_error_nomem(err, "the list of devices");
    nas_sheet_table(sheet, "devices", "Devices", column, sizeof column / sizeof *column);
    for (int i = 0; nas_gpu_layer_at(i); i++) list(sheet, nas_gpu_layer_at(i), info);
    nas_sheet_end_table(sheet);
    free(info);
    return NAS_OK;
}

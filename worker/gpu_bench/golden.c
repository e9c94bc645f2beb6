#include "worker/engine/gpu/pack/golden.h"

#include "worker/gpu_bench/bench.h"

#include <inttypes.h>

nas_status_t nas_gpu_bench_golden(const nas_gpu_bench_t *bench, nas_error_t *err)
{
    static const nas_sheet_column_t column[] = {
        {"hash", "hash", -18, 0}, {"expected", "expected", -18, 0}, {"equal", "equal", -5, 0}};
    enum { HEX_SIZE = 17 };
    char found[HEX_SIZE], expected[HEX_SIZE];
    uint64_t hash = 0;
    const nas_status_t status = nas_gpu_golden(bench->gpu, &hash, err);
    if (status) return status;
    (void)snprintf(found, sizeof found, "%016" PRIx64, hash);
    (void)snprintf(expected, sizeof expected, "%016" PRIx64, NAS_GPU_GOLDEN);
    const bool is_equal = hash == NAS_GPU_GOLDEN;
    const nas_sheet_cell_t cell[] = {
        {.text = found}, {.text = expected}, {.text = is_equal ? "yes" : "NO"}};
    nas_sheet_table(bench->sheet, "golden", "Golden kernels", column,
                    sizeof column / sizeof *column);
    nas_sheet_row(bench->sheet, cell);
    nas_sheet_end_table(bench->sheet);
    if (is_equal) return NAS_OK;
    return nas_error_set(
        err, NAS_ENUMERIC,
        "the golden kernels found %s, not %s: this device computes other bits than every device must",
        found, expected);
}

#include "worker/gpu_bench/waves.h"

#include <math.h>

static const int width[] = {1, 4, 16, NAS_WAVES_MOST};

static const nas_sheet_column_t with_flops[] = {
    {"kernel", "kernel", -10, 0},      {"shape", "shape", -28, 0},
    {"networks", "networks", 8, 0},    {"microseconds", "us", 10, 1},
    {"gflop_per_s", "GFLOP/s", 10, 1}, {"gb_per_s", "GB/s", 9, 1}};
static const nas_sheet_column_t without_flops[] = {{"kernel", "kernel", -24, 0},
                                                   {"shape", "shape", -16, 0},
                                                   {"networks", "networks", 8, 0},
                                                   {"microseconds", "us", 10, 1},
                                                   {"gb_per_s", "GB/s", 9, 1}};

static int n_widths(const nas_gpu_bench_t *bench)
{
    return bench->is_quick ? 2 : (int)(sizeof width / sizeof *width);
}

static nas_wave_case_t place(const nas_gpu_bench_t *bench, const nas_waves_t *waves, int i, int w,
                             nas_room_t *room)
{
    nas_wave_case_t the_case = {.timed.memory = &room->memory};
    nas_room_clear(room);
    waves->place(bench, i, width[w], room, &the_case);
    return the_case;
}

static void print(const nas_gpu_bench_t *bench, const nas_waves_t *waves,
                  const nas_wave_case_t *the_case, int networks, double seconds)
{
    const double rate = 1e-9 * networks / seconds;
    nas_sheet_cell_t cell[6] = {{.text = the_case->kernel},
                                {.text = the_case->shape},
                                {.number = networks},
                                {.number = 1e6 * seconds}};
    int n = 4;
    if (waves->has_flops) cell[n++].number = rate * the_case->flops;
    cell[n].number = rate * the_case->bytes;
    nas_sheet_row(bench->sheet, cell);
}

static nas_status_t measure(const nas_gpu_bench_t *bench, const nas_waves_t *waves,
                            nas_room_t *room, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (int i = 0; i < waves->n_cases; i++)
        for (int w = 0; !status && w < n_widths(bench); w++) {
            const nas_wave_case_t the_case = place(bench, waves, i, w, room);
            double seconds = NAN;
            if (nas_room_fits(room, &bench->info)) {
                nas_room_upload(room, bench->gpu);
                status = nas_time_launches(bench, &the_case.timed, &seconds, err);
            }
            if (!status) print(bench, waves, &the_case, width[w], seconds);
        }
    return status;
}

nas_status_t nas_waves_measure(const nas_gpu_bench_t *bench, const nas_waves_t *waves,
                               nas_error_t *err)
{
    nas_room_t room = {0};
    for (int i = 0; i < waves->n_cases; i++)
        for (int w = 0; w < n_widths(bench); w++) {
            (void)place(bench, waves, i, w, &room);
            if (nas_room_fits(&room, &bench->info)) nas_room_keep(&room);
        }
    nas_status_t status = nas_room_open(&room, bench->gpu, err);
    if (waves->has_flops)
        nas_sheet_table(bench->sheet, waves->key, waves->title, with_flops,
                        sizeof with_flops / sizeof *with_flops);
    else
        nas_sheet_table(bench->sheet, waves->key, waves->title, without_flops,
                        sizeof without_flops / sizeof *without_flops);
    if (!status) status = measure(bench, waves, &room, err);
    nas_sheet_end_table(bench->sheet);
    nas_room_close(&room, bench->gpu);
    return status;
}

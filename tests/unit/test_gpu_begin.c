/* begin.cl: what a pack begins with. */
#include "gpu_launch.h"
#include "worker/engine/graph/parameters.h"

#include <math.h>

typedef int64_t i64;
typedef uint32_t u32;
#include "worker/engine/gpu/kernels/work.h"

enum { N = 3000 };

/* Every parameter is what the host draws, bit by bit, and nothing behind it is touched. */
static void init_draws_as_the_host(nas_gpu_t *gpu)
{
    const nas_parameter_t parameter[] = {
        {.name = "stem/weight", .kind = NAS_PARAMETER_WEIGHT, .n = 432, .offset = 1, .fan_in = 27},
        {.name = "stem/bias", .kind = NAS_PARAMETER_BIAS, .n = 1, .offset = 433, .fan_in = 3},
        {.name = "norm/gamma", .kind = NAS_PARAMETER_GAMMA, .n = 19, .offset = 434},
        {.name = "norm/beta", .kind = NAS_PARAMETER_BETA, .n = 18, .offset = 453},
        {.name = "linear", .kind = NAS_PARAMETER_WEIGHT, .n = 2047, .offset = 471, .fan_in = 64}};
    enum { N_PARAMETERS = sizeof parameter / sizeof *parameter };
    const nas_graph_t graph = {.parameter = (nas_parameter_t *)parameter,
                               .n_parameters = N_PARAMETERS};
    const uint64_t seed = 0x123456789abcdef0;
    launch_memory_t m = launch_create(gpu, 1, N, 1, 1024);
    double expected[N] = {0};
    nas_gpu_init_t *init = (void *)m.table;
    for (int i = 0; i < N_PARAMETERS; i++) {
        const nas_parameter_draw_t draw = nas_parameter_draw(&parameter[i], seed, "|arch|");
        init[i] = (nas_gpu_init_t){
            .at = parameter[i].offset, .n = parameter[i].n, .bound = draw.bound, .fill = draw.fill};
        memcpy(init[i].key, draw.rng.key, sizeof init[i].key);
        memcpy(init[i].counter, draw.rng.counter, sizeof init[i].counter);
    }
    nas_parameters_init(&graph, seed, "|arch|", expected);
    launch_run(&m, "begin", "init", 4, N_PARAMETERS);
    cr_assert_arr_eq(m.vectors, expected, N * sizeof *expected);
    launch_destroy(&m);
}
ON_EVERY_LAYER(init_draws_as_the_host)

static void clear_clears_what_it_should(nas_gpu_t *gpu)
{
    launch_memory_t m = launch_create(gpu, 1, N, 1, 64);
    const nas_gpu_clear_t clear[] = {{3, 1}, {10, 1025}, {1036, 100}};
    memcpy(m.table, clear, sizeof clear);
    for (int i = 0; i < N; i++) m.vectors[i] = i + 1;
    launch_run(&m, "begin", "clear", 2, 3);
    for (int i = 0; i < N; i++) {
        const bool is_in = i == 3 || (i >= 10 && i < 1035) || (i >= 1036 && i < 1136);
        cr_assert_eq(m.vectors[i], is_in ? 0 : i + 1, "%d", i);
    }
    launch_destroy(&m);
}
ON_EVERY_LAYER(clear_clears_what_it_should)

/* Weights become float32, absolute where asked, and gradients float64 again. */
static void pack_and_unpack(nas_gpu_t *gpu)
{
    launch_memory_t m = launch_create(gpu, N, N, 1, 128);
    nas_gpu_pack_t pack[] = {{.from = 0, .to = 7, .n = 513},
                             {.from = 600, .to = 520, .n = 700, .absolute = 1}};
    const nas_gpu_unpack_t unpack = {.from = 7, .to = 2000, .n = 514};
    memcpy(m.table, pack, sizeof pack);
    for (int i = 0; i < 1300; i++) m.vectors[i] = sin(i);
    launch_run(&m, "begin", "pack", 2, 2);
    for (int i = 0; i < 513; i++) cr_assert_eq(m.arena[7 + i], (float)sin(i), "%d", i);
    for (int i = 0; i < 700; i++)
        cr_assert_eq(m.arena[520 + i], fabsf((float)sin(600 + i)), "%d", i);
    cr_assert_eq(m.arena[6], 0);
    cr_assert_eq(m.arena[1220], 0);
    memcpy(m.table, &unpack, sizeof unpack);
    launch_run(&m, "begin", "unpack", 2, 1);
    for (int i = 0; i < 514; i++) cr_assert_eq(m.vectors[2000 + i], m.arena[7 + i], "%d", i);
    cr_assert_eq(m.vectors[2514], 0);
    launch_destroy(&m);
}
ON_EVERY_LAYER(pack_and_unpack)

/* Images of the data, or ones, pixel by pixel: what lies behind the pixels of a plane is nobody's. */
static void load_images(nas_gpu_t *gpu)
{
    launch_memory_t m = launch_create(gpu, 200, 1, 16 + 90 * sizeof(float), 128);
    const nas_gpu_load_t load[] = {{.from = 16, .to = 4, .n = 2, .c = 3, .h = 3, .w = 5},
                                   {.from = -1, .to = 120, .n = 1, .c = 2, .h = 3, .w = 5}};
    float images[90];
    for (int i = 0; i < 90; i++) images[i] = (float)sin(i);
    memcpy(m.table, load, sizeof load);
    memcpy(m.data + 16, images, sizeof images);
    launch_run(&m, "begin", "load", 6, 2);
    for (int i = 0; i < 90; i++)
        cr_assert_eq(m.arena[4 + i / 15 * 16 + i % 15], images[i], "%d", i);
    for (int i = 0; i < 30; i++) cr_assert_eq(m.arena[120 + i / 15 * 16 + i % 15], 1, "%d", i);
    for (int i = 0; i < 4; i++) cr_assert_eq(m.arena[i], 0);
    cr_assert_eq(m.arena[120 + 32], 0);
    launch_destroy(&m);
}
ON_EVERY_LAYER(load_images)

/* Devices: what a choice may say, and what computes where the CPU is chosen. */
#include "worker/engine/device/device.h"
#include "worker/engine/device/find.h"
#include "worker/engine/host/backends.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Test(device, a_choice_is_a_kind_a_layer_and_numbers)
{
    static const struct {
        const char *text;
        nas_device_choice_t choice;
    } cases[] = {
        {"auto", {NAS_DEVICE_AUTO, "", -1, -1}},
        {"cpu", {NAS_DEVICE_CPU, "", -1, -1}},
        {"gpu", {NAS_DEVICE_GPU, "", -1, -1}},
        {"cuda", {NAS_DEVICE_GPU, "cuda", -1, -1}},
        {"threads", {NAS_DEVICE_GPU, "threads", -1, -1}},
        {"cuda:0", {NAS_DEVICE_GPU, "cuda", -1, 0}},
        {"hip:15", {NAS_DEVICE_GPU, "hip", -1, 15}},
        {"opencl", {NAS_DEVICE_GPU, "opencl", -1, -1}},
        {"opencl:2", {NAS_DEVICE_GPU, "opencl", 2, -1}},
        {"opencl:0:9999", {NAS_DEVICE_GPU, "opencl", 0, 9999}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const nas_device_choice_t *expected = &cases[i].choice;
        nas_device_choice_t found = {0};
        cr_assert_eq(nas_device_choice_parse(cases[i].text, &found, NULL), NAS_OK, "%s",
                     cases[i].text);
        cr_assert_eq(found.kind, expected->kind, "%s", cases[i].text);
        cr_assert_str_eq(found.layer, expected->layer);
        cr_assert_eq(found.platform, expected->platform, "%s", cases[i].text);
        cr_assert_eq(found.index, expected->index, "%s", cases[i].text);
    }
}

Test(device, what_is_no_choice_is_refused_with_those_that_are)
{
    static const char *const cases[] = {
        "",         "GPU",       "gp",       "gpu:0",    "cpu:0",  "auto:1",
        "cuda:",    "cuda:-1",   "cuda:0:1", "cuda:0x1", "cuda 0", "cuda:00000",
        "opencl:a", "opencl::1", "hip:1 ",   "nvidia",   ":0",     "opencl:0:1:2"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nas_device_choice_t choice = {.index = 77};
        nas_error_t err = {0};
        cr_assert_eq(nas_device_choice_parse(cases[i], &choice, &err), NAS_EARG, "%s", cases[i]);
        cr_assert_not_null(strstr(err.text, cases[i]));
        cr_assert_not_null(strstr(err.text, "auto, cpu, gpu, cuda[:N], hip[:N]"));
        cr_assert_eq(choice.index, 77, "nothing is written");
    }
}

Test(device, the_cpu_is_an_engine_of_its_backend)
{
    const nas_device_options_t options = {.choice = {.kind = NAS_DEVICE_CPU},
                                          .backend = nas_backend_named("ref")->of(NAS_ISA_PLAIN)};
    nas_device_t *device = NULL;
    nas_engine_t *engine = NULL;
    cr_assert_eq(nas_device_open(&options, &device, NULL), NAS_OK);
    cr_assert_eq(nas_device_kind(device), NAS_DEVICE_CPU);
    cr_assert_eq(nas_device_width(device), 1);
    cr_assert_str_eq(nas_device_name(device), "cpu");
    cr_assert_eq(nas_device_golden(device), 0);
    cr_assert_eq(nas_device_layout(device), options.backend);
    cr_assert_eq(nas_device_engine(device, NULL, &engine, NULL), NAS_OK);
    cr_assert_eq(engine->layout, options.backend);
    nas_engine_destroy(engine);
    nas_device_close(device);
    nas_device_close(NULL);
}

static nas_device_choice_t choice_of(const char *text)
{
    nas_device_choice_t choice;
    cr_assert_eq(nas_device_choice_parse(text, &choice, NULL), NAS_OK, "%s", text);
    return choice;
}

/* The threads as a device, with NAS_GPU_PACK so. */
static nas_status_t open_threads(const char *pack, nas_device_t **device_p, nas_error_t *err)
{
    const nas_device_options_t options = {.choice = choice_of("threads")};
    cr_assert_eq(setenv("NAS_GPU_PACK", pack, 1), 0);
    return nas_device_open(&options, device_p, err);
}

Test(device, a_variable_says_how_many_architectures_a_gpu_has_at_once)
{
    static const int widths[] = {1, 7, 4096};
    if (!nas_gpu_layer_named("threads")) criterion_skip_test("no layer of threads");
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        char text[16];
        nas_device_t *device = NULL;
        nas_engine_t *engine = NULL;
        (void)snprintf(text, sizeof text, "%d", widths[i]);
        cr_assert_eq(open_threads(text, &device, NULL), NAS_OK);
        cr_assert_eq(nas_device_engine(device, NULL, &engine, NULL), NAS_OK);
        cr_assert_eq(engine->width, widths[i]);
        cr_assert_eq(nas_device_width(device), widths[i]);
        nas_engine_destroy(engine);
        nas_device_close(device);
    }
}

Test(device, a_variable_that_is_no_number_of_architectures_is_refused)
{
    static const char *const cases[] = {
        "", "0", "-1", "4097", "99999999999999999999", "8 ", " 8", "8x", "0x8", "1e3", "all"};
    if (!nas_gpu_layer_named("threads")) criterion_skip_test("no layer of threads");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nas_device_t *device = NULL;
        nas_error_t err = {0};
        char expected[64];
        (void)snprintf(expected, sizeof expected, "NAS_GPU_PACK '%s' is not a number", cases[i]);
        cr_assert_eq(open_threads(cases[i], &device, &err), NAS_EARG, "%s", cases[i]);
        cr_assert_not_null(strstr(err.text, expected), "%s", err.text);
        cr_assert_null(device);
    }
}

/* Platform 0 has a processor behind its GPUs, as the layer sorts them; one GPU cannot compute. */
static const nas_gpu_info_t mixed[] = {
    {.platform_index = 0, .index = 1, .has_float64 = true},
    {.platform_index = 0, .index = 2},
    {.platform_index = 0, .index = 3, .has_float64 = true},
    {.platform_index = 1, .index = 0, .has_float64 = true},
    {.platform_index = 0, .index = 0, .has_float64 = true, .is_cpu = true},
};

Test(device, a_rank_takes_its_own_number_modulo_the_devices_that_fit)
{
    static const struct {
        const char *text;
        int first, n, position[4]; /* of ranks 0, 1, 2, 3; -1: none */
    } cases[] = {
        {"gpu", 0, 5, {0, 2, 0, 2}},        {"opencl", 0, 5, {0, 2, 0, 2}},
        {"opencl:1", 0, 5, {3, 3, 3, 3}},   {"opencl:2", 0, 5, {-1, -1, -1, -1}},
        {"opencl:0:3", 0, 5, {2, 2, 2, 2}}, {"opencl:0:0", 0, 5, {4, 4, 4, 4}},
        {"opencl:0:2", 0, 5, {1, 1, 1, 1}}, {"opencl:0:4", 0, 5, {-1, -1, -1, -1}},
        {"gpu", 4, 1, {-1, -1, -1, -1}},    {"opencl", 4, 1, {0, 0, 0, 0}},
        {"cuda", 0, 1, {0, 0, 0, 0}},       {"cuda:1", 0, 4, {0, 0, 0, 0}},
        {"cuda:0", 0, 0, {-1, -1, -1, -1}}, {"gpu", 1, 1, {-1, -1, -1, -1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const nas_device_choice_t choice = choice_of(cases[i].text);
        for (int rank = 0; rank < 4; rank++)
            cr_assert_eq(nas_device_bind(mixed + cases[i].first, cases[i].n, &choice, rank),
                         cases[i].position[rank], "%s, from %d, rank %d", cases[i].text,
                         cases[i].first, rank);
    }
}

Test(device, what_is_found_is_spelt_as_it_is_asked_for)
{
    const nas_device_choice_t choice = choice_of("threads");
    nas_device_place_t place = {0};
    char name[NAS_DEVICE_NAME_SIZE];
    cr_assert_eq(nas_device_find(&choice, 5, &place, NULL), NAS_OK);
    nas_device_spell(place.layer, &place.info, name);
    cr_assert_str_eq(name, "threads");
    nas_device_spell(&nas_gpu_layer_opencl, &mixed[3], name);
    cr_assert_str_eq(name, "opencl:1:0");
    nas_device_spell(&nas_gpu_layer_cuda, &mixed[1], name);
    cr_assert_str_eq(name, "cuda:2");
}

/* No library is where these say, as where there is no driver. */
Test(device, without_a_driver_the_reason_says_what_is_missing)
{
    cr_assert_eq(setenv("NAS_LIBCUDA", "/nowhere/libcuda.so.1", 1), 0);
    cr_assert_eq(setenv("NAS_LIBHIP", "/nowhere/libamdhip64.so", 1), 0);
    static const char *const cases[][2] = {{"cuda", "/nowhere/libcuda.so.1 is not there"},
                                           {"cuda:1", "/nowhere/libcuda.so.1 is not there"},
                                           {"hip", "/nowhere/libamdhip64.so is not there"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const nas_device_choice_t choice = choice_of(cases[i][0]);
        nas_device_place_t place = {0};
        nas_error_t err = {0};
        cr_assert_eq(nas_device_find(&choice, 0, &place, &err), NAS_EINPUT, "%s", cases[i][0]);
        cr_assert_not_null(strstr(err.text, cases[i][1]), "%s", err.text);
        cr_assert_null(place.layer);
    }
}

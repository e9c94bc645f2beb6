/* Devices: what a choice may say, and what computes where the CPU is chosen. */
#include "worker/engine/device/device.h"
#include "worker/engine/host/backends.h"

#include <criterion/criterion.h>
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
    cr_assert_str_eq(nas_device_name(device), "cpu");
    cr_assert_eq(nas_device_golden(device), 0);
    cr_assert_eq(nas_device_layout(device), options.backend);
    cr_assert_eq(nas_device_engine(device, NULL, &engine, NULL), NAS_OK);
    cr_assert_eq(engine->layout, options.backend);
    nas_engine_destroy(engine);
    nas_device_close(device);
    nas_device_close(NULL);
}

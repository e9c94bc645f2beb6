/* What float32 finds where an input of a ReLU is too near to 0 for it to tell the sides apart. */
#include "tests/unit/explanation_case.h"
#include "tests/unit/temp_folder.h"
#include "worker/engine/host/backends.h"
#include "worker/engine/host/host.h"
#include "worker/verify/verify.h"
#include "worker/verify/verify_values.h"

#include <math.h>

static nas_reference_values_t compute_on(const nas_backend_t *backend,
                                         const nas_reference_t *reference)
{
    nas_engine_t *engine = NULL;
    nas_reference_values_t values = {0};
    cr_assert_eq(nas_host_engine_create(backend, NULL, &engine, NULL), NAS_OK);
    cr_assert_eq(nas_reference_values_init(reference, &values, NULL), NAS_OK);
    cr_assert_eq(nas_verify_values(engine, reference, &values, NULL), NAS_OK);
    nas_engine_destroy(engine);
    return values;
}

/* What is added to the outcome of the stem's BN in the channel of this ReLU; NULL: the ReLU is not
 * behind it. The stem's ReLUs come first. */
static double *shift_of(const nas_reference_t *r, const nas_kink_t *kink)
{
    const nas_network_t *net = &r->graph->network;
    const int64_t pixels = (int64_t)net->height * net->width;
    if (kink->position >= r->batch * net->channels * pixels) return NULL;
    int i = 0;
    while (strcmp(r->graph->parameter[i].name, "stem/bn/beta") != 0) i++;
    return r->parameters + r->graph->parameter[i].offset + kink->position / pixels % net->channels;
}

/* The network has an input so near to 0, on this side, that float32 cannot tell the sides apart. */
static void move_to_kink(nas_reference_t *r, const nas_kink_t *kink, double side)
{
    nas_kinks_t near;
    *shift_of(r, kink) += side - kink->input;
    nas_reference_values_fini(&r->expected);
    r->expected = compute(r, NULL, 0, &near);
    cr_assert_eq(near.kink[0].position, kink->position);
    cr_assert_float_eq(near.kink[0].input, side, fabs(side) / 100);
}

/* On one of the two sides float64 and float32 do not agree. */
Test(explanation_float32, what_float32_finds_at_a_kink_is_explained)
{
    const nas_backend_t *backend = nas_backend_named("cpu")->of(nas_isa_best());
    if (!backend) cr_skip_test("the backend cpu is not built in");
    fixture_t f = setup("reference-mixed.h5");
    nas_reference_t *r = &f.reference;
    int n_tried = 0;
    for (int i = 0; i < f.near.n; i++) {
        double *shift = shift_of(r, &f.near.kink[i]), distance = 0;
        if (!shift) continue;
        const double before = *shift;
        int n_differ = 0;
        for (double side = -1e-9; side < 2e-9; side += 2e-9) {
            *shift = before;
            move_to_kink(r, &f.near.kink[i], side);
            nas_reference_values_t found = compute_on(backend, r);
            if (!do_agree(r, &r->expected, &found)) {
                cr_assert_eq(explain(r, &found, NAS_EXPLANATION_WITHIN, &distance), 1);
                cr_assert_float_eq(distance, 1e-9, 1e-11);
                n_differ++;
            }
            nas_reference_values_fini(&found);
        }
        cr_assert_eq(n_differ, 1);
        *shift = before;
        n_tried++;
    }
    cr_assert_gt(n_tried, 0);
    nas_reference_fini(&f.reference);
}

/* What verify prints about this reference on the backend cpu; the caller's. */
static char *verify(const nas_reference_t *r)
{
    const nas_device_options_t options = {.choice = {.kind = NAS_DEVICE_CPU},
                                          .backend = nas_backend_named("cpu")->of(nas_isa_best())};
    const temp_path_t folder = temp_folder_make(), file = temp_file(&folder, "kink.h5");
    const char *const path = file.text;
    nas_verify_options_t verify = {.path = &path, .n_paths = 1};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    cr_assert_eq(nas_reference_write(path, r, &r->expected, NULL), NAS_OK);
    cr_assert_eq(nas_device_open(&options, &verify.device, NULL), NAS_OK);
    cr_assert_eq(nas_verify(&verify, out, NULL), NAS_OK);
    nas_device_close(verify.device);
    (void)fclose(out);
    temp_folder_remove(&folder);
    return text;
}

/* As far as float32 weights, of which a file's are, bring it to 0. */
Test(explanation_float32, verify_says_that_a_relu_is_on_its_other_side)
{
    if (!nas_backend_named("cpu")->of(nas_isa_best()))
        cr_skip_test("the backend cpu is not built in");
    fixture_t f = setup("reference-mixed.h5");
    nas_reference_t *r = &f.reference;
    int n_said = 0;
    for (int i = 0; i < f.near.n; i++) {
        const nas_kink_t *kink = &f.near.kink[i];
        double *shift = shift_of(r, kink);
        if (!shift) continue;
        const double before = *shift;
        const float nearest = (float)(before - kink->input);
        for (int side = 0; side < 2; side++) {
            *shift = (double)(side == 0 ? nearest : nextafterf(nearest, -INFINITY));
            nas_reference_values_fini(&r->expected);
            r->expected = compute(r, NULL, 0, NULL);
            char *text = verify(r);
            cr_assert_not_null(strstr(text, " values, 0 differ\n"), "%s", text);
            n_said += strstr(text, "\n  expected with 1 ReLU, ") != NULL;
            free(text);
        }
        *shift = before;
    }
    cr_assert_gt(n_said, 0);
    nas_reference_fini(&f.reference);
}

static bool are_same(const double *a, const double *b, size_t n)
{
    return memcmp(a, b, n * sizeof *a) == 0;
}

Test(explanation_float32, with_none_turned_the_values_are_those_of_ref)
{
    fixture_t f = setup("reference-8channels.h5");
    const nas_reference_t *r = &f.reference;
    nas_reference_values_t plain = compute_on(nas_backend_ref(), r);
    nas_reference_values_t values = compute(r, NULL, 0, NULL);
    int n_metrics = 0;
    (void)nas_metric_list(&n_metrics);
    cr_assert(are_same(plain.metric, values.metric, (size_t)n_metrics));
    cr_assert(are_same(plain.gradient, values.gradient, (size_t)r->graph->n_values));
    cr_assert(are_same(plain.input_gradient, values.input_gradient, nas_reference_n_pixels(r)));
    cr_assert_eq(plain.loss, values.loss);
    nas_reference_values_fini(&plain);
    nas_reference_values_fini(&values);
    nas_reference_fini(&f.reference);
}

#include "worker/verify/kinks.h"

#include "worker/engine/host/host.h"
#include "worker/verify/verify_values.h"

#include <float.h>
#include <math.h>

/* A ReLU that is to be on the other side. */
typedef struct turned {
    int64_t position;
    double input; /* once the pass has come to it; before, NaN, which nothing equals */
} turned_t;

/* A node's rectifiers. */
typedef struct rectifier {
    double ceiling; /* 0: it has none */
    double scale;   /* root of the mean square of its inputs */
} rectifier_t;

/* A computation under way, on the backend `ref` but for what rectifies. */
typedef struct rectifying {
    nas_backend_t backend;
    const float *images; /* with which a pass over the network begins */
    turned_t turned[NAS_KINKS_TURNED];
    int n_turned;
    nas_kinks_t *near;   /* NULL: not wanted */
    bool is_network;     /* the pass under way is one of the network */
    int64_t position;    /* in it */
    int64_t n_positions; /* of a pass; 0: none has ended */
} rectifying_t;

/* A backend's functions know their arguments alone. */
static _Thread_local rectifying_t *under_way;

/* ----------------------------------------------------------------------------- one by one */

/* Channels of all images, one behind the other. */
typedef struct block {
    double *value;
    int64_t n;
} block_t;

/* Of image i: the channels of a range lie side by side. */
static block_t block_of(nas_channels_t tensor, nas_shape_t shape, int i)
{
    const int64_t pixels = (int64_t)shape.h * shape.w;
    const int64_t first = (int64_t)i * tensor.c_total + tensor.c_first;
    return (block_t){(double *)tensor.data + first * pixels, shape.c * pixels};
}

static double root_mean_square(nas_channels_t tensor, nas_shape_t shape)
{
    double squares = 0, n = 0;
    for (int i = 0; i < shape.n; i++) {
        const block_t block = block_of(tensor, shape, i);
        for (int64_t k = 0; k < block.n; k++) squares += block.value[k] * block.value[k];
        n += (double)block.n;
    }
    return sqrt(squares / n);
}

/* In its place by share, if it is one of the least and the first of its input. */
static void insert(nas_kinks_t *near, nas_kink_t kink)
{
    int at = near->n;
    if (at == NAS_KINKS_MOST && near->kink[at - 1].share <= kink.share) return;
    for (int i = 0; i < near->n; i++)
        if (near->kink[i].input == kink.input) return;
    if (at == NAS_KINKS_MOST)
        at--;
    else
        near->n++;
    for (; at > 0 && near->kink[at - 1].share > kink.share; at--)
        near->kink[at] = near->kink[at - 1];
    near->kink[at] = kink;
}

/* Whether an input is nearer to the ceiling than to 0. */
static bool is_high(double input, double ceiling)
{
    return ceiling > 0 && input > ceiling / 2;
}

static nas_kink_t kink_of(const rectifier_t *rectifier, int64_t position, double input)
{
    const double ceiling = rectifier->ceiling, scale = rectifier->scale;
    const bool high = is_high(input, ceiling);
    const double distance = fabs(high ? input - ceiling : input);
    return (nas_kink_t){position, input, distance,
                        distance / (high ? fmax(scale, ceiling) : scale)};
}

static void note_nearest(nas_channels_t input, nas_shape_t shape, double ceiling)
{
    const rectifier_t rectifier = {ceiling, root_mean_square(input, shape)};
    int64_t position = under_way->position;
    for (int i = 0; i < shape.n; i++) {
        const block_t block = block_of(input, shape, i);
        for (int64_t k = 0; k < block.n; k++, position++) {
            const nas_kink_t kink = kink_of(&rectifier, position, block.value[k]);
            if (kink.share > 0 && isfinite(kink.share)) insert(under_way->near, kink);
        }
    }
}

/* The inputs of those in this node that are to be turned. */
static void learn_turned(nas_channels_t input, nas_shape_t shape)
{
    const int64_t n = block_of(input, shape, 0).n;
    for (int i = 0; i < under_way->n_turned; i++) {
        turned_t *turned = &under_way->turned[i];
        const int64_t at = turned->position - under_way->position;
        if (at >= 0 && at < shape.n * n)
            turned->input = block_of(input, shape, (int)(at / n)).value[at % n];
    }
}

/* On its other side. */
static double turned_over(double input, double ceiling)
{
    if (is_high(input, ceiling)) return input < ceiling ? ceiling : nextafter(ceiling, 0);
    return input > 0 ? 0 : DBL_MIN;
}

static double rectified(double input, double ceiling)
{
    for (int i = 0; i < under_way->n_turned; i++)
        if (input == under_way->turned[i].input) return turned_over(input, ceiling);
    if (ceiling > 0 && input > ceiling) return ceiling;
    return input > 0 ? input : 0;
}

static void rectify(nas_channels_t input, nas_channels_t output, nas_shape_t shape, double ceiling)
{
    for (int i = 0; i < shape.n; i++) {
        const block_t from = block_of(input, shape, i), to = block_of(output, shape, i);
        for (int64_t k = 0; k < from.n; k++) to.value[k] = rectified(from.value[k], ceiling);
    }
}

/* -------------------------------------------------------------------------- the backend */

/* Every pass has as many. */
static void end_pass(rectifying_t *r)
{
    if (!r->is_network) return;
    NAS_ASSERT(r->n_positions == 0 || r->n_positions == r->position);
    r->n_positions = r->position;
    r->is_network = false;
}

static void load_images(nas_shape_t shape, const float *images, void *tensor)
{
    end_pass(under_way);
    under_way->is_network = images == under_way->images;
    under_way->position = 0;
    for (int i = 0; i < under_way->n_turned; i++) under_way->turned[i].input = (double)NAN;
    nas_backend_ref()->load_images(shape, images, tensor);
}

static void combine(const nas_combination_t *combination)
{
    const bool rectifies = combination->relu.data && !combination->mask.data;
    nas_combination_t plain = *combination;
    if (!rectifies || !under_way->is_network) {
        nas_backend_ref()->combine(combination);
        return;
    }
    /* the input is first made where it is stored, or else where it is rectified */
    if (!plain.out.data) plain.out = plain.relu;
    plain.relu.data = NULL;
    nas_backend_ref()->combine(&plain);
    if (under_way->near && under_way->n_positions == 0)
        note_nearest(plain.out, plain.shape, plain.ceiling);
    learn_turned(plain.out, plain.shape);
    rectify(plain.out, combination->relu, plain.shape, plain.ceiling);
    under_way->position += plain.shape.n * block_of(plain.out, plain.shape, 0).n;
}

nas_status_t nas_kinks_compute(const nas_reference_t *reference, const int64_t *turned,
                               int n_turned, nas_reference_values_t *values, nas_kinks_t *near,
                               nas_error_t *err)
{
    rectifying_t rectifying = {.backend = *nas_backend_ref(),
                               .images = reference->input.data,
                               .n_turned = n_turned,
                               .near = near};
    nas_engine_t *engine = NULL;
    NAS_ASSERT(n_turned <= NAS_KINKS_TURNED);
    for (int i = 0; i < n_turned; i++) rectifying.turned[i] = (turned_t){turned[i], (double)NAN};
    rectifying.backend.load_images = load_images;
    rectifying.backend.combine = combine;
    if (near) near->n = 0;
    nas_status_t status = nas_reference_values_init(reference, values, err);
    if (!status) status = nas_host_engine_create(&rectifying.backend, NULL, &engine, err);
    under_way = &rectifying;
    if (!status) status = nas_verify_values(engine, reference, values, err);
    end_pass(&rectifying);
    under_way = NULL;
    nas_engine_destroy(engine);
    return status;
}

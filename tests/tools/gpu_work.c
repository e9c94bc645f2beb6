/* What an architecture takes of a GPU, by its programs: products and bytes of tensors, for the
 * estimates of docs/gpu.md.
 *
 * usage: gpu_work      means of 200 cells, evenly over the unique ones; all-conv3x3 beside them
 *
 * A convolution counts 2 N O I K K H W; bytes are those of tensors that a kernel reads or writes in
 * the device's memory, once each: what it reads again comes from caches. Weights, vectors and
 * descriptors are left out; parts of gradients are counted. */
#include "common/space/subset.h"
#include "worker/engine/gpu/plan/layout.h"
#include "worker/engine/gpu/plan/variant.h"
#include "worker/engine/graph/graph.h"
#include "worker/engine/program/op.h"
#include "worker/engine/program/program.h"

#include <stdio.h>

enum { N_CELLS = 200 };

static const nas_network_t SCORED = {3, 32, 32, 16, 5, 10, NAS_CONVENTION_SCORE};
static const nas_network_t TRAINED = {3, 32, 32, 16, 5, 10, NAS_CONVENTION_TRAIN};

typedef struct work {
    double flops;
    double conv_bytes; /* of convolutions */
    double bytes;      /* of all else */
} work_t;

static double tensor(double n, double c, double h, double w)
{
    return n * c * h * w * (double)sizeof(float);
}

static void add_conv(const nas_program_t *program, const nas_op_t *op, work_t *work)
{
    const nas_conv_shape_t *s = &program->conv[op->conv.conv];
    const int h = nas_conv_h_out(s), w = nas_conv_w_out(s);
    const double in = tensor(s->n, s->c_in, s->h_in, s->w_in), out = tensor(s->n, s->c_out, h, w);
    const double weights = tensor(s->c_out, nas_conv_fan_in(s), 1, 1);
    work->flops += 2.0 * s->n * s->c_out * nas_conv_fan_in(s) * h * w;
    work->conv_bytes += in + out;
    if (op->kind != NAS_OP_CONV_BACKWARD_WEIGHTS) return;
    const nas_gpu_variant_t variant = nas_gpu_conv_variant(s, NAS_GPU_BACKWARD_WEIGHTS);
    work->conv_bytes += 2 * weights * nas_gpu_weight_splits(&variant, s->n);
}

static double term_bytes(const nas_program_term_t *term, double value)
{
    switch (term->kind) {
    case NAS_TERM_POOL2:
        return 4 * value;
    case NAS_TERM_POOL2_ADJOINT:
        return value / 4;
    case NAS_TERM_IMAGE:
        return 0;
    default:
        return value;
    }
}

static void add_combination(const nas_program_t *program, int index, work_t *work)
{
    const nas_program_combination_t *c = &program->combination[index];
    const double value = tensor(c->shape.n, c->shape.c, c->shape.h, c->shape.w);
    for (int i = 0; i < c->n_terms; i++)
        work->bytes += term_bytes(&program->term[c->term + i], value);
    for (int i = 0; i < c->n_dots; i++)
        work->bytes += program->dot[c->dot + i].tensor.at >= 0 ? value : 0;
    work->bytes += value * ((c->mask.at >= 0) + (c->out.at >= 0) + (c->relu.at >= 0));
}

static void add_op(const nas_program_t *program, const nas_op_t *op, work_t *work)
{
    const nas_tensor_op_t *t = &op->tensor;
    switch (op->kind) {
    case NAS_OP_CONV_FORWARD:
    case NAS_OP_CONV_BACKWARD_DATA:
    case NAS_OP_CONV_BACKWARD_WEIGHTS:
        add_conv(program, op, work);
        break;
    case NAS_OP_COMBINE:
        add_combination(program, op->index, work);
        break;
    case NAS_OP_IMAGE_DOTS:
    case NAS_OP_AGREEMENT:
    case NAS_OP_MAX_ABS:
    case NAS_OP_LOAD_IMAGES:
        work->bytes += tensor(t->shape.n, t->shape.c, t->shape.h, t->shape.w) *
                       (1 + (t->b.at >= 0 && op->kind == NAS_OP_IMAGE_DOTS));
        break;
    default: /* moments come with what makes the tensor; the others move little */
        break;
    }
}

static bool add_program(const nas_network_t *network, const nas_arch_t *arch, unsigned needs,
                        int batch, work_t *work)
{
    nas_graph_t *graph = NULL;
    nas_program_t *program = NULL;
    bool is_good = nas_graph_create(network, arch, &graph, NULL) == NAS_OK;
    const nas_program_options_t options = {
        .layout = nas_gpu_layout(), .graph = graph, .batch = batch, .needs = needs};
    is_good = is_good && nas_program_create(&options, &program, NULL) == NAS_OK;
    for (int i = 0; is_good && i < program->n_ops; i++) add_op(program, &program->op[i], work);
    nas_program_destroy(program);
    nas_graph_destroy(graph);
    return is_good;
}

/* Six metrics on 64 images, or a step of 256. */
static bool add_arch(const nas_arch_t *arch, work_t *scoring, work_t *training)
{
    const unsigned metrics =
        NAS_NEED_SUMS | NAS_NEED_FISHER | NAS_NEED_CORRELATION | NAS_NEED_CURVATURE;
    return add_program(&SCORED, arch, metrics, 64, scoring) &&
           add_program(&SCORED, arch, NAS_NEED_FLOW, 1, scoring) &&
           add_program(&TRAINED, arch, NAS_NEED_LOSS | NAS_NEED_GRADIENT, 256, training);
}

static void print(const char *what, const work_t *work, double n)
{
    printf("%s: %.1f GFLOP, %.2f GB of convolutions and %.2f GB of all else\n", what,
           1e-9 * work->flops / n, 1e-9 * work->conv_bytes / n, 1e-9 * work->bytes / n);
}

int main(void)
{
    const char *all = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_"
                      "3x3~1|nor_conv_3x3~2|";
    const nas_space_t *space = nas_space_find("nas-bench-201");
    const nas_subset_t subset = {.kind = NAS_SUBSET_UNIQUE};
    nas_selection_t unique = {0};
    nas_arch_t arch = {0};
    work_t scoring = {0}, training = {0}, most_scoring = {0}, most_training = {0};
    bool is_good = nas_subset_select(space, &subset, &unique, NULL) == NAS_OK &&
                   nas_arch_init(&arch, space, NULL) == NAS_OK;
    for (int64_t i = 0; is_good && i < N_CELLS; i++) {
        nas_arch_set(&arch, unique.index[i * unique.n / N_CELLS]);
        is_good = add_arch(&arch, &scoring, &training);
    }
    is_good = is_good && nas_arch_parse(&arch, all, NULL) == NAS_OK &&
              add_arch(&arch, &most_scoring, &most_training);
    print("mean of the unique cells, six metrics", &scoring, N_CELLS);
    print("mean of the unique cells, a training step of 256", &training, N_CELLS);
    print("all-conv3x3, six metrics", &most_scoring, 1);
    print("all-conv3x3, a training step of 256", &most_training, 1);
    nas_arch_fini(&arch);
    nas_selection_fini(&unique);
    return !is_good;
}

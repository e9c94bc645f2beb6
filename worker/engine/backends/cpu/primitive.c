#include "worker/engine/backends/cpu/primitive.h"

#include <dnnl.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { X = 0, Y, WEIGHTS, SCRATCH, N_OPERANDS };

struct nas_primitive {
    dnnl_primitive_t primitive;
    dnnl_memory_t memory[N_OPERANDS];
    dnnl_exec_arg_t argument[N_OPERANDS];
    nas_filter_layout_t filter;
    size_t scratch_bytes;
};

/* A convolution as oneDNN describes it. */
typedef struct description {
    dnnl_memory_desc_t x;
    dnnl_memory_desc_t y;
    dnnl_memory_desc_t weights;
    dnnl_dims_t strides;
    dnnl_dims_t dilations;   /* 0: none */
    dnnl_dims_t padding;     /* above and on the left */
    dnnl_dims_t far_padding; /* below and on the right */
} description_t;

/* oneDNN's names of the operands of each pass, and where its layouts are asked for. */
typedef struct operand_names {
    int argument[SCRATCH];
    dnnl_query_t query[SCRATCH];
} operand_names_t;

static const operand_names_t operand_names[NAS_PASS_COUNT] = {
    [NAS_PASS_FORWARD] = {{DNNL_ARG_SRC, DNNL_ARG_DST, DNNL_ARG_WEIGHTS},
                          {dnnl_query_src_md, dnnl_query_dst_md, dnnl_query_weights_md}},
    [NAS_PASS_BACKWARD_DATA] = {{DNNL_ARG_DIFF_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS},
                                {dnnl_query_diff_src_md, dnnl_query_diff_dst_md,
                                 dnnl_query_weights_md}},
    [NAS_PASS_BACKWARD_WEIGHTS] = {{DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS},
                                   {dnnl_query_src_md, dnnl_query_diff_dst_md,
                                    dnnl_query_diff_weights_md}},
};

/* oneDNN's engine and stream, of which a process needs one. */
static dnnl_engine_t engine;
static dnnl_stream_t stream;

/* The limit is refused where oneDNN already runs; what it then lacks shows at creation. */
void nas_primitive_setup(nas_isa_t isa)
{
    omp_set_num_threads(1);
    if (isa == NAS_ISA_PLAIN) return;
    (void)dnnl_set_max_cpu_isa(isa == NAS_ISA_AVX512 ? dnnl_cpu_isa_avx512_core
                                                     : dnnl_cpu_isa_avx2);
    dnnl_status_t status = dnnl_engine_create(&engine, dnnl_cpu, 0);
    if (status == dnnl_success)
        status = dnnl_stream_create(&stream, engine, dnnl_stream_default_flags);
    NAS_ASSERT(status == dnnl_success);
}

static dnnl_format_tag_t weights_tag(const nas_primitive_spec_t *spec)
{
    const bool is_wide = spec->lanes == 16, is_adjoint = spec->pass == NAS_PASS_BACKWARD_DATA;
    if (spec->planes) return is_wide ? dnnl_Ohwi16o : dnnl_Ohwi8o;
    if (nas_conv_groups(&spec->shape) > 1) {
        if (is_adjoint) return is_wide ? dnnl_gOIhw16o16i : dnnl_gOIhw8o8i;
        return is_wide ? dnnl_gOIhw16i16o : dnnl_gOIhw8i8o;
    }
    if (is_adjoint) return dnnl_format_tag_any;
    return is_wide ? dnnl_OIhw16i16o : dnnl_OIhw8i8o;
}

static dnnl_memory_desc_t memory_description(int n_dims, const dnnl_dim_t *dims,
                                             dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t description;
    const dnnl_status_t status =
        dnnl_memory_desc_init_by_tag(&description, n_dims, dims, dnnl_f32, tag);
    NAS_ASSERT(status == dnnl_success);
    return description;
}

/* Those of several groups have them as a dimension more. */
static dnnl_memory_desc_t weights_description(const nas_primitive_spec_t *spec)
{
    const nas_conv_shape_t *shape = &spec->shape;
    const nas_window_t window = nas_conv_window(shape);
    const int groups = nas_conv_groups(shape);
    const dnnl_dims_t dims = {groups, shape->c_out / groups, shape->c_in / groups, window.k_h,
                              window.k_w};
    const int skipped = groups == 1;
    return memory_description(5 - skipped, dims + skipped, weights_tag(spec));
}

/* Axis by axis: what windows of an output read of an input beyond its end; may be negative. */
static int far_padding(int in, int out, const int window[4])
{
    const int k = window[0], stride = window[1], dilation = window[2], before = window[3];
    return (out - 1) * stride + (k - 1) * dilation + 1 - in - before;
}

static description_t describe(const nas_primitive_spec_t *spec)
{
    const nas_conv_shape_t *shape = &spec->shape;
    const nas_window_t w = nas_conv_window(shape);
    const int h_out = nas_conv_h_out(shape), w_out = nas_conv_w_out(shape);
    const int rows[] = {w.k_h, w.stride_h, w.dilation_h, w.top};
    const int columns[] = {w.k_w, w.stride_w, w.dilation_w, w.left};
    const dnnl_format_tag_t blocked = spec->lanes == 16 ? dnnl_nChw16c : dnnl_nChw8c;
    const dnnl_dims_t x = {shape->n, shape->c_in, shape->h_in, shape->w_in};
    const dnnl_dims_t y = {shape->n, shape->c_out, h_out, w_out};
    return (description_t){
        .x = memory_description(4, x, spec->planes ? dnnl_nchw : blocked),
        .y = memory_description(4, y, blocked),
        .weights = weights_description(spec),
        .strides = {w.stride_h, w.stride_w},
        .dilations = {w.dilation_h - 1, w.dilation_w - 1},
        .padding = {w.top, w.left},
        .far_padding = {far_padding(shape->h_in, h_out, rows),
                        far_padding(shape->w_in, w_out, columns)},
    };
}

static dnnl_status_t describe_pass(nas_pass_t pass, const description_t *of,
                                   dnnl_convolution_desc_t *convolution)
{
    if (pass == NAS_PASS_FORWARD)
        return dnnl_dilated_convolution_forward_desc_init(
            convolution, dnnl_forward_training, dnnl_convolution_direct, &of->x, &of->weights, NULL,
            &of->y, of->strides, of->dilations, of->padding, of->far_padding);
    if (pass == NAS_PASS_BACKWARD_DATA)
        return dnnl_dilated_convolution_backward_data_desc_init(
            convolution, dnnl_convolution_direct, &of->x, &of->weights, &of->y, of->strides,
            of->dilations, of->padding, of->far_padding);
    return dnnl_dilated_convolution_backward_weights_desc_init(
        convolution, dnnl_convolution_direct, &of->x, &of->weights, NULL, &of->y, of->strides,
        of->dilations, of->padding, of->far_padding);
}

/* Backward passes are described with the forward one as a hint. */
static dnnl_status_t choose(nas_pass_t pass, const description_t *of, dnnl_primitive_desc_t hint,
                            dnnl_primitive_desc_t *chosen)
{
    dnnl_convolution_desc_t convolution;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_status_t status = dnnl_primitive_attr_create(&attributes);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
    if (status == dnnl_success) status = describe_pass(pass, of, &convolution);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(chosen, &convolution, attributes, engine, hint);
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

static dnnl_status_t choose_with_hint(nas_pass_t pass, const description_t *of,
                                      dnnl_primitive_desc_t *chosen)
{
    dnnl_primitive_desc_t forward = NULL;
    dnnl_status_t status = choose(NAS_PASS_FORWARD, of, NULL, &forward);
    if (status != dnnl_success) return status;
    if (pass == NAS_PASS_FORWARD) {
        *chosen = forward;
        return status;
    }
    status = choose(pass, of, forward, chosen);
    dnnl_primitive_desc_destroy(forward);
    return status;
}

/* oneDNN's fallback is slower by three orders of magnitude. */
static bool is_optimised(const_dnnl_primitive_desc_t chosen)
{
    const char *name = "";
    dnnl_primitive_desc_query(chosen, dnnl_query_impl_info_str, 0, (void *)&name);
    return strncmp(name, "jit", strlen("jit")) == 0;
}

/* chosen [out]: NULL where there is no optimised kernel. */
static dnnl_status_t choose_optimised(nas_pass_t pass, const description_t *of,
                                      dnnl_primitive_desc_t *chosen)
{
    dnnl_primitive_desc_t candidate = NULL;
    const dnnl_status_t status = choose_with_hint(pass, of, &candidate);
    if (status == dnnl_unimplemented || status == dnnl_invalid_arguments) return dnnl_success;
    if (status != dnnl_success) return status;
    if (is_optimised(candidate))
        *chosen = candidate;
    else
        dnnl_primitive_desc_destroy(candidate);
    return status;
}

/* Dimensions are [O, I, K, K], behind that of the groups where there are several. */
static nas_filter_layout_t filter_layout(const dnnl_memory_desc_t *weights)
{
    const dnnl_blocking_desc_t *blocking = &weights->format_desc.blocking;
    const int o = weights->ndims == 5, i = o + 1;
    nas_filter_layout_t layout = {.o_block = (size_t)blocking->strides[o],
                                  .i_block = (size_t)blocking->strides[i],
                                  .k = (size_t)blocking->strides[i + 2],
                                  .o = 1,
                                  .i = (size_t)blocking->strides[i]};
    if (blocking->inner_nblks == 2) {
        const bool ends_in_o = blocking->inner_idxs[1] == o;
        layout.o = ends_in_o ? 1 : (size_t)blocking->inner_blks[1];
        layout.i = ends_in_o ? (size_t)blocking->inner_blks[1] : 1;
    }
    return layout;
}

static dnnl_status_t add_operand(nas_primitive_t *primitive, int operand, int argument,
                                 const dnnl_memory_desc_t *description)
{
    const dnnl_status_t status =
        dnnl_memory_create(&primitive->memory[operand], description, engine, DNNL_MEMORY_NONE);
    primitive->argument[operand] = (dnnl_exec_arg_t){argument, primitive->memory[operand]};
    return status;
}

static dnnl_status_t build(nas_pass_t pass, const_dnnl_primitive_desc_t chosen,
                           nas_primitive_t *primitive)
{
    const operand_names_t *names = &operand_names[pass];
    dnnl_status_t status = dnnl_primitive_create(&primitive->primitive, chosen);
    for (int i = 0; i < SCRATCH && status == dnnl_success; i++)
        status = add_operand(primitive, i, names->argument[i],
                             dnnl_primitive_desc_query_md(chosen, names->query[i], 0));
    if (status != dnnl_success) return status;
    primitive->filter =
        filter_layout(dnnl_primitive_desc_query_md(chosen, names->query[WEIGHTS], 0));
    const dnnl_memory_desc_t *scratch =
        dnnl_primitive_desc_query_md(chosen, dnnl_query_scratchpad_md, 0);
    primitive->scratch_bytes = dnnl_memory_desc_get_size(scratch);
    return add_operand(primitive, SCRATCH, DNNL_ARG_SCRATCHPAD, scratch);
}

nas_status_t nas_primitive_create(const nas_primitive_spec_t *spec, nas_primitive_t **primitive_p,
                                  nas_error_t *err)
{
    dnnl_primitive_desc_t chosen = NULL;
    nas_primitive_t *primitive = NULL;
    const description_t description = describe(spec);
    dnnl_status_t status = choose_optimised(spec->pass, &description, &chosen);
    if (status == dnnl_success && chosen != NULL) {
        primitive = calloc(1, sizeof *primitive);
        status = primitive == NULL ? dnnl_out_of_memory : build(spec->pass, chosen, primitive);
    }
    dnnl_primitive_desc_destroy(chosen);
    if (status != dnnl_success) {
        nas_primitive_destroy(primitive);
        return nas_error_nomem(err, "convolution");
    }
    *primitive_p = primitive;
    return NAS_OK;
}

void nas_primitive_destroy(nas_primitive_t *primitive)
{
    if (primitive == NULL) return;
    for (int i = 0; i < N_OPERANDS; i++) dnnl_memory_destroy(primitive->memory[i]);
    dnnl_primitive_destroy(primitive->primitive);
    free(primitive);
}

nas_filter_layout_t nas_primitive_filter_layout(const nas_primitive_t *primitive)
{
    return primitive->filter;
}

size_t nas_primitive_scratch_bytes(const nas_primitive_t *primitive)
{
    return primitive->scratch_bytes;
}

void nas_primitive_run(const nas_primitive_t *primitive, nas_primitive_operands_t operands)
{
    const void *data[N_OPERANDS] = {operands.x, operands.y, operands.weights, operands.scratch};
    dnnl_status_t status = dnnl_success;
    for (int i = 0; i < N_OPERANDS && status == dnnl_success; i++)
        status = dnnl_memory_set_data_handle(primitive->memory[i], (void *)data[i]);
    if (status == dnnl_success)
        status =
            dnnl_primitive_execute(primitive->primitive, stream, N_OPERANDS, primitive->argument);
    NAS_ASSERT(status == dnnl_success);
}

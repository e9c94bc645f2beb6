/* Pools, copies, flat tensors. */
#include "tests/tools/gpu_backend.h"
#include "worker/engine/gpu/plan/window.h"

static int groups_of(nas_shape_t s)
{
    const int64_t n = (int64_t)s.n * s.c * s.h * s.w;
    return (int)(n / NAS_GPU_LINK_LANES) +
           2; /* one too many: launches are as wide as their widest */
}

static void run(const char *kernel, nas_shape_t written, const void *work, size_t bytes)
{
    const nas_gpu_variant_t variant = nas_gpu_plain_variant("links", kernel);
    gpu_run(&variant, groups_of(written), 1, gpu_put_table(work, bytes));
}

/* All of a tensor in memory. */
static nas_gpu_slice_t put(nas_shape_t shape, nas_channels_t range)
{
    shape.c = range.c_total;
    nas_gpu_slice_t slice = gpu_put_tensor(shape, range.data);
    slice.c_first = range.c_first;
    return slice;
}

static void take(nas_shape_t shape, nas_gpu_slice_t slice, nas_channels_t to)
{
    shape.c = to.c_total;
    slice.c_first = to.c_first = 0;
    gpu_take_range(shape, slice, to);
}

/* ------------------------------------------------------------------------------------------ pools */

typedef struct pass {
    const char *kernel;
    nas_channels_t x, from, to;
} pass_t;

static void run_pool(const nas_pool_shape_t *pool, const pass_t *pass, bool is_adjoint)
{
    const nas_shape_t in = {pool->n, pool->c, pool->h_in, pool->w_in};
    const nas_shape_t out = {pool->n, pool->c, pool->h_out, pool->w_out};
    nas_gpu_pooling_t work = {0};
    gpu_call_begin();
    nas_gpu_pooling_geometry(pool, &work);
    if (work.takes_largest) work.x = put(in, pass->x);
    work.from = put(is_adjoint ? out : in, pass->from);
    work.to = put(is_adjoint ? in : out, pass->to);
    run(pass->kernel, is_adjoint ? in : out, &work, sizeof work);
    take(is_adjoint ? in : out, work.to, pass->to);
}

static void pool_forward(const nas_pool_shape_t *pool, nas_channels_t x, nas_channels_t y)
{
    run_pool(pool, &(pass_t){"pool", x, x, y}, false);
}

static void pool_tangent(const nas_pool_shape_t *pool, nas_channels_t x, nas_channels_t tx,
                         nas_channels_t ty)
{
    run_pool(pool, &(pass_t){"pool", x, tx, ty}, false);
}

static void pool_backward(const nas_pool_shape_t *pool, nas_channels_t x, nas_channels_t dy,
                          nas_channels_t dx)
{
    run_pool(pool, &(pass_t){"pool_adjoint", x, dy, dx}, true);
}

/* ----------------------------------------------------------------------------------------- copies */

static void copy(const nas_copy_t *c)
{
    const nas_shape_t s = c->shape;
    nas_gpu_copy_t work = {.n = s.n,
                           .c = s.c,
                           .h = s.h,
                           .w = s.w,
                           .h_from = c->h_from,
                           .w_from = c->w_from,
                           .top = c->top,
                           .left = c->left};
    gpu_call_begin();
    work.from = put((nas_shape_t){s.n, s.c, c->h_from, c->w_from}, c->from);
    work.to = put(s, c->to);
    run("copy", s, &work, sizeof work);
    take(s, work.to, c->to);
}

static void run_flat(nas_shape_t s, void *tensor, void *flat, bool is_back)
{
    const nas_shape_t flat_shape = {s.n, s.c * s.h * s.w, 1, 1};
    const nas_channels_t of_tensor = {tensor, s.c, 0}, of_flat = {flat, flat_shape.c, 0};
    nas_gpu_flatten_t work = {.n = s.n, .c = s.c, .h = s.h, .w = s.w, .back = is_back};
    gpu_call_begin();
    work.tensor = put(s, of_tensor);
    work.flat = put(flat_shape, of_flat);
    run("flatten", s, &work, sizeof work);
    if (is_back)
        take(s, work.tensor, of_tensor);
    else
        take(flat_shape, work.flat, of_flat);
}

static void flatten(nas_shape_t shape, const void *x, void *y)
{
    run_flat(shape, (void *)(uintptr_t)x, y, false);
}

static void unflatten(nas_shape_t shape, const void *y, void *x)
{
    run_flat(shape, x, (void *)(uintptr_t)y, true);
}

void gpu_backend_add_links(nas_backend_t *backend)
{
    backend->pool_forward = pool_forward;
    backend->pool_backward = pool_backward;
    backend->pool_tangent = pool_tangent;
    backend->copy = copy;
    backend->flatten = flatten;
    backend->unflatten = unflatten;
}

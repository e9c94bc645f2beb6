/* The kernel of a network's gradients: for every image a backward pass of the sum of its logits, with
 * all images in it, since BN couples them; the gradients of all are kept, and multiplied at the end.
 */
#include "worker/engine/program/emitter.h"

/* Where the product of images i and j is summed up. */
static nas_vector_t sums_of(const nas_emitter_t *e, int i, int j)
{
    return e->program->results.kernel + 2 * ((nas_vector_t)i * e->n + j);
}

static nas_place_t gradient_of(const nas_emitter_t *e, int group, int image)
{
    return e->program->group[group].gradient + (nas_place_t)((size_t)image * e->gradient_bytes);
}

static void multiply(nas_emitter_t *e, int group)
{
    for (int i = 0; i < e->n; i++)
        for (int j = 0; j <= i; j++)
            nas_emit_weight_dot(e, gradient_of(e, group, i), gradient_of(e, group, j),
                                e->program->group[group].elements, sums_of(e, i, j));
}

/* The gradients of a weight that several groups share, one behind the other. */
static nas_vector_t emit_shared(nas_emitter_t *e, int weight)
{
    const nas_vector_t n = (nas_vector_t)e->graph->parameter[weight].n;
    const nas_vector_t all = nas_emit_vector(e, (size_t)e->n * (size_t)n);
    for (int image = 0; image < e->n; image++)
        for (int g = 0; g < e->n_groups; g++)
            if (nas_group_shares(e, g, weight))
                nas_emit_add_gradient(e, g, gradient_of(e, g, image), all + image * n);
    return all;
}

static void multiply_shared(nas_emitter_t *e, int weight)
{
    const nas_vector_t n = (nas_vector_t)e->graph->parameter[weight].n;
    const nas_vector_t all = emit_shared(e, weight);
    for (int i = 0; i < e->n; i++)
        for (int j = 0; j <= i; j++)
            nas_emit_dots(e, weight, all + i * n, all + j * n, sums_of(e, i, j));
}

void nas_emit_kernel(nas_emitter_t *e)
{
    for (int image = 0; image < e->n; image++)
        nas_emit_backward(e, (nas_backward_t){.of_image = true,
                                              .number = image,
                                              .gradient_at = (size_t)image * e->gradient_bytes,
                                              .weights = true});
    nas_emit_op(e, NAS_OP_WEIGHT_DOTS);
    for (int g = 0; g < e->n_groups; g++)
        if (nas_group_owns_weights(e, g)) multiply(e, g);
    for (int g = 0; g < e->n_groups; g++)
        if (nas_group_is_first_share(e, g)) multiply_shared(e, nas_group_link(e, g)->weight);
    nas_emit_scalar(e, NAS_SCALAR_HEAD_KERNEL)->out = e->program->results.kernel;
}

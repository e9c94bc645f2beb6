/* Programs, operation by operation. */
#include "worker/engine/gpu/plan/planner.h"
#include "worker/engine/gpu/plan/size.h"

#include <stdlib.h>

static bool has_failed(const nas_gpu_steps_t *steps)
{
    return steps->step.failed || steps->edge.failed || steps->descriptors.failed ||
           steps->table.failed;
}

static void describe(nas_gpu_planner_t *p, int index)
{
    const nas_op_t *op = &p->program->op[index];
    if (op->kind != NAS_OP_MOMENTS) p->tiles.step = -1;
    switch (op->kind) {
    case NAS_OP_CONV_FORWARD:
    case NAS_OP_CONV_BACKWARD_DATA:
    case NAS_OP_CONV_BACKWARD_WEIGHTS:
        nas_gpu_describe_conv(p, op->kind, &op->conv, nas_gpu_has_tiles(p->program, index));
        break;
    case NAS_OP_PACK:
    case NAS_OP_UNPACK:
    case NAS_OP_WEIGHT_DOTS:
        nas_gpu_describe_weights(p, op);
        break;
    case NAS_OP_COMBINE:
        nas_gpu_describe_combination(p, op->index);
        break;
    case NAS_OP_LOAD_IMAGES:
    case NAS_OP_MOMENTS:
    case NAS_OP_IMAGE_DOTS:
    case NAS_OP_AGREEMENT:
    case NAS_OP_MAX_ABS:
        nas_gpu_describe_tensor(p, op->kind, &op->tensor);
        break;
    case NAS_OP_SCALAR:
        nas_gpu_describe_scalar(p, &op->scalar);
        break;
    case NAS_OP_ADD_GRADIENT:
        nas_gpu_describe_added_gradient(p, &op->gradient);
        break;
    case NAS_OP_POOL_FORWARD:
    case NAS_OP_POOL_BACKWARD:
    case NAS_OP_POOL_TANGENT:
        nas_gpu_describe_pool(p, op->kind, &op->pool);
        break;
    case NAS_OP_COPY:
        nas_gpu_describe_copy(p, &op->copy);
        break;
    case NAS_OP_FLATTEN:
    case NAS_OP_UNFLATTEN:
        nas_gpu_describe_flat(p, op->kind, &op->tensor);
        break;
    }
}

nas_status_t nas_gpu_steps_add(nas_gpu_steps_t *steps, nas_gpu_planner_t *planner,
                               const nas_program_t *program, const nas_gpu_places_t *places,
                               nas_error_t *err)
{
    nas_gpu_planner_begin(planner, steps, program, places);
    for (int i = 0; i < program->n_ops && !planner->failed && !has_failed(steps); i++)
        describe(planner, i);
    if (!planner->failed && !has_failed(steps)) {
        nas_gpu_describe_counts(planner);
        nas_gpu_close_scalars(planner);
    }
    if (planner->failed || has_failed(steps) || nas_gpu_hazards_failed(planner->hazards))
        return nas_error_nomem(err, "a network's steps on a GPU");
    return NAS_OK;
}

/* --------------------------------------------------------------------------------- life and death */

nas_gpu_planner_t *nas_gpu_planner_create(nas_gpu_variants_t *variants)
{
    nas_gpu_planner_t *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    p->variants = variants;
    p->hazards = nas_gpu_hazards_create();
    if (p->hazards) return p;
    free(p);
    return NULL;
}

void nas_gpu_planner_destroy(nas_gpu_planner_t *p)
{
    if (!p) return;
    nas_gpu_hazards_destroy(p->hazards);
    free(p->scalar.data);
    free(p->edge_to.data);
    free(p);
}

/* How steps come about: an operation says what it reads and writes, and the steps that it therefore
 * waits for are the edges to its own. Operations on scalars are short and many: consecutive ones are
 * one step, whose group works through them, where none of them has to wait longer for that. */
#include "worker/engine/gpu/plan/planner.h"

#include <string.h>

/* ---------------------------------------------------------------------------------------- begin */

void nas_gpu_planner_begin(nas_gpu_planner_t *p, nas_gpu_steps_t *steps,
                           const nas_program_t *program, const nas_gpu_places_t *places)
{
    p->steps = steps;
    p->program = program;
    p->places = places;
    p->first = nas_gpu_steps_count(steps);
    p->open = -1;
    p->head = -1;
    p->n_counted = 0;
    p->n_accesses = p->n_waits = 0;
    p->tiles.step = -1;
    for (int i = 0; i < 2; i++) p->image_sum[i] = (nas_gpu_renamed_t){.vector = NAS_NOWHERE};
    p->failed = !nas_gpu_hazards_begin(p->hazards, program->n_vectors);
    nas_gpu_pool_clear(&p->scalar);
    nas_gpu_pool_clear(&p->edge_to);
}

/* ------------------------------------------------------------------------------------- accesses */

/* One more, to be filled in where it stays: there are a few thousand a network. */
static nas_gpu_access_t *add_access(nas_gpu_planner_t *p)
{
    NAS_ASSERT(p->n_accesses < NAS_GPU_MOST_ACCESSES);
    return &p->access[p->n_accesses++];
}

static void use_vector(nas_gpu_planner_t *p, nas_vector_t vector, bool is_write)
{
    if (vector < 0) return;
    *add_access(p) =
        (nas_gpu_access_t){.begin = vector, .c_end = 1, .is_write = is_write, .is_vector = true};
}

void nas_gpu_reads(nas_gpu_planner_t *p, nas_vector_t vector)
{
    use_vector(p, vector, false);
}

/* Who writes waits for all who wrote before, so that changing is writing. */
void nas_gpu_writes(nas_gpu_planner_t *p, nas_vector_t vector)
{
    use_vector(p, vector, true);
}

void nas_gpu_uses_tensor(nas_gpu_planner_t *p, nas_shape_t shape, nas_range_t range, bool is_write)
{
    if (range.at < 0) return;
    const int plane = NAS_GPU_PITCH(shape.h, shape.w),
              c_total = range.c_total ? range.c_total : shape.c;
    const int64_t n_bytes = (int64_t)shape.n * c_total * plane * (int64_t)sizeof(float);
    *add_access(p) = (nas_gpu_access_t){.begin = range.at,
                                        .end = range.at + n_bytes,
                                        .c_first = range.c_first,
                                        .c_end = range.c_first + shape.c,
                                        .c_total = c_total,
                                        .plane = plane,
                                        .is_write = is_write};
}

void nas_gpu_uses_bytes(nas_gpu_planner_t *p, nas_place_t at, size_t n_bytes, bool is_write)
{
    *add_access(p) = (nas_gpu_access_t){
        .begin = at, .end = at + (int64_t)n_bytes, .c_end = 1, .is_write = is_write};
}

void nas_gpu_waits(nas_gpu_planner_t *p, int step)
{
    if (step >= 0) p->wait[p->n_waits++] = step;
}

void nas_gpu_find(nas_gpu_planner_t *p)
{
    nas_gpu_hazards_find(p->hazards, p->access, p->n_accesses, p->wait, &p->n_waits);
}

void nas_gpu_note(nas_gpu_planner_t *p, int step)
{
    if (step >= 0) nas_gpu_hazards_note(p->hazards, p->access, p->n_accesses, step);
    p->n_accesses = p->n_waits = 0;
}

/* ---------------------------------------------------------------------------------------- steps */

/* The least depth of a step that waits for these, but for one of them. */
static int depth_behind(const nas_gpu_planner_t *p, int but)
{
    int depth = 0;
    for (int i = 0; i < p->n_waits; i++) {
        if (p->wait[i] == but) continue;
        const int before = nas_gpu_step_at(p->steps, p->wait[i])->depth;
        if (before >= depth) depth = before + 1;
    }
    return depth;
}

static void add_edges(nas_gpu_planner_t *p, int to)
{
    int *edge_to = (int *)(void *)p->edge_to.data;
    for (int i = 0; i < p->n_waits; i++) {
        if (p->wait[i] == to || edge_to[p->wait[i] - p->first] == to) continue;
        edge_to[p->wait[i] - p->first] = to;
        *(nas_gpu_edge_t *)nas_gpu_pool_add(&p->steps->edge, sizeof(nas_gpu_edge_t)) =
            (nas_gpu_edge_t){p->wait[i], to};
        nas_gpu_step_at(p->steps, to)->n_waits++;
    }
}

static int add_step(nas_gpu_planner_t *p, const nas_gpu_step_t *step)
{
    const int number = nas_gpu_steps_count(p->steps);
    const int depth = depth_behind(p, -1);
    nas_gpu_step_t *to = nas_gpu_pool_add(&p->steps->step, sizeof *to);
    *to = *step;
    to->depth = depth;
    to->n_waits = 0;
    *(int *)nas_gpu_pool_add(&p->edge_to, sizeof(int)) = -1;
    p->failed |= p->edge_to.failed;
    if (p->steps->step.failed || p->failed) return -1;
    add_edges(p, number);
    return number;
}

int nas_gpu_step(nas_gpu_planner_t *p, const nas_gpu_step_t *step)
{
    nas_gpu_step_t with_place = *step;
    with_place.at = p->steps->descriptors.n;
    nas_gpu_find(p);
    const int number = add_step(p, &with_place);
    nas_gpu_note(p, number);
    return number;
}

void *nas_gpu_work(nas_gpu_planner_t *p, size_t n_bytes)
{
    return nas_gpu_pool_add(&p->steps->descriptors, n_bytes);
}

void *nas_gpu_table_add(nas_gpu_planner_t *p, size_t n_bytes, int64_t *at)
{
    *at = (int64_t)p->steps->table.n;
    return nas_gpu_pool_add(&p->steps->table, n_bytes);
}

/* -------------------------------------------------------------------------------------- scalars */

/* The list of the open step goes to the table. */
void nas_gpu_close_scalars(nas_gpu_planner_t *p)
{
    if (p->open < 0) return;
    nas_gpu_step_t *step = nas_gpu_step_at(p->steps, p->open);
    nas_gpu_scalars_t work = {.n = (int)(p->scalar.n / sizeof(nas_gpu_scalar_t))};
    work.ops = (int64_t)p->steps->table.n;
    step->at = p->steps->descriptors.n;
    void *list = nas_gpu_pool_add(&p->steps->table, p->scalar.n);
    if (list && !p->scalar.failed) memcpy(list, p->scalar.data, p->scalar.n);
    p->failed |= p->scalar.failed;
    *(nas_gpu_scalars_t *)nas_gpu_pool_add(&p->steps->descriptors, sizeof work) = work;
    nas_gpu_pool_clear(&p->scalar);
    p->open = -1;
}

/* Whether the operation can be one more of the open step: that begins no later for it, and it no
 * later than it might. */
static bool joins(const nas_gpu_planner_t *p)
{
    if (p->open < 0) return false;
    const int depth = nas_gpu_step_at(p->steps, p->open)->depth, others = depth_behind(p, p->open);
    if (others > depth) return false;
    for (int i = 0; i < p->n_waits; i++)
        if (p->wait[i] == p->open) return true;
    return others == depth;
}

nas_gpu_scalar_t *nas_gpu_scalar(nas_gpu_planner_t *p, int kind)
{
    nas_gpu_find(p);
    if (joins(p)) {
        add_edges(p, p->open);
    } else {
        nas_gpu_close_scalars(p);
        p->open = add_step(p, &(nas_gpu_step_t){.variant = NAS_GPU_PLAIN_SCALARS,
                                                .groups_x = 1,
                                                .n = 1,
                                                .n_bytes = sizeof(nas_gpu_scalars_t)});
    }
    nas_gpu_note(p, p->open);
    nas_gpu_scalar_t *scalar = nas_gpu_pool_add(&p->scalar, sizeof *scalar);
    *scalar = (nas_gpu_scalar_t){.kind = kind,
                                 .in = -1,
                                 .more = -1,
                                 .out = -1,
                                 .exponent = -1,
                                 .from_exponent = -1,
                                 .norm = -1,
                                 .gamma = -1,
                                 .beta = -1,
                                 .bias = -1,
                                 .statistics = -1,
                                 .head = -1,
                                 .flow = p->program->flow,
                                 .n = p->program->n};
    return scalar;
}

#include "worker/engine/gpu/pack/inputs.h"

#include "worker/engine/gpu/plan/descriptors.h"
#include "worker/engine/graph/parameters.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 256, PARAMETERS_A_GROUP = 512, MOST_GROUPS_Y = 65535 };

void nas_gpu_inputs_clear(nas_gpu_inputs_t *inputs)
{
    nas_gpu_pool_clear(&inputs->input);
    inputs->data_bytes = 0;
    inputs->n_doubles = 0;
}

void nas_gpu_inputs_fini(nas_gpu_inputs_t *inputs)
{
    free(inputs->input.data);
    *inputs = (nas_gpu_inputs_t){0};
}

static int count(const nas_gpu_inputs_t *inputs)
{
    return (int)(inputs->input.n / sizeof(nas_gpu_input_t));
}

static const nas_gpu_input_t *input_at(const nas_gpu_inputs_t *inputs, int number)
{
    return (const nas_gpu_input_t *)(const void *)inputs->input.data + number;
}

static size_t round_up(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* ----------------------------------------------------------------------------------------- where */

static bool is_drawn_alike(const nas_engine_draw_t *a, const nas_engine_draw_t *b)
{
    if (!a || !b) return a == b;
    return a->parameter == b->parameter && a->n_parameters == b->n_parameters &&
           a->seed == b->seed && strcmp(a->arch, b->arch) == 0;
}

static bool is_same(const nas_gpu_input_t *a, const nas_gpu_input_t *b)
{
    return a->from == b->from && (a->from || a->draw) && a->bytes == b->bytes &&
           a->is_data == b->is_data && is_drawn_alike(a->draw, b->draw);
}

/* The place of an input that may be there already: neighbours share most. */
static int64_t place(nas_gpu_inputs_t *inputs, nas_gpu_input_t input)
{
    if (input.bytes == 0) return -1;
    for (int i = count(inputs) - 1; i >= 0; i--)
        if (is_same(input_at(inputs, i), &input)) return input_at(inputs, i)->at;
    if (input.is_data) {
        input.at = (int64_t)inputs->data_bytes;
        inputs->data_bytes += round_up(input.bytes);
    } else {
        input.at = inputs->n_doubles;
        inputs->n_doubles += (int64_t)(round_up(input.bytes) / sizeof(double));
    }
    *(nas_gpu_input_t *)nas_gpu_pool_add(&inputs->input, sizeof input) = input;
    return input.at;
}

void nas_gpu_inputs_add(nas_gpu_inputs_t *inputs, const nas_engine_task_t *task,
                        nas_gpu_places_t *places)
{
    const nas_program_t *program = task->program;
    const nas_shape_t *s = &program->image;
    const size_t n_pixels = (size_t)s->n * (size_t)s->c * (size_t)s->h * (size_t)s->w;
    places->images = program->flow
                         ? -1
                         : place(inputs, (nas_gpu_input_t){.from = task->images,
                                                           .bytes = n_pixels * sizeof(float),
                                                           .is_data = true});
    places->labels = -1;
    if (task->labels)
        places->labels = place(inputs, (nas_gpu_input_t){.from = task->labels,
                                                         .bytes = (size_t)s->n * sizeof(int32_t),
                                                         .is_data = true});
    places->parameters =
        place(inputs, (nas_gpu_input_t){.from = task->parameters,
                                        .draw = task->parameters ? NULL : task->draw,
                                        .bytes = (size_t)program->n_values * sizeof(double)});
    places->statistics = -1;
    if (task->statistics)
        places->statistics = place(
            inputs, (nas_gpu_input_t){.from = task->statistics,
                                      .bytes = (size_t)program->n_statistics * sizeof(double)});
}

/* ---------------------------------------------------------------------------------------- writing */

size_t nas_gpu_inputs_bytes(const nas_gpu_inputs_t *inputs)
{
    size_t n = 0;
    for (int i = 0; i < count(inputs); i++)
        if (!input_at(inputs, i)->draw) n += round_up(input_at(inputs, i)->bytes);
    return n;
}

void nas_gpu_inputs_write(const nas_gpu_inputs_t *inputs, nas_gpu_t *gpu,
                          const nas_gpu_memory_t *memory, int64_t first, char *room)
{
    for (int i = 0; i < count(inputs); i++) {
        const nas_gpu_input_t *input = input_at(inputs, i);
        if (!input->from) continue;
        memcpy(room, input->from, input->bytes);
        if (input->is_data)
            gpu->layer->write(gpu, memory->data, (size_t)input->at, room, input->bytes);
        else
            gpu->layer->write(gpu, memory->vectors, (size_t)(first + input->at) * sizeof(double),
                              room, input->bytes);
        room += round_up(input->bytes);
    }
}

/* ---------------------------------------------------------------------------------------- drawing */

static int64_t most_values(const nas_engine_draw_t *draw)
{
    int64_t most = 0;
    for (int i = 0; i < draw->n_parameters; i++)
        if (draw->parameter[i].n > most) most = draw->parameter[i].n;
    return most;
}

static void describe(const nas_engine_draw_t *draw, int64_t at, nas_gpu_init_t *work)
{
    for (int i = 0; i < draw->n_parameters; i++) {
        const nas_parameter_t *parameter = &draw->parameter[i];
        const nas_parameter_draw_t d = nas_parameter_draw(parameter, draw->seed, draw->arch);
        work[i] = (nas_gpu_init_t){
            .at = at + parameter->offset, .n = parameter->n, .bound = d.bound, .fill = d.fill};
        memcpy(work[i].key, d.rng.key, sizeof work[i].key);
        memcpy(work[i].counter, d.rng.counter, sizeof work[i].counter);
    }
}

/* The inputs from `from` on that are one launch; returns the first that is not. */
static int cut(const nas_gpu_inputs_t *inputs, int from, nas_gpu_step_t *step)
{
    *step = (nas_gpu_step_t){.variant = NAS_GPU_PLAIN_INIT, .n_bytes = sizeof(nas_gpu_init_t)};
    int i = from;
    for (; i < count(inputs); i++) {
        const nas_engine_draw_t *draw = input_at(inputs, i)->draw;
        if (!draw) continue;
        if (step->n > 0 && step->n + draw->n_parameters > MOST_GROUPS_Y) break;
        const int groups_x =
            (int)((most_values(draw) + PARAMETERS_A_GROUP - 1) / PARAMETERS_A_GROUP);
        if (groups_x > step->groups_x) step->groups_x = groups_x;
        step->n += draw->n_parameters;
    }
    return i;
}

nas_status_t nas_gpu_inputs_draw(const nas_gpu_inputs_t *inputs, int64_t first,
                                 nas_gpu_waves_t *waves, const nas_gpu_steps_t *steps)
{
    for (int from = 0, end; from < count(inputs); from = end) {
        nas_gpu_step_t step;
        end = cut(inputs, from, &step);
        if (step.n == 0) continue;
        nas_gpu_init_t *work = nas_gpu_waves_add(waves, steps, &step);
        if (!work) return NAS_ENOMEM;
        for (int i = from; i < end; i++) {
            const nas_gpu_input_t *input = input_at(inputs, i);
            if (!input->draw) continue;
            describe(input->draw, first + input->at, work);
            work += input->draw->n_parameters;
        }
    }
    return NAS_OK;
}

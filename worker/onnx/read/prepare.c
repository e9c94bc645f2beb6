/* What is known of a file before its network is made: what makes and reads each value, what leads to
 * the output, extents of the images, constants. */
#include "worker/onnx/read/make.h"
#include "worker/onnx/read/operations.h"

#include <string.h>

enum { OLDEST_OPSET = 9, NEWEST_OPSET = 21 };

static void *take(nas_onnx_maker_t *m, int n, size_t size)
{
    return nas_onnx_memory_take(&m->file->memory, n > 0 ? (size_t)n : 1, size);
}

static nas_status_t take_arrays(nas_onnx_maker_t *m)
{
    const int n_values = m->file->symbols.n, n_ops = m->file->n_ops;
    m->names.memory = &m->file->memory;
    m->value = take(m, n_values, sizeof *m->value);
    m->producer = take(m, n_values, sizeof *m->producer);
    m->n_readers = take(m, n_values, sizeof *m->n_readers);
    m->reader = take(m, n_values, sizeof *m->reader);
    m->is_live = take(m, n_ops, sizeof *m->is_live);
    m->is_done = take(m, n_ops, sizeof *m->is_done);
    m->is_absorbed = take(m, n_ops, sizeof *m->is_absorbed);
    m->is_needless = take(m, n_ops, sizeof *m->is_needless);
    m->made = take(m, n_ops, sizeof *m->made);
    if (m->file->memory.failed) return nas_onnx_no_memory(m);
    for (int i = 0; i < n_values; i++) m->producer[i] = m->reader[i] = -1;
    return NAS_OK;
}

/* ------------------------------------------------------------------------- what makes and reads */

static nas_status_t find_producers(nas_onnx_maker_t *m)
{
    const nas_onnx_file_t *file = m->file;
    for (int i = 0; i < file->n_ops; i++) {
        const nas_onnx_op_t *op = &file->op[i];
        for (int k = 0; k < op->n_outputs; k++) {
            if (op->output[k] < 0) continue;
            if (m->producer[op->output[k]] >= 0)
                return nas_onnx_refuse(m, op, "value %.200s is made by two nodes",
                                       file->symbols.text[op->output[k]]);
            m->producer[op->output[k]] = i;
        }
    }
    return NAS_OK;
}

/* Every node comes behind those that it reads. */
static void mark_live(nas_onnx_maker_t *m)
{
    const nas_onnx_file_t *file = m->file;
    m->n_readers[file->output[0].value] = 1;
    for (int i = file->n_ops - 1; i >= 0; i--) {
        const nas_onnx_op_t *op = &file->op[i];
        for (int k = 0; k < op->n_outputs; k++)
            m->is_live[i] |= op->output[k] >= 0 && m->n_readers[op->output[k]] > 0;
        for (int k = 0; m->is_live[i] && k < op->n_inputs; k++) {
            if (op->input[k] < 0) continue;
            m->n_readers[op->input[k]]++;
            m->reader[op->input[k]] = i;
        }
    }
}

/* ----------------------------------------------------------------------------- the whole of it */

static nas_status_t check_interface(nas_onnx_maker_t *m)
{
    const nas_onnx_file_t *file = m->file;
    if (file->opset < OLDEST_OPSET || file->opset > NEWEST_OPSET)
        return nas_onnx_refuse(m, NULL, "its operations are of opset %lld: 9 to 21 are read",
                               (long long)file->opset);
    if (file->n_outputs != 1)
        return nas_onnx_refuse(m, NULL, "it has %d outputs: one is computed, the logits",
                               file->n_outputs);
    if (file->output[0].value < 0) return nas_onnx_refuse(m, NULL, "its output has no name");
    return NAS_OK;
}

static nas_status_t find_initialisers(nas_onnx_maker_t *m)
{
    const nas_onnx_file_t *file = m->file;
    for (int i = 0; i < file->n_initialisers; i++) {
        nas_onnx_array_t *array = file->initialiser[i];
        const int symbol = nas_symbols_find(&file->symbols, array->name);
        if (!*array->name || symbol < 0 || m->n_readers[symbol] == 0) continue;
        if (m->value[symbol].kind != NAS_ONNX_NOTHING || m->producer[symbol] >= 0)
            return nas_onnx_refuse(m, NULL, "initialiser %.200s is there twice", array->name);
        const nas_status_t status = nas_onnx_value_of(m, NULL, array, &m->value[symbol]);
        if (status) return status;
    }
    return NAS_OK;
}

/* The one input that is no initialiser, as old files have those among the inputs. */
static nas_status_t find_images(nas_onnx_maker_t *m, const nas_onnx_declared_t **images_p)
{
    const nas_onnx_file_t *file = m->file;
    bool *is_initialiser = take(m, file->symbols.n, sizeof *is_initialiser);
    int n = 0;
    if (!is_initialiser) return nas_onnx_no_memory(m);
    for (int i = 0; i < file->n_initialisers; i++) {
        const int symbol = nas_symbols_find(&file->symbols, file->initialiser[i]->name);
        if (symbol >= 0) is_initialiser[symbol] = true;
    }
    for (int i = 0; i < file->n_inputs; i++) {
        const nas_onnx_declared_t *input = &file->input[i];
        if (input->value < 0 || is_initialiser[input->value]) continue;
        *images_p = input;
        n++;
    }
    if (n != 1) return nas_onnx_refuse(m, NULL, "it has %d inputs: one is computed, the images", n);
    return NAS_OK;
}

/* What the file says of an extent and what is expected have to agree. */
static nas_status_t agree(nas_onnx_maker_t *m, const char *what, int64_t said, int *expected)
{
    if (said > 0 && *expected > 0 && said != *expected)
        return nas_onnx_refuse(m, NULL, "its images have a %s of %lld, the data %d", what,
                               (long long)said, *expected);
    if (said <= 0 && *expected <= 0)
        return nas_onnx_refuse(m, NULL, "it does not say the %s of its images", what);
    if (*expected <= 0) *expected = (int)said;
    return NAS_OK;
}

static nas_status_t take_images(nas_onnx_maker_t *m)
{
    const nas_onnx_declared_t *images = NULL;
    nas_network_t *net = &m->network;
    nas_status_t status = find_images(m, &images);
    if (status) return status;
    if (images->type != NAS_ONNX_FLOAT)
        return nas_onnx_refuse(m, NULL, "its images are not of float");
    const nas_onnx_shape_t *s = &images->shape;
    if (images->has_shape && s->rank != 4)
        return nas_onnx_refuse(m, NULL, "its input has %d dimensions, not [N, C, H, W]", s->rank);
    m->batch = images->has_shape ? s->dim[0] : -1;
    status = agree(m, "channel count", s->dim[1], &net->image_channels);
    if (!status) status = agree(m, "height", s->dim[2], &net->height);
    if (!status) status = agree(m, "width", s->dim[3], &net->width);
    if (status) return status;
    m->value[images->value] = (nas_onnx_value_t){
        .kind = NAS_ONNX_DATA,
        .shape = {.rank = 4, .dim = {NAS_ONNX_BATCH, net->image_channels, net->height, net->width}},
        .base = {net->image_channels, net->height, net->width}};
    return NAS_OK;
}

/* Whether all that a node reads is constant. */
static bool is_constant(const nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    for (int i = 0; i < op->n_inputs; i++) {
        const nas_onnx_value_t *input = nas_onnx_input(m, op, i);
        if (input && input->kind != NAS_ONNX_WHOLE && input->kind != NAS_ONNX_REAL) return false;
    }
    return op->n_outputs > 0 && op->output[0] >= 0;
}

static nas_status_t make_constants(nas_onnx_maker_t *m)
{
    nas_status_t status = NAS_OK;
    for (int i = 0; !status && i < m->file->n_ops; i++) {
        const nas_onnx_op_t *op = &m->file->op[i];
        if (!m->is_live[i] || !is_constant(m, op)) continue;
        m->is_done[i] = true;
        status = nas_onnx_make(m, op);
    }
    return status;
}

nas_status_t nas_onnx_prepare(nas_onnx_maker_t *m)
{
    nas_status_t status = check_interface(m);
    if (!status) status = take_arrays(m);
    if (!status) status = find_producers(m);
    if (status) return status;
    mark_live(m);
    for (int i = 0; !status && i < m->file->n_ops; i++)
        if (m->is_live[i]) status = nas_onnx_check(m, &m->file->op[i]);
    if (!status) status = find_initialisers(m);
    if (!status) status = take_images(m);
    return status ? status : make_constants(m);
}

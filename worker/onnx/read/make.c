/* The network is made once, and once more where values are read for their shape alone: what makes
 * them is no part of the network then, but which these are is known only when it is there. Of those
 * the second time takes shapes from the first.
 */
#include "worker/onnx/read/make.h"

#include "worker/onnx/read/operations.h"

#include <string.h>

/* -------------------------------------------------------------------------------------- calls */

static nas_status_t check_inputs(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    for (int i = 0; i < op->n_inputs; i++) {
        const nas_onnx_value_t *input = nas_onnx_input(m, op, i);
        if (!input || input->kind != NAS_ONNX_NOTHING) continue;
        const char *name = m->file->symbols.text[op->input[i]];
        const int producer = m->producer[op->input[i]];
        if (producer >= 0 && m->file->op + producer < op)
            return nas_onnx_refuse(m, op,
                                   "it reads %.200s, which is not the first output of node "
                                   "%.200s: first outputs are computed",
                                   name, m->file->op[producer].name);
        return nas_onnx_refuse(m, op, "it reads %.200s, which nothing before it makes", name);
    }
    return NAS_OK;
}

/* A node whose shape alone is read keeps what it was found to be. */
static nas_status_t make_op(nas_onnx_maker_t *m, int index)
{
    const nas_onnx_op_t *op = &m->file->op[index];
    if (op->n_outputs < 1 || op->output[0] < 0)
        return nas_onnx_refuse(m, op, "its first output has no name");
    if (m->is_needless[index]) {
        nas_onnx_output(m, op)->tensor = -1;
        return NAS_OK;
    }
    const int n_tensors = m->n_tensors;
    nas_status_t status = check_inputs(m, op);
    if (!status) status = nas_onnx_make(m, op);
    if (status) return status;
    const nas_onnx_value_t *value = nas_onnx_output(m, op);
    if (value->kind == NAS_ONNX_DATA && value->tensor >= n_tensors) m->made[index] = value->tensor;
    return NAS_OK;
}

static nas_status_t make_output(nas_onnx_maker_t *m)
{
    const int symbol = m->file->output[0].value;
    const nas_onnx_value_t *value = &m->value[symbol];
    const char *name = m->file->symbols.text[symbol];
    if (value->kind != NAS_ONNX_DATA)
        return nas_onnx_refuse(m, NULL, "its output %.200s is not made of the images", name);
    if (value->shape.rank != 2)
        return nas_onnx_refuse(m, NULL, "its output %.200s has %d dimensions, not [N, classes]",
                               name, value->shape.rank);
    m->n_classes = (int)value->shape.dim[1];
    if (m->network.classes > 0 && m->network.classes != m->n_classes)
        return nas_onnx_refuse(m, NULL, "it has %d classes, the data %d", m->n_classes,
                               m->network.classes);
    if (m->network.classes > 0) m->b->output(m->b, value->tensor);
    return NAS_OK;
}

/* Nothing is left of a network that was made before. */
static nas_status_t begin(nas_onnx_maker_t *m)
{
    nas_onnx_memory_t *memory = &m->file->memory;
    const size_t n_arrays = (size_t)m->file->n_arrays + (size_t)m->file->n_ops;
    m->weight = nas_onnx_memory_take(memory, n_arrays + 1, sizeof *m->weight);
    if (!m->weight) return nas_onnx_no_memory(m);
    m->names = (nas_symbols_t){.memory = memory};
    m->rectified = NULL;
    m->n_rectified = 0;
    m->parameter = NULL;
    m->statistics = NULL;
    m->n_parameters = m->n_statistics = 0;
    m->n_tensors = 0;
    m->n_whole = 0;
    m->failed = NULL;
    for (int i = 0; i < m->file->n_ops; i++) m->made[i] = -1;
    (void)nas_symbols_add(&m->names, "images", strlen("images"));
    (void)nas_symbols_add(&m->names, "logits", strlen("logits"));
    return NAS_OK;
}

/* What nas_graph_make calls. A refusal of the builder's is told by it. */
static nas_status_t call(const void *what, const nas_network_t *network, nas_builder_t *b,
                         nas_error_t *err)
{
    nas_onnx_maker_t *m = *(nas_onnx_maker_t *const *)what;
    (void)network;
    (void)err;
    m->b = b;
    nas_status_t status = begin(m);
    if (status) return status;
    const int images = b->image(b);
    for (int i = 0; i < m->file->symbols.n; i++)
        if (m->producer[i] < 0 && m->value[i].kind == NAS_ONNX_DATA) m->value[i].tensor = images;
    m->images = images;
    m->n_tensors = images + 1;
    for (int i = 0; !status && images >= 0 && i < m->file->n_ops; i++)
        if (m->is_live[i] && !m->is_done[i]) status = make_op(m, i);
    if (!status && images >= 0) status = make_output(m);
    return m->failed ? NAS_OK : status;
}

/* --------------------------------------------------------------------------------------- graphs */

/* What the builder says, in the file's words: without "network: " and the node's name. */
static nas_status_t tell(nas_onnx_maker_t *m, const char *text)
{
    const char *reason = text;
    for (const char *colon = strstr(text, ": "); colon; colon = strstr(colon + 1, ": "))
        reason = colon + 2;
    return nas_onnx_refuse(m, m->failed, "%s", reason);
}

static nas_status_t make_once(nas_onnx_maker_t *m, nas_graph_t **graph_p)
{
    const nas_onnx_maker_t *what = m;
    nas_error_t reason = {0};
    nas_status_t status = nas_graph_make(call, &what, &m->network, graph_p, &reason);
    if (m->file->memory.failed) {
        nas_graph_destroy(status ? NULL : *graph_p);
        *graph_p = NULL;
        return nas_onnx_no_memory(m);
    }
    if (status == NAS_EARG) return tell(m, reason.text);
    return status == NAS_ENOMEM ? nas_onnx_no_memory(m) : status;
}

/* Nodes that nothing leads from to the logits; whether there is one. */
static bool find_needless(nas_onnx_maker_t *m, const nas_graph_t *graph)
{
    bool any = false;
    for (int i = 0; i < m->file->n_ops; i++) {
        m->is_needless[i] = m->made[i] >= 0 && !graph->node[m->made[i]].live;
        any |= m->is_needless[i];
    }
    return any;
}

/* The number of classes is that of the output, which is known once it is made. */
static nas_status_t find_classes(nas_onnx_maker_t *m)
{
    nas_graph_t *graph = NULL;
    const nas_status_t status = make_once(m, &graph);
    nas_graph_destroy(graph);
    if (m->n_classes < 1) return status;
    m->network.classes = m->n_classes;
    *m->err = (nas_error_t){0};
    return NAS_OK;
}

nas_status_t nas_onnx_make_graph(nas_onnx_maker_t *m, nas_graph_t **graph_p)
{
    nas_graph_t *graph = NULL;
    nas_status_t status = m->network.classes > 0 ? NAS_OK : find_classes(m);
    if (!status) status = make_once(m, &graph);
    if (!status && find_needless(m, graph)) {
        nas_graph_destroy(graph);
        graph = NULL;
        status = make_once(m, &graph);
    }
    if (!status) *graph_p = graph;
    return status;
}

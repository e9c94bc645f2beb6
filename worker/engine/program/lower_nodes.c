/* Nodes: sums, and any other tensor that is read by what reads nodes (a ReLU, a pool, a second sum),
 * which are sums of one term.
 *
 * Synflow of networks whose blocks have ends: a node's inputs have the exponent of the nodes that
 * they are made of, back to the last one that was brought to about 1, or to a BN that is kept. Zeros
 * have that of their block's input, since biases may follow. A sum of different ones has no such
 * form.
 */
#include "worker/engine/program/lowering.h"

enum { NONE = NAS_LOWERING_NONE, DESCRIPTION_SIZE = 160 };

static const nas_node_t *at(const nas_lowering_t *l, int node)
{
    return nas_lowering_at(l, node);
}

void nas_lowering_refuse(nas_lowering_t *l, int node, const char *what)
{
    char name[DESCRIPTION_SIZE];
    if (l->status) return;
    (void)nas_graph_describe(l->graph, node, name, sizeof name);
    l->status =
        nas_error_set(l->err, NAS_EARG, "network: %s: %s cannot be computed yet", name, what);
}

/* ---------------------------------------------------------------------------------------- pools */

static bool is_mean(const nas_node_t *pool, int k, int stride, int padding)
{
    const nas_window_t window = {k, k, stride, stride, 1, 1, padding, padding, padding, padding};
    return pool->kind == NAS_NODE_POOL && pool->pool == NAS_POOL_MEAN && !pool->is_global &&
           !pool->ceil && nas_window_is_same(&pool->window, &window) &&
           (padding == 0 || !pool->counts_padding);
}

bool nas_lowering_is_pool3(const nas_lowering_t *l, int node)
{
    return is_mean(at(l, node), 3, 1, 1) && !l->rectified[nas_lowering_source(l, node)];
}

bool nas_lowering_is_pool2(const nas_lowering_t *l, int node)
{
    const nas_node_t *n = at(l, node);
    if (!is_mean(n, 2, 2, 0) || !l->feeds_convs[node]) return false;
    const int source = nas_lowering_source(l, node);
    const nas_extents_t from = at(l, source)->extents;
    return !l->rectified[source] && at(l, source)->kind != NAS_NODE_IMAGE &&
           from.h == 2 * n->extents.h && from.w == 2 * n->extents.w;
}

/* ------------------------------------------------------------------------------------ exponents */

/* The BN that an input of a node went through last, or NONE. */
static int norm_of_input(const nas_lowered_t *to, const nas_lowered_input_t *input)
{
    switch (input->kind) {
    case NAS_INPUT_LINK:
        return to->link[input->index].norm;
    case NAS_INPUT_NORM:
        return input->index;
    case NAS_INPUT_COPY:
    case NAS_INPUT_POOL3:
        break;
    }
    return NONE;
}

/* The node whose exponent a node's tensor has, NONE: 0. */
static int exponent_of(const nas_lowered_t *to, int node)
{
    if (node < 0) return NONE;
    return to->node[node].is_output ? node : to->node[node].scale_from;
}

/* Where the exponent of a node's inputs comes from; all of them are there. */
static void find_scale(nas_lowering_t *l, int from)
{
    nas_lowered_t *to = l->to;
    const int node = l->node_of[from];
    nas_lowered_node_t *n = &to->node[node];
    bool is_found = false;
    if (!to->has_blocks) return;
    if (n->n_inputs == 0) n->scale_from = exponent_of(to, l->begin);
    for (int i = 0; i < n->n_inputs; i++) {
        const int norm = norm_of_input(to, &n->input[i]);
        if (norm >= 0 && to->norm[norm].in_reduction) continue;
        const int scale = exponent_of(to, n->input[i].source);
        if (is_found && scale != n->scale_from)
            nas_lowering_refuse(l, from,
                                "a sum of tensors from before and behind the end of a block");
        n->scale_from = scale;
        is_found = true;
    }
    if (at(l, from)->ends_block) l->begin = node;
}

/* ---------------------------------------------------------------------------------------- terms */

/* A node that is the tensor of a node of the graph. Its inputs are added before the next is
 * made. */
static int make_node(nas_lowering_t *l, int from)
{
    const nas_node_t *n = at(l, from);
    l->to->node[l->to->n_nodes] =
        (nas_lowered_node_t){.c = n->extents.c,
                             .h = n->extents.h,
                             .w = n->extents.w,
                             .input = l->to->input + l->to->n_inputs,
                             .live = n->live,
                             .is_output = n->ends_block && from != l->first_end,
                             .scale_from = NONE};
    l->node_of[from] = l->to->n_nodes;
    return l->to->n_nodes++;
}

/* The node that a term of this kind is made of, or NONE. */
static int source_of_term(const nas_lowered_t *to, nas_input_kind_t kind, int index)
{
    switch (kind) {
    case NAS_INPUT_LINK:
        return to->link[index].source;
    case NAS_INPUT_NORM:
        return to->norm[index].source;
    case NAS_INPUT_COPY:
    case NAS_INPUT_POOL3:
        break;
    }
    return index;
}

static nas_lowered_input_t *add_input(nas_lowering_t *l, int from, nas_input_kind_t kind, int index)
{
    nas_lowered_t *to = l->to;
    const int node = l->node_of[from];
    nas_lowered_node_t *n = &to->node[node];
    nas_lowered_input_t *input = &n->input[n->n_inputs++];
    *input = (nas_lowered_input_t){
        .kind = kind, .index = index, .node = node, .source = source_of_term(to, kind, index)};
    to->n_inputs++;
    if (kind == NAS_INPUT_LINK) to->link[index].target = node;
    const int norm = norm_of_input(to, input);
    if (norm >= 0) to->norm[norm].target = node;
    return input;
}

static nas_lowered_input_t *add_copy(nas_lowering_t *l, int from, nas_lowering_value_t of)
{
    nas_lowered_input_t *input = add_input(l, from, NAS_INPUT_COPY, of.node);
    input->rectified = of.rectified;
    return input;
}

/* What a BN brings: the link before it, or a node. */
static void add_norm_term(nas_lowering_t *l, int from, int term)
{
    const int number = l->number_of[term], link = l->to->norm[number].link;
    if (link >= 0)
        (void)add_input(l, from, NAS_INPUT_LINK, link);
    else
        (void)add_input(l, from, NAS_INPUT_NORM, number);
}

/* Add to the sum that `from` is a tensor that it alone reads. */
static void add_term(nas_lowering_t *l, int from, int term)
{
    switch (at(l, term)->kind) {
    case NAS_NODE_NORM:
        add_norm_term(l, from, term);
        break;
    case NAS_NODE_POOL:
        if (l->number_of[term] == NONE && nas_lowering_is_pool3(l, term)) {
            (void)add_input(l, from, NAS_INPUT_POOL3, l->node_of[nas_lowering_source(l, term)]);
            break;
        }
        (void)add_input(l, from, NAS_INPUT_LINK, l->number_of[term]);
        break;
    case NAS_NODE_CONV:
    case NAS_NODE_LINEAR:
    case NAS_NODE_CROP:
    case NAS_NODE_FLATTEN:
        (void)add_input(l, from, NAS_INPUT_LINK, l->number_of[term]);
        break;
    case NAS_NODE_IMAGE:
        nas_lowering_refuse(l, term, "their own logits");
        break;
    case NAS_NODE_RECTIFIER:
    case NAS_NODE_CONCAT:
    case NAS_NODE_SUM:
        NAS_ASSERT(l->status); /* a node already, but where it was refused */
    }
}

nas_lowering_value_t nas_lowering_read(nas_lowering_t *l, int from)
{
    if (l->node_of[from] == NONE) {
        (void)make_node(l, from);
        add_term(l, from, from);
        find_scale(l, from);
    }
    return (nas_lowering_value_t){l->node_of[from], l->rectified[from]};
}

/* ---------------------------------------------------------------------------------------- nodes */

/* Of a node that is rectified otherwise, or already, the value is a node of its own. */
void nas_lower_rectifier(nas_lowering_t *l, int node)
{
    const double ceiling = at(l, node)->rectifier == NAS_RECTIFIER_RELU6 ? 6 : 0;
    nas_lowering_value_t value = nas_lowering_read(l, nas_lowering_source(l, node));
    const nas_lowered_node_t *n = &l->to->node[value.node];
    if (value.rectified || (n->n_relu > 0 && n->ceiling != ceiling)) {
        const nas_lowering_value_t of = value;
        value.node = make_node(l, node);
        (void)add_copy(l, node, of);
        find_scale(l, node);
    }
    l->to->node[value.node].ceiling = ceiling;
    l->to->node[value.node].n_relu++;
    l->node_of[node] = value.node;
    l->rectified[node] = true;
}

/* Whether a sum takes a tensor as a term, not as a node. */
static bool is_term(const nas_lowering_t *l, int node)
{
    return l->node_of[node] == NONE && at(l, node)->n_readers == 1;
}

void nas_lower_sum(nas_lowering_t *l, int node)
{
    const int n = at(l, node)->n_inputs;
    for (int i = 0; i < n; i++) {
        const int input = nas_graph_input(l->graph, node, i);
        if (!is_term(l, input)) (void)nas_lowering_read(l, input);
    }
    (void)make_node(l, node);
    for (int i = 0; i < n; i++) {
        const int input = nas_graph_input(l->graph, node, i);
        if (l->node_of[input] != NONE)
            (void)add_copy(l, node, nas_lowering_read(l, input));
        else
            add_term(l, node, input);
    }
    find_scale(l, node);
}

void nas_lower_concat(nas_lowering_t *l, int node)
{
    const int n = at(l, node)->n_inputs;
    int c = 0;
    for (int i = 0; i < n; i++) (void)nas_lowering_read(l, nas_graph_input(l->graph, node, i));
    l->to->node[make_node(l, node)].is_concat = true;
    for (int i = 0; i < n; i++) {
        const int input = nas_graph_input(l->graph, node, i);
        add_copy(l, node, nas_lowering_read(l, input))->c_first = c;
        c += at(l, input)->extents.c;
    }
    find_scale(l, node);
}

/* Models as others write them, read as graphs: forms of operations, arithmetic on shapes, what is one
 * parameter and what is none. */
#include "onnx_text.h"
#include "worker/engine/graph/cost.h"
#include "worker/onnx/read/read.h"

#include <stdio.h>

static nas_onnx_network_t read_text(const char *text)
{
    const nas_onnx_expected_t expected = {.with_values = true};
    nas_onnx_network_t network = {0};
    nas_error_t err = {0};
    onnx_bytes_t model = onnx_from_text(text);
    const nas_status_t status =
        nas_onnx_read_bytes("model.onnx", (char *)model.at, model.n, &expected, &network, &err);
    cr_assert_eq(status, NAS_OK, "%s\n%s", err.text, text);
    return network;
}

/* A model whose images are x [n, 3, 8, 8], and whose logits are made of z [n, 4, ...]. */
static nas_onnx_network_t read_middle(int opset, const char *middle)
{
    static const char format[] = "opset %d\ninput x 0,3,8,8\noutput y 0,5\nfloat w 4,3,3,3 0.5\n"
                                 "float l 5,4 ramp\n%s\nnode GlobalAveragePool gap z\n"
                                 "node Flatten flat gap\nnode Gemm y flat,l transB=1\n";
    char text[8192];
    cr_assert_lt(snprintf(text, sizeof text, format, opset, middle), (int)sizeof text);
    return read_text(text);
}

/* The first node of a kind. */
static const nas_node_t *find(const nas_onnx_network_t *network, nas_node_kind_t kind)
{
    for (int i = 0; i < network->graph->n_nodes; i++)
        if (network->graph->node[i].kind == kind) return &network->graph->node[i];
    return NULL;
}

static int count(const nas_onnx_network_t *network, nas_node_kind_t kind)
{
    int n = 0;
    for (int i = 0; i < network->graph->n_nodes; i++) n += network->graph->node[i].kind == kind;
    return n;
}

/* ---------------------------------------------------------------------------------------- forms */

/* Pairs of forms of one thing: the graphs are the same. */
typedef struct forms {
    int opset;
    const char *middle;
    const char
        *expected; /* nodes behind the image and before the mean, by kind and what is special */
} forms_t;

static const forms_t FORMS[] = {
    {9, "node Conv c x,w\nnode Clip z c min=f0 max=f6", "conv relu6"},
    {13, "float lo - 0\nfloat hi - 6\nnode Conv c x,w\nnode Clip z c,lo,hi", "conv relu6"},
    {13, "node Constant lo - value=T-:0\nnode Conv c x,w\nnode Clip z c,lo", "conv relu"},
    {13, "node Constant lo - value=f0 value_float=f0\nnode Conv c x,w\nnode Clip z c,lo,-",
     "conv relu"},
    {9, "node Conv c x,w\nnode Clip z c min=f0", "conv relu"},
    {9, "node Pad p x pads=[0,0,1,2,0,0,3,4]\nnode Conv z p,w", "conv+1,2,3,4"},
    {13, "int n 8 0,0,1,2,0,0,3,4\nnode Pad p x,n\nnode Conv z p,w pads=[1,1,1,1]", "conv+2,3,4,5"},
    {18, "int n 4 1,2,3,4\nint a 2 2,-1\nnode Pad p x,n,-,a\nnode Conv z p,w", "conv+1,2,3,4"},
    {13,
     "int n 8 0,0,1,1,0,0,1,1\nnode Pad p x,n\nnode MaxPool q p kernel_shape=[2,2]\n"
     "node Conv z q,w",
     "crop-1,-1,10,10 max conv"},
    {13,
     "int n 8 0,0,1,1,0,0,1,1\nnode Pad p x,n\nnode AveragePool q p kernel_shape=[3,3]\n"
     "node Conv z q,w",
     "mean+1,1,1,1 conv"},
    {9, "node Slice s x starts=[1,1] ends=[9,9] axes=[2,3]\nnode Conv z s,w", "crop1,1,7,7 conv"},
    {13,
     "int s 1 1\nint e 1 9223372036854775807\nint h 1 2\nint v 1 3\n"
     "node Slice p x,s,e,h\nnode Slice q p,s,e,v\nnode Conv z q,w",
     "crop1,1,7,7 conv"},
    {13,
     "int n 8 0,0,0,0,0,0,1,1\nint s 2 1,1\nint e 2 9,9\nint a 2 2,3\nnode Pad p x,n\n"
     "node Slice q p,s,e,a\nnode Conv z q,w",
     "crop1,1,8,8 conv"},
    {13,
     "int n 8 0,0,1,1,0,0,1,1\nint s 2 1,1\nint e 2 7,7\nint a 2 2,3\nnode Slice q x,s,e,a\n"
     "node Pad p q,n\nnode Conv z p,w",
     "crop1,1,6,6 conv+1,1,1,1"},
    {13, "node Dropout d x\nnode Identity i d\nnode Conv z i,w", "conv"},
    {9, "node Dropout d x ratio=f0.5\nnode Conv z d,w", "conv"},
    {13, "node Conv z x,w auto_pad=sSAME_UPPER strides=[2,2]", "conv+0,0,1,1"},
    {13, "node Conv z x,w auto_pad=sSAME_LOWER strides=[2,2]", "conv+1,1,0,0"},
    {13, "node Conv z x,w auto_pad=sVALID", "conv"},
    {13, "float zero 1,3,1,1 0\nnode Add a x,zero\nnode Conv z a,w", "conv"},
    {13, "int k 4 1,3,8,8\nnode ConstantOfShape o k\nnode Sum a o,x,o\nnode Conv z a,w", "conv"},
    {13, "node Shape s x\nnode ConstantOfShape o s\nnode Add a x,o\nnode Conv z a,w", "conv"},
    {13, "node Shape s x\nfloat o - 0\nnode Expand e o,s\nnode Add a x,e\nnode Conv z a,w", "conv"},
    {13, "node Relu r x\nnode Relu q x\nnode Add a r,q\nnode Conv z a,w", "relu sum conv"},
    {13, "float b 4 1\nnode Conv z x,w,b dilations=[2,2]", "conv"},
    {13, "float b 1,4,1,1 1\nnode Conv c x,w\nnode Add z c,b", "conv"},
    {13, "node Conv c x,w\nnode AveragePool z c kernel_shape=[6,6]", "conv gap"},
};

static void describe(const nas_node_t *n, char *text, size_t size)
{
    char more[64] = "";
    const nas_window_t *w = &n->window;
    const char *pool = n->is_global ? "gap" : n->pool == NAS_POOL_MAX ? "max" : "mean";
    const char *const kind[] = {[NAS_NODE_CONV] = "conv",
                                [NAS_NODE_NORM] = "norm",
                                [NAS_NODE_RECTIFIER] = n->rectifier ? "relu6" : "relu",
                                [NAS_NODE_POOL] = pool,
                                [NAS_NODE_SUM] = "sum",
                                [NAS_NODE_CONCAT] = "concat",
                                [NAS_NODE_CROP] = "crop",
                                [NAS_NODE_FLATTEN] = "flat",
                                [NAS_NODE_LINEAR] = "linear"};
    if (n->kind == NAS_NODE_CROP)
        (void)snprintf(more, sizeof more, "%d,%d,%d,%d", n->top, n->left, n->extents.h,
                       n->extents.w);
    else if (w->top + w->left + w->bottom + w->right > 0)
        (void)snprintf(more, sizeof more, "+%d,%d,%d,%d", w->top, w->left, w->bottom, w->right);
    (void)snprintf(text, size, "%s%s", kind[n->kind], more);
}

Test(onnx_read, every_form_is_the_same_operation)
{
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        nas_onnx_network_t network = read_middle(FORMS[i].opset, FORMS[i].middle);
        char text[512] = "", one[128];
        for (int k = 1; k < network.graph->n_nodes - 3; k++) {
            describe(&network.graph->node[k], one, sizeof one);
            (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s",
                           k > 1 ? " " : "", one);
        }
        cr_assert_str_eq(text, FORMS[i].expected, "%s: %s", FORMS[i].middle, text);
        nas_onnx_network_fini(&network);
    }
}

/* ----------------------------------------------------------------------------- ends of networks */

/* Ways from [n, 3, 2, 2] to what a linear layer reads, and layers; with values. */
static const char *const ENDS[] = {
    "node Flatten f x\nfloat l 12,5 ramp\nfloat b 5 2\nnode Gemm y f,l,b",
    "node Flatten f x axis=-3\nfloat l 12,5 ramp\nfloat b 5 2\nnode MatMul q f,l\nnode Add y b,q",
    "int s 2 0,-1\nnode Reshape f x,s\nfloat l 12,5 ramp\nfloat b 1,5 2\nnode Gemm y f,l,b",
    "int s 2 -1,12\nnode Reshape f x,s allowzero=1\nfloat l 12,5 ramp\nfloat b 5 2\n"
    "node Gemm y f,l,b",
    "node Shape s x\nint o - 0\nint m 1 -1\nnode Gather g s,o\nnode Unsqueeze u g axes=[0]\n"
    "node Concat k u,m axis=0\nnode Reshape f x,k\nfloat l 12,5 ramp\nfloat b 5 2\n"
    "node Gemm y f,l,b",
    "node Shape s x\nint i 3 1,2,3\nint one 1 1\nnode Gather g s,i\nint st 1 0\nint en 1 1\n"
    "node Slice h s,st,en\nint e 1 -1\nnode Mul h2 h,one\nnode Concat k h2,e axis=0\n"
    "node Cast k2 k to=7\nnode Reshape f x,k2\nfloat l 12,5 ramp\nfloat b 5 2\nnode Gemm y f,l,b",
    "node Flatten f x\nfloat lt 12,5 ramp\nnode Identity l lt\nfloat b 5 2\nnode Gemm y f,l,b",
};

Test(onnx_read, every_end_has_the_same_values)
{
    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++) {
        char text[4096];
        (void)snprintf(text, sizeof text, "opset 11\ninput x 0,3,2,2\noutput y 0,5\n%s", ENDS[i]);
        nas_onnx_network_t network = read_text(text);
        const nas_graph_t *graph = network.graph;
        cr_assert_eq(graph->n_nodes, 3, "%s", text);
        cr_assert_eq(graph->n_values, 12 * 5 + 5, "%s", text);
        for (int o = 0; o < 5; o++)
            for (int k = 0; k < 12; k++)
                cr_assert(network.parameters[12 * o + k] == (double)(5 * k + o), "%s", text);
        cr_assert(network.parameters[60] == 2 && network.parameters[64] == 2);
        cr_assert_str_eq(network.parameter[1], "b");
        nas_onnx_network_fini(&network);
    }
}

/* A batch that the file says is any: it has been copied into shapes. */
Test(onnx_read, the_batch_of_the_file_is_ignored)
{
    nas_onnx_network_t network =
        read_text("opset 13\ninput x 2,3,2,2\noutput y 2,12\nint s 2 2,12\nnode Reshape y x,s");
    cr_assert_eq(network.graph->network.classes, 12);
    cr_assert_eq(network.graph->node[network.graph->output].extents.c, 12);
    nas_onnx_network_fini(&network);
}

static const char SQUEEZED[] = "opset %d\ninput x 0,5,4,4\noutput y 0,5\n%s";

Test(onnx_read, means_and_dimensions_of_one)
{
    static const struct {
        int opset;
        const char *lines;
    } form[] = {
        {13, "node ReduceMean y x axes=[2,3] keepdims=0"},
        {13, "node ReduceMean y x axes=[-1,-2] keepdims=0"},
        {18, "int a 2 2,3\nnode ReduceMean y x,a keepdims=0"},
        {13, "node ReduceMean g x axes=[2,3]\nnode Flatten y g"},
        {11, "node GlobalAveragePool g x\nnode Squeeze y g axes=[2,3]"},
        {13, "int a 2 -2,-1\nnode GlobalAveragePool g x\nnode Squeeze y g,a"},
    };
    for (size_t i = 0; i < sizeof form / sizeof *form; i++) {
        char text[1024];
        (void)snprintf(text, sizeof text, SQUEEZED, form[i].opset, form[i].lines);
        nas_onnx_network_t network = read_text(text);
        cr_assert_eq(network.graph->n_nodes, 3, "%s", text);
        cr_assert(find(&network, NAS_NODE_POOL)->is_global);
        cr_assert_eq(network.graph->node[2].kind, NAS_NODE_FLATTEN);
        nas_onnx_network_fini(&network);
    }
}

/* ---------------------------------------------------------------------------------- parameters */

/* Numbers of float32 are read as the decimals that they were written as. */
Test(onnx_read, epsilon_and_momentum_are_decimals)
{
    static const struct {
        const char *attributes;
        double eps, momentum;
    } form[] = {
        {"", 1e-5, 0.1},
        {"epsilon=f1e-5 momentum=f0.9", 1e-5, 0.1},
        {"epsilon=f0.001 momentum=f0.99", 0.001, 0.01},
        {"epsilon=f1 momentum=f0", 1, 1},
        {"epsilon=f1e-3 momentum=f1", 0.001, 0.1},
        {"epsilon=f0.125 momentum=f0.75", 0.125, 0.25},
    };
    for (size_t i = 0; i < sizeof form / sizeof *form; i++) {
        char middle[1024];
        (void)snprintf(middle, sizeof middle,
                       "float g 4 1\nnode Conv c x,w\nnode BatchNormalization z c,g,g,g,g %s",
                       form[i].attributes);
        nas_onnx_network_t network = read_middle(13, middle);
        const nas_node_t *norm = find(&network, NAS_NODE_NORM);
        cr_assert(norm->eps == form[i].eps, "%s", middle);
        cr_assert(norm->momentum == form[i].momentum, "%s: %.17g", middle, norm->momentum);
        nas_onnx_network_fini(&network);
    }
}

/* Exporters merge equal constants: gamma and beta of each norm are its own all the same. */
Test(onnx_read, norms_share_nothing)
{
    nas_onnx_network_t network =
        read_middle(13, "float g 4 1\nfloat m 4 ramp\nnode Conv c x,w\n"
                        "node BatchNormalization n c,g,g,m,g\nnode BatchNormalization z n,g,g,g,m");
    cr_assert_eq(network.graph->n_parameters, 1 + 4 + 1);
    cr_assert_eq(network.graph->n_statistics, 16);
    cr_assert_eq(network.n_norms, 2);
    cr_assert(network.statistics[3] == 3 && network.statistics[7] == 1);
    cr_assert(network.statistics[8] == 1 && network.statistics[15] == 3);
    cr_assert_str_eq(network.statistic[0], "m");
    cr_assert_str_eq(network.statistic[3], "m");
    nas_onnx_network_fini(&network);
}

/* Ones and zeros that are constants of the program are no parameters; others are. */
Test(onnx_read, constant_gammas_and_betas)
{
    static const struct {
        const char *gamma, *beta;
        int n_parameters;
    } form[] = {{"node Constant g - value=T4:1", "node Constant b - value=T4:0", 2},
                {"node Constant g - value=T4:1", "node Constant b - value=T4:0.5", 4},
                {"float g 4 1", "float b 4 0", 4}};
    for (size_t i = 0; i < sizeof form / sizeof *form; i++) {
        char middle[1024];
        (void)snprintf(middle, sizeof middle,
                       "%s\n%s\nfloat m 4 1\nnode Conv c x,w\nnode BatchNormalization z c,g,b,m,m",
                       form[i].gamma, form[i].beta);
        nas_onnx_network_t network = read_middle(13, middle);
        cr_assert_eq(network.graph->n_parameters, form[i].n_parameters, "%s", middle);
        nas_onnx_network_fini(&network);
    }
}

/* A weight that several read, directly or by Identity, is one. Each has a bias of its own. */
Test(onnx_read, weights_are_shared)
{
    nas_onnx_network_t network =
        read_middle(13, "float v 4,4,1,1 2\nfloat b 4 1\nnode Identity i v\nnode Conv c x,w\n"
                        "node Conv d c,v,b\nnode Conv e d,i,b\nnode Conv z e,v");
    const nas_graph_t *graph = network.graph;
    nas_cost_t cost;
    cr_assert_eq(nas_graph_cost(graph, &cost, NULL, NULL), NAS_OK);
    cr_assert_eq(graph->n_parameters, 1 + 1 + 2 + 1);
    cr_assert_eq(cost.params, graph->n_values);
    cr_assert_eq(cost.flops, 36 * 27 * 4 + 3 * 36 * 16 + 20);
    cr_assert(!graph->node[2].shares_weight && graph->node[3].shares_weight);
    cr_assert_eq(graph->node[2].weight, graph->node[4].weight);
    cr_assert_neq(graph->node[2].bias, graph->node[3].bias);
    nas_onnx_network_fini(&network);
}

/* What does not lead to the output, or whose shape alone is read, is no part of the network. */
Test(onnx_read, dead_nodes_are_not_there)
{
    nas_onnx_network_t network =
        read_middle(13, "float v 4,4,1,1 2\nnode Conv c x,w\nnode Conv d c,v\nnode Relu r d\n"
                        "node Softmax gone r\nnode Shape s r\nnode ConstantOfShape o s\n"
                        "node Add z c,o");
    cr_assert_eq(count(&network, NAS_NODE_CONV), 1);
    cr_assert_eq(count(&network, NAS_NODE_RECTIFIER), 0);
    cr_assert_eq(network.graph->n_parameters, 2);
    for (int i = 0; i < network.graph->n_nodes; i++) cr_assert(network.graph->node[i].live);
    nas_onnx_network_fini(&network);
}

/* Zeros take part in a concatenation. */
Test(onnx_read, zeros_are_concatenated)
{
    nas_onnx_network_t network =
        read_middle(13, "float v 4,8,1,1 2\nnode Conv c x,w\nnode Shape s c\n"
                        "node ConstantOfShape o s\nnode Concat k c,o axis=1\nnode Conv z k,v");
    cr_assert_eq(find(&network, NAS_NODE_CONCAT)->extents.c, 8);
    cr_assert_eq(find(&network, NAS_NODE_SUM)->n_inputs, 0);
    nas_onnx_network_fini(&network);
}

/* Names that are equal, or that a parameter of another node has. */
Test(onnx_read, names_are_made_unlike)
{
    nas_onnx_network_t network =
        read_text("opset 13\ninput a 0,3,2,2\noutput logits 0,3\nfloat w 3,3,1,1 1\n"
                  "node Conv images a,w\nnode Conv c/weight images,w\nnode Conv c c/weight,w\n"
                  "node GlobalAveragePool g c\nnode Flatten logits g");
    static const char *const name[] = {"images", "images_2", "c/weight", "c_2", "g", "logits_2"};
    for (int i = 0; i < network.graph->n_nodes; i++)
        cr_assert_str_eq(network.graph->node[i].name, name[i]);
    nas_onnx_network_fini(&network);
}

/* -------------------------------------------------------------------------------------- extents */

Test(onnx_read, the_data_say_what_the_file_leaves_free)
{
    const nas_onnx_expected_t expected = {
        .image_channels = 1, .height = 6, .width = 4, .classes = 24};
    nas_onnx_network_t network = {0};
    nas_error_t err = {0};
    onnx_bytes_t model =
        onnx_from_text("opset 13\ninput x 0,0,0,4\noutput y 0,0\nnode Flatten y x");
    cr_assert_eq(
        nas_onnx_read_bytes("model.onnx", (char *)model.at, model.n, &expected, &network, &err),
        NAS_OK, "%s", err.text);
    cr_assert_eq(network.graph->network.height, 6);
    cr_assert_null(network.parameters);
    nas_onnx_network_fini(&network);
}

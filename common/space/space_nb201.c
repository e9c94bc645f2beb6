/* NAS-Bench-201's cells: texts, live edges, classes.
 *
 * Classes of cells are told apart by a text for the cell's output, built node by node. The text of
 * a node is those of its terms, sorted, with '+' between them; node 0 is "0"; what an operation
 * makes of a source is "(source)@operation". The two classes differ in the rest:
 *
 *   unique      as the authors' CellStructure.to_unique_str(consider_zero=True): every edge gives
 *               one term, "#" for none and for an edge whose source is the lone "#", the source's
 *               whole text for a skip. So zeros stay in the sums, and a sum that came by a skip
 *               keeps its place as one term: 6,466 classes.
 *   equivalent  by the expression: a sum is a multiset. Zeros are left out, a skip gives the terms
 *               of its source one by one, and equal terms stand as often as they occur: 4,930
 *               classes. A convolution or pool of zero counts as zero, which BN makes true for the
 *               former: a constant map, also one with a bias, has the batch's mean everywhere.
 *
 * Neither knows weights: one convolution added twice and two like ones added have the same text.
 */
#include "common/space/space_nb201.h"

#include "common/space/encoding.h"
#include "common/space/space_internal.h"

#include <stdio.h>
#include <string.h>

static const char *const OPERATION_NAME[NAS_CELL_OPERATIONS] = {
    "none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"};

/* Bytes of the longest name, with its NUL, and room for any class key. */
enum {
    NAME_SIZE =
        sizeof "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|",
    KEY_SIZE = 128
};

static const uint8_t EDGE_SOURCE[NAS_CELL_EDGES] = {0, 0, 1, 0, 1, 2};
static const uint8_t EDGE_TARGET[NAS_CELL_EDGES] = {1, 2, 2, 3, 3, 3};

/* NASLib's tuple: its edges go by source, 0>1, 0>2, 0>3, 1>2, 1>3, 2>3, and its operations in the
 * order of its OP_NAMES (conversions.py of its nasbench201). */
static const uint8_t NASLIB_EDGE[NAS_CELL_EDGES] = {0, 1, 3, 2, 4, 5};
static const uint8_t NASLIB_OPERATION[NAS_CELL_OPERATIONS] = {
    NAS_OPERATION_SKIP, NAS_OPERATION_NONE, NAS_OPERATION_CONV3, NAS_OPERATION_CONV1,
    NAS_OPERATION_POOL};

static bool parse(const char *text, uint8_t *code)
{
    uint8_t digit[NAS_CELL_EDGES];
    int n_position = 0;
    if (!nas_space_is_tuple(text))
        return nas_encode(NAS_ENCODING_NB201, text, code, &n_position, NULL) == NAS_OK;
    if (!nas_space_parse_tuple(text, NAS_CELL_EDGES, NAS_CELL_EDGES, NAS_CELL_OPERATIONS - 1,
                               digit))
        return false;
    for (int i = 0; i < NAS_CELL_EDGES; i++) code[NASLIB_EDGE[i]] = NASLIB_OPERATION[digit[i]];
    return true;
}

static void print(const uint8_t *code, char *name)
{
    const char *op[NAS_CELL_EDGES];
    for (int e = 0; e < NAS_CELL_EDGES; e++) op[e] = OPERATION_NAME[code[e]];
    (void)snprintf(name, NAME_SIZE, "|%s~0|+|%s~0|%s~1|+|%s~0|%s~1|%s~2|", op[0], op[1], op[2],
                   op[3], op[4], op[5]);
}

static int64_t index_of(const uint8_t *code)
{
    return nas_space_number(code, NAS_CELL_EDGES, NAS_CELL_OPERATIONS);
}

static void code_of(int64_t index, uint8_t *code)
{
    nas_space_digits(index, NAS_CELL_EDGES, NAS_CELL_OPERATIONS, code);
}

unsigned nas_cell_fed_edges(const uint8_t operation[NAS_CELL_EDGES])
{
    unsigned edges = 0;
    bool reached[NAS_CELL_NODES] = {true};
    for (int e = 0; e < NAS_CELL_EDGES; e++) {
        if (operation[e] == NAS_OPERATION_NONE || !reached[EDGE_SOURCE[e]]) continue;
        reached[EDGE_TARGET[e]] = true;
        edges |= 1u << e;
    }
    return edges;
}

unsigned nas_cell_used_edges(const uint8_t operation[NAS_CELL_EDGES])
{
    unsigned edges = 0;
    bool reaches[NAS_CELL_NODES] = {[NAS_CELL_NODES - 1] = true};
    for (int e = NAS_CELL_EDGES - 1; e >= 0; e--) {
        if (operation[e] == NAS_OPERATION_NONE || !reaches[EDGE_TARGET[e]]) continue;
        reaches[EDGE_SOURCE[e]] = true;
        edges |= 1u << e;
    }
    return edges;
}

unsigned nas_cell_live_edges(const uint8_t operation[NAS_CELL_EDGES])
{
    return nas_cell_fed_edges(operation) & nas_cell_used_edges(operation);
}

/* A key or a part of one; all of one cell's fit. Copied by assignment. */
typedef struct text {
    size_t length;
    char bytes[KEY_SIZE];
} text_t;

static void append(text_t *text, const char *more)
{
    const size_t length = strlen(more);
    NAS_ASSERT(text->length + length < sizeof text->bytes);
    memcpy(text->bytes + text->length, more, length + 1);
    text->length += length;
}

static text_t text_of(const char *bytes)
{
    text_t text = {0};
    append(&text, bytes);
    return text;
}

/* The terms of a node, in the order of bytes. The most are node 0, node 1 and, by skips, both again
 * through node 2. */
enum { MAX_TERMS = 4 };

typedef struct sum {
    int n;
    text_t term[MAX_TERMS];
} sum_t;

static void add_term(sum_t *sum, text_t term)
{
    int at = sum->n++;
    NAS_ASSERT(sum->n <= MAX_TERMS);
    for (; at > 0 && strcmp(sum->term[at - 1].bytes, term.bytes) > 0; at--)
        sum->term[at] = sum->term[at - 1];
    sum->term[at] = term;
}

static text_t text_of_sum(const sum_t *sum)
{
    text_t text = {0};
    for (int i = 0; i < sum->n; i++) {
        if (i > 0) append(&text, "+");
        append(&text, sum->term[i].bytes);
    }
    return text;
}

static text_t text_of_operation(text_t source, uint8_t operation)
{
    text_t text = text_of("(");
    append(&text, source.bytes);
    append(&text, ")@");
    append(&text, OPERATION_NAME[operation]);
    return text;
}

/* The authors' term of an edge. */
static text_t unique_term(text_t source, uint8_t operation)
{
    if (operation == NAS_OPERATION_NONE || strcmp(source.bytes, "#") == 0) return text_of("#");
    return operation == NAS_OPERATION_SKIP ? source : text_of_operation(source, operation);
}

static void unique(const uint8_t *code, char *key)
{
    text_t node[NAS_CELL_NODES] = {text_of("0")};
    for (int target = 1, e = 0; target < NAS_CELL_NODES; target++) {
        sum_t sum = {0};
        for (int source = 0; source < target; source++, e++)
            add_term(&sum, unique_term(node[source], code[e]));
        node[target] = text_of_sum(&sum);
    }
    memcpy(key, node[NAS_CELL_NODES - 1].bytes, KEY_SIZE);
}

/* Add what an edge brings, from a source that is not zero. */
static void add_edge(sum_t *target, const sum_t *source, uint8_t operation)
{
    if (operation == NAS_OPERATION_SKIP)
        for (int i = 0; i < source->n; i++) add_term(target, source->term[i]);
    else
        add_term(target, text_of_operation(text_of_sum(source), operation));
}

static void equivalent(const uint8_t *code, char *key)
{
    sum_t node[NAS_CELL_NODES] = {{.n = 1, .term = {text_of("0")}}};
    const unsigned fed = nas_cell_fed_edges(code);
    for (int e = 0; e < NAS_CELL_EDGES; e++)
        if (fed >> e & 1u) add_edge(&node[EDGE_TARGET[e]], &node[EDGE_SOURCE[e]], code[e]);
    memcpy(key, text_of_sum(&node[NAS_CELL_NODES - 1]).bytes, KEY_SIZE);
}

/* All operations convolve 3x3. */
enum { COSTLIEST = NAS_OPERATION_CONV3 * ((5 * 5 * 5 * 5 * 5 * 5 - 1) / (5 - 1)) };

static bool edge_of(const uint8_t *code, int i, nas_space_edge_t *edge)
{
    if (i >= NAS_CELL_EDGES) return false;
    *edge = (nas_space_edge_t){EDGE_SOURCE[i], EDGE_TARGET[i], OPERATION_NAME[code[i]]};
    return true;
}

const nas_space_t nas_space_nb201 = {
    .name = "nas-bench-201",
    .summary = "15,625 cells of 4 nodes, an operation of 5 on each of 6 edges",
    .forms =
        "|op~0|+|op~0|op~1|+|op~0|op~1|op~2|, where op is none, skip_connect, nor_conv_1x1, nor_conv_3x3 or avg_pool_3x3, and (1, 0, 0, 2, 1, 0), NASLib's 6 numbers of 0 ..= 4",
    .count = 15625,
    .n_position = NAS_CELL_EDGES,
    .name_size = NAME_SIZE,
    .key_size = KEY_SIZE,
    .parse = parse,
    .print = print,
    .index = index_of,
    .code = code_of,
    .unique = unique,
    .equivalent = equivalent,
    .edge = edge_of,
    .build = nas_nb201_build,
    .has_depth = true,
    .costliest = COSTLIEST,
    .typical =
        {
            "|nor_conv_3x3~0|+|avg_pool_3x3~0|skip_connect~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|",
            "|avg_pool_3x3~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_1x1~2|",
            "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|",
        },
};

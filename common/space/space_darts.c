/* Genotypes of DARTS as codes and numbers.
 *
 * A code has, for every node of the normal and then of the reduction cell, the two states that it
 * reads, as the number of the pair, and the operations on the lower and on the higher of them. Node
 * 0 has no choice of states and so no position for them. Pairs of states are numbered by the
 * higher, then by the lower one: 0 and 1; 0 and 2, 1 and 2; 0 and 3, ..., the same for all nodes.
 *
 * Every code of choices within their numbers is an architecture: (1 x 3 x 6 x 10 x 7^8)^2, about
 * 1.08 x 10^18.
 */
#include "common/space/space_darts.h"

#include "common/space/arch.h"

#include <string.h>

enum { CELL_POSITIONS = 3 * NAS_DARTS_NODES - 1, POSITIONS = NAS_DARTS_CELLS * CELL_POSITIONS };

/* Number of pairs of the states before node n, or before state s. */
#define PAIRS(n) (((n) + 2) * ((n) + 1) / 2)

static int pair_of(int low, int high)
{
    return high * (high - 1) / 2 + low;
}

static void states_of(int pair, int *low, int *high)
{
    for (*high = 1; pair_of(0, *high + 1) <= pair;) ++*high;
    *low = pair - pair_of(0, *high);
}

static void code_of_genotype(const nas_darts_t *genotype, uint8_t *code)
{
    for (int cell = 0; cell < NAS_DARTS_CELLS; cell++)
        for (int node = 0; node < NAS_DARTS_NODES; node++) {
            const nas_darts_edge_t *edge = &genotype->edge[cell][2 * node];
            const int low = edge[0].input < edge[1].input ? 0 : 1;
            if (node > 0) *code++ = (uint8_t)pair_of(edge[low].input, edge[1 - low].input);
            *code++ = edge[low].operation;
            *code++ = edge[1 - low].operation;
        }
}

static void genotype_of_code(const uint8_t *code, nas_darts_t *genotype)
{
    for (int cell = 0; cell < NAS_DARTS_CELLS; cell++)
        for (int node = 0; node < NAS_DARTS_NODES; node++) {
            nas_darts_edge_t *edge = &genotype->edge[cell][2 * node];
            int low = 0, high = 1;
            if (node > 0) states_of(*code++, &low, &high);
            edge[0] = (nas_darts_edge_t){*code++, (uint8_t)low};
            edge[1] = (nas_darts_edge_t){*code++, (uint8_t)high};
        }
}

/* Choices at a position. */
static int n_choices(int position)
{
    const int place = position % CELL_POSITIONS + 1; /* of three a node */
    return place % 3 == 0 ? PAIRS(place / 3) : NAS_DARTS_OPERATIONS;
}

static int64_t index_of(const uint8_t *code)
{
    int64_t index = 0;
    for (int i = 0; i < POSITIONS; i++) index = index * n_choices(i) + code[i];
    return index;
}

static void code_of(int64_t index, uint8_t *code)
{
    for (int i = POSITIONS - 1; i >= 0; index /= n_choices(i), i--)
        code[i] = (uint8_t)(index % n_choices(i));
}

static bool parse(const char *text, uint8_t *code)
{
    nas_darts_t genotype;
    if (!nas_darts_parse(text, &genotype)) return false;
    code_of_genotype(&genotype, code);
    return true;
}

static void print(const uint8_t *code, char *name)
{
    nas_darts_t genotype;
    genotype_of_code(code, &genotype);
    nas_darts_print(&genotype, name);
}

static nas_status_t build(const nas_arch_t *arch, const nas_network_t *options,
                          nas_builder_t *builder, nas_error_t *err)
{
    nas_darts_t genotype;
    genotype_of_code(arch->code, &genotype);
    return nas_darts_build(&genotype, options, builder, err);
}

static nas_status_t build_text(const char *text, const nas_network_t *options,
                               nas_builder_t *builder, nas_error_t *err)
{
    nas_darts_t genotype;
    if (!nas_darts_parse(text, &genotype))
        return nas_error_set(err, NAS_EINPUT, "'%.120s' is no genotype of darts; expected %s", text,
                             nas_space_darts.forms);
    return nas_darts_build(&genotype, options, builder, err);
}

/* Numbers of nodes, the most significant first: each has as many values as it has pairs, and 7 a
 * operation. */
#define NODE_COUNT(n) (INT64_C(49) * PAIRS(n))
#define CELL_COUNT (NODE_COUNT(0) * NODE_COUNT(1) * NODE_COUNT(2) * NODE_COUNT(3))

/* Separable convolutions 5x5 everywhere, on the last two states, so that every state but the last
 * is read. */
#define NODE_HEAVIEST(n)                                                                           \
    (INT64_C(49) * (PAIRS(n) - 1) + NAS_DARTS_SEPARABLE5 * NAS_DARTS_OPERATIONS +                  \
     NAS_DARTS_SEPARABLE5)
#define CELL_HEAVIEST                                                                              \
    (((NODE_HEAVIEST(0) * NODE_COUNT(1) + NODE_HEAVIEST(1)) * NODE_COUNT(2) + NODE_HEAVIEST(2)) *  \
         NODE_COUNT(3) +                                                                           \
     NODE_HEAVIEST(3))

#define HEAVY_NODE(low, high) "sep_conv_5x5~" low ",sep_conv_5x5~" high
#define HEAVY_CELL                                                                                 \
    HEAVY_NODE("0", "1") ";" HEAVY_NODE("1", "2") ";" HEAVY_NODE("2", "3") ";" HEAVY_NODE("3", "4")

const nas_space_t nas_space_darts = {
    .name = "darts",
    .summary = "10^18 pairs of cells of 4 nodes, two operations of 7 on earlier states into each",
    .forms =
        "op~state,op~state;... of 4 nodes, a / and the same of the reduction cell, where op is max_pool_3x3, avg_pool_3x3, skip_connect, sep_conv_3x3, sep_conv_5x5, dil_conv_3x3 or dil_conv_5x5 and a node's states are two of 0, 1 and the nodes before it, 2 and up; and Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=range(2, 6), reduce=[...], reduce_concat=range(2, 6))",
    .count = CELL_COUNT * CELL_COUNT,
    .n_position = POSITIONS,
    .name_size = NAS_DARTS_NAME_SIZE,
    .parse = parse,
    .print = print,
    .index = index_of,
    .code = code_of,
    .build = build,
    .build_text = build_text,
    .has_depth = true,
    .costliest = CELL_HEAVIEST * CELL_COUNT + CELL_HEAVIEST,
    .typical =
        {
            "sep_conv_3x3~0,sep_conv_3x3~1;sep_conv_3x3~0,sep_conv_3x3~1;skip_connect~0,sep_conv_3x3~1;skip_connect~0,dil_conv_3x3~2/max_pool_3x3~0,max_pool_3x3~1;max_pool_3x3~1,skip_connect~2;max_pool_3x3~0,skip_connect~2;max_pool_3x3~1,skip_connect~2",
            "max_pool_3x3~0,skip_connect~1;avg_pool_3x3~0,skip_connect~2;skip_connect~0,dil_conv_3x3~1;max_pool_3x3~2,skip_connect~3/max_pool_3x3~0,avg_pool_3x3~1;max_pool_3x3~0,skip_connect~2;avg_pool_3x3~1,skip_connect~3;skip_connect~2,skip_connect~4",
            HEAVY_CELL "/" HEAVY_CELL,
        },
};

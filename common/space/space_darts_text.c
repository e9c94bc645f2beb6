/* Texts of DARTS's genotypes.
 *
 *   op~state,op~state;...;.../...      the space's own: nodes, cells
 *   Genotype(normal=[('op', state), ...], normal_concat=range(2, 6), reduce=[...],
 *            reduce_concat=range(2, 6))
 *                                      the authors', as Python prints it; a list [2, 3, 4, 5] in
 *                                      place of a range as Python 2 did. All nodes are joined
 *
 * Blanks between their parts are free.
 */
#include "common/space/space_darts.h"

#include <stdio.h>
#include <string.h>

static const char *const OPERATION[NAS_DARTS_OPERATIONS] = {
    "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3",
    "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"};

/* Take a part, and blanks before it, off the text: false where it does not begin so. */
static bool take(const char **text, const char *part)
{
    const char *begin = *text + strspn(*text, " \t");
    const size_t length = strlen(part);
    if (strncmp(begin, part, length) != 0) return false;
    *text = begin + length;
    return true;
}

/* Take parts that follow each other, up to a NULL. */
static bool take_all(const char **text, const char *const *part)
{
    while (*part && take(text, *part)) part++;
    return !*part;
}

/* No operation begins another. */
static bool take_operation(const char **text, nas_darts_edge_t *edge)
{
    for (int i = 0; i < NAS_DARTS_OPERATIONS; i++)
        if (take(text, OPERATION[i])) {
            edge->operation = (uint8_t)i;
            return true;
        }
    return false;
}

static bool take_state(const char **text, nas_darts_edge_t *edge)
{
    const char *begin = *text + strspn(*text, " \t");
    if (*begin < '0' || *begin > '9') return false;
    edge->input = (uint8_t)(*begin - '0');
    *text = begin + 1;
    return true;
}

/* ('op', state) */
static bool take_pair(const char **text, nas_darts_edge_t *edge)
{
    if (!take(text, "(")) return false;
    const char *quote = take(text, "'") ? "'" : take(text, "\"") ? "\"" : NULL;
    return quote && take_operation(text, edge) && take(text, quote) && take(text, ",") &&
           take_state(text, edge) && take(text, ")");
}

static bool take_list(const char **text, nas_darts_edge_t *edge)
{
    bool is_list = take(text, "[");
    for (int i = 0; is_list && i < NAS_DARTS_EDGES; i++)
        is_list = (i == 0 || take(text, ",")) && take_pair(text, &edge[i]);
    return is_list && take(text, "]");
}

static bool take_join(const char **text)
{
    static const char *const range[] = {"range", "(", "2", ",", "6", ")", NULL};
    static const char *const list[] = {"[", "2", ",", "3", ",", "4", ",", "5", "]", NULL};
    return take_all(text, range) || take_all(text, list);
}

static bool take_tuple(const char **text, nas_darts_t *genotype)
{
    static const char *const begin[] = {"Genotype", "(", "normal", "=", NULL};
    static const char *const normal_join[] = {",", "normal_concat", "=", NULL};
    static const char *const reduction[] = {",", "reduce", "=", NULL};
    static const char *const reduction_join[] = {",", "reduce_concat", "=", NULL};
    return take_all(text, begin) && take_list(text, genotype->edge[0]) &&
           take_all(text, normal_join) && take_join(text) && take_all(text, reduction) &&
           take_list(text, genotype->edge[1]) && take_all(text, reduction_join) &&
           take_join(text) && take(text, ")");
}

/* What stands before an edge of a cell. */
static const char *separator(int edge)
{
    return edge == 0 ? "" : edge % 2 == 0 ? ";" : ",";
}

static bool take_cell(const char **text, nas_darts_edge_t *edge)
{
    bool is_cell = true;
    for (int i = 0; is_cell && i < NAS_DARTS_EDGES; i++)
        is_cell = take(text, separator(i)) && take_operation(text, &edge[i]) && take(text, "~") &&
                  take_state(text, &edge[i]);
    return is_cell;
}

static bool take_cells(const char **text, nas_darts_t *genotype)
{
    return take_cell(text, genotype->edge[0]) && take(text, "/") &&
           take_cell(text, genotype->edge[1]);
}

/* Whether nodes read distinct states before them. */
static bool is_genotype(const nas_darts_t *genotype)
{
    for (int cell = 0; cell < NAS_DARTS_CELLS; cell++)
        for (int node = 0; node < NAS_DARTS_NODES; node++) {
            const int a = genotype->edge[cell][2 * node].input,
                      b = genotype->edge[cell][2 * node + 1].input;
            if (a == b || a >= 2 + node || b >= 2 + node) return false;
        }
    return true;
}

bool nas_darts_parse(const char *text, nas_darts_t *genotype)
{
    nas_darts_t read;
    const char *tuple = text;
    const bool is_tuple = take(&tuple, "Genotype");
    const bool is_read = is_tuple ? take_tuple(&text, &read) : take_cells(&text, &read);
    if (!is_read || text[strspn(text, " \t")] != '\0' || !is_genotype(&read)) return false;
    *genotype = read;
    return true;
}

void nas_darts_print(const nas_darts_t *genotype, char name[NAS_DARTS_NAME_SIZE])
{
    const char *const end = name + NAS_DARTS_NAME_SIZE;
    for (int cell = 0; cell < NAS_DARTS_CELLS; cell++)
        for (int i = 0; i < NAS_DARTS_EDGES; i++) {
            const nas_darts_edge_t *edge = &genotype->edge[cell][i];
            name += snprintf(name, (size_t)(end - name), "%s%s%s~%d", cell && i == 0 ? "/" : "",
                             separator(i), OPERATION[edge->operation], edge->input);
        }
}

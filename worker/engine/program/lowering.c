#include "worker/engine/program/lowering.h"

enum { DESCRIPTION_SIZE = 160 };

void nas_lowering_refuse(nas_lowering_t *l, int node, const char *what)
{
    char name[DESCRIPTION_SIZE];
    if (l->status) return;
    (void)nas_graph_describe(l->graph, node, name, sizeof name);
    l->status =
        nas_error_set(l->err, NAS_EARG, "network: %s: %s cannot be computed yet", name, what);
}

void nas_lowering_note(nas_lowering_t *l, int node)
{
    if (l->to->beyond == NAS_LOWERING_NONE) l->to->beyond = node;
}

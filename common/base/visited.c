#include "common/base/visited.h"

#include "common/base/mix.h"

#include <stdlib.h>

enum { NONE = -1 };

nas_status_t nas_visited_init(nas_visited_t *visited, int64_t n_arch, int64_t capacity,
                              nas_error_t *err)
{
    NAS_ASSERT(capacity > 0 && capacity <= n_arch);
    *visited = (nas_visited_t){.n_arch = n_arch};
    return nas_visited_reserve(visited, capacity, err);
}

nas_status_t nas_visited_reserve(nas_visited_t *visited, int64_t n, nas_error_t *err)
{
    if (n <= visited->capacity) return NAS_OK;
    const int64_t capacity = n > 2 * visited->capacity ? n : 2 * visited->capacity;
    nas_visited_node_t *node = realloc(visited->node, (size_t)capacity * sizeof *node);
    if (!node) return nas_error_nomem(err, "the set of evaluated architectures");
    visited->node = node;
    visited->capacity = capacity;
    return NAS_OK;
}

void nas_visited_clear(nas_visited_t *visited)
{
    visited->n = 0;
}

void nas_visited_fini(nas_visited_t *visited)
{
    free(visited->node);
    *visited = (nas_visited_t){0};
}

int64_t nas_visited_find(const nas_visited_t *visited, int64_t arch)
{
    int64_t i = visited->n > 0 ? visited->root : NONE;
    while (i != NONE && visited->node[i].arch != arch)
        i = arch < visited->node[i].arch ? visited->node[i].below : visited->node[i].above;
    return i;
}

bool nas_visited_has(const nas_visited_t *visited, int64_t arch)
{
    return nas_visited_find(visited, arch) != NONE;
}

/* Whatever the order of adding, priorities that look random keep the tree's depth near log n. */
static uint64_t priority(int64_t arch)
{
    return nas_mix(arch);
}

static int64_t members(const nas_visited_t *visited, int64_t i)
{
    return i == NONE ? 0 : visited->node[i].n;
}

static void count(const nas_visited_t *visited, int64_t i)
{
    nas_visited_node_t *node = &visited->node[i];
    node->n = 1 + members(visited, node->below) + members(visited, node->above);
}

/* Cut the subtree at i into what is below arch, which it does not hold, and what is above. As deep
 * as the tree. */
static void split(const nas_visited_t *visited, int64_t i, int64_t arch, int64_t *below,
                  int64_t *above)
{
    if (i == NONE) {
        *below = *above = NONE;
        return;
    }
    nas_visited_node_t *node = &visited->node[i];
    if (node->arch < arch) {
        *below = i;
        split(visited, node->above, arch, &node->above, above);
    } else {
        *above = i;
        split(visited, node->below, arch, below, &node->below);
    }
    count(visited, i);
}

bool nas_visited_add(nas_visited_t *visited, int64_t arch)
{
    NAS_ASSERT(arch >= 0 && (visited->n_arch == 0 || arch < visited->n_arch));
    if (nas_visited_has(visited, arch)) return false;
    NAS_ASSERT(visited->n < visited->capacity);
    if (visited->n == 0) visited->root = NONE;
    const uint64_t own = priority(arch);
    int64_t *at = &visited->root;
    while (*at != NONE && priority(visited->node[*at].arch) > own) {
        nas_visited_node_t *node = &visited->node[*at];
        node->n++;
        at = arch < node->arch ? &node->below : &node->above;
    }
    const int64_t i = visited->n++;
    visited->node[i].arch = arch;
    split(visited, *at, arch, &visited->node[i].below, &visited->node[i].above);
    count(visited, i);
    *at = i;
    return true;
}

/* With k members below it, non-member number r is r + k, and as many non-members lie below a member
 * as its architecture exceeds the number of members below it. */
int64_t nas_visited_draw(const nas_visited_t *visited, nas_rng_t *rng)
{
    NAS_ASSERT(visited->n < visited->n_arch);
    const int64_t r = (int64_t)nas_rng_below(rng, (uint64_t)(visited->n_arch - visited->n));
    int64_t k = 0, i = visited->n > 0 ? visited->root : NONE;
    while (i != NONE) {
        const nas_visited_node_t *node = &visited->node[i];
        const int64_t place = k + members(visited, node->below);
        const bool is_below = node->arch - place <= r;
        if (is_below) k = place + 1;
        i = is_below ? node->above : node->below;
    }
    return r + k;
}

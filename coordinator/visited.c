#include "coordinator/visited.h"

#include <stdlib.h>
#include <string.h>

nas_status_t nas_visited_init(nas_visited_t *visited, int64_t n_arch, int64_t capacity,
                              nas_error_t *err)
{
    NAS_ASSERT(capacity > 0 && capacity <= n_arch);
    int64_t *arch = malloc((size_t)capacity * sizeof *arch);
    if (!arch) return nas_error_nomem(err, "the set of evaluated architectures");
    *visited = (nas_visited_t){.arch = arch, .capacity = capacity, .n_arch = n_arch};
    return NAS_OK;
}

void nas_visited_fini(nas_visited_t *visited)
{
    free(visited->arch);
    *visited = (nas_visited_t){0};
}

/* Number of members below arch: where it is, or would go. */
static int64_t place_of(const nas_visited_t *visited, int64_t arch)
{
    int64_t low = 0, high = visited->n;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (visited->arch[middle] < arch)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool nas_visited_has(const nas_visited_t *visited, int64_t arch)
{
    const int64_t place = place_of(visited, arch);
    return place < visited->n && visited->arch[place] == arch;
}

bool nas_visited_add(nas_visited_t *visited, int64_t arch)
{
    NAS_ASSERT(arch >= 0 && arch < visited->n_arch);
    if (nas_visited_has(visited, arch)) return false;
    NAS_ASSERT(visited->n < visited->capacity);
    int64_t *gap = visited->arch + place_of(visited, arch);
    memmove(gap + 1, gap, (size_t)(visited->arch + visited->n - gap) * sizeof *gap);
    *gap = arch;
    visited->n++;
    return true;
}

void nas_visited_copy(nas_visited_t *to, const nas_visited_t *from)
{
    NAS_ASSERT(to->capacity == from->capacity && to->n_arch == from->n_arch);
    memcpy(to->arch, from->arch, (size_t)from->n * sizeof *to->arch);
    to->n = from->n;
}

/* With k members below it, non-member number r is r + k, and arch[k] - k non-members lie below
 * member k. */
int64_t nas_visited_draw(const nas_visited_t *visited, nas_rng_t *rng)
{
    NAS_ASSERT(visited->n < visited->n_arch);
    const int64_t r = (int64_t)nas_rng_below(rng, (uint64_t)(visited->n_arch - visited->n));
    int64_t low = 0, high = visited->n;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (visited->arch[middle] - middle <= r)
            low = middle + 1;
        else
            high = middle;
    }
    return r + low;
}

#include "common/space/space.h"

#include "common/base/error.h"

#include <string.h>

/* The list: space NAME is the nas_space_NAME that a file space_*.c defines. */
#define SPACES(SPACE)                                                                              \
    SPACE(nb201)                                                                                   \
    SPACE(transnas_micro)                                                                          \
    SPACE(transnas_macro)                                                                          \
    SPACE(darts)

#define DECLARE(name) extern const nas_space_t nas_space_##name;
#define ADDRESS(name) &nas_space_##name,

SPACES(DECLARE)

static const nas_space_t *const SPACE_LIST[] = {SPACES(ADDRESS)};

enum { N_SPACE = sizeof SPACE_LIST / sizeof SPACE_LIST[0] };

const nas_space_t *nas_space_find(const char *name)
{
    for (int i = 0; i < N_SPACE; i++)
        if (strcmp(SPACE_LIST[i]->name, name) == 0) return SPACE_LIST[i];
    return NULL;
}

const nas_space_t *const *nas_space_list(int *n)
{
    *n = N_SPACE;
    return SPACE_LIST;
}

int nas_space_place(const nas_space_t *space)
{
    int i = 0;
    while (i < N_SPACE && SPACE_LIST[i] != space) i++;
    NAS_ASSERT(i < N_SPACE);
    return i;
}

const nas_space_t *nas_space_at(int64_t place)
{
    NAS_ASSERT(place >= 0 && place < N_SPACE);
    return SPACE_LIST[place];
}

const nas_space_t *nas_space_with_networks(void)
{
    int i = 0;
    while (i < N_SPACE - 1 && !SPACE_LIST[i]->build) i++;
    NAS_ASSERT(SPACE_LIST[i]->build);
    return SPACE_LIST[i];
}

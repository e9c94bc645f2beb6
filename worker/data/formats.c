#include "worker/data/format.h"

#define ADDRESS(name) &nas_format_##name,

static const nas_format_t *const list[] = {NAS_FORMATS(ADDRESS)};

const nas_format_t *nas_format_at(size_t place)
{
    return place < sizeof list / sizeof *list ? list[place] : NULL;
}

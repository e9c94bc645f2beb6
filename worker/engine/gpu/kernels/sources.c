#include "worker/engine/gpu/kernels/sources.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *name, *text;
} sources[] = {
#include "texts.inc" /* by cmake/EmbedText.cmake */
    {NULL, NULL},
};

const char *nas_gpu_source(const char *name)
{
    for (int i = 0; sources[i].name != NULL; i++) {
        if (strcmp(sources[i].name, name) == 0) return sources[i].text;
    }
    return NULL;
}

const char *nas_gpu_source_name(int place)
{
    return sources[place].name;
}

/* Architectures by their text or index; whoever asked ends them with nas_arch_fini. */
#ifndef NAS_TESTS_UNIT_ARCH_CASE_H
#define NAS_TESTS_UNIT_ARCH_CASE_H

#include "common/space/arch.h"

static inline nas_arch_t arch_at(const nas_space_t *space, int64_t index)
{
    nas_arch_t arch;
    NAS_ASSERT(nas_arch_init(&arch, space, NULL) == NAS_OK);
    nas_arch_set(&arch, index);
    return arch;
}

/* Of the space that has networks. */
static inline nas_arch_t arch_of(const char *text)
{
    nas_arch_t arch = arch_at(nas_space_with_networks(), 0);
    NAS_ASSERT(nas_arch_parse(&arch, text, NULL) == NAS_OK);
    return arch;
}

#endif

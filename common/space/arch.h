/* An architecture of a space: what travels from the pool to whoever computes, exports or names it.
 *
 * Its faces (space.h) always belong together. The room for them is taken once, by nas_arch_init;
 * going on to another architecture of the space takes none, so that loops over a pool need one.
 */
#ifndef NAS_COMMON_SPACE_ARCH_H
#define NAS_COMMON_SPACE_ARCH_H

#include "common/base/error.h"
#include "common/space/space.h"

#include <stdint.h>

/** Zero-initialise it; end with nas_arch_fini. */
typedef struct nas_arch {
    const nas_space_t *space;
    int64_t index; /**< in the space's enumeration */
    uint8_t *code; /**< [space->n_position]; owned */
    char *name;    /**< [space->name_size] the space's own text for it; owned */
} nas_arch_t;

/** Room for architectures of a space; it is the first of them.  Not collective.
 *  arch [out] the caller's. NAS_ENOMEM. */
nas_status_t nas_arch_init(nas_arch_t *arch, const nas_space_t *space, nas_error_t *err);

/** Go on to another architecture of its space, 0 <= index < count.  Not collective. */
void nas_arch_set(nas_arch_t *arch, int64_t index);

/** Go on to the architecture that a text means, in any form; blanks around it are free.  Not
 *  collective.
 *  NAS_EINPUT: no architecture of its space; err says which forms are, and quotes the text. arch is
 *  as it was then. NAS_ENOMEM. */
nas_status_t nas_arch_parse(nas_arch_t *arch, const char *text, nas_error_t *err);

/** The architecture that a text means in the first space of the list that takes it: names of
 *  different spaces differ.  Not collective.
 *  arch [out] the caller's, on success.
 *  NAS_EINPUT: of no space. NAS_ENOMEM. */
nas_status_t nas_arch_find(const char *text, nas_arch_t *arch, nas_error_t *err);

/** Accepts a zeroed one; it is zeroed afterwards. */
void nas_arch_fini(nas_arch_t *arch);

#endif

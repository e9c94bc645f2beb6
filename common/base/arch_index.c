#include "common/base/arch_index.h"

#include "common/base/mix.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 16 };

/* The architecture's slot, or the empty one that is to be its: a slot in two is empty at least. */
static nas_arch_slot_t *slot_of(const nas_arch_index_t *index, int64_t arch)
{
    const uint64_t mask = (uint64_t)index->n_slots - 1;
    uint64_t i = nas_mix(arch) & mask;
    while (index->slot[i].number_plus_1 > 0 && index->slot[i].arch != arch) i = (i + 1) & mask;
    return &index->slot[i];
}

nas_status_t nas_arch_index_reserve(nas_arch_index_t *index, int64_t n, nas_error_t *err)
{
    nas_arch_index_t larger = {.n_slots = index->n_slots, .n = index->n};
    if (2 * n <= index->n_slots) return NAS_OK;
    if (larger.n_slots == 0) larger.n_slots = FIRST_SLOTS;
    while (larger.n_slots < 2 * n) larger.n_slots *= 2;
    larger.slot = calloc((size_t)larger.n_slots, sizeof *larger.slot);
    if (!larger.slot) return nas_error_nomem(err, "an index of architectures");
    for (int64_t i = 0; i < index->n_slots; i++)
        if (index->slot[i].number_plus_1 > 0)
            *slot_of(&larger, index->slot[i].arch) = index->slot[i];
    free(index->slot);
    *index = larger;
    return NAS_OK;
}

bool nas_arch_index_add(nas_arch_index_t *index, int64_t arch)
{
    NAS_ASSERT(2 * (index->n + 1) <= index->n_slots);
    nas_arch_slot_t *slot = slot_of(index, arch);
    if (slot->number_plus_1 > 0) return false;
    *slot = (nas_arch_slot_t){.arch = arch, .number_plus_1 = ++index->n};
    return true;
}

int64_t nas_arch_index_find(const nas_arch_index_t *index, int64_t arch)
{
    return index->n > 0 ? slot_of(index, arch)->number_plus_1 - 1 : -1;
}

void nas_arch_index_fini(nas_arch_index_t *index)
{
    free(index->slot);
    *index = (nas_arch_index_t){0};
}

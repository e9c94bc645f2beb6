/* Counts what the program itself holds: the linker's --wrap gives its calls of the allocator to the
 * functions here, and those of MPI, HDF5 and the C library not, whose memory depends on who waits
 * for whom. Blocks that the C library made for the program (texts) are taken off when the program
 * frees them without having been added: few and small.
 */
#include "tests/tools/own_memory.h"

#include <malloc.h>
#include <stdlib.h>

/* The linker's names for the real ones and for these. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *block);

static long long held, peak;

static void *added(void *block)
{
    held += (long long)malloc_usable_size(block);
    if (held > peak) peak = held;
    return block;
}

void *__wrap_malloc(size_t size)
{
    return added(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return added(__real_calloc(n, size));
}

void *__wrap_realloc(void *block, size_t size)
{
    const long long before = (long long)malloc_usable_size(block);
    void *grown = __real_realloc(block, size);
    if (!grown && size > 0) return NULL;
    held -= before;
    return added(grown);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return added(__real_aligned_alloc(alignment, size));
}

void __wrap_free(void *block)
{
    held -= (long long)malloc_usable_size(block);
    __real_free(block);
}

long long own_memory_peak(void)
{
    return peak;
}

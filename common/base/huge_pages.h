/* Large blocks of memory that are streamed. */
#ifndef NAS_COMMON_BASE_HUGE_PAGES_H
#define NAS_COMMON_BASE_HUGE_PAGES_H

#include <stddef.h>

/** n_bytes of zeros, 64-byte aligned and present in memory; huge pages where the block is large
 *  enough and the system gives them, since a stream at memory bandwidth otherwise spends time on
 *  page tables.  Not collective. Returns NULL where memory is out. The caller frees it with free.
 */
void *nas_huge_pages_create(size_t n_bytes);

#endif

/* Memory that is taken block by block and freed as a whole.
 *
 * When it runs out that is marked; from then on nothing is taken. So who builds something asks
 * once, at the end.
 */
#ifndef NAS_WORKER_ONNX_ONNX_MEMORY_H
#define NAS_WORKER_ONNX_ONNX_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/** Zero-initialise; end with nas_onnx_memory_fini. */
typedef struct nas_onnx_memory {
    struct nas_onnx_block *blocks; /**< all that was taken */
    bool failed;                   /**< out of memory */
} nas_onnx_memory_t;

/** n elements of 0 that live as long as the memory; NULL: it has run out.  Not collective. */
void *nas_onnx_memory_take(nas_onnx_memory_t *memory, size_t n, size_t size);

/** The list of n elements, taken by this function alone, with room for one more: it moves when n is a
 *  power of two. NULL: the memory has run out. */
void *nas_onnx_memory_extend(nas_onnx_memory_t *memory, void *list, size_t n, size_t size);

/** Free everything. */
void nas_onnx_memory_fini(nas_onnx_memory_t *memory);

#endif

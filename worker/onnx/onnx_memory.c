#include "worker/onnx/onnx_memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct nas_onnx_block {
    struct nas_onnx_block *next;
    max_align_t data[];
} block_t;

void *nas_onnx_memory_take(nas_onnx_memory_t *memory, size_t n, size_t size)
{
    block_t *block = NULL;
    if (!memory->failed && n <= (SIZE_MAX - sizeof *block) / size)
        block = calloc(1, sizeof *block + n * size);
    if (!block) {
        memory->failed = true;
        return NULL;
    }
    block->next = memory->blocks;
    memory->blocks = block;
    return block->data;
}

void *nas_onnx_memory_extend(nas_onnx_memory_t *memory, void *list, size_t n, size_t size)
{
    if (n & (n - 1)) return list;
    void *longer = nas_onnx_memory_take(memory, n ? 2 * n : 1, size);
    if (longer && n) memcpy(longer, list, n * size);
    return longer;
}

void nas_onnx_memory_fini(nas_onnx_memory_t *memory)
{
    while (memory->blocks) {
        block_t *next = memory->blocks->next;
        free(memory->blocks);
        memory->blocks = next;
    }
    memory->failed = false;
}

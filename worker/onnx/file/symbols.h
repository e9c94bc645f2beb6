/* Texts, each kept once, by number. */
#ifndef NAS_WORKER_ONNX_FILE_SYMBOLS_H
#define NAS_WORKER_ONNX_FILE_SYMBOLS_H

#include "worker/onnx/onnx_memory.h"

#include <stdbool.h>

/** Zero-initialise with a memory, which all of it lives in. */
typedef struct nas_symbols {
    nas_onnx_memory_t *memory;
    const char **text; /**< [n] with a NUL each */
    int n;
    int *slot; /**< [n_slots] 1 + number; 0: free */
    int n_slots;
} nas_symbols_t;

/** Number of a text, kept now where it is new.  Not collective. text [in] n bytes, none of them
 *  NUL. -1: the memory has run out. O(n) expected. */
int nas_symbols_add(nas_symbols_t *symbols, const char *text, size_t n);

/** Number of a text with a NUL, or -1. */
int nas_symbols_find(const nas_symbols_t *symbols, const char *text);

#endif

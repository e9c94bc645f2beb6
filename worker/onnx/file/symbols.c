#include "worker/onnx/file/symbols.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

/* FNV-1a, with its bits mixed once more: the lowest ones choose the slot. */
static uint64_t hash(const char *text, size_t n)
{
    uint64_t state = 0xcbf29ce484222325;
    for (size_t i = 0; i < n; i++) state = (state ^ (unsigned char)text[i]) * 0x100000001b3;
    return state ^ state >> 29;
}

/* The slot of a text: its own, or the free one that it would get. There is a free one. */
static int slot_of(const nas_symbols_t *symbols, const char *text, size_t n)
{
    const int mask = symbols->n_slots - 1;
    int slot = (int)(hash(text, n) & (uint64_t)mask);
    for (; symbols->slot[slot]; slot = (slot + 1) & mask) {
        const char *other = symbols->text[symbols->slot[slot] - 1];
        if (strncmp(other, text, n) == 0 && other[n] == '\0') break;
    }
    return slot;
}

/* Twice the slots. */
static bool grow(nas_symbols_t *symbols)
{
    if (symbols->n_slots > INT_MAX / 2) return false;
    const int n_slots = symbols->n_slots ? 2 * symbols->n_slots : 64;
    int *slot = nas_onnx_memory_take(symbols->memory, (size_t)n_slots, sizeof *slot);
    if (!slot) return false;
    symbols->slot = slot;
    symbols->n_slots = n_slots;
    for (int i = 0; i < symbols->n; i++)
        slot[slot_of(symbols, symbols->text[i], strlen(symbols->text[i]))] = i + 1;
    return true;
}

int nas_symbols_add(nas_symbols_t *symbols, const char *text, size_t n)
{
    if (2 * symbols->n >= symbols->n_slots && !grow(symbols)) return -1;
    const int slot = slot_of(symbols, text, n);
    if (symbols->slot[slot]) return symbols->slot[slot] - 1;
    const char **list = nas_onnx_memory_extend(symbols->memory, (void *)symbols->text,
                                               (size_t)symbols->n, sizeof *list);
    char *copy = nas_onnx_memory_take(symbols->memory, n + 1, 1);
    if (!list || !copy) return -1;
    if (n > 0) memcpy(copy, text, n);
    symbols->text = list;
    list[symbols->n] = copy;
    symbols->slot[slot] = ++symbols->n;
    return symbols->n - 1;
}

int nas_symbols_find(const nas_symbols_t *symbols, const char *text)
{
    if (symbols->n_slots == 0) return -1;
    return symbols->slot[slot_of(symbols, text, strlen(text))] - 1;
}

#include "common/base/names.h"

#include "common/base/fault.h"
#include "common/base/strings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EMPTY_SLOT UINT32_MAX

enum { FIRST_CAPACITY = 1024 };

/* Names in lines that follow each other. */
typedef struct run {
    int64_t first; /* name */
    int64_t line;  /* of it */
} run_t;

/* All texts lie in one arena, each with a NUL. The index is a hash table of name numbers with
 * linear probing, at most half full. */
struct nas_names {
    char *text;
    size_t text_used, text_capacity;
    size_t *offset; /* of each name in text */
    size_t count, capacity;
    const nas_interrupt_t *interrupt; /* of indexing; borrowed */
    uint32_t *slot;                   /* NULL until indexed; n_slot is a power of two */
    size_t n_slot;
    char *file; /* NULL: not said, nor are lines */
    run_t *run; /* ascending by name */
    size_t n_run, run_capacity;
};

nas_status_t nas_names_create(nas_names_t **names_p, nas_error_t *err)
{
    nas_names_t *names = calloc(1, sizeof *names);
    if (!names) return nas_error_nomem(err, "architecture names");
    *names_p = names;
    return NAS_OK;
}

/* Room for one more name of n_bytes, NUL included; capacities double. */
static nas_status_t reserve(nas_names_t *names, size_t n_bytes, nas_error_t *err)
{
    if (names->count == names->capacity) {
        const size_t capacity = names->capacity ? 2 * names->capacity : FIRST_CAPACITY;
        size_t *offset = realloc(names->offset, capacity * sizeof *offset);
        if (!offset) return nas_error_nomem(err, "architecture names");
        names->offset = offset;
        names->capacity = capacity;
    }
    if (names->text_capacity - names->text_used < n_bytes) {
        const size_t capacity = 2 * names->text_capacity + n_bytes;
        char *text = realloc(names->text, capacity);
        if (!text) return nas_error_nomem(err, "architecture names");
        names->text = text;
        names->text_capacity = capacity;
    }
    return NAS_OK;
}

nas_status_t nas_names_add(nas_names_t *names, const char *text, size_t length, nas_error_t *err)
{
    NAS_ASSERT(!names->slot);
    if (names->count == EMPTY_SLOT)
        return nas_error_set(err, NAS_EINPUT, "more than %zu architectures", names->count);
    const nas_status_t status = reserve(names, length + 1, err);
    if (status) return status;
    char *copy = names->text + names->text_used;
    memcpy(copy, text, length);
    copy[length] = '\0';
    names->offset[names->count++] = names->text_used;
    names->text_used += length + 1;
    return NAS_OK;
}

nas_status_t nas_names_set_file(nas_names_t *names, const char *file, nas_error_t *err)
{
    NAS_ASSERT(names->count == 0 && !names->file);
    names->file = nas_string_copy(file, err);
    return names->file ? NAS_OK : NAS_ENOMEM;
}

nas_status_t nas_names_set_line(nas_names_t *names, int64_t line, nas_error_t *err)
{
    NAS_ASSERT(names->count > 0);
    const int64_t name = (int64_t)names->count - 1;
    const run_t *last = names->n_run ? &names->run[names->n_run - 1] : NULL;
    if (last && line - last->line == name - last->first) return NAS_OK;
    if (names->n_run == names->run_capacity) {
        const size_t capacity = 2 * names->run_capacity + 1;
        run_t *run = realloc(names->run, capacity * sizeof *run);
        if (!run) return nas_error_nomem(err, "lines of architectures");
        names->run = run;
        names->run_capacity = capacity;
    }
    names->run[names->n_run++] = (run_t){.first = name, .line = line};
    return NAS_OK;
}

void nas_names_move_lines(nas_names_t *names, int64_t by)
{
    for (size_t i = 0; i < names->n_run; i++) names->run[i].line += by;
}

int64_t nas_names_line(const nas_names_t *names, int64_t index)
{
    size_t low = 0, high = names->n_run; /* the last run that begins at or before it */
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (names->run[middle].first <= index)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0) return 0;
    return names->run[low - 1].line + index - names->run[low - 1].first;
}

void nas_name_place(const char *file, int64_t line, int64_t index, char place[NAS_NAMES_PLACE_SIZE])
{
    enum { SHOWN_FILE = NAS_NAMES_PLACE_SIZE - 64 };
    place[0] = '\0';
    if (!file) return;
    (void)snprintf(place, NAS_NAMES_PLACE_SIZE,
                   line ? "%.*s:%lld: " : "%.*s: number %lld: ", SHOWN_FILE, file,
                   (long long)(line ? line : index + 1));
}

void nas_names_place(const nas_names_t *names, int64_t index, char place[NAS_NAMES_PLACE_SIZE])
{
    nas_name_place(names->file, nas_names_line(names, index), index, place);
}

const char *nas_names_file(const nas_names_t *names)
{
    return names->file;
}

/* 64-bit FNV-1a, folded so that the low bits depend on all of it. */
uint64_t nas_name_hash(const char *text)
{
    uint64_t h = 14695981039346656037u;
    for (; *text; text++) h = (h ^ (unsigned char)*text) * 1099511628211u;
    return h ^ h >> 32;
}

/* The slot that holds the name, or the empty one where it would go. */
static size_t find_slot(const nas_names_t *names, const char *name)
{
    const size_t mask = names->n_slot - 1;
    size_t s = (size_t)nas_name_hash(name) & mask;
    while (names->slot[s] != EMPTY_SLOT && strcmp(nas_names_at(names, names->slot[s]), name) != 0)
        s = (s + 1) & mask;
    return s;
}

/* Give back what doubling took in excess; a shrinking realloc that fails leaves things as they are.
 */
static void trim(nas_names_t *names)
{
    if (names->count == 0) return;
    char *text = realloc(names->text, names->text_used);
    if (text) names->text = text;
    size_t *offset = realloc(names->offset, names->count * sizeof *offset);
    if (offset) names->offset = offset;
}

void nas_names_set_interrupt(nas_names_t *names, const nas_interrupt_t *interrupt)
{
    names->interrupt = interrupt;
}

nas_status_t nas_names_index(nas_names_t *names, int64_t *duplicate, int64_t *first,
                             nas_error_t *err)
{
    NAS_ASSERT(!names->slot);
    size_t n_slot = 1;
    while (n_slot < 2 * names->count + 1) n_slot *= 2;
    names->slot = malloc(n_slot * sizeof *names->slot);
    if (!names->slot) return nas_error_nomem(err, "the index of architecture names");
    names->n_slot = n_slot;
    for (size_t s = 0; s < n_slot; s++) names->slot[s] = EMPTY_SLOT;
    trim(names);

    nas_status_t status = NAS_OK;
    const size_t block = 1 << 15; /* names between two questions */
    *duplicate = *first = -1;
    for (size_t i = 0; !status && i < names->count; i++) {
        const size_t s = find_slot(names, nas_names_at(names, (int64_t)i));
        if (names->slot[s] == EMPTY_SLOT) {
            names->slot[s] = (uint32_t)i;
        } else if (*duplicate < 0) {
            *duplicate = (int64_t)i;
            *first = names->slot[s];
        }
        if (i % block != block - 1) continue;
        NAS_FAULT_POINT("index-names");
        status = nas_interrupt_check(names->interrupt, (double)i / (double)names->count, err);
    }
    return status;
}

int64_t nas_names_count(const nas_names_t *names)
{
    return (int64_t)names->count;
}

const char *nas_names_at(const nas_names_t *names, int64_t index)
{
    NAS_ASSERT(index >= 0 && (size_t)index < names->count);
    return names->text + names->offset[index];
}

int64_t nas_names_find(const nas_names_t *names, const char *name)
{
    NAS_ASSERT(names->slot);
    const uint32_t index = names->slot[find_slot(names, name)];
    return index == EMPTY_SLOT ? -1 : (int64_t)index;
}

void nas_names_destroy(nas_names_t *names)
{
    if (!names) return;
    free(names->text);
    free(names->offset);
    free(names->slot);
    free(names->file);
    free(names->run);
    free(names);
}

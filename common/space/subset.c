#include "common/space/subset.h"

#include "common/base/rng.h"
#include "common/base/text.h"
#include "common/base/visited.h"
#include "common/io/file.h"
#include "common/space/arch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const size_t FILE_LIMIT = (size_t)16 << 20;

/* Spaces up to here are walked through for a sample; from larger ones it is drawn. */
static const int64_t WALKED = (int64_t)1 << 24;

/* What a pool holds: nas_names_add. */
static const int64_t POOL_LIMIT = UINT32_MAX - 1;

/* A selection in the making: indices in the order taken, and room for so many; none where all
 * are. */
typedef struct draft {
    const nas_space_t *space;
    int64_t *index;
    int64_t n;
    int64_t capacity;
} draft_t;

static nas_status_t reserve(draft_t *draft, int64_t n, nas_error_t *err)
{
    if (n <= draft->capacity) return NAS_OK;
    const int64_t capacity = n > 2 * draft->capacity ? n : 2 * draft->capacity;
    int64_t *index = realloc(draft->index, (size_t)capacity * sizeof *index);
    if (!index) return nas_error_nomem(err, "the architectures of a pool");
    draft->index = index;
    draft->capacity = capacity;
    return NAS_OK;
}

/* There is room for it. */
static void take(draft_t *draft, int64_t index)
{
    NAS_ASSERT(draft->n < draft->capacity);
    draft->index[draft->n++] = index;
}

static nas_status_t take_all(draft_t *draft, nas_error_t *err)
{
    const nas_space_t *space = draft->space;
    if (space->count > POOL_LIMIT)
        return nas_error_set(err, NAS_EINPUT,
                             "%s has %" PRId64 " architectures, and a pool at most %" PRId64
                             "; expected subset {sample: N} or {file: F}",
                             space->name, space->count, POOL_LIMIT);
    draft->n = space->count;
    return NAS_OK;
}

/* The key of every architecture, by number. */
static nas_status_t list_keys(const nas_space_t *space, void (*write_key)(const uint8_t *, char *),
                              nas_names_t *keys, nas_error_t *err)
{
    int64_t duplicate, first;
    nas_arch_t arch = {0};
    char *key = malloc(space->key_size);
    nas_status_t status =
        key ? nas_arch_init(&arch, space, err) : nas_error_nomem(err, "the classes of a space");
    for (int64_t i = 0; !status && i < space->count; i++) {
        nas_arch_set(&arch, i);
        write_key(arch.code, key);
        status = nas_names_add(keys, key, strlen(key), err);
    }
    if (!status) status = nas_names_index(keys, &duplicate, &first, err);
    nas_arch_fini(&arch);
    free(key);
    return status;
}

/* Every architecture whose key no one before it has: names are looked up among the keys. */
static nas_status_t take_classes(draft_t *draft, void (*write_key)(const uint8_t *, char *),
                                 nas_error_t *err)
{
    nas_names_t *keys = NULL;
    nas_status_t status = nas_names_create(&keys, err);
    if (status) return status;
    status = list_keys(draft->space, write_key, keys, err);
    if (!status) status = reserve(draft, draft->space->count, err);
    for (int64_t i = 0; !status && i < draft->space->count; i++)
        if (nas_names_find(keys, nas_names_at(keys, i)) == i) take(draft, i);
    nas_names_destroy(keys);
    return status;
}

static nas_status_t select_classes(draft_t *draft, nas_subset_kind_t kind, nas_error_t *err)
{
    const nas_space_t *space = draft->space;
    const bool by_authors = kind == NAS_SUBSET_UNIQUE;
    void (*const write_key)(const uint8_t *, char *) =
        by_authors ? space->unique : space->equivalent;
    if (!write_key)
        return nas_error_set(
            err, NAS_EINPUT,
            "%s has no classes of equal architectures for subset '%s'; expected all, {sample: N} or {file: F}",
            space->name, by_authors ? "unique" : "equivalent");
    return take_classes(draft, write_key, err);
}

/* Selection sampling (Knuth, TAOCP 2, algorithm 3.4.2 S): each is taken with the share of what is
 * wanted in what is left. */
static void walk(draft_t *draft, int64_t n, nas_rng_t *rng)
{
    const int64_t count = draft->space->count;
    for (int64_t i = 0; i < count && draft->n < n; i++) {
        const uint64_t n_left = (uint64_t)(count - i), n_wanted = (uint64_t)(n - draft->n);
        if (nas_rng_below(rng, n_left) < n_wanted) take(draft, i);
    }
}

static int compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* One after the other, each uniform among those that are left; then in the order of the space. */
static nas_status_t draw(draft_t *draft, int64_t n, nas_rng_t *rng, nas_error_t *err)
{
    nas_visited_t drawn = {0};
    const nas_status_t status = nas_visited_init(&drawn, draft->space->count, n, err);
    for (int64_t i = 0; !status && i < n; i++) {
        const int64_t index = nas_visited_draw(&drawn, rng);
        (void)nas_visited_add(&drawn, index);
        take(draft, index);
    }
    nas_visited_fini(&drawn);
    if (!status) qsort(draft->index, (size_t)n, sizeof *draft->index, compare);
    return status;
}

static nas_status_t take_sample(draft_t *draft, int64_t n, uint64_t seed, nas_error_t *err)
{
    const int64_t count = draft->space->count;
    nas_rng_t rng;
    if (n < 1 || n > count)
        return nas_error_set(err, NAS_EINPUT,
                             "a sample of %" PRId64 " architectures; expected 1 to %" PRId64
                             ", all that %s has",
                             n, count, draft->space->name);
    const nas_status_t status = reserve(draft, n, err);
    if (status) return status;
    nas_rng_init(&rng, seed, NAS_STREAM_SUBSET, 0);
    if (count > WALKED) return draw(draft, n, &rng, err);
    walk(draft, n, &rng);
    return NAS_OK;
}

/* Where a line of the file stands, and on which line each architecture was found. */
typedef struct listing {
    const char *path;
    int64_t line;
    nas_arch_t arch;     /* of the line */
    nas_visited_t found; /* numbered as in the draft */
    int64_t *found_at;   /* [capacity] */
    int64_t capacity;
} listing_t;

static nas_status_t reserve_lines(listing_t *listing, int64_t n, nas_error_t *err)
{
    if (n > listing->capacity) {
        const int64_t capacity = 2 * n;
        int64_t *found_at = realloc(listing->found_at, (size_t)capacity * sizeof *found_at);
        if (!found_at) return nas_error_nomem(err, "the architectures of a file");
        listing->found_at = found_at;
        listing->capacity = capacity;
    }
    return nas_visited_reserve(&listing->found, n, err);
}

static nas_status_t take_line(draft_t *draft, listing_t *listing, const char *text,
                              nas_error_t *err)
{
    nas_error_t reason = {0};
    nas_status_t status = nas_arch_parse(&listing->arch, text, &reason);
    if (status)
        return nas_error_set(err, status, "%s:%" PRId64 ": %s", listing->path, listing->line,
                             reason.text);
    const int64_t index = listing->arch.index, before = nas_visited_find(&listing->found, index);
    if (before >= 0)
        return nas_error_set(err, NAS_EINPUT,
                             "%s:%" PRId64 ": '%.120s' is on line %" PRId64 " already",
                             listing->path, listing->line, text, listing->found_at[before]);
    status = reserve(draft, draft->n + 1, err);
    if (!status) status = reserve_lines(listing, draft->n + 1, err);
    if (status) return status;
    listing->found_at[draft->n] = listing->line;
    (void)nas_visited_add(&listing->found, index);
    take(draft, index);
    return NAS_OK;
}

/* Cut the first line off text, at LF, CR LF or CR. Returns the next one, NULL at the end. */
static char *end_line(char *text)
{
    char *end = strpbrk(text, "\r\n");
    if (!end) return NULL;
    char *next = end + (end[0] == '\r' && end[1] == '\n' ? 2 : 1);
    *end = '\0';
    return next;
}

/* Take the lines of text, cutting it up in place. */
static nas_status_t take_lines(draft_t *draft, listing_t *listing, char *text, nas_error_t *err)
{
    for (char *next = text; next; text = next) {
        listing->line++;
        next = end_line(text);
        text[strcspn(text, "#")] = '\0';
        const char *arch = nas_text_strip(text);
        if (!*arch) continue;
        const nas_status_t status = take_line(draft, listing, arch, err);
        if (status) return status;
    }
    if (draft->n == 0)
        return nas_error_set(err, NAS_EINPUT,
                             "%s: no architecture in it; expected one a line, in the forms %s",
                             listing->path, draft->space->forms);
    return NAS_OK;
}

static nas_status_t take_file(draft_t *draft, const char *path, nas_error_t *err)
{
    char *text = NULL;
    size_t size = 0, skip = 0;
    listing_t listing = {.path = path};
    nas_status_t status = nas_file_read(path, FILE_LIMIT, &text, &size, err);
    if (status) return status;
    if ((status = nas_text_begin(path, text, size, &skip, err))) goto out;
    if (strlen(text) < size) {
        status = nas_error_set(err, NAS_EINPUT, "%s: a NUL byte in it; expected text", path);
        goto out;
    }
    if ((status = nas_arch_init(&listing.arch, draft->space, err))) goto out;
    status = take_lines(draft, &listing, text + skip, err);
out:
    nas_arch_fini(&listing.arch);
    nas_visited_fini(&listing.found);
    free(listing.found_at);
    free(text);
    return status;
}

static nas_status_t take_subset(draft_t *draft, const nas_subset_t *subset, nas_error_t *err)
{
    switch (subset->kind) {
    case NAS_SUBSET_UNIQUE:
    case NAS_SUBSET_EQUIVALENT:
        return select_classes(draft, subset->kind, err);
    case NAS_SUBSET_SAMPLE:
        return take_sample(draft, subset->n, subset->seed, err);
    case NAS_SUBSET_FILE:
        return take_file(draft, subset->path, err);
    case NAS_SUBSET_ALL:
        break;
    }
    return take_all(draft, err);
}

nas_status_t nas_selection_name(const nas_space_t *space, nas_selection_t *selection,
                                nas_error_t *err)
{
    int64_t duplicate = -1, first = -1;
    nas_names_t *names = NULL;
    nas_arch_t arch = {0};
    if (selection->names) return NAS_OK;
    nas_status_t status = nas_names_create(&names, err);
    if (!status) status = nas_arch_init(&arch, space, err);
    for (int64_t i = 0; !status && i < selection->n; i++) {
        nas_arch_set(&arch, selection->index ? selection->index[i] : i);
        status = nas_names_add(names, arch.name, strlen(arch.name), err);
    }
    if (!status) status = nas_names_index(names, &duplicate, &first, err);
    NAS_ASSERT(status || duplicate < 0);
    nas_arch_fini(&arch);
    if (status)
        nas_names_destroy(names);
    else
        selection->names = names;
    return status;
}

nas_status_t nas_subset_select(const nas_space_t *space, const nas_subset_t *subset,
                               nas_selection_t *selection, nas_error_t *err)
{
    draft_t draft = {.space = space};
    nas_status_t status = take_subset(&draft, subset, err);
    nas_selection_t selected = {.n = draft.n, .index = draft.index};
    if (!status && selected.index) status = nas_selection_name(space, &selected, err);
    if (status)
        nas_selection_fini(&selected);
    else
        *selection = selected;
    return status;
}

void nas_selection_fini(nas_selection_t *selection)
{
    nas_names_destroy(selection->names);
    free(selection->index);
    *selection = (nas_selection_t){0};
}

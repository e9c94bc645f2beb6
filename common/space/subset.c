#include "common/space/subset.h"

#include "common/base/rng.h"
#include "common/base/text.h"
#include "common/io/file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const size_t FILE_LIMIT = (size_t)16 << 20;

/* A selection in the making: room for the indices of the whole space, n of them taken; none where
 * all are. */
typedef struct draft {
    const nas_space_t *space;
    int64_t *index;
    int64_t n;
} draft_t;

static void take(draft_t *draft, int64_t index)
{
    draft->index[draft->n++] = index;
}

/* Every architecture whose key no one before it has: names are looked up among the keys. */
static nas_status_t take_classes(draft_t *draft, void (*write_key)(const uint8_t *, char *),
                                 nas_error_t *err)
{
    const nas_space_t *space = draft->space;
    nas_names_t *keys = NULL;
    int64_t duplicate, first;
    nas_status_t status = nas_names_create(&keys, err);
    if (status) return status;
    for (int64_t i = 0; i < space->count; i++) {
        uint8_t code[NAS_SPACE_POSITIONS];
        char key[NAS_SPACE_NAME_SIZE];
        space->code(i, code);
        write_key(code, key);
        if ((status = nas_names_add(keys, key, strlen(key), err))) goto out;
    }
    if ((status = nas_names_index(keys, &duplicate, &first, err))) goto out;
    for (int64_t i = 0; i < space->count; i++)
        if (nas_names_find(keys, nas_names_at(keys, i)) == i) take(draft, i);
out:
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
static nas_status_t take_sample(draft_t *draft, int64_t n, uint64_t seed, nas_error_t *err)
{
    const int64_t count = draft->space->count;
    nas_rng_t rng;
    if (n < 1 || n > count)
        return nas_error_set(err, NAS_EINPUT,
                             "a sample of %" PRId64 " architectures; expected 1 to %" PRId64
                             ", all that %s has",
                             n, count, draft->space->name);
    nas_rng_init(&rng, seed, NAS_STREAM_SUBSET, 0);
    for (int64_t i = 0; i < count; i++) {
        const uint64_t n_left = (uint64_t)(count - i), n_wanted = (uint64_t)(n - draft->n);
        if (nas_rng_below(&rng, n_left) < n_wanted) take(draft, i);
    }
    return NAS_OK;
}

/* Where a line of the file stands, and on which line each architecture was found (0: none). */
typedef struct listing {
    const char *path;
    int64_t line;
    int64_t *found_at;
} listing_t;

static nas_status_t take_line(draft_t *draft, listing_t *listing, const char *text,
                              nas_error_t *err)
{
    nas_error_t reason = {0};
    int64_t index = -1;
    nas_status_t status = nas_space_parse(draft->space, text, &index, &reason);
    if (status)
        return nas_error_set(err, status, "%s:%" PRId64 ": %s", listing->path, listing->line,
                             reason.text);
    if (listing->found_at[index])
        return nas_error_set(err, NAS_EINPUT,
                             "%s:%" PRId64 ": '%.120s' is on line %" PRId64 " already",
                             listing->path, listing->line, text, listing->found_at[index]);
    listing->found_at[index] = listing->line;
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
    listing.found_at = calloc((size_t)draft->space->count, sizeof *listing.found_at);
    if (!listing.found_at) {
        status = nas_error_nomem(err, "the architectures of a file");
        goto out;
    }
    status = take_lines(draft, &listing, text + skip, err);
out:
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
    draft->n = draft->space->count;
    return NAS_OK;
}

static nas_status_t name_all(const draft_t *draft, nas_names_t *names, nas_error_t *err)
{
    int64_t duplicate = -1, first = -1;
    for (int64_t i = 0; i < draft->n; i++) {
        char name[NAS_SPACE_NAME_SIZE];
        nas_space_print(draft->space, draft->index ? draft->index[i] : i, name);
        const nas_status_t status = nas_names_add(names, name, strlen(name), err);
        if (status) return status;
    }
    const nas_status_t status = nas_names_index(names, &duplicate, &first, err);
    NAS_ASSERT(status || duplicate < 0);
    return status;
}

nas_status_t nas_subset_select(const nas_space_t *space, const nas_subset_t *subset,
                               nas_selection_t *selection, nas_error_t *err)
{
    draft_t draft = {.space = space};
    nas_names_t *names = NULL;
    nas_status_t status = nas_names_create(&names, err);
    if (status) return status;
    if (subset->kind != NAS_SUBSET_ALL)
        draft.index = malloc((size_t)space->count * sizeof *draft.index);
    if (!draft.index && subset->kind != NAS_SUBSET_ALL) {
        status = nas_error_nomem(err, "the architectures of a pool");
        goto out;
    }
    if ((status = take_subset(&draft, subset, err))) goto out;
    if ((status = name_all(&draft, names, err))) goto out;
    *selection = (nas_selection_t){.names = names, .index = draft.index};
    names = NULL;
    draft.index = NULL;
out:
    nas_names_destroy(names);
    free(draft.index);
    return status;
}

void nas_selection_fini(nas_selection_t *selection)
{
    nas_names_destroy(selection->names);
    free(selection->index);
    *selection = (nas_selection_t){0};
}

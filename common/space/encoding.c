#include "common/space/encoding.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The index of codes is a list of names: every code plus one is a character, so that none is the
 * NUL. */
struct nas_encoding {
    int64_t count;
    int n_position;
    int n_choice[NAS_ENCODING_MAX_POSITIONS];
    uint8_t *code; /* count x n_position */
    nas_names_t *index;
};

static void code_to_name(const uint8_t *code, int n_position, char *name)
{
    for (int p = 0; p < n_position; p++) {
        NAS_ASSERT(code[p] < NAS_ENCODING_MAX_CHOICES);
        name[p] = (char)(code[p] + 1);
    }
    name[n_position] = '\0';
}

static void count_choices(nas_encoding_t *encoding)
{
    for (int p = 0; p < encoding->n_position; p++) encoding->n_choice[p] = 0;
    for (int64_t i = 0; i < encoding->count; i++) {
        const uint8_t *code = nas_encoding_at(encoding, i);
        for (int p = 0; p < encoding->n_position; p++)
            if (code[p] >= encoding->n_choice[p]) encoding->n_choice[p] = code[p] + 1;
    }
}

/* From the codes already in place: the index and the numbers of choices; two rows that are equal,
 * or -1. */
static nas_status_t build(nas_encoding_t *encoding, int64_t *duplicate, int64_t *first,
                          nas_error_t *err)
{
    char name[NAS_ENCODING_MAX_POSITIONS + 1];
    nas_status_t status = nas_names_create(&encoding->index, err);
    if (status) return status;
    for (int64_t i = 0; i < encoding->count; i++) {
        code_to_name(nas_encoding_at(encoding, i), encoding->n_position, name);
        status = nas_names_add(encoding->index, name, (size_t)encoding->n_position, err);
        if (status) return status;
    }
    count_choices(encoding);
    return nas_names_index(encoding->index, duplicate, first, err);
}

/* An encoding with room for the codes of n architectures, or NULL with err set. */
static nas_encoding_t *allocate(int64_t n, int n_position, nas_error_t *err)
{
    NAS_ASSERT(n > 0 && n_position > 0 && n_position <= NAS_ENCODING_MAX_POSITIONS);
    nas_encoding_t *encoding = calloc(1, sizeof *encoding);
    if (encoding) encoding->code = malloc((size_t)n * (size_t)n_position);
    if (!encoding || !encoding->code) {
        nas_encoding_destroy(encoding);
        (void)nas_error_nomem(err, "the encoding of the pool");
        return NULL;
    }
    encoding->count = n;
    encoding->n_position = n_position;
    return encoding;
}

/* As nas_encode, with the place of the name. */
static nas_status_t encode_name(nas_encoding_kind_t kind, const nas_names_t *names, int64_t i,
                                uint8_t *code, int *n_position, nas_error_t *err)
{
    char place[NAS_NAMES_PLACE_SIZE];
    nas_error_t reason = {0};
    const nas_status_t status = nas_encode(kind, nas_names_at(names, i), code, n_position, &reason);
    if (!status) return NAS_OK;
    nas_names_place(names, i, place);
    return nas_error_set(err, status, "%s%s", place, reason.text);
}

nas_status_t nas_encoding_refuse_same(const nas_encoding_same_t *same, nas_error_t *err)
{
    char line[32] = "";
    if (same->first_line)
        (void)snprintf(line, sizeof line, "line %lld, ", (long long)same->first_line);
    return nas_error_set(err, NAS_EINPUT, "%sarchitecture '%.120s' is the same as %s'%.120s'",
                         same->place, same->again, line, same->first);
}

nas_encoding_form_t nas_encoding_form_of(nas_encoding_kind_t kind, const char *first)
{
    nas_encoding_form_t form = {.kind = kind};
    uint8_t code[NAS_ENCODING_MAX_POSITIONS];
    (void)snprintf(form.first, sizeof form.first, "%s", first);
    (void)nas_encode(kind, first, code, &form.n_position, NULL);
    return form;
}

nas_status_t nas_encode_names(const nas_encoding_form_t *form, const nas_names_t *names,
                              uint8_t *codes, nas_error_t *err)
{
    uint8_t code[NAS_ENCODING_MAX_POSITIONS];
    char place[NAS_NAMES_PLACE_SIZE];
    const int n_position = form->n_position;
    for (int64_t i = 0; i < nas_names_count(names); i++) {
        int n = 0;
        const nas_status_t status = encode_name(form->kind, names, i, code, &n, err);
        if (status) return status;
        if (n == n_position) {
            memcpy(codes + i * n_position, code, (size_t)n_position);
            continue;
        }
        nas_names_place(names, i, place);
        return nas_error_set(
            err, NAS_EINPUT,
            "%sarchitecture '%.120s' has %d positions where the first, '%.120s', has %d", place,
            nas_names_at(names, i), n, form->first, n_position);
    }
    return NAS_OK;
}

nas_status_t nas_encoding_create(nas_encoding_kind_t kind, const nas_names_t *names,
                                 nas_encoding_t **encoding_p, nas_error_t *err)
{
    const nas_encoding_form_t form = nas_encoding_form_of(kind, nas_names_at(names, 0));
    const int64_t n = nas_names_count(names);
    nas_encoding_pair_t pair = {0};
    uint8_t *codes = malloc((size_t)n * (size_t)form.n_position + 1);
    if (!codes) return nas_error_nomem(err, "the encoding of the pool");
    nas_status_t status = nas_encode_names(&form, names, codes, err);
    const nas_codes_t all = {.code = codes, .n = n, .n_position = form.n_position};
    if (!status) status = nas_encoding_from_codes(&all, &pair, encoding_p, err);
    free(codes);
    if (status || pair.again < 0) return status;
    nas_encoding_same_t same = {.again = nas_names_at(names, pair.again),
                                .first = nas_names_at(names, pair.first),
                                .first_line = nas_names_line(names, pair.first)};
    nas_names_place(names, pair.again, same.place);
    return nas_encoding_refuse_same(&same, err);
}

nas_status_t nas_encoding_from_codes(const nas_codes_t *codes, nas_encoding_pair_t *same,
                                     nas_encoding_t **encoding_p, nas_error_t *err)
{
    nas_encoding_pair_t pair = {.again = -1, .first = -1};
    nas_encoding_t *encoding = allocate(codes->n, codes->n_position, err);
    if (!encoding) return NAS_ENOMEM;
    memcpy(encoding->code, codes->code, (size_t)codes->n * (size_t)codes->n_position);
    const nas_status_t status = build(encoding, &pair.again, &pair.first, err);
    NAS_ASSERT(same || status || pair.again < 0);
    if (same) *same = pair;
    if (status || pair.again >= 0)
        nas_encoding_destroy(encoding);
    else
        *encoding_p = encoding;
    return status;
}

int64_t nas_encoding_count(const nas_encoding_t *encoding)
{
    return encoding->count;
}

int nas_encoding_positions(const nas_encoding_t *encoding)
{
    return encoding->n_position;
}

int nas_encoding_choices(const nas_encoding_t *encoding, int position)
{
    NAS_ASSERT(position >= 0 && position < encoding->n_position);
    return encoding->n_choice[position];
}

const uint8_t *nas_encoding_at(const nas_encoding_t *encoding, int64_t index)
{
    NAS_ASSERT(index >= 0 && index < encoding->count);
    return encoding->code + index * encoding->n_position;
}

int64_t nas_encoding_find(const nas_encoding_t *encoding, const uint8_t *code)
{
    char name[NAS_ENCODING_MAX_POSITIONS + 1];
    code_to_name(code, encoding->n_position, name);
    return nas_names_find(encoding->index, name);
}

void nas_encoding_destroy(nas_encoding_t *encoding)
{
    if (!encoding) return;
    nas_names_destroy(encoding->index);
    free(encoding->code);
    free(encoding);
}

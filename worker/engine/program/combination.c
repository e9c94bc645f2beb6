/* Combinations under construction. A sum of more terms than a combination has is chained: what the
 * first ones make is stored, and is the first term of the next. */
#include "worker/engine/program/emitter.h"

#include <string.h>

static nas_range_t range_of(nas_slice_t slice)
{
    return (nas_range_t){nas_emit_place(slice.tensor, 0), slice.c_total, slice.c_first};
}

void nas_combine_begin(nas_emitter_t *e, nas_shape_t shape)
{
    const nas_range_t none = range_of(nas_no_slice());
    e->building = (nas_program_combination_t){.shape = shape,
                                              .term = e->term.n,
                                              .dot = e->dot.n,
                                              .shift = NAS_NOWHERE,
                                              .mask = none,
                                              .out = none,
                                              .relu = none};
}

static nas_program_term_t *add(nas_emitter_t *e, nas_program_term_t term)
{
    nas_program_term_t *entry = nas_emit_entry(e, &e->term);
    e->building.n_terms++;
    *entry = term;
    return entry;
}

void nas_combine_add(nas_emitter_t *e, nas_term_kind_t kind, nas_slice_t slice,
                     nas_vector_t coefficient)
{
    add(e,
        (nas_program_term_t){.kind = kind, .tensor = range_of(slice), .coefficient = coefficient});
}

void nas_combine_add_masked(nas_emitter_t *e, nas_slice_t slice, nas_vector_t coefficient)
{
    add(e, (nas_program_term_t){.kind = NAS_TERM_PLAIN,
                                .tensor = range_of(slice),
                                .coefficient = coefficient,
                                .masked = true});
}

void nas_combine_add_images(nas_emitter_t *e, nas_vector_t value, bool masked)
{
    add(e, (nas_program_term_t){.kind = NAS_TERM_IMAGE,
                                .tensor = range_of(nas_no_slice()),
                                .coefficient = value,
                                .masked = masked});
}

void nas_combine_dot(nas_emitter_t *e, nas_slice_t slice, nas_vector_t center, nas_vector_t sum)
{
    nas_program_dot_t *dot = nas_emit_entry(e, &e->dot);
    *dot = (nas_program_dot_t){.tensor = range_of(slice), .center = center, .sum = sum};
    e->building.n_dots++;
}

void nas_combine_shift(nas_emitter_t *e, nas_vector_t shift)
{
    e->building.shift = shift;
}

void nas_combine_mask(nas_emitter_t *e, nas_slice_t slice, double ceiling)
{
    e->building.mask = range_of(slice);
    e->building.ceiling = ceiling;
}

void nas_combine_out(nas_emitter_t *e, nas_slice_t slice)
{
    e->building.out = range_of(slice);
}

void nas_combine_relu(nas_emitter_t *e, nas_slice_t slice, double ceiling)
{
    e->building.relu = range_of(slice);
    e->building.ceiling = ceiling;
}

bool nas_combine_is_empty(const nas_emitter_t *e)
{
    return e->building.n_terms == 0;
}

int nas_combine_copied(const nas_emitter_t *e)
{
    const nas_program_combination_t *c = &e->building;
    if (e->failed || c->n_terms != 1 || c->n_dots > 0 || c->shift != NAS_NOWHERE)
        return NAS_NO_TENSOR;
    const nas_program_term_t *term = (const nas_program_term_t *)e->term.data + c->term;
    const bool is_whole = term->tensor.c_first == 0 && term->tensor.c_total == c->shape.c;
    const bool is_copy =
        term->kind == NAS_TERM_PLAIN && !term->masked && term->coefficient == NAS_NOWHERE;
    return is_whole && is_copy ? nas_tensor_of(term->tensor.at) : NAS_NO_TENSOR;
}

/* ------------------------------------------------------------------------------------- the end */

static void use_range(nas_emitter_t *e, nas_range_t range)
{
    nas_emit_use(e, nas_tensor_of(range.at));
}

static void emit(nas_emitter_t *e, const nas_program_combination_t *combination)
{
    const nas_program_term_t *term = e->term.data;
    const nas_program_dot_t *dot = e->dot.data;
    nas_emit_op(e, NAS_OP_COMBINE)->index = e->combination.n;
    nas_program_combination_t *entry = nas_emit_entry(e, &e->combination);
    *entry = *combination;
    if (e->failed) return;
    for (int i = 0; i < entry->n_terms; i++) use_range(e, term[entry->term + i].tensor);
    for (int i = 0; i < entry->n_dots; i++) use_range(e, dot[entry->dot + i].tensor);
    use_range(e, entry->mask);
    use_range(e, entry->out);
    use_range(e, entry->relu);
}

/* Room for one more term before the one at `at`, which holds so far what was there. */
static nas_program_term_t *insert_term(nas_emitter_t *e, int at)
{
    nas_program_term_t *last = nas_emit_entry(e, &e->term);
    if (e->failed) return last;
    nas_program_term_t *term = (nas_program_term_t *)e->term.data + at;
    memmove(term + 1, term, (size_t)(e->term.n - 1 - at) * sizeof *term);
    return term;
}

/* Store the sum of the first terms, and go on from it. */
static void emit_head(nas_emitter_t *e, nas_slice_t partial)
{
    nas_program_combination_t *rest = &e->building, head = *rest;
    head.n_terms = e->max_terms;
    head.n_dots = 0;
    head.out = range_of(partial);
    head.relu = range_of(nas_no_slice());
    emit(e, &head);
    rest->shift = NAS_NOWHERE;
    rest->term += head.n_terms;
    rest->n_terms += 1 - head.n_terms;
    *insert_term(e, rest->term) = (nas_program_term_t){
        .kind = NAS_TERM_PLAIN, .tensor = range_of(partial), .coefficient = NAS_NOWHERE};
}

static nas_slice_t new_partial(nas_emitter_t *e)
{
    const nas_shape_t shape = e->building.shape;
    return (nas_slice_t){.tensor = nas_emit_tensor(e, shape), .c_total = shape.c};
}

/* Dots beyond the first ones, of the value as it was stored. */
static void emit_dots(nas_emitter_t *e, nas_range_t value, int dot, int n_dots)
{
    const nas_shape_t shape = e->building.shape;
    while (n_dots > 0) {
        nas_combine_begin(e, shape);
        add(e, (nas_program_term_t){
                   .kind = NAS_TERM_PLAIN, .tensor = value, .coefficient = NAS_NOWHERE});
        e->building.dot = dot;
        e->building.n_dots = n_dots < NAS_MAX_DOTS ? n_dots : NAS_MAX_DOTS;
        emit(e, &e->building);
        dot += e->building.n_dots;
        n_dots -= e->building.n_dots;
    }
}

void nas_combine_end(nas_emitter_t *e)
{
    nas_program_combination_t *c = &e->building;
    if (c->n_terms > e->max_terms) {
        const nas_slice_t partial = new_partial(e);
        while (c->n_terms > e->max_terms) emit_head(e, partial);
    }
    const int n_more = c->n_dots - NAS_MAX_DOTS;
    if (n_more > 0 && c->out.at == NAS_NOWHERE) nas_combine_out(e, new_partial(e));
    if (n_more > 0) c->n_dots = NAS_MAX_DOTS;
    emit(e, c);
    if (n_more > 0) emit_dots(e, c->out, c->dot + NAS_MAX_DOTS, n_more);
}

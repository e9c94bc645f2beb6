/* Codes of the names of a shared table: each rank makes those of its rows, rank 0 gets them all. */
#include "worker/tables/shared_table_internal.h"

#include <stdlib.h>

/* All names have the form of the first. */
static nas_encoding_form_t share_form(nas_shared_table_t *table, nas_encoding_kind_t kind)
{
    const int64_t first = 0;
    nas_encoding_form_t form = {0};
    nas_shared_table_fetch(table, &first, 1);
    if (nas_comm_rank(table->comm) == 0)
        form = nas_encoding_form_of(kind, nas_shared_table_row(table, first)->name);
    nas_comm_bcast(table->comm, 0, &form, sizeof form);
    return form;
}

static void gather_codes(const nas_shared_table_t *table, int n_position, const uint8_t *mine,
                         uint8_t *all)
{
    const int rank = nas_comm_rank(table->comm), size = nas_comm_size(table->comm);
    const size_t n_bytes = (size_t)n_position;
    nas_comm_range_t *sent = calloc(2 * (size_t)size, sizeof *sent), *received = sent + size;
    if (!sent) nas_comm_abort("out of memory for a message");
    sent[0].size = (size_t)nas_shared_table_held(table).n * n_bytes;
    for (int r = 0; rank == 0 && r < size; r++) {
        received[r].begin = (size_t)table->first[r] * n_bytes;
        received[r].size = (size_t)(table->first[r + 1] - table->first[r]) * n_bytes;
    }
    nas_comm_exchange(table->comm, mine, sent, all, received);
    free(sent);
}

static nas_status_t refuse(nas_shared_table_t *table, const nas_encoding_pair_t *pair,
                           nas_error_t *err)
{
    const nas_table_row_t *again = nas_shared_table_row(table, pair->again);
    const nas_table_row_t *first = nas_shared_table_row(table, pair->first);
    nas_encoding_same_t same = {
        .again = again->name, .first = first->name, .first_line = first->line};
    nas_name_place(table->path, again->line, pair->again, same.place);
    return nas_encoding_refuse_same(&same, err);
}

/* Rank 0 has all codes; where two are equal, it asks for their names. */
static nas_status_t build(nas_shared_table_t *table, const nas_encoding_form_t *form,
                          const uint8_t *all, nas_encoding_t **encoding_p, nas_error_t *err)
{
    const bool builds = nas_comm_rank(table->comm) == 0;
    nas_encoding_pair_t pair = {.again = -1};
    nas_status_t status = NAS_OK;
    const nas_codes_t codes = {
        .code = all, .n = nas_shared_table_rows(table), .n_position = form->n_position};
    if (builds) status = nas_encoding_from_codes(&codes, &pair, encoding_p, err);
    status = nas_comm_agree(table->comm, status, err);
    if (status) return status;
    const bool refuses = builds && pair.again >= 0;
    nas_shared_table_fetch(table, &pair.again, refuses ? 1 : 0);
    nas_shared_table_fetch(table, &pair.first, refuses ? 1 : 0);
    return nas_comm_agree(table->comm, refuses ? refuse(table, &pair, err) : NAS_OK, err);
}

nas_status_t nas_shared_table_encode(nas_shared_table_t *table, nas_encoding_kind_t kind,
                                     nas_encoding_t **encoding_p, nas_error_t *err)
{
    const nas_encoding_form_t form = share_form(table, kind);
    const bool builds = nas_comm_rank(table->comm) == 0;
    const size_t n_bytes = (size_t)form.n_position;
    const size_t n_all = builds ? (size_t)nas_shared_table_rows(table) : 0;
    uint8_t *mine = malloc((size_t)nas_shared_table_held(table).n * n_bytes + 1);
    uint8_t *all = malloc(n_all * n_bytes + 1);
    nas_status_t status = mine && all ? NAS_OK : nas_error_nomem(err, "codes of the pool");
    if (!status && nas_shared_table_held(table).n > 0)
        status = nas_encode_names(&form, nas_shared_table_names(table), mine, err);
    status = nas_comm_agree(table->comm, status, err);
    if (!status) {
        gather_codes(table, form.n_position, mine, all);
        free(mine);
        mine = NULL;
        status = build(table, &form, all, encoding_p, err);
    }
    free(mine);
    free(all);
    return status;
}

/* A table whose rows the ranks share.
 *
 * Every rank reads a range of the file and keeps the rows that begin in it, with their names, so
 * that each row is held once. Row numbers are those of the file, whoever holds them. What rank 0
 * wants to know of a row it fetches, in one exchange for many rows, and keeps: the rows of a search
 * are few.
 *
 * One reader reads a file alone where it is too small to be worth sharing, where a line ends within
 * quotes, so that nobody can begin in the middle, where the ranks do not see the same file, and
 * where an architecture seems to stand in two lines. Rank 0 then holds all rows, and nothing is
 * sent. Which it is never shows in a result or in a message.
 */
#ifndef NAS_WORKER_TABLES_SHARED_TABLE_H
#define NAS_WORKER_TABLES_SHARED_TABLE_H

#include "common/base/digest.h"
#include "common/comm/comm.h"
#include "common/io/table.h"
#include "common/space/encoding.h"

#include <stdbool.h>
#include <stdint.h>

/** Opaque. */
typedef struct nas_shared_table nas_shared_table_t;

/** Bytes that are worth a reader of their own: it is through with them in 50 ms, and what ranks
 *  share costs messages in every round of a search. */
enum { NAS_SHARED_TABLE_LEAST = 4 << 20 };

/** Of so many ranks, how many read a file.  Not collective. least: as below. */
int nas_shared_table_readers(int64_t n_bytes, int64_t least, int n_ranks);

/** What to read, by whom. */
typedef struct nas_shared_table_options {
    nas_table_options_t table; /**< the same on all ranks, but for its interrupt */
    int64_t n_bytes;           /**< of the file, as rank 0 sees it */
    int64_t least;             /**< bytes that are worth a reader of their own, such as
                                    NAS_SHARED_TABLE_LEAST; at least 1 */
} nas_shared_table_options_t;

/** Read a table.  Collective over comm, which is kept (borrowed). As nas_table_read, and its
 *  errors, in the same words for any number of ranks: the first in the file, on all ranks.
 *  NAS_ESTOP: interrupted on any rank. NAS_ENOMEM on any rank fails all. The caller owns
 *  *table_p. */
nas_status_t nas_shared_table_read(nas_comm_t *comm, const nas_shared_table_options_t *options,
                                   nas_shared_table_t **table_p, nas_error_t *err);

/** The ranks that share it. Borrowed. */
nas_comm_t *nas_shared_table_comm(const nas_shared_table_t *table);

/** Rows of the whole table. */
int64_t nas_shared_table_rows(const nas_shared_table_t *table);

/** The rows that this rank holds. */
nas_comm_rows_t nas_shared_table_held(const nas_shared_table_t *table);

/** Whether rank 0 holds all rows. The same on all ranks. */
bool nas_shared_table_is_alone(const nas_shared_table_t *table);

/** Number of a column that was asked for, in the order of asking, or -1. The same on all ranks. */
int nas_shared_table_find(const nas_shared_table_t *table, const char *name);

/** The held rows' values of column `column`; NULL where this rank holds no row. Borrowed. */
const double *nas_shared_table_column(const nas_shared_table_t *table, int column);

/** Names of the held rows; NULL where there are none. They can be looked up where one rank holds
 *  all. Borrowed. */
const nas_names_t *nas_shared_table_names(const nas_shared_table_t *table);

/** Digest of the file by its blocks (digest.h).  Rank 0 only. */
nas_digest_t nas_shared_table_digest(const nas_shared_table_t *table);

/** By what rows are ranked. */
typedef struct nas_table_order {
    int column;         /**< its number */
    bool minimise;      /**< lower values are better */
    int64_t n_best;     /**< how many count as the best, at least 1 */
    const int64_t *row; /**< rank 0 of a table that it holds alone: the rows that take part, and
                                   no others; NULL: all */
    int64_t n_row;
    const nas_interrupt_t *interrupt;
} nas_table_order_t;

/** Rank the rows by a column, once.  Collective; O(n log n) time and 8 bytes for each of the n rows
 *  that this rank holds.
 *  order [in] the same on all ranks, but for its interrupt; borrowed for the call.
 *  NAS_ESTOP: interrupted on any rank. NAS_ENOMEM on any rank fails all. */
nas_status_t nas_shared_table_rank(nas_shared_table_t *table, const nas_table_order_t *order,
                                   nas_error_t *err);

/** Rows that have a value in the column by which they are ranked. */
int64_t nas_shared_table_ranked(const nas_shared_table_t *table);

/** The value of the last of the n_best best, or of the last at all; NaN where none has one.  Rank 0
 *  only. */
double nas_shared_table_last_best(const nas_shared_table_t *table);

/** One row, as rank 0 has fetched it; borrowed from the table. */
typedef struct nas_table_row {
    char *name;
    int64_t line;
    double *value;    /**< one for each column that was asked for, in their order */
    int64_t n_better; /**< rows that are better by the order; 0 where there is none, or no value */
} nas_table_row_t;

/** Fetch rows that were not fetched before.  Collective: one message to all and one from each, two
 *  more where rows are ranked; where rank 0 holds all rows, nothing is sent.
 *  row, n [in] on rank 0; they may repeat. Without memory the job ends. */
void nas_shared_table_fetch(nas_shared_table_t *table, const int64_t *row, int64_t n);

/** A row that was fetched.  Rank 0 only. Borrowed until the next fetch. */
const nas_table_row_t *nas_shared_table_row(const nas_shared_table_t *table, int64_t row);

/** Encode the names of all rows.  Collective; each rank encodes those that it holds, rank 0 has
 *  them all: encoding_p [out] there, the caller's. Errors of nas_encoding_create, on all ranks. */
nas_status_t nas_shared_table_encode(nas_shared_table_t *table, nas_encoding_kind_t kind,
                                     nas_encoding_t **encoding_p, nas_error_t *err);

/** Not collective. Accepts NULL. */
void nas_shared_table_destroy(nas_shared_table_t *table);

#endif

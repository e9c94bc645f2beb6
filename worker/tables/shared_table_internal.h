/* What the files of shared tables share. */
#ifndef NAS_WORKER_TABLES_SHARED_TABLE_INTERNAL_H
#define NAS_WORKER_TABLES_SHARED_TABLE_INTERNAL_H

#include "common/base/visited.h"
#include "worker/tables/shared_table.h"

struct nas_shared_table {
    nas_comm_t *comm; /**< kept borrow */
    char *path;
    nas_strings_t columns;
    nas_table_t *mine;   /**< NULL: no rows */
    int64_t *first;      /**< [size + 1] of each rank's rows, and the end */
    nas_digest_t digest; /**< rank 0 */
    /* by nas_shared_table_rank */
    bool is_ranked;
    int ranked_column;
    double sign;    /**< -1 where lower is better */
    double *sorted; /**< [n_sorted] sign * value of the held rows that have one, descending */
    int64_t n_sorted;
    int64_t n_ranked; /**< of all ranks */
    double last_best;
    /* by nas_shared_table_fetch, on rank 0 */
    nas_visited_t fetched;
    nas_table_row_t *row; /**< [fetched.n] */
    int64_t row_capacity;
};

/** Whether some name of the table seems to stand in two rows, of whatever ranks.  Collective. Names
 *  are told apart by 64 bits of a hash, of which every rank gets those in its own range: 8 bytes a
 *  row sent, received, and up to 16 to look through them. True may be wrong, about once in 10^6
 *  tables of 10^7 rows; false never is.
 *  names: of this rank's rows; NULL: it has none. seems_so [out].
 *  NAS_ENOMEM on any rank fails all. NAS_EINPUT: more than 2^32 - 2 of them in a range. */
nas_status_t nas_shared_table_repeats(nas_comm_t *comm, const nas_names_t *names, bool *seems_so,
                                      nas_error_t *err);

#endif

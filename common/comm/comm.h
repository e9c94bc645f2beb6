/* Communication: the only module that knows MPI.
 *
 * Every communicator is a duplicate or split of MPI_COMM_WORLD. Waiting ranks sleep: each
 * collective is started nonblocking, tested, and napped upon; between naps the heartbeat is polled,
 * where one was begun (heartbeat.h). An MPI error aborts the job (nas_comm_abort), since no rank
 * can go on. Sizes are int64 and messages beyond 4 MiB are sent in pieces, all but one: the lists
 * of nas_comm_reduce_top, 16 bytes an entry.
 */
#ifndef NAS_COMMON_COMM_COMM_H
#define NAS_COMMON_COMM_COMM_H

#include "common/base/error.h"
#include "common/base/top_entry.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A set of ranks; opaque. */
typedef struct nas_comm nas_comm_t;

/** Start MPI and duplicate the world.  Collective; once per process.
 *  The caller owns *world_p.
 *  NAS_EARG: a world of one rank inside a Slurm step of several (the launcher lacks --mpi=pmix). */
nas_status_t nas_comm_init(nas_comm_t **world_p, nas_error_t *err);

/** Free the world, finalize MPI, and return this process's exit code for `code`: rank 0 leaves
 *  with it, a moment after the others, which leave with 0, so that launchers report rank
 *  0's.  Collective. */
int nas_comm_finalize(nas_comm_t *world, int code);

/** End the whole job at once, after an error that leaves no way to agree. Nothing else calls
 *  MPI_Abort, but the heartbeat, which has a line of its own for a silent rank. */
_Noreturn void nas_comm_abort(const char *what);

/** Name and version of the MPI library, its first line.  Not collective; works before
 *  nas_comm_init. Static. */
const char *nas_comm_library(void);

/** A communicator of this process alone, without MPI (bench, tests): collectives are copies. */
nas_status_t nas_comm_self(nas_comm_t **comm_p, nas_error_t *err);

int nas_comm_rank(const nas_comm_t *comm);
int nas_comm_size(const nas_comm_t *comm);

/** Ranks of equal color form a new communicator, ordered as here; color < 0: none, *part_p is
 *  NULL.  Collective. */
void nas_comm_split(nas_comm_t *comm, int color, nas_comm_t **part_p);

/** This rank's number among those on its host, and theirs.  Collective. */
int nas_comm_local_rank(nas_comm_t *comm);
int nas_comm_local_size(nas_comm_t *comm);

/** Free a communicator made by nas_comm_split or nas_comm_self.  Collective. Accepts NULL. */
void nas_comm_destroy(nas_comm_t *comm);

/** data[0..size) of root to all.  Collective. */
void nas_comm_bcast(nas_comm_t *comm, int root, void *data, size_t size);

/** The worst status of all ranks, and its text (of the lowest such rank) on every
 *  rank.  Collective. */
nas_status_t nas_comm_agree(nas_comm_t *comm, nas_status_t status, nas_error_t *err);

/** Element-wise minimum / maximum over the ranks, in place, on every rank.  Collective. */
void nas_comm_min(nas_comm_t *comm, double *value, int n);
void nas_comm_max(nas_comm_t *comm, double *value, int n);

/** Element-wise sum over the ranks, in place, on every rank.  Collective. Of whole numbers, since
 *  their sum does not depend on the order. */
void nas_comm_sum(nas_comm_t *comm, int64_t *value, int n);

/** The rows [first, first + n) of n_rows that rank `rank` of `size` holds: the sharding used
 *  everywhere.  Not collective. n_rows * size must fit into 63 bits. */
void nas_comm_shard(int64_t n_rows, int rank, int size, int64_t *first, int64_t *n);

/** Consecutive rows of a column that a rank has or wants. */
typedef struct nas_comm_rows {
    int64_t first;
    int64_t n;
} nas_comm_rows_t;

/** Move the rows of a column to the ranks that want them.  Collective. No rank's memory grows with
 *  the column but by what it holds and wants.
 *  held, value [in] this rank's rows, no other's at the same time; wanted, moved [out] rows that
 *  this rank wants, of which every one is held somewhere; any number of ranks may want one. */
void nas_comm_move_rows(nas_comm_t *comm, nas_comm_rows_t held, const double *value,
                        nas_comm_rows_t wanted, double *moved);

/** Merge n lists of k sorted candidates over the ranks into rank 0's, in place (other ranks'
 *  contents are undefined afterwards);
 *  flag [in, out] is reduced by maximum with them.  Collective: one reduction. */
void nas_comm_reduce_top(nas_comm_t *comm, nas_top_entry_t *list, int64_t n, int64_t k, int *flag);

/** A message among others in one buffer: bytes. */
typedef struct nas_comm_range {
    size_t begin;
    size_t size;
} nas_comm_range_t;

/** A message of `size` bytes from every rank to all.  Collective.
 *  all [out] size(comm) of them in rank order. */
void nas_comm_all_gather(nas_comm_t *comm, const void *mine, size_t size, void *all);

/** A message of any length from every rank to every other, and to itself.  Collective. Empty ones
 *  cost nothing.
 *  sent [in] [size] where in `out` the one for each rank lies, two may overlap; received [in]
 *  [size] where in `in` the one of each rank belongs, of the size that this has sent. */
void nas_comm_exchange(nas_comm_t *comm, const void *out, const nas_comm_range_t *sent, void *in,
                       const nas_comm_range_t *received);

/** Messages of any length from every rank to rank 0.  Collective.
 *  data, size [in] this rank's. On rank 0: *all_p [out] the messages one after the other in rank
 *  order and offset [out] size + 1 entries; *all_p is owned by the communicator and valid until
 *  its next gather. NULL elsewhere. */
void nas_comm_gather(nas_comm_t *comm, const void *data, size_t size, const char **all_p,
                     size_t *offset);

/** Messages of any length from rank 0 to every rank.  Collective.
 *  all, offset [in] on rank 0, message r is all[offset[r] .. offset[r + 1]). *data_p, *size [out]
 *  this rank's, owned by the communicator and valid until its next scatter. */
void nas_comm_scatter(nas_comm_t *comm, const char *all, const size_t *offset, const char **data_p,
                      size_t *size);

#endif

/* Inputs that all ranks read.
 *
 * Rank 0 reads a job's inputs and decides what they are (inputs.h). What is worth sharing, a large
 * table, it reads, ranks and looks at together with the other ranks: they serve it meanwhile, doing
 * what it does whenever it tells them. Where it is alone, nobody is told anything. */
#ifndef NAS_COORDINATOR_INPUTS_INPUTS_RANKS_H
#define NAS_COORDINATOR_INPUTS_INPUTS_RANKS_H

#include "common/base/interrupt.h"
#include "common/comm/comm.h"
#include "worker/onnx/pool/pool.h"
#include "worker/ranking/normalise.h"
#include "worker/tables/shared_table.h"

/** What another rank has of it. Borrowed. */
typedef struct nas_inputs_served {
    nas_comm_t *world;
    const nas_interrupt_t *interrupt; /**< asked while this rank reads */
    nas_shared_table_t **table_p;     /**< [out] its rows of what rank 0 has read with it, the
                                           caller's; NULL where there are none */
    nas_networks_t **networks_p;      /**< [out] its source of the pool's networks, likewise */
} nas_inputs_served_t;

/** Serve rank 0 until it dismisses.  Collective with it, on the other ranks. Errors are rank 0's to
 *  tell. */
void nas_inputs_serve(const nas_inputs_served_t *served);

/** No more is read.  Rank 0 only; whatever came of it. */
void nas_inputs_dismiss(nas_comm_t *world);

/** Rank 0's side of what all do: nas_shared_table_read, nas_shared_table_rank,
 *  nas_shared_table_encode, and nas_normalise_look at a column. Errors as there. */
nas_status_t nas_inputs_share_table(nas_comm_t *comm, const nas_shared_table_options_t *options,
                                    nas_shared_table_t **table_p, nas_error_t *err);
nas_status_t nas_inputs_rank_table(nas_shared_table_t *table, const nas_table_order_t *order,
                                   nas_error_t *err);
nas_status_t nas_inputs_encode_table(nas_shared_table_t *table, nas_encoding_kind_t kind,
                                     nas_encoding_t **encoding_p, nas_error_t *err);
nas_status_t nas_inputs_look_at_column(nas_shared_table_t *table, int column,
                                       nas_transform_t transform, nas_metric_facts_t *facts,
                                       nas_error_t *err);

/** A source of networks on every rank, of a space or of files (become its own, whatever happens).
 *  Rank 0's side. Errors of nas_networks_of_space and nas_onnx_pool_create. */
nas_status_t nas_inputs_share_space(nas_comm_t *comm, const nas_space_t *space,
                                    nas_weights_t weights, nas_networks_t **networks_p,
                                    nas_error_t *err);
nas_status_t nas_inputs_share_files(nas_comm_t *comm, nas_onnx_files_t *files,
                                    const nas_interrupt_t *interrupt, nas_onnx_seen_t *seen,
                                    nas_networks_t **networks_p, nas_error_t *err);

#endif

/* A data set on every rank. */
#ifndef NAS_WORKER_DATA_SHARE_H
#define NAS_WORKER_DATA_SHARE_H

#include "common/comm/comm.h"
#include "worker/data/dataset.h"

/** Copy the root's data set (rank 0) to all ranks.  Collective over comm. Each rank holds all of
 *  it. dataset [in] on rank 0, [out] elsewhere; the caller's on every rank.
 *  NAS_ENOMEM on any rank fails all, and leaves the others' empty. */
nas_status_t nas_dataset_share(nas_comm_t *comm, nas_dataset_t *dataset, nas_error_t *err);

#endif

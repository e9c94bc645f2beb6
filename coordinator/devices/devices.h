/* What the ranks of a run compute networks on: they decide together, and each opens its own.
 *
 * A run is of one kind, all CPU or all GPU, for the two differ in the last bits. Left open, it is
 * of GPUs where any rank has one; ranks without one then compute nothing and sleep. GPUs of a run
 * must have equal golden hashes (worker/engine/device/device.h), so that who computed what does not
 * show.
 */
#ifndef NAS_COORDINATOR_DEVICES_DEVICES_H
#define NAS_COORDINATOR_DEVICES_DEVICES_H

#include "common/base/error.h"
#include "common/comm/comm.h"
#include "worker/engine/device/device.h"

#include <stdbool.h>
#include <stdint.h>

/** What a run is to compute on: a plain value without pointers. */
typedef struct nas_devices_request {
    nas_device_choice_t choice; /**< of the job */
    int64_t backend;            /**< place in the list of backends */
    int64_t first_worker;       /**< 1 where rank 0 coordinates only, and opens none */
    int64_t recorded;           /**< nas_device_kind_t of a run that goes on; AUTO: of none */
    uint64_t golden;            /**< of its GPUs */
} nas_devices_request_t;

/** Zero-initialise: nothing is opened, and every rank works. End with nas_devices_close. */
typedef struct nas_devices {
    nas_device_kind_t kind; /**< AUTO: nothing is opened */
    nas_device_t *own;      /**< NULL: this rank computes no networks */
    bool *is_idle;          /**< [n_ranks] ranks without; on every rank */
    uint64_t golden;        /**< of all GPUs */
} nas_devices_t;

/** Decide and open; the log says what came of it.  Collective over world.
 *  request: on rank 0; ignored elsewhere. devices [out].
 *  NAS_EINPUT: nothing to be had, what cannot compute the networks, or not what the run computed on so
 *  far, with the remedy.
 *  NAS_ENUMERIC: GPUs of other bits than rank 0's, with the first such rank. NAS_EIO, NAS_ENOMEM.
 *  The same on every rank. */
nas_status_t nas_devices_open(nas_comm_t *world, const nas_devices_request_t *request,
                              nas_devices_t *devices, nas_error_t *err);

/** Not collective. */
void nas_devices_close(nas_devices_t *devices);

#endif

/* Messages of a lockstep round between group leaders and rank 0.
 *
 * A leader sends one step (what its method proposes) and gets one reply. Both are flat byte buffers
 * of 8-byte values, valid between equal binaries of one job only.
 */
#ifndef NAS_COORDINATOR_SEARCH_MESSAGE_H
#define NAS_COORDINATOR_SEARCH_MESSAGE_H

#include "common/base/error.h"
#include "common/comm/buffer.h"
#include "coordinator/search/methods/method.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a leader reports of its step. Arrays are borrowed: the sender's, or inside the received
 *  buffer. */
typedef struct nas_step {
    int64_t repeat;           /**< under way, or -1: the group is idle */
    int64_t status;           /**< nas_status_t of the method */
    int64_t stop;             /**< a signal that some rank of the group received, or 0 */
    int64_t done;             /**< the method asked for nothing more */
    nas_error_t err;          /**< text of status */
    nas_proposals_t proposed; /**< arrays: n, n x n_weight, n_frontier, n_metric */
} nas_step_t;

typedef enum nas_reply_kind {
    NAS_REPLY_RESULTS = 0, /**< results of the proposals, in order */
    NAS_REPLY_START, /**< begin (or take up again) a repeat, after these recorded observations */
    NAS_REPLY_IDLE,  /**< nothing left for this group; stay in the rounds until END */
    NAS_REPLY_END    /**< the search is over, with status */
} nas_reply_kind_t;

/** What rank 0 answers a leader. */
typedef struct nas_reply {
    int64_t kind; /**< nas_reply_kind_t */
    int64_t repeat;
    uint64_t seed;
    int64_t status; /**< END: nas_status_t */
    nas_error_t err;
    int64_t n;
    nas_result_t *result; /**< [n]; weights point into the buffer */
} nas_reply_t;

/** Numbers of the vectors in messages, which both ends know. */
typedef struct nas_message_sizes {
    int64_t n_weight; /**< of an observation's weights; 0: it has none */
    int64_t n_metric; /**< of what is learned */
} nas_message_sizes_t;

/** Append a step to an empty or filled buffer.  NAS_ENOMEM. */
nas_status_t nas_step_pack(const nas_step_t *step, nas_message_sizes_t sizes, nas_buffer_t *buffer,
                           nas_error_t *err);

/** View a received step; size 0 is an idle group's. Arrays of *step point into data. */
void nas_step_unpack(const char *data, size_t size, nas_message_sizes_t sizes, nas_step_t *step);

/** Append a reply. result[i].weights are packed for kind START only, n_weight doubles each. */
nas_status_t nas_reply_pack(const nas_reply_t *reply, int64_t n_weight, nas_buffer_t *buffer,
                            nas_error_t *err);

/** Read a reply. reply->result is allocated (the caller frees it); weights point into data.
 *  NAS_ENOMEM. */
nas_status_t nas_reply_unpack(const char *data, int64_t n_weight, nas_reply_t *reply,
                              nas_error_t *err);

#endif

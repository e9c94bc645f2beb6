/* A rank group's side of the search: the leader drives the method, all members answer its questions
 * to the score table, or to its posterior. */
#ifndef NAS_COORDINATOR_SEARCH_GROUP_H
#define NAS_COORDINATOR_SEARCH_GROUP_H

#include "common/base/error.h"
#include "common/comm/comm.h"
#include "common/comm/heartbeat.h"
#include "coordinator/search/features.h"
#include "coordinator/search/message.h"
#include "coordinator/search/search_parameters.h"

#include <stdbool.h>

/** Opaque. */
typedef struct nas_group nas_group_t;

/** What a group is made of; all borrowed and kept. */
typedef struct nas_group_options {
    nas_comm_t *comm; /**< the group's ranks, the leader is rank 0 */
    const nas_search_parameters_t *parameters;
    nas_features_t *features;   /**< loaded */
    nas_heartbeat_t *heartbeat; /**< polled by steps that take long */
} nas_group_options_t;

/** Collective over the group.
 *  The caller owns *group_p.  NAS_ENOMEM on any rank fails all. */
nas_status_t nas_group_create(const nas_group_options_t *options, nas_group_t **group_p,
                              nas_error_t *err);

/** What asks, while a step is under way, whether to stop. Borrowed. */
const nas_interrupt_t *nas_group_interrupt(const nas_group_t *group);

/** One step: ask the method, look up, propose.  Collective over the group. On the leader *step is
 *  what to send to rank 0, valid until the next call. Returns false, on all ranks, once the leader
 *  has heard that the search is over. */
bool nas_group_step(nas_group_t *group, nas_step_t *step);

/** Take in rank 0's reply to the step.  Leader only.  Errors are kept and travel with the next
 *  step. */
void nas_group_hear(nas_group_t *group, const char *reply, size_t size);

/** How the search ended, on every rank of the group once nas_group_step has returned false. */
nas_status_t nas_group_outcome(const nas_group_t *group, nas_error_t *err);

/** Accepts NULL. */
void nas_group_destroy(nas_group_t *group);

#endif

/* What writer and reader of state files share: the kind of file, and names of struct members. */
#ifndef NAS_COMMON_STATE_STATEFILE_INTERNAL_H
#define NAS_COMMON_STATE_STATEFILE_INTERNAL_H

#include "common/base/error.h"
#include "common/state/checksummed.h"
#include "common/state/h5.h"
#include "common/state/state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NAS_STATEFILE_MAX_FIELDS = 24 /**< of one table below */
};

extern const nas_checksummed_kind_t nas_statefile_kind;

/** One member of a struct, by its name in the file. */
typedef struct nas_statefile_field {
    const char *name;
    nas_h5_type_t type;
    size_t offset;
} nas_statefile_field_t;

/** Fields of one struct. */
typedef struct nas_statefile_fields {
    const nas_statefile_field_t *at;
    size_t n;
} nas_statefile_fields_t;

/** The groups /metrics (names, and what was scored) and /pool (where something was).
 *  Reading needs state->n_arch.
 *  NAS_EINPUT: a type, shape or value that cannot be. */
nas_status_t nas_statefile_write_scores(hid_t file, const nas_state_t *state, nas_error_t *err);
nas_status_t nas_statefile_read_scores(hid_t file, nas_state_t *state, nas_error_t *err);

/** The groups /repeats and /observations.
 *  Reading needs the metrics and state->n_arch; version: of the file.
 *  NAS_EINPUT: a type, shape or value that cannot be. */
nas_status_t nas_statefile_write_repeats(hid_t file, const nas_state_t *state, nas_error_t *err);
nas_status_t nas_statefile_read_repeats(hid_t file, uint64_t version, nas_state_t *state,
                                        nas_error_t *err);

/** The groups /evaluations and, where there are any, /known.
 *  Reading needs the repeats, state->n_goals, report_columns, n_arch and n_epochs; version: of the
 *  file.
 *  NAS_EINPUT: a type, shape or value that cannot be. */
nas_status_t nas_statefile_write_evaluations(hid_t file, const nas_state_t *state,
                                             nas_error_t *err);
nas_status_t nas_statefile_read_evaluations(hid_t file, uint64_t version, nas_state_t *state,
                                            nas_error_t *err);

/** Whether it is a nas_phase_t, and not one that only another method has. */
bool nas_statefile_is_phase(const nas_state_t *state, int32_t phase);

/** Attributes of a file or group into the members of an object. */
nas_status_t nas_statefile_read_fields(hid_t at, nas_statefile_fields_t fields, void *object,
                                       nas_error_t *err);

/** One member of n objects, a number, as a dataset of rank 1. */
nas_status_t nas_statefile_write_member(hid_t group, const nas_statefile_field_t *field,
                                        const void *const *object, int64_t n, nas_error_t *err);

/** Row i of such a dataset into the member of an object. */
void nas_statefile_read_member(const nas_statefile_field_t *field, const nas_h5_array_t *array,
                               int64_t i, void *object);

/** A dataset of texts from and into a list of strings. */
nas_status_t nas_statefile_write_names(hid_t at, const char *name, const nas_strings_t *names,
                                       nas_error_t *err);
nas_status_t nas_statefile_read_names(hid_t at, const char *name, nas_strings_t *names,
                                      nas_error_t *err);

/** Datasets of the file that came later, and that a state need not have: a list of strings each. */
typedef struct nas_statefile_list {
    const char *name;
    size_t offset; /**< of the list in nas_state_t */
} nas_statefile_list_t;

enum { NAS_STATEFILE_LISTS = 2 };
extern const nas_statefile_list_t nas_statefile_lists[NAS_STATEFILE_LISTS];

/** Attributes of the file: of nas_state_t. */
nas_statefile_fields_t nas_statefile_root(void);

/** Attributes of the file that came later: older files lack them, and then the members stay zero.
 */
nas_statefile_fields_t nas_statefile_root_optional(void);

/** Attributes of the file that version 3 brought: of nas_state_t. */
nas_statefile_fields_t nas_statefile_root_of_3(void);

/** Datasets of /repeats, numbers only, the seed first: of nas_repeat_t. */
nas_statefile_fields_t nas_statefile_repeat(void);

/** Datasets of /repeats that came later, and only where a repeat has a posterior: of
 *  nas_repeat_t. */
nas_statefile_fields_t nas_statefile_posterior(void);

/** Dataset of /evaluations that holds a column of the curves. */
const char *nas_statefile_curve(int column);

/** Datasets of /evaluations, numbers only: of nas_evaluation_t. */
nas_statefile_fields_t nas_statefile_evaluation(void);

#endif

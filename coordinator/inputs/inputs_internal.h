/* What the readers of inputs share: each reads what the job names into its part. */
#ifndef NAS_COORDINATOR_INPUTS_INPUTS_INTERNAL_H
#define NAS_COORDINATOR_INPUTS_INPUTS_INTERNAL_H

#include "coordinator/inputs/inputs.h"

#include <stdbool.h>

/** What the job asks for. */
bool nas_inputs_have_table_pool(const nas_inputs_t *inputs);
bool nas_inputs_have_files(const nas_inputs_t *inputs);
bool nas_inputs_by_table(const nas_inputs_t *inputs); /**< the objective is a table's column */
bool nas_inputs_train(const nas_inputs_t *inputs);
bool nas_inputs_take_metrics(const nas_inputs_t *inputs); /**< the method is given any */

/** Whether a method that is given metrics and encoding can tell architectures apart by them; of
 *  metrics that are not known yet (nas_search_inputs_look), yes. */
bool nas_search_inputs_tell_apart(const nas_search_inputs_t *search);

/** Note the digest of a file that counts. */
void nas_inputs_add_content(nas_inputs_t *inputs, nas_digest_t digest);

/** What is wrong with what a key asks for is the fault of that key. */
nas_status_t nas_inputs_blame(const nas_job_t *job, const char *key, nas_status_t status,
                              const nas_error_t *reason, nas_error_t *err);

/** Whether the file that a key names can be opened; what is wrong in it says the file's own
 *  place. size [out] in bytes. */
nas_status_t nas_inputs_check_file(const nas_job_t *job, const char *key, const char *path,
                                   int64_t *size, nas_error_t *err);

/** A row number among names for every architecture of the pool; the caller owns it. */
nas_status_t nas_inputs_join(const nas_inputs_t *inputs, const nas_names_t *names, int64_t **row_p,
                             nas_error_t *err);

/** The readers, in the order of nas_inputs_read_files. Errors as there. The batch is read for
 *  source compute, of the images that trainings have read, or of its own. */
nas_status_t nas_inputs_read_pool(nas_inputs_t *inputs, nas_error_t *err);
nas_status_t nas_inputs_read_images(nas_inputs_t *inputs, nas_error_t *err);
nas_status_t nas_inputs_make_encoding(nas_inputs_t *inputs, nas_error_t *err);
nas_status_t nas_inputs_make_objective(nas_inputs_t *inputs, nas_error_t *err);
nas_status_t nas_inputs_read_metrics(nas_inputs_t *inputs, nas_error_t *err);
nas_status_t nas_inputs_read_batch(nas_inputs_t *inputs, nas_error_t *err);

/** What makes the pool's networks, on all ranks, and what is in its files; once the images are read.
 *  Nothing where that was done. */
nas_status_t nas_inputs_read_networks(nas_inputs_t *inputs, nas_error_t *err);

/** Images that the job names, with what is known of them; dataset [out] the caller's. */
nas_status_t nas_inputs_read_dataset(nas_inputs_t *inputs, bool with_test, nas_dataset_t *dataset,
                                     nas_error_t *err);

#endif

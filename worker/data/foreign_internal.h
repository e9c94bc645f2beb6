/* What the two processes of foreign_hdf5.h agree on. */
#ifndef NAS_WORKER_DATA_FOREIGN_INTERNAL_H
#define NAS_WORKER_DATA_FOREIGN_INTERNAL_H

#include "worker/data/foreign_hdf5.h"

#include <hdf5.h>

enum { NAS_FOREIGN_REASON_SIZE = 512 };

/** Sent for every item, in order, and followed by its data. One with an error is the last. */
typedef struct nas_foreign_message {
    nas_status_t status;
    nas_error_t error;
    bool present;
    nas_foreign_type_t type;
    int rank;
    int64_t size[NAS_FOREIGN_MAX_RANK];
} nas_foreign_message_t;

/** Number of values in a message's array and their bytes; false where the message makes no sense
 *  or there are more than max_bytes. */
bool nas_foreign_extent(const nas_foreign_message_t *message, int64_t max_bytes, size_t *n,
                        size_t *n_bytes);

/** For the child: why the values of a dataset could not be read, and what helps.
 *  text [out] what follows the dataset's name. */
void nas_foreign_explain(hid_t dataset, char text[NAS_FOREIGN_REASON_SIZE]);

/** The child's work: context is a nas_foreign_request_t. */
bool nas_foreign_answer(int fd, const void *context);

#endif

/* What the two processes of untrusted_hdf5.h agree on. */
#ifndef NAS_WORKER_DATA_UNTRUSTED_UNTRUSTED_INTERNAL_H
#define NAS_WORKER_DATA_UNTRUSTED_UNTRUSTED_INTERNAL_H

#include "worker/data/untrusted/untrusted_hdf5.h"

#include <hdf5.h>

enum { NAS_UNTRUSTED_REASON_SIZE = 512 };

/** Sent for every item, in order, and followed by its data. One with an error is the last. */
typedef struct nas_untrusted_message {
    nas_status_t status;
    nas_error_t error;
    bool present;
    nas_untrusted_type_t type;
    int rank;
    int64_t size[NAS_UNTRUSTED_MAX_RANK];
} nas_untrusted_message_t;

/** Number of values in a message's array and their bytes; false where the message makes no sense
 *  or there are more than max_bytes. */
bool nas_untrusted_extent(const nas_untrusted_message_t *message, int64_t max_bytes, size_t *n,
                          size_t *n_bytes);

/** For the child: why the values of a dataset could not be read, and what helps.
 *  text [out] what follows the dataset's name. */
void nas_untrusted_explain(hid_t dataset, char text[NAS_UNTRUSTED_REASON_SIZE]);

/** The child's work: context is a nas_untrusted_request_t. */
bool nas_untrusted_answer(int fd, const void *context);

#endif

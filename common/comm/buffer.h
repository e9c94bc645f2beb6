/* Byte buffers that messages are packed into, every part aligned to 8 bytes. */
#ifndef NAS_COMMON_COMM_BUFFER_H
#define NAS_COMMON_COMM_BUFFER_H

#include "common/base/error.h"
#include "common/comm/comm.h"

#include <stddef.h>

/** A byte buffer that grows. Zero-initialise; free(data). */
typedef struct nas_buffer {
    char *data;
    size_t size;
    size_t capacity;
} nas_buffer_t;

/** Append size bytes.  Not collective. NAS_ENOMEM. */
nas_status_t nas_buffer_put(nas_buffer_t *buffer, const void *data, size_t size, nas_error_t *err);

/** The next size bytes of a received message, in place; *at moves behind them. */
const void *nas_buffer_take(const char **at, size_t size);

/** Rank 0's buffer to all ranks.  Collective over comm.
 *  buffer [in] on rank 0, [out] elsewhere, where it was empty.
 *  NAS_ENOMEM on any rank fails all. */
nas_status_t nas_buffer_share(nas_comm_t *comm, nas_buffer_t *buffer, nas_error_t *err);

#endif

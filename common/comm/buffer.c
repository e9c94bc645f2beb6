#include "common/comm/buffer.h"

#include <stdlib.h>
#include <string.h>

static size_t pad(size_t size)
{
    return (size + 7) / 8 * 8;
}

nas_status_t nas_buffer_put(nas_buffer_t *buffer, const void *data, size_t size, nas_error_t *err)
{
    const size_t padded = pad(size);
    if (buffer->size + padded > buffer->capacity) {
        const size_t capacity = 2 * (buffer->size + padded);
        char *grown = realloc(buffer->data, capacity);
        if (!grown) return nas_error_nomem(err, "a message");
        buffer->data = grown;
        buffer->capacity = capacity;
    }
    if (padded == 0) return NAS_OK;
    memset(buffer->data + buffer->size, 0, padded);
    if (size) memcpy(buffer->data + buffer->size, data, size);
    buffer->size += padded;
    return NAS_OK;
}

const void *nas_buffer_take(const char **at, size_t size)
{
    const void *data = *at;
    *at += pad(size);
    return data;
}

nas_status_t nas_buffer_share(nas_comm_t *comm, nas_buffer_t *buffer, nas_error_t *err)
{
    uint64_t size = buffer->size;
    nas_status_t status = NAS_OK;
    nas_comm_bcast(comm, 0, &size, sizeof size);
    if (nas_comm_rank(comm) != 0) {
        *buffer = (nas_buffer_t){.data = malloc(size + 1), .size = size, .capacity = size};
        if (!buffer->data) status = nas_error_nomem(err, "a message");
    }
    status = nas_comm_agree(comm, status, err);
    if (!status) nas_comm_bcast(comm, 0, buffer->data, size);
    return status;
}

/* The parent's side: start the child, take its answer apart and trust none of it. */
#include "worker/data/untrusted/untrusted_hdf5.h"

#include "common/io/file.h"
#include "worker/data/untrusted/untrusted_internal.h"

#include <stdlib.h>
#include <unistd.h>

/* Of the child, for HDF5 itself: its caches, and a file's own structures. */
enum { LIBRARY_BYTES = 256 << 20 };

/* The next size bytes of the answer. */
static nas_status_t take(const nas_sandbox_t *sandbox, const char *path, void *data, size_t size,
                         nas_error_t *err)
{
    size_t n_read = 0;
    const nas_status_t status = nas_file_read_next(sandbox->fd, path, data, size, &n_read, err);
    if (status || n_read == size) return status;
    return nas_error_set(err, NAS_EIO, "%s: the process that reads it ended early", path);
}

static nas_status_t receive(const nas_sandbox_t *sandbox, const nas_untrusted_request_t *request,
                            nas_untrusted_array_t *array, nas_error_t *err)
{
    nas_untrusted_message_t message;
    size_t n, n_bytes;
    nas_status_t status = take(sandbox, request->path, &message, sizeof message, err);
    if (status) return status;
    if (message.status != NAS_OK) {
        message.error.text[NAS_ERROR_SIZE - 1] = '\0';
        return nas_error_set(err, message.status, "%s", message.error.text);
    }
    if (!message.present) return NAS_OK;
    if (!nas_untrusted_extent(&message, request->max_bytes, &n, &n_bytes))
        return nas_error_set(err, NAS_EINPUT, "%s: reading it gave nonsense; it is damaged",
                             request->path);
    char *data = malloc(n_bytes + 1);
    if (!data) return nas_error_nomem(err, request->path);
    if ((status = take(sandbox, request->path, data, n_bytes, err))) {
        free(data);
        return status;
    }
    data[n_bytes] = '\0';
    *array =
        (nas_untrusted_array_t){.type = message.type, .rank = message.rank, .n = n, .data = data};
    for (int i = 0; i < message.rank; i++) array->size[i] = message.size[i];
    return NAS_OK;
}

static nas_status_t receive_all(const nas_untrusted_request_t *request,
                                nas_untrusted_array_t *array, nas_error_t *err)
{
    const nas_sandbox_task_t task = {
        .path = request->path,
        .limits = {.memory_bytes = 2 * request->max_bytes + LIBRARY_BYTES,
                   .cpu_s = request->cpu_s,
                   .wall_s = request->wall_s},
        .work = nas_untrusted_answer,
        .context = request,
    };
    nas_sandbox_t sandbox;
    nas_error_t end = {0};
    nas_status_t status = nas_sandbox_start(&task, &sandbox, err);
    if (status) return status;
    for (size_t i = 0; i < request->n && !status; i++)
        status = receive(&sandbox, request, &array[i], err);
    /* How the child ended explains why its answer did. */
    const nas_status_t ended = nas_sandbox_finish(&task, &sandbox, &end);
    return ended ? nas_error_set(err, ended, "%s", end.text) : status;
}

nas_status_t nas_untrusted_hdf5_read(const nas_untrusted_request_t *request,
                                     nas_untrusted_array_t *array, nas_error_t *err)
{
    int fd = -1;
    int64_t size = 0;
    nas_status_t status = nas_file_open(request->path, &fd, &size, err);
    if (status) return status;
    (void)close(fd);
    nas_untrusted_array_t *found = calloc(request->n, sizeof *found);
    if (!found) return nas_error_nomem(err, request->path);
    status = receive_all(request, found, err);
    for (size_t i = 0; i < request->n && !status; i++) array[i] = found[i];
    if (status) nas_untrusted_arrays_fini(found, request->n);
    free(found);
    return status;
}

void nas_untrusted_arrays_fini(nas_untrusted_array_t *array, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(array[i].data);
        array[i] = (nas_untrusted_array_t){0};
    }
}

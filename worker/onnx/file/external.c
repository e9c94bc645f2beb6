#include "worker/onnx/file/external.h"

#include "common/base/strings.h"
#include "common/io/file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static nas_status_t refuse(const nas_onnx_file_t *file, const nas_onnx_array_t *array,
                           const char *reason, nas_error_t *err)
{
    return nas_error_set(err, NAS_EINPUT, "%s: initialiser %s: external data %s: %s", file->path,
                         array->name, array->external.location, reason);
}

/* Whether a path is relative and has no part "..". */
static bool is_below(const char *path)
{
    if (*path == '\0' || *path == '/') return false;
    for (const char *part = path; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0')) return false;
    }
    return true;
}

/* The folder of the model, links in its name followed; the caller's. */
static char *folder_of(const char *path, nas_error_t *err)
{
    const char *slash = strrchr(path, '/');
    char *name =
        nas_string_format(err, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
    char *folder = name ? realpath(name, NULL) : NULL;
    free(name);
    return folder;
}

static bool is_in(const char *path, const char *folder)
{
    const size_t n = strlen(folder);
    return strncmp(path, folder, n) == 0 && (path[n] == '/' || (n > 0 && folder[n - 1] == '/'));
}

/* Where the data are, links followed; the caller's. */
static nas_status_t locate(const nas_onnx_file_t *file, const nas_onnx_array_t *array,
                           char **place_p, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    if (!is_below(array->external.location))
        return refuse(file, array, "it has to be a path below the model's folder, without \"..\"",
                      err);
    char *folder = folder_of(file->path, err), *place = NULL;
    char *name = folder ? nas_string_format(err, "%s/%s", folder, array->external.location) : NULL;
    place = name ? realpath(name, NULL) : NULL;
    if (!place)
        status = refuse(file, array, "no such file", err);
    else if (!is_in(place, folder))
        status = refuse(file, array, "a link leads out of the model's folder", err);
    free(folder);
    free(name);
    if (status)
        free(place);
    else
        *place_p = place;
    return status;
}

/* Read them at the place that the model says. */
static nas_status_t read_at(const nas_onnx_file_t *file, const nas_onnx_array_t *array, int fd,
                            nas_span_t to, nas_error_t *err)
{
    size_t n_read = 0;
    if (lseek(fd, (off_t)array->external.offset, SEEK_SET) < 0)
        return refuse(file, array, "it cannot be read from there", err);
    const nas_status_t status = nas_file_read_next(
        fd, array->external.location, (void *)(uintptr_t)to.data, to.size, &n_read, err);
    if (!status && n_read < to.size) return refuse(file, array, "it became shorter", err);
    return status;
}

nas_status_t nas_onnx_external_read(nas_onnx_file_t *file, nas_onnx_array_t *array, size_t n_bytes,
                                    nas_error_t *err)
{
    const nas_onnx_external_t *external = &array->external;
    char *place = NULL;
    int fd = -1;
    int64_t size = 0;
    if (external->length >= 0 && (uint64_t)external->length != n_bytes)
        return refuse(file, array, "its length is not what the shape takes", err);
    nas_status_t status = locate(file, array, &place, err);
    if (!status) status = nas_file_open(place, &fd, &size, err);
    free(place);
    if (status) return status;
    if (external->offset > size || (uint64_t)(size - external->offset) < n_bytes)
        status = refuse(file, array, "it ends before the array does", err);
    uint8_t *data = status ? NULL : nas_onnx_memory_take(&file->memory, n_bytes, 1);
    if (!status && !data) status = nas_error_nomem(err, "an ONNX model");
    if (!status) status = read_at(file, array, fd, (nas_span_t){data, n_bytes}, err);
    (void)close(fd);
    if (!status) array->data = (nas_wire_bytes_t){data, n_bytes};
    return status;
}

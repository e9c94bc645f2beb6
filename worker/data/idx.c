/* IDX files, the format of MNIST and its relatives: a big-endian header (two zero bytes, the type
 * of a value, the number of dimensions, their sizes), then the values. Images are bytes [N, H, W]
 * or [N, C, H, W], labels bytes [N], in a file of their own. Either may be compressed by gzip. */
#include "common/io/file.h"
#include "worker/data/format.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum {
    TYPE_U8 = 0x08,
    MAX_RANK = 4,
    BUFFER_SIZE = 1 << 18,
    MOST_EXPANSION = 1032, /* by deflate: 258 bytes from two bits */
    CHUNK_SIZE = 1 << 28   /* zlib's sizes are of int */
};

/* A file, plain or compressed: zlib tells them apart. */
typedef struct source {
    const char *path;
    gzFile stream;
    int64_t size; /* of the file, in bytes */
    int rank;
    int64_t extent[MAX_RANK];
} source_t;

static nas_status_t open_source(const char *path, source_t *source, nas_error_t *err)
{
    int fd = -1;
    int64_t size = 0;
    const nas_status_t status = nas_file_open(path, &fd, &size, err);
    if (status) return status;
    gzFile stream = gzdopen(fd, "rb");
    if (!stream) {
        close(fd);
        return nas_error_nomem(err, path);
    }
    (void)gzbuffer(stream, BUFFER_SIZE);
    *source = (source_t){.path = path, .stream = stream, .size = size};
    return NAS_OK;
}

static void close_source(source_t *source)
{
    if (source->stream) (void)gzclose(source->stream);
}

/* The next bytes, fewer than size only at the end. */
static nas_status_t read_bytes(const source_t *source, void *data, size_t size, size_t *n_read,
                               nas_error_t *err)
{
    size_t done = 0;
    int n = 1;
    while (done < size && n > 0) {
        const size_t rest = size - done;
        n = gzread(source->stream, (char *)data + done,
                   (unsigned)(rest < CHUNK_SIZE ? rest : CHUNK_SIZE));
        if (n > 0) done += (size_t)n;
    }
    int reason = Z_OK;
    (void)gzerror(source->stream, &reason);
    switch (reason) {
    case Z_OK:
        *n_read = done;
        return NAS_OK;
    case Z_BUF_ERROR: /* zlib's name for a compressed file without its end */
        return nas_error_set(err, NAS_EINPUT, "%s: the gzip file is cut short", source->path);
    case Z_DATA_ERROR:
        return nas_error_set(err, NAS_EINPUT, "%s: the gzip file is damaged", source->path);
    case Z_MEM_ERROR:
        return nas_error_nomem(err, source->path);
    default:
        return nas_error_set(err, NAS_EIO, "cannot read %s: %s", source->path, strerror(errno));
    }
}

/* The size of one dimension. */
static nas_status_t read_extent(const source_t *source, int64_t *extent, nas_error_t *err)
{
    unsigned char byte[4] = {0};
    size_t n_read = 0;
    const nas_status_t status = read_bytes(source, byte, sizeof byte, &n_read, err);
    if (status) return status;
    if (n_read != sizeof byte)
        return nas_error_set(err, NAS_EINPUT, "%s: cut short in its header", source->path);
    *extent = (int64_t)byte[0] << 24 | (int64_t)byte[1] << 16 | (int64_t)byte[2] << 8 | byte[3];
    return NAS_OK;
}

/* The header of a file with ranks from least to most. */
static nas_status_t read_header(source_t *source, int least, int most, nas_error_t *err)
{
    unsigned char magic[4] = {0};
    size_t n_read = 0;
    nas_status_t status = read_bytes(source, magic, sizeof magic, &n_read, err);
    if (status) return status;
    source->rank = magic[3];
    const bool good = n_read == sizeof magic && magic[0] == 0 && magic[1] == 0 &&
                      magic[2] == TYPE_U8 && source->rank >= least && source->rank <= most;
    if (!good)
        return nas_error_set(
            err, NAS_EINPUT, "%s: begins with 0x%02x%02x%02x%02x; an IDX file of %s begins with %s",
            source->path, magic[0], magic[1], magic[2], magic[3], most == 1 ? "labels" : "images",
            most == 1 ? "0x00000801" : "0x00000803 or 0x00000804");
    for (int i = 0; i < source->rank && !status; i++)
        status = read_extent(source, &source->extent[i], err);
    return status;
}

/* Whether a file of this size can hold n values, before memory is taken for them: a few bytes may
 * promise 16 GiB. */
static nas_status_t check_room(const source_t *source, size_t n, nas_error_t *err)
{
    const int64_t n_header = 4 + 4 * (int64_t)source->rank;
    const bool plain = gzdirect(source->stream);
    const int64_t room = plain ? source->size - n_header : source->size * MOST_EXPANSION - n_header;
    if ((int64_t)n <= room) return NAS_OK;
    if (plain)
        return nas_error_set(err, NAS_EINPUT, "%s: cut short; %lld values where the header has %zu",
                             source->path, (long long)room, n);
    return nas_error_set(err, NAS_EINPUT,
                         "%s: a gzip file of %lld bytes cannot hold the %zu values of its header",
                         source->path, (long long)source->size, n);
}

/* The values, which must end where the file does. */
static nas_status_t read_values(const source_t *source, unsigned char *data, size_t n,
                                nas_error_t *err)
{
    size_t n_read = 0;
    unsigned char more;
    nas_status_t status = read_bytes(source, data, n, &n_read, err);
    if (status) return status;
    if (n_read < n)
        return nas_error_set(err, NAS_EINPUT, "%s: cut short; %zu values where the header has %zu",
                             source->path, n_read, n);
    if ((status = read_bytes(source, &more, 1, &n_read, err))) return status;
    if (n_read > 0)
        return nas_error_set(err, NAS_EINPUT, "%s: longer than the %zu values of its header",
                             source->path, n);
    return NAS_OK;
}

static nas_status_t read_images(const char *path, nas_images_t *images, nas_error_t *err)
{
    source_t source = {0};
    nas_status_t status = open_source(path, &source, err);
    if (status) return status;
    if ((status = read_header(&source, 3, 4, err))) goto out;
    const int64_t *extent = source.extent;
    const bool gray = source.rank == 3;
    const int64_t nchw[4] = {extent[0], gray ? 1 : extent[1], extent[gray ? 1 : 2],
                             extent[gray ? 2 : 3]};
    if ((status = nas_images_shape(images, NAS_PIXEL_U8, nchw, path, err))) goto out;
    const size_t n_values = (size_t)images->n * nas_images_values(images);
    if ((status = check_room(&source, n_values, err))) goto out;
    if ((status = nas_images_allocate(images, err))) goto out;
    status = read_values(&source, images->data, n_values, err);
out:
    close_source(&source);
    return status;
}

static nas_status_t read_labels(const char *path, const char *images_path, nas_images_t *images,
                                nas_error_t *err)
{
    source_t source = {0};
    unsigned char *label = NULL;
    nas_status_t status = open_source(path, &source, err);
    if (status) return status;
    if ((status = read_header(&source, 1, 1, err))) goto out;
    if (source.extent[0] != images->n) {
        status = nas_error_set(err, NAS_EINPUT, "%s: %lld labels for the %lld images of %s", path,
                               (long long)source.extent[0], (long long)images->n, images_path);
        goto out;
    }
    NAS_ASSERT(images->n > 0); /* nas_images_shape saw to it */
    label = malloc((size_t)images->n);
    if (!label) {
        status = nas_error_nomem(err, "labels");
        goto out;
    }
    if ((status = read_values(&source, label, (size_t)images->n, err))) goto out;
    for (int64_t i = 0; i < images->n; i++) images->labels[i] = label[i];
out:
    free(label);
    close_source(&source);
    return status;
}

static nas_status_t read_idx(char *const *path, int n_classes, nas_images_t *part, nas_error_t *err)
{
    (void)n_classes;
    nas_images_t images = {0};
    nas_status_t status = read_images(path[0], &images, err);
    if (!status) status = read_labels(path[1], path[0], &images, err);
    if (status)
        nas_images_fini(&images);
    else
        *part = images;
    return status;
}

const nas_format_t nas_format_idx = {.name = "idx", .n_files = 2, .read = read_idx};

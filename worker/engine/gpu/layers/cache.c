#include "worker/engine/gpu/layers/cache.h"

#include "common/base/log.h"
#include "common/base/strings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Two numbers of 64 bits: FNV-1a of the bytes, from two beginnings. Against accidents, not against
 * whoever can write to the user's folders. */
typedef struct hash {
    uint64_t a, b;
} hash_t;

static const hash_t start = {0xcbf29ce484222325U, 0x6c62272e07bb0142U};

typedef struct header {
    char magic[16];
    hash_t key;
    uint64_t n;
    hash_t checksum; /* of the image */
} header_t;

static const char magic[16] = "robotnas kernel";
static const char prefix[] = "kernels-";

static hash_t add(hash_t hash, const void *data, size_t n)
{
    const unsigned char *byte = data;
    for (size_t i = 0; i < n; i++) {
        hash.a = (hash.a ^ byte[i]) * 0x100000001b3U;
        hash.b = (hash.b ^ byte[i]) * 0x100000001b3U;
        hash.b ^= hash.b >> 29;
    }
    return hash;
}

static hash_t hash_of_key(const nas_gpu_cache_key_t *key)
{
    hash_t hash = add(start, key->identity, strlen(key->identity) + 1);
    hash = add(hash, key->text, strlen(key->text) + 1);
    return add(hash, key->defines, strlen(key->defines) + 1);
}

void nas_gpu_cache_init(nas_gpu_cache_t *cache)
{
    const char *own = getenv("NAS_GPU_CACHE"), *base = getenv("XDG_CACHE_HOME"),
               *home = getenv("HOME");
    *cache = (nas_gpu_cache_t){.most_bytes = NAS_GPU_CACHE_BYTES};
    if (own != NULL) {
        if (own[0] != '\0') cache->folder = nas_string_copy(own, NULL);
    } else if (base != NULL && base[0] == '/') {
        cache->folder = nas_string_format(NULL, "%s/robotnas/kernels", base);
    } else if (home != NULL && home[0] == '/') {
        cache->folder = nas_string_format(NULL, "%s/.cache/robotnas/kernels", home);
    }
}

void nas_gpu_cache_fini(nas_gpu_cache_t *cache)
{
    free(cache->folder);
    *cache = (nas_gpu_cache_t){0};
}

static char *path_of(const nas_gpu_cache_t *cache, hash_t key)
{
    return nas_string_format(NULL, "%s/%s%016" PRIx64 "%016" PRIx64, cache->folder, prefix, key.a,
                             key.b);
}

static bool read_all(int file, void *to, size_t n)
{
    for (char *at = to; n > 0;) {
        const ssize_t got = read(file, at, n);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += got;
        n -= (size_t)got;
    }
    return true;
}

static bool write_all(int file, const void *from, size_t n)
{
    for (const char *at = from; n > 0;) {
        const ssize_t put = write(file, at, n);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        at += put;
        n -= (size_t)put;
    }
    return true;
}

/* A file of ours with this key, whole. */
static bool read_image(int file, hash_t key, nas_gpu_image_t *image)
{
    struct stat status;
    header_t header;
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) return false;
    if (status.st_uid != geteuid() && status.st_uid != 0) return false;
    if (!read_all(file, &header, sizeof header)) return false;
    if (memcmp(header.magic, magic, sizeof magic) != 0) return false;
    if (header.key.a != key.a || header.key.b != key.b) return false;
    if (header.n == 0 || header.n != (uint64_t)status.st_size - sizeof header) return false;
    void *bytes = malloc(header.n);
    if (bytes == NULL) return false;
    if (read_all(file, bytes, header.n)) {
        const hash_t checksum = add(start, bytes, header.n);
        if (checksum.a == header.checksum.a && checksum.b == header.checksum.b) {
            *image = (nas_gpu_image_t){.bytes = bytes, .n = header.n};
            return true;
        }
    }
    free(bytes);
    return false;
}

bool nas_gpu_cache_read(const nas_gpu_cache_t *cache, const nas_gpu_cache_key_t *key,
                        nas_gpu_image_t *image)
{
    if (cache->folder == NULL) return false;
    const hash_t hash = hash_of_key(key);
    char *path = path_of(cache, hash);
    const int file = path == NULL ? -1 : open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    free(path);
    if (file < 0) return false;
    const bool is_read = read_image(file, hash, image);
    if (is_read) (void)futimens(file, NULL); /* it is in use: what is old is removed first */
    (void)close(file);
    return is_read;
}

/* The folder and those above it. */
static bool make_folder(char *folder)
{
    for (char *at = folder + 1; *at != '\0'; at++) {
        if (*at != '/') continue;
        *at = '\0';
        const bool failed =
            mkdir(folder, 0777) != 0 && errno != EEXIST && errno != EROFS && errno != EACCES;
        *at = '/';
        if (failed) return false;
    }
    return mkdir(folder, 0700) == 0 || errno == EEXIST;
}

/* Bytes of all files of ours, and the oldest's name, "" where there are none. */
static int64_t measure(DIR *folder, char *oldest, size_t size)
{
    int64_t n_bytes = 0;
    struct timespec age = {0};
    oldest[0] = '\0';
    rewinddir(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        struct stat status;
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0) continue;
        if (fstatat(dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
        n_bytes += status.st_size;
        const struct timespec time = status.st_mtim;
        if (oldest[0] == '\0' || time.tv_sec < age.tv_sec ||
            (time.tv_sec == age.tv_sec && time.tv_nsec < age.tv_nsec)) {
            age = time;
            (void)snprintf(oldest, size, "%s", entry->d_name);
        }
    }
    return n_bytes;
}

/* Room for n more bytes. */
static void make_room(const nas_gpu_cache_t *cache, int64_t n)
{
    char oldest[256];
    DIR *folder = opendir(cache->folder);
    if (folder == NULL) return;
    while (measure(folder, oldest, sizeof oldest) + n > cache->most_bytes && oldest[0] != '\0') {
        if (unlinkat(dirfd(folder), oldest, 0) != 0) break;
    }
    (void)closedir(folder);
}

static bool write_file(const char *path, hash_t key, const nas_gpu_image_t *image)
{
    header_t header = {.key = key, .n = image->n};
    memcpy(header.magic, magic, sizeof magic);
    header.checksum = add(start, image->bytes, image->n);
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0) return false;
    const bool is_written =
        write_all(file, &header, sizeof header) && write_all(file, image->bytes, image->n);
    const int reason = errno;
    const bool is_closed = close(file) == 0;
    if (!is_written) errno = reason;
    return is_written && is_closed;
}

static bool write_image(nas_gpu_cache_t *cache, hash_t key, const nas_gpu_image_t *image)
{
    if (!make_folder(cache->folder)) return false;
    if (!cache->has_written) make_room(cache, (int64_t)image->n);
    cache->has_written = true;
    errno = ENOMEM;
    bool is_written = false;
    char *path = path_of(cache, key);
    char *part = path == NULL ? NULL : nas_string_format(NULL, "%s.%ld", path, (long)getpid());
    if (part != NULL) {
        is_written = write_file(part, key, image) && rename(part, path) == 0;
        const int reason = errno;
        if (!is_written) (void)unlink(part);
        errno = reason;
    }
    free(path);
    free(part);
    return is_written;
}

void nas_gpu_cache_write(nas_gpu_cache_t *cache, const nas_gpu_cache_key_t *key,
                         const nas_gpu_image_t *image)
{
    if (cache->folder == NULL || write_image(cache, hash_of_key(key), image)) return;
    if (!cache->has_complained) {
        nas_log_line(
            "kernels cannot be kept in %s: %s; each start builds them, unless NAS_GPU_CACHE names another folder",
            cache->folder, strerror(errno));
    }
    cache->has_complained = true;
}

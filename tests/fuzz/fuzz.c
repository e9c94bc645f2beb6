#include "tests/fuzz/fuzz.h"

#include "common/base/strings.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 512 };

uint8_t fuzz_byte(fuzz_bytes_t *input)
{
    return input->n > 0 ? fuzz_bytes(input, 1).at[0] : 0;
}

fuzz_bytes_t fuzz_bytes(fuzz_bytes_t *input, size_t n)
{
    const fuzz_bytes_t piece = {.at = input->at, .n = n < input->n ? n : input->n};
    input->at += piece.n;
    input->n -= piece.n;
    return piece;
}

char *fuzz_text(fuzz_bytes_t bytes)
{
    char *text = malloc(bytes.n + 1);
    NAS_ASSERT(text);
    if (bytes.n > 0) memcpy(text, bytes.at, bytes.n);
    text[bytes.n] = '\0';
    return text;
}

/* ------------------------------------------------------------------------------------ files */

static void remove_tree(const char *path)
{
    DIR *folder = opendir(path);
    for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        char *inside = nas_string_format(NULL, "%s/%s", path, entry->d_name);
        if (inside && unlink(inside) != 0) remove_tree(inside);
        free(inside);
    }
    if (folder) (void)closedir(folder);
    (void)rmdir(path);
}

/* The folder of this process; "" before it is made. */
static char *folder_path(void)
{
    static char path[PATH_SIZE];
    return path;
}

static void remove_folder(void)
{
    remove_tree(folder_path());
}

static void make_folder(char path[PATH_SIZE])
{
    const char *parent = getenv("TMPDIR");
    (void)snprintf(path, PATH_SIZE, "%s/robotnas-fuzz-XXXXXX", parent ? parent : "/tmp");
    NAS_ASSERT(mkdtemp(path));
    NAS_ASSERT(atexit(remove_folder) == 0);
}

char *fuzz_path(const char *name)
{
    char *folder = folder_path();
    if (!*folder) make_folder(folder);
    char *path = nas_string_format(NULL, "%s/%s", folder, name);
    NAS_ASSERT(path);
    return path;
}

void fuzz_write(const char *path, fuzz_bytes_t bytes)
{
    FILE *file = fopen(path, "wb");
    NAS_ASSERT(file && fwrite(bytes.at, 1, bytes.n, file) == bytes.n);
    NAS_ASSERT(fclose(file) == 0);
}

fuzz_bytes_t fuzz_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    NAS_ASSERT(file && fseek(file, 0, SEEK_END) == 0);
    const long size = ftell(file);
    NAS_ASSERT(size >= 0);
    rewind(file);
    uint8_t *data = malloc((size_t)size + 1);
    NAS_ASSERT(data && fread(data, 1, (size_t)size, file) == (size_t)size);
    (void)fclose(file);
    return (fuzz_bytes_t){.at = data, .n = (size_t)size};
}

FILE *fuzz_sink(void)
{
    FILE *sink = fopen("/dev/null", "w");
    NAS_ASSERT(sink);
    return sink;
}

/* ----------------------------------------------------------------------------------- errors */

void fuzz_check_error(nas_status_t status, const nas_error_t *err)
{
    NAS_ASSERT(status == NAS_EINPUT || status == NAS_EARG);
    NAS_ASSERT(memchr(err->text, '\0', NAS_ERROR_SIZE) && *err->text);
    for (const char *c = err->text; *c; c++)
        NAS_ASSERT((unsigned char)*c >= 32 && (unsigned char)*c != 127);
}

/* A fuzz target without libFuzzer: tries every file that it is given, and every file of folders. */
#include "common/base/strings.h"
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static long try_file(const char *path)
{
    const fuzz_bytes_t bytes = fuzz_read(path);
    (void)printf("%s\n", path); /* the last one said is the one that failed */
    (void)fflush(stdout);
    (void)LLVMFuzzerTestOneInput(bytes.at, bytes.n);
    free((void *)(uintptr_t)bytes.at);
    return 1;
}

static long try_folder(const char *path)
{
    long n = 0;
    DIR *folder = opendir(path);
    NAS_ASSERT(folder);
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        if (entry->d_name[0] == '.') continue;
        char *inside = nas_string_format(NULL, "%s/%s", path, entry->d_name);
        NAS_ASSERT(inside);
        n += try_file(inside);
        free(inside);
    }
    (void)closedir(folder);
    return n;
}

int main(int argc, char **argv)
{
    long n = 0;
    for (int i = 1; i < argc; i++) {
        struct stat info;
        NAS_ASSERT(stat(argv[i], &info) == 0);
        n += S_ISDIR(info.st_mode) ? try_folder(argv[i]) : try_file(argv[i]);
    }
    (void)printf("%ld inputs\n", n);
    return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

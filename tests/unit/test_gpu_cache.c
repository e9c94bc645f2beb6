/* Built kernels on disk: a machine builds each once, and nothing that is wrong with the files or
 * their folder is more than a kernel that is built again. */
#include "tests/unit/gpu_layers.h"
#include "worker/engine/gpu/layers/cache.h"
#include "worker/engine/gpu/layers/opencl.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* A device whose images are their sources, and whose driver may refuse them. */
typedef struct fake {
    nas_gpu_t gpu;
    bool refuses; /* the next image */
} fake_t;

static nas_status_t compile(nas_gpu_t *gpu, const nas_gpu_source_t *source, nas_gpu_image_t *image,
                            nas_error_t *err)
{
    (void)gpu;
    (void)err;
    image->n = strlen(source->text) + 1;
    image->bytes = malloc(image->n);
    cr_assert_not_null(image->bytes);
    memcpy(image->bytes, source->text, image->n);
    return NAS_OK;
}

static nas_status_t load(nas_gpu_t *gpu, const nas_gpu_image_t *image, void **module_p,
                         nas_error_t *err)
{
    fake_t *fake = (fake_t *)gpu;
    const bool refuses = fake->refuses;
    fake->refuses = false;
    if (refuses) return nas_error_set(err, NAS_EIO, "another driver's");
    *module_p = malloc(image->n);
    cr_assert_not_null(*module_p);
    memcpy(*module_p, image->bytes, image->n);
    return NAS_OK;
}

static nas_status_t find(nas_gpu_t *gpu, void *module, nas_gpu_kernel_t *kernel, nas_error_t *err)
{
    (void)gpu;
    (void)err;
    kernel->handle = module;
    return NAS_OK;
}

static void drop(nas_gpu_t *gpu, void *module)
{
    (void)gpu;
    free(module);
}

static const nas_gpu_builder_t builder = {
    .compile = compile, .load = load, .find = find, .drop_module = drop};

enum { ROOM = 512 };

static char scratch[] = "/tmp/test-gpu-cache-XXXXXX";

static void make_scratch(void)
{
    cr_assert_not_null(mkdtemp(scratch));
    cr_assert_eq(setenv("NAS_GPU_CACHE", scratch, 1), 0);
}

static void remove_scratch(void)
{
    char command[ROOM];
    (void)snprintf(command, sizeof command, "rm -rf %s", scratch);
    cr_assert_eq(system(command), 0);
}

TestSuite(gpu_cache, .init = make_scratch, .fini = remove_scratch);

/* What a start of the program with this driver makes of a kernel: 'b' built, 'c' from the cache. */
static char start_with(const char *driver, const char *text, bool refuses)
{
    fake_t fake = {.refuses = refuses};
    nas_gpu_modules_t *modules = NULL;
    const nas_gpu_kernel_t *kernel = NULL;
    nas_error_t err = {0};
    const nas_gpu_source_t source = {.name = "fake", .text = text};
    cr_assert_eq(nas_gpu_modules_create(&fake.gpu, &builder, driver, &modules, &err), NAS_OK);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(nas_gpu_modules_kernel(modules, &source, "any", &kernel, &err), NAS_OK, "%s",
                     err.text);
        cr_assert_str_eq(kernel->handle, text);
    }
    nas_gpu_modules_destroy(modules);
    cr_assert_eq(fake.gpu.counts.n_built + fake.gpu.counts.n_cached, 1);
    return fake.gpu.counts.n_built == 1 ? 'b' : 'c';
}

static char start(const char *text)
{
    return start_with("driver 1", text, false);
}

/* Path of the cache's only file; how many there are. */
static int find_file(char path[ROOM])
{
    DIR *folder = opendir(scratch);
    int n = 0;
    cr_assert_not_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        cr_assert_lt(snprintf(path, ROOM, "%s/%s", scratch, entry->d_name), ROOM);
        n++;
    }
    (void)closedir(folder);
    return n;
}

Test(gpu_cache, second_start)
{
    char path[ROOM];
    cr_assert_eq(start("one"), 'b');
    cr_assert_eq(find_file(path), 1);
    cr_assert_eq(start("one"), 'c');
    cr_assert_eq(start("two"), 'b');
    cr_assert_eq(start("one"), 'c');
    cr_assert_eq(start("two"), 'c');
    cr_assert_eq(find_file(path), 2); /* and nothing that was left half done */
}

Test(gpu_cache, another_driver)
{
    cr_assert_eq(start_with("driver 1", "one", false), 'b');
    cr_assert_eq(start_with("driver 2", "one", false), 'b');
    cr_assert_eq(start_with("driver 1", "one", false), 'c');
    cr_assert_eq(start_with("driver 1", "one", true), 'b'); /* it does not take its own file */
    cr_assert_eq(start_with("driver 1", "one", false), 'c');
}

/* Another's file in the place of ours. */
Test(gpu_cache, exchanged_file)
{
    char one[ROOM], other[ROOM];
    cr_assert_eq(start("one"), 'b');
    cr_assert_eq(find_file(one), 1);
    cr_assert_lt(snprintf(other, sizeof other, "%.*s.kept", ROOM - 6, one), ROOM);
    cr_assert_eq(rename(one, other), 0);
    cr_assert_eq(start("one"), 'b');
    cr_assert_eq(unlink(one), 0);
    cr_assert_eq(start("two"), 'b');
    DIR *folder = opendir(scratch);
    cr_assert_not_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char two[ROOM];
        if (entry->d_name[0] == '.' || strstr(entry->d_name, ".kept") != NULL) continue;
        cr_assert_lt(snprintf(two, ROOM, "%s/%s", scratch, entry->d_name), ROOM);
        cr_assert_eq(rename(other, two), 0);
    }
    (void)closedir(folder);
    cr_assert_eq(start("two"), 'b');
    cr_assert_eq(start("two"), 'c');
}

/* Every byte of a file counts: one that is changed, or a file that is cut there, is built again. */
Test(gpu_cache, damaged_and_truncated)
{
    char path[ROOM];
    struct stat status;
    cr_assert_eq(start("a kernel's text"), 'b');
    cr_assert_eq(find_file(path), 1);
    cr_assert_eq(stat(path, &status), 0);
    for (long at = 0; at < status.st_size; at++) {
        FILE *file = fopen(path, "r+");
        cr_assert_not_null(file);
        cr_assert_eq(fseek(file, at, SEEK_SET), 0);
        const int byte = fgetc(file);
        cr_assert_eq(fseek(file, at, SEEK_SET), 0);
        cr_assert_neq(fputc(byte ^ 4, file), EOF);
        cr_assert_eq(fclose(file), 0);
        cr_assert_eq(start("a kernel's text"), 'b', "byte %ld", at);
        cr_assert_eq(truncate(path, at), 0);
        cr_assert_eq(start("a kernel's text"), 'b', "cut at %ld", at);
        cr_assert_eq(start("a kernel's text"), 'c', "byte %ld", at);
    }
}

/* A file in the folder's place is a folder that can be neither read nor written, even by root. */
Test(gpu_cache, no_folder)
{
    char path[ROOM];
    (void)snprintf(path, sizeof path, "%s/file", scratch);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    cr_assert_eq(fclose(file), 0);
    cr_assert_eq(setenv("NAS_GPU_CACHE", path, 1), 0);
    cr_assert_eq(start("one"), 'b');
    cr_assert_eq(start("one"), 'b');
    (void)snprintf(path, sizeof path, "%s/file/below", scratch);
    cr_assert_eq(setenv("NAS_GPU_CACHE", path, 1), 0);
    cr_assert_eq(start("one"), 'b');
    cr_assert_eq(setenv("NAS_GPU_CACHE", "/proc/robotnas/kernels", 1), 0);
    cr_assert_eq(start("one"), 'b');
}

/* A full disk leaves no half of a file, and the next start with room keeps the kernel. */
Test(gpu_cache, full)
{
    char path[ROOM];
    struct rlimit limit, old;
    cr_assert_neq(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    limit = old;
    limit.rlim_cur = 70;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const char built = start("one, and a text that is longer than what there is room for");
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    cr_assert_eq(built, 'b');
    cr_assert_eq(find_file(path), 0);
    cr_assert_eq(start("one"), 'b');
    cr_assert_eq(start("one"), 'c');
}

/* Where files go: the variable, XDG's folder, home's, or nowhere. */
Test(gpu_cache, folders)
{
    char home[ROOM], xdg[ROOM];
    (void)snprintf(home, sizeof home, "%s/home", scratch);
    (void)snprintf(xdg, sizeof xdg, "%s/xdg", scratch);
    cr_assert_eq(setenv("NAS_GPU_CACHE", "", 1), 0);
    cr_assert_eq(start("one"), 'b');
    cr_assert_eq(start("one"), 'b');

    cr_assert_eq(unsetenv("NAS_GPU_CACHE"), 0);
    cr_assert_eq(setenv("HOME", home, 1), 0);
    cr_assert_eq(unsetenv("XDG_CACHE_HOME"), 0);
    cr_assert_eq(start("one"), 'b');
    cr_assert_eq(start("one"), 'c');
    cr_assert_eq(setenv("XDG_CACHE_HOME", xdg, 1), 0);
    cr_assert_eq(start("one"), 'b');
    cr_assert_eq(start("one"), 'c');
    char path[2 * ROOM];
    (void)snprintf(path, sizeof path, "%s/.cache/robotnas/kernels", home);
    cr_assert_eq(access(path, F_OK), 0);
    (void)snprintf(path, sizeof path, "%s/robotnas/kernels", xdg);
    cr_assert_eq(access(path, F_OK), 0);

    cr_assert_eq(setenv("XDG_CACHE_HOME", "no/path/from/the/root", 1), 0);
    cr_assert_eq(start("one"), 'c'); /* home's */
    cr_assert_eq(unsetenv("XDG_CACHE_HOME"), 0);
    cr_assert_eq(unsetenv("HOME"), 0);
    cr_assert_eq(start("one"), 'b');
    cr_assert_eq(start("one"), 'b');
}

static void keep(int64_t most_bytes, const char *text)
{
    nas_gpu_cache_t cache;
    const nas_gpu_cache_key_t key = {.identity = "driver", .text = text, .defines = ""};
    char bytes[1000] = {0};
    nas_gpu_cache_init(&cache);
    cache.most_bytes = most_bytes;
    nas_gpu_cache_write(&cache, &key, &(nas_gpu_image_t){.bytes = bytes, .n = sizeof bytes});
    nas_gpu_cache_fini(&cache);
}

static bool has(const char *text)
{
    nas_gpu_cache_t cache;
    const nas_gpu_cache_key_t key = {.identity = "driver", .text = text, .defines = ""};
    nas_gpu_image_t image = {0};
    nas_gpu_cache_init(&cache);
    const bool is_there = nas_gpu_cache_read(&cache, &key, &image);
    nas_gpu_cache_fini(&cache);
    free(image.bytes);
    return is_there;
}

/* What was not used for the longest time makes room; files that are not ours stay. */
Test(gpu_cache, bounded)
{
    char path[ROOM];
    (void)snprintf(path, sizeof path, "%s/notes", scratch);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    for (int i = 0; i < 10000; i++) (void)fputc('x', file);
    cr_assert_eq(fclose(file), 0);
    keep(5000, "one");
    keep(5000, "two");
    keep(5000, "three");
    cr_assert(has("one")); /* now two is the oldest */
    keep(4000, "four");
    cr_assert(!has("two"));
    cr_assert(has("one") && has("three") && has("four"));
    keep(1100, "five");
    cr_assert(has("five"));
    cr_assert_eq(find_file(path), 2);
}

static const char kernel_text[] = "NAS_KERNEL(one, 64) { arena[LANE] = 1.0f; }\n";

/* What the kernel is for: it writes ones. */
static void compute(nas_gpu_t *gpu, const nas_gpu_kernel_t *kernel)
{
    float out[64] = {0};
    nas_gpu_memory_t memory = {0};
    nas_error_t err = {0};
    cr_assert_eq(gpu->layer->alloc(gpu, sizeof out, &memory.arena, &err), NAS_OK);
    gpu->layer->launch(gpu, kernel, 1, 1, &memory, 0);
    gpu->layer->read(gpu, memory.arena, 0, out, sizeof out);
    cr_assert_eq(gpu->layer->wait(gpu, &err), NAS_OK, "%s", err.text);
    for (int k = 0; k < 64; k++) cr_assert_eq((int)out[k], 1);
    gpu->layer->free(gpu, &memory.arena);
}

/* A start of the program: what it counts. */
static nas_gpu_counts_t start_layer(const char *name)
{
    nas_gpu_t *gpu = open_layer(name);
    const nas_gpu_kernel_t *kernel = NULL;
    nas_error_t err = {0};
    char *text = with_prelude(kernel_text);
    const nas_gpu_source_t source = {.name = "one", .text = text};
    cr_assert_eq(gpu->layer->kernel(gpu, &source, "one", &kernel, &err), NAS_OK, "%s", err.text);
    compute(gpu, kernel);
    const nas_gpu_counts_t counts = gpu->counts;
    gpu->layer->close(gpu);
    free(text);
    return counts;
}

/* A real compiler: the second start builds nothing, and computes. */
Test(gpu_cache, threads)
{
    const nas_gpu_counts_t first = start_layer("threads"), second = start_layer("threads");
    cr_assert(first.n_built == 1 && first.n_cached == 0);
    cr_assert(second.n_built == 0 && second.n_cached == 1);
}

/* PoCL under a cache folder of its own, which it finds when it is opened first. */
static nas_opencl_t *open_pocl(void)
{
    char folder[ROOM];
    (void)snprintf(folder, sizeof folder, "%s/.pocl", scratch);
    cr_assert_eq(setenv("POCL_CACHE_DIR", folder, 1), 0);
    nas_gpu_t *gpu = open_layer("opencl");
    nas_gpu_info_t info;
    gpu->layer->describe(gpu, &info);
    if (strcmp(info.platform, "Portable Computing Language") != 0) {
        gpu->layer->close(gpu);
        cr_skip_test("the first device of OpenCL is not PoCL's");
    }
    return (nas_opencl_t *)gpu;
}

/* What PoCL has compiled: of each file its name, inode and time. */
static void read_pocl_cache(char *text, size_t size)
{
    char command[ROOM];
    (void)snprintf(
        command, sizeof command,
        "find %s/.pocl '(' -name '*.so' -o -name '*.bc' ')' -printf '%%p %%i %%T@ ' | tr -d '\\n'",
        scratch);
    FILE *files = popen(command, "r");
    cr_assert_not_null(files);
    const size_t n = fread(text, 1, size - 1, files);
    text[n] = '\0';
    cr_assert_eq(pclose(files), 0);
}

/* PoCL's kernels are its own to keep: a start gives it the source, of which it compiles nothing the
 * second time, and our folder stays empty. */
Test(gpu_cache, pocl)
{
    char before[1 << 13], after[1 << 13], path[ROOM];
    nas_opencl_t *pocl = open_pocl();
    pocl->gpu.layer->close(&pocl->gpu);
    const nas_gpu_counts_t first = start_layer("opencl");
    read_pocl_cache(before, sizeof before);
    cr_assert_not_null(strstr(before, ".so "), "%s", before);
    const nas_gpu_counts_t second = start_layer("opencl");
    read_pocl_cache(after, sizeof after);
    cr_assert_str_eq(before, after);
    cr_assert_eq(find_file(path), 0);
    cr_assert(first.n_built == 1 && first.n_cached == 0);
    cr_assert(second.n_built == 1 && second.n_cached == 0);
}

/* OpenCL's other devices give their images, and take them. */
Test(gpu_cache, opencl_images)
{
    nas_opencl_t *gpu = open_pocl();
    const nas_gpu_info_t other = {.platform = "of a GPU"};
    const nas_gpu_kernel_t *kernel = NULL;
    nas_error_t err = {0};
    char *text = with_prelude(kernel_text);
    const nas_gpu_source_t source = {.name = "one", .text = text};
    for (int i = 0; i < 2; i++) {
        nas_gpu_modules_t *modules = NULL;
        cr_assert_eq(nas_gpu_modules_create(&gpu->gpu, nas_opencl_builder(&other), "a driver",
                                            &modules, &err),
                     NAS_OK);
        cr_assert_eq(nas_gpu_modules_kernel(modules, &source, "one", &kernel, &err), NAS_OK, "%s",
                     err.text);
        cr_assert_eq(gpu->gpu.counts.n_built, 1);
        cr_assert_eq(gpu->gpu.counts.n_cached, i);
        compute(&gpu->gpu, kernel);
        nas_gpu_modules_destroy(modules);
    }
    gpu->gpu.layer->close(&gpu->gpu);
    free(text);
}

#include "common/io/file.h"
#include "tests/unit/temp_folder.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static temp_path_t folder;

static void make_folder(void)
{
    folder = temp_folder_make();
}

static void remove_folder(void)
{
    temp_folder_remove(&folder);
}

TestSuite(file, .init = make_folder, .fini = remove_folder, .timeout = 60);
TestSuite(lock, .init = make_folder, .fini = remove_folder, .timeout = 60);

static void assert_content(const char *path, const char *text)
{
    char *data = NULL;
    size_t size = 0;
    nas_error_t err = {0};
    cr_assert_eq(nas_file_read(path, 1 << 20, &data, &size, &err), NAS_OK, "%s", err.text);
    cr_assert_eq(size, strlen(text));
    cr_assert_str_eq(data, text);
    free(data);
}

static void assert_refused(const char *path, size_t limit, const char *reason)
{
    char *data = NULL;
    size_t size = 77;
    nas_error_t err = {0};
    cr_assert_eq(nas_file_read(path, limit, &data, &size, &err), NAS_EINPUT);
    cr_assert_not_null(strstr(err.text, path), "the path is named in: %s", err.text);
    cr_assert_not_null(strstr(err.text, reason), "'%s' is said in: %s", reason, err.text);
    cr_assert_null(data);
    cr_assert_eq(size, 77, "outputs stay as they were");
}

/* Also where the file ends with a piece of reading. */
Test(file, the_digest_is_of_all_bytes)
{
    enum { PIECE = 1 << 20 };
    static const size_t size[] = {0, 5, PIECE, PIECE + 1, 2 * PIECE};
    const temp_path_t path = temp_file(&folder, "a");
    char *text = malloc(2 * PIECE + 1);
    nas_digest_t digest, expected;
    nas_error_t err = {0};
    cr_assert_not_null(text);
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
        memset(text, 'a' + (int)i, size[i]);
        text[size[i]] = '\0';
        temp_file_put(path.text, text);
        cr_assert_eq(nas_file_digest(path.text, &digest, &err), NAS_OK, "%s", err.text);
        cr_assert_eq(nas_digest_of(text, size[i], &expected, &err), NAS_OK);
        cr_assert_eq(memcmp(&digest, &expected, sizeof digest), 0, "%zu bytes", size[i]);
    }
    free(text);
    cr_assert_eq(nas_file_digest("/nowhere", &digest, &err), NAS_EINPUT);
}

Test(file, reads_all_bytes_and_adds_a_nul)
{
    const temp_path_t path = temp_file(&folder, "a");
    temp_file_put(path.text, "");
    assert_content(path.text, "");
    temp_file_put(path.text, "line\nanother");
    assert_content(path.text, "line\nanother");
}

Test(file, limit_is_inclusive)
{
    const temp_path_t path = temp_file(&folder, "a");
    char *data = NULL;
    size_t size = 0;
    temp_file_put(path.text, "12345");
    cr_assert_eq(nas_file_read(path.text, 5, &data, &size, NULL), NAS_OK);
    free(data);
    assert_refused(path.text, 4, "5 bytes");
}

Test(file, refuses_what_is_no_file)
{
    const temp_path_t missing = temp_file(&folder, "missing"), fifo = temp_file(&folder, "fifo");
    cr_assert_eq(mkfifo(fifo.text, 0600), 0);
    assert_refused(missing.text, 100, "No such file");
    assert_refused(folder.text, 100, "is a directory");
    assert_refused(fifo.text, 100, "not a regular file");
    assert_refused("/dev/zero", 100, "not a regular file");
}

Test(file, refuses_an_unreadable_file)
{
    const temp_path_t path = temp_file(&folder, "secret");
    temp_file_put(path.text, "secret");
    cr_assert_eq(chmod(path.text, 0), 0);
    cr_assert_eq(chmod(folder.text, 0755), 0);
    const bool is_root = geteuid() == 0; /* root reads every file */
    if (is_root && seteuid(65534) != 0) cr_skip_test("root cannot become another user");
    assert_refused(path.text, 100, "Permission denied");
    if (is_root) cr_assert_eq(seteuid(0), 0);
}

Test(file, next_bytes_come_in_order_and_end)
{
    const temp_path_t path = temp_file(&folder, "a");
    char part[5] = {0};
    int fd = -1;
    int64_t size = 0;
    size_t n = 0;
    temp_file_put(path.text, "abcdef");
    cr_assert_eq(nas_file_open(path.text, &fd, &size, NULL), NAS_OK);
    cr_assert_eq(size, 6);
    cr_assert_eq(nas_file_read_next(fd, path.text, part, 4, &n, NULL), NAS_OK);
    cr_assert(n == 4 && memcmp(part, "abcd", 4) == 0);
    cr_assert_eq(nas_file_read_next(fd, path.text, part, 4, &n, NULL), NAS_OK);
    cr_assert(n == 2 && memcmp(part, "ef", 2) == 0);
    cr_assert_eq(nas_file_read_next(fd, path.text, part, 4, &n, NULL), NAS_OK);
    cr_assert_eq(n, 0);
    close(fd);
}

Test(file, parents_are_made_and_may_exist)
{
    const temp_path_t path = temp_file(&folder, "a/b//c/file");
    struct stat info;
    cr_assert_eq(nas_file_make_parents(path.text, NULL), NAS_OK);
    cr_assert_eq(nas_file_make_parents(path.text, NULL), NAS_OK);
    cr_assert(stat(temp_file(&folder, "a/b/c").text, &info) == 0 && S_ISDIR(info.st_mode));
    cr_assert_not(nas_file_exists(path.text));
    cr_assert_eq(nas_file_make_parents("/file", NULL), NAS_OK);
    cr_assert_eq(nas_file_make_parents("file", NULL), NAS_OK);
    cr_assert_eq(nas_file_make_parents("", NULL), NAS_OK);
}

Test(file, one_parent_is_made_where_its_own_are_there)
{
    nas_error_t err = {0};
    cr_assert_eq(nas_file_make_parent(temp_file(&folder, "a/b/c").text, &err), NAS_EIO);
    cr_assert_not_null(strstr(err.text, "No such file or directory"), "%s", err.text);
    cr_assert_not(nas_file_exists(temp_file(&folder, "a").text));
    for (int i = 0; i < 2; i++)
        cr_assert_eq(nas_file_make_parent(temp_file(&folder, "a/b").text, NULL), NAS_OK);
    cr_assert_eq(nas_file_make_parent(temp_file(&folder, "a/b/c").text, NULL), NAS_OK);
    cr_assert(nas_file_exists(temp_file(&folder, "a/b").text));
    cr_assert_eq(nas_file_make_parent("/file", NULL), NAS_OK);
    cr_assert_eq(nas_file_make_parent("file", NULL), NAS_OK);
    cr_assert_eq(nas_file_make_parent("", NULL), NAS_OK);
}

Test(file, parent_that_is_a_file_is_an_error)
{
    nas_error_t err = {0};
    temp_file_put(temp_file(&folder, "a").text, "");
    cr_assert_eq(nas_file_make_parents(temp_file(&folder, "a/b/c").text, &err), NAS_EIO);
    cr_assert_not_null(strstr(err.text, "Not a directory"), "%s", err.text);
}

Test(file, a_link_to_nothing_in_place_of_a_folder_is_called_so)
{
    nas_error_t err = {0};
    cr_assert_eq(symlink("nowhere", temp_file(&folder, "d").text), 0);
    cr_assert_eq(nas_file_make_parent(temp_file(&folder, "d/a").text, &err), NAS_EIO);
    cr_assert_not_null(strstr(err.text, "/d is a link to nothing; make the folder"), "%s",
                       err.text);
}

Test(file, exists_whatever_it_is)
{
    const temp_path_t link = temp_file(&folder, "link");
    cr_assert(nas_file_exists(folder.text));
    cr_assert_not(nas_file_exists(link.text));
    cr_assert_eq(symlink("nowhere", link.text), 0);
    cr_assert(nas_file_exists(link.text));
}

Test(file, same_is_one_file_by_any_name)
{
    const temp_path_t one = temp_file(&folder, "one"), other = temp_file(&folder, "other");
    const temp_path_t link = temp_file(&folder, "link"), hard = temp_file(&folder, "hard");
    temp_file_put(one.text, "");
    cr_assert_not(nas_file_same(one.text, other.text));
    cr_assert_not(nas_file_same(other.text, other.text)); /* not there */
    temp_file_put(other.text, "");
    cr_assert_not(nas_file_same(one.text, other.text));
    cr_assert_eq(symlink("one", link.text), 0);
    cr_assert_eq(linkat(AT_FDCWD, one.text, AT_FDCWD, hard.text, 0), 0);
    cr_assert(nas_file_same(one.text, link.text));
    cr_assert(nas_file_same(hard.text, link.text));
}

static nas_status_t replace(const char *path, const char *text, bool keep, nas_error_t *err)
{
    const size_t half = strlen(text) / 2;
    const nas_span_t span[] = {{text, half}, {NULL, 0}, {text + half, strlen(text) - half}};
    return nas_file_replace(path, span, 3, keep, err);
}

Test(file, replace_keeps_the_previous_file)
{
    const temp_path_t path = temp_file(&folder, "a"), prev = temp_file(&folder, "a.prev");
    const char *text[] = {"first", "the second", "3"};
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(replace(path.text, text[i], true, NULL), NAS_OK);
        assert_content(path.text, text[i]);
        cr_assert_eq(nas_file_exists(prev.text), i > 0);
        if (i > 0) assert_content(prev.text, text[i - 1]);
        cr_assert_not(nas_file_exists(temp_file(&folder, "a.tmp").text));
    }
}

Test(file, replace_without_keeping_leaves_the_previous_file_alone)
{
    const temp_path_t path = temp_file(&folder, "a"), prev = temp_file(&folder, "a.prev");
    temp_file_put(path.text, "damaged");
    temp_file_put(prev.text, "good");
    cr_assert_eq(replace(path.text, "new", false, NULL), NAS_OK);
    assert_content(path.text, "new");
    assert_content(prev.text, "good");
}

Test(file, replace_of_many_spans_is_their_concatenation)
{
    const temp_path_t path = temp_file(&folder, "a");
    char expected[101] = {0};
    nas_span_t span[100];
    for (int i = 0; i < 100; i++) {
        expected[i] = (char)('a' + i % 26);
        span[i] = (nas_span_t){&expected[i], 1};
    }
    cr_assert_eq(nas_file_replace(path.text, span, 100, true, NULL), NAS_OK);
    assert_content(path.text, expected);
}

Test(file, replace_overwrites_a_left_over_temporary_file)
{
    const temp_path_t path = temp_file(&folder, "a");
    temp_file_put(temp_file(&folder, "a.tmp").text,
                  "a longer text that a killed writer left behind");
    cr_assert_eq(replace(path.text, "new", true, NULL), NAS_OK);
    assert_content(path.text, "new");
}

Test(file, replace_refuses_a_folder)
{
    const temp_path_t path = temp_file(&folder, "a");
    nas_error_t err = {0};
    cr_assert_eq(mkdir(path.text, 0700), 0);
    cr_assert_eq(replace(path.text, "new", true, &err), NAS_EINPUT);
    cr_assert_not_null(strstr(err.text, "is a directory"), "%s", err.text);
    cr_assert_not(nas_file_exists(temp_file(&folder, "a.prev").text));
}

Test(file, replace_without_the_folder_is_an_error)
{
    nas_error_t err = {0};
    cr_assert_eq(replace(temp_file(&folder, "b/a").text, "new", true, &err), NAS_EIO);
    cr_assert_not_null(strstr(err.text, "No such file"), "%s", err.text);
}

/* A limit on the size of files stands for a full disk: the write stops half way. It lasts until the
 * test's process ends. */
Test(file, failed_write_leaves_everything_as_it_was)
{
    const temp_path_t path = temp_file(&folder, "a"), prev = temp_file(&folder, "a.prev");
    const struct rlimit limit = {5000, RLIM_INFINITY};
    static char large[20000];
    nas_error_t err = {0};
    memset(large, 'x', sizeof large - 1);
    cr_assert_eq(replace(path.text, "first", true, NULL), NAS_OK);
    cr_assert_eq(replace(path.text, "second", true, NULL), NAS_OK);
    cr_assert_neq(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const nas_status_t status = replace(path.text, large, true, &err);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}), 0);
    cr_assert_eq(status, NAS_EIO);
    cr_assert_not_null(strstr(err.text, path.text), "%s", err.text);
    cr_assert_not_null(strstr(err.text, "free space there and run again with --resume"), "%s",
                       err.text);
    assert_content(path.text, "second");
    assert_content(prev.text, "first");
    cr_assert_not(nas_file_exists(temp_file(&folder, "a.tmp").text));
}

/* The status of a child that runs body(path) and exits with what it returns. */
static pid_t start(int (*body)(const char *path, int pipe_fd), const char *path, int pipe_fd)
{
    const pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) _exit(body(path, pipe_fd));
    return child;
}

/* Take the lock, say so, and hold it until killed. */
static int hold(const char *path, int pipe_fd)
{
    nas_lock_t *lock = NULL;
    if (nas_lock_acquire(path, &lock, NULL)) return 1;
    if (write(pipe_fd, "!", 1) != 1) return 1;
    for (;;) (void)pause();
}

Test(lock, refuses_the_second_process_and_ends_with_the_first)
{
    const temp_path_t path = temp_file(&folder, "a");
    nas_lock_t *lock = NULL;
    nas_error_t err = {0};
    char expected[100], told = 0;
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    const pid_t child = start(hold, path.text, ends[1]);
    cr_assert_eq(read(ends[0], &told, 1), 1);
    cr_assert_eq(nas_lock_acquire(path.text, &lock, &err), NAS_EINPUT);
    cr_assert_null(lock);
    (void)snprintf(expected, sizeof expected, "a is in use by process %ld on host ", (long)child);
    cr_assert_not_null(strstr(err.text, expected), "%s", err.text);
    cr_assert_eq(kill(child, SIGKILL), 0);
    cr_assert_eq(waitpid(child, NULL, 0), child);
    cr_assert_eq(nas_lock_acquire(path.text, &lock, &err), NAS_OK, "%s", err.text);
    nas_lock_release(lock);
    close(ends[0]);
    close(ends[1]);
}

Test(lock, release_removes_the_lock_file)
{
    const temp_path_t path = temp_file(&folder, "a"), lock_path = temp_file(&folder, "a.lock");
    nas_lock_t *lock = NULL;
    cr_assert_eq(nas_lock_acquire(path.text, &lock, NULL), NAS_OK);
    cr_assert(nas_file_exists(lock_path.text));
    cr_assert_not(nas_file_exists(path.text));
    nas_lock_release(lock);
    cr_assert_not(nas_file_exists(lock_path.text));
    nas_lock_release(NULL);
}

Test(lock, needs_its_folder)
{
    nas_lock_t *lock = NULL;
    nas_error_t err = {0};
    cr_assert_eq(nas_lock_acquire(temp_file(&folder, "b/a").text, &lock, &err), NAS_EIO);
    cr_assert_not_null(strstr(err.text, "b/a.lock"), "%s", err.text);
}

enum { N_PROCESS = 4, N_TURN = 100 };

/* Add 1 to the number in the file at path, N_TURN times, each under the lock but otherwise
 * unprotected. */
static int count(const char *path, int unused)
{
    (void)unused;
    for (int turn = 0; turn < N_TURN; turn++) {
        nas_lock_t *lock = NULL;
        nas_status_t status = NAS_OK;
        while ((status = nas_lock_acquire(path, &lock, NULL)) == NAS_EINPUT) sched_yield();
        if (status) return 1;
        FILE *file = fopen(path, "r+");
        int number = 0;
        if (!file || fscanf(file, "%d", &number) != 1) return 1;
        rewind(file);
        (void)fprintf(file, "%d\n", number + 1);
        if (fclose(file) != 0) return 1;
        nas_lock_release(lock);
    }
    return 0;
}

Test(lock, one_holder_at_a_time)
{
    const temp_path_t path = temp_file(&folder, "counter");
    char expected[16];
    int n_failed = 0;
    temp_file_put(path.text, "0\n");
    for (int i = 0; i < N_PROCESS; i++) (void)start(count, path.text, -1);
    for (int i = 0; i < N_PROCESS; i++) {
        int status = 1;
        cr_assert_gt(wait(&status), 0);
        n_failed += status != 0;
    }
    cr_assert_eq(n_failed, 0);
    (void)snprintf(expected, sizeof expected, "%d\n", N_PROCESS * N_TURN);
    assert_content(path.text, expected);
}

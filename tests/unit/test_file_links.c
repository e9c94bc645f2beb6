/* Links, pipes and modes where files are written. */
#include "common/io/file.h"
#include "tests/unit/temp_folder.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/stat.h>

static temp_path_t folder;

static void make_folder(void)
{
    folder = temp_folder_make();
}

static void remove_folder(void)
{
    temp_folder_remove(&folder);
}

TestSuite(file_links, .init = make_folder, .fini = remove_folder, .timeout = 60);

static void assert_content(const char *path, const char *text)
{
    char *data = NULL;
    size_t size = 0;
    nas_error_t err = {0};
    cr_assert_eq(nas_file_read(path, 1 << 20, &data, &size, &err), NAS_OK, "%s", err.text);
    cr_assert_str_eq(data, text);
    free(data);
}

static nas_status_t replace(const char *path, const char *text, bool keep, nas_error_t *err)
{
    return nas_file_replace(path, &(nas_span_t){text, strlen(text)}, 1, keep, err);
}

static unsigned mode_of(const char *path)
{
    struct stat info;
    cr_assert_eq(lstat(path, &info), 0);
    return info.st_mode & 07777;
}

static bool is_link(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
}

/* What may have been planted: a symbolic link, a hard link, a pipe. */
enum { N_PLANTED = 3 };

static void plant(int kind, const char *victim, const char *path)
{
    (void)unlink(path);
    switch (kind) {
    case 0:
        cr_assert_eq(symlink(victim, path), 0);
        break;
    case 1:
        cr_assert_eq(link(victim, path), 0);
        break;
    default:
        cr_assert_eq(mkfifo(path, 0600), 0);
    }
}

Test(file_links, nothing_is_written_through_a_planted_temporary_name)
{
    const temp_path_t path = temp_file(&folder, "a"), tmp = temp_file(&folder, "a.tmp"),
                      victim = temp_file(&folder, "victim");
    temp_file_put(victim.text, "precious");
    for (int kind = 0; kind < N_PLANTED; kind++) {
        nas_error_t err = {0};
        plant(kind, victim.text, tmp.text);
        cr_assert_eq(replace(path.text, "new", true, &err), NAS_OK, "%s", err.text);
        assert_content(path.text, "new");
        cr_assert_not(is_link(path.text));
        assert_content(victim.text, "precious");
    }
}

Test(file_links, nothing_is_written_through_a_planted_previous_name)
{
    const temp_path_t path = temp_file(&folder, "a"), prev = temp_file(&folder, "a.prev"),
                      victim = temp_file(&folder, "victim");
    temp_file_put(victim.text, "precious");
    temp_file_put(path.text, "old");
    for (int kind = 0; kind < N_PLANTED; kind++) {
        plant(kind, victim.text, prev.text);
        cr_assert_eq(replace(path.text, "new", true, NULL), NAS_OK);
        cr_assert_not(is_link(prev.text));
        assert_content(victim.text, "precious");
    }
}

Test(file_links, a_created_file_is_nobody_elses)
{
    const temp_path_t path = temp_file(&folder, "a.out"), victim = temp_file(&folder, "victim");
    temp_file_put(victim.text, "precious");
    for (int kind = 0; kind < N_PLANTED; kind++) {
        int fd = -1;
        plant(kind, victim.text, path.text);
        cr_assert_eq(nas_file_create(path.text, &fd, NULL), NAS_OK);
        cr_assert_eq(write(fd, "new", 3), 3);
        cr_assert_eq(close(fd), 0);
        assert_content(path.text, "new");
        assert_content(victim.text, "precious");
    }
}

Test(file_links, a_folder_in_the_way_is_named)
{
    const temp_path_t path = temp_file(&folder, "a"), tmp = temp_file(&folder, "a.tmp"),
                      prev = temp_file(&folder, "a.prev");
    nas_error_t err = {0};
    int fd = -1;
    cr_assert_eq(mkdir(tmp.text, 0700), 0);
    cr_assert_eq(replace(path.text, "new", true, &err), NAS_EIO);
    cr_assert_not_null(strstr(err.text, "a.tmp: Is a directory"), "%s", err.text);
    cr_assert_eq(nas_file_create(tmp.text, &fd, &err), NAS_EIO);
    cr_assert_not_null(strstr(err.text, "a.tmp: Is a directory"), "%s", err.text);
    cr_assert_eq(rmdir(tmp.text), 0);
    temp_file_put(path.text, "old");
    cr_assert_eq(mkdir(prev.text, 0700), 0);
    cr_assert_eq(replace(path.text, "new", true, &err), NAS_EIO);
    cr_assert_not_null(strstr(err.text, "a.prev: Is a directory"), "%s", err.text);
    assert_content(path.text, "old");
}

Test(file_links, a_link_at_a_name_of_the_programs_own_is_replaced)
{
    const temp_path_t path = temp_file(&folder, "a"), victim = temp_file(&folder, "victim");
    temp_file_put(victim.text, "precious");
    cr_assert_eq(symlink("victim", path.text), 0);
    cr_assert_eq(replace(path.text, "new", false, NULL), NAS_OK);
    cr_assert_not(is_link(path.text));
    assert_content(victim.text, "precious");
}

Test(file_links, the_mode_stays)
{
    const temp_path_t path = temp_file(&folder, "a"), prev = temp_file(&folder, "a.prev");
    const mode_t mask = umask(022);
    cr_assert_eq(replace(path.text, "1", true, NULL), NAS_OK);
    cr_assert_eq(mode_of(path.text), 0644);
    cr_assert_eq(chmod(path.text, 0600), 0);
    cr_assert_eq(replace(path.text, "2", true, NULL), NAS_OK);
    cr_assert_eq(mode_of(path.text), 0600);
    cr_assert_eq(mode_of(prev.text), 0600);
    cr_assert_eq(chmod(path.text, 0440), 0); /* not even its writer may open it for writing */
    cr_assert_eq(replace(path.text, "3", true, NULL), NAS_OK);
    cr_assert_eq(mode_of(path.text), 0440);
    cr_assert_eq(unlink(path.text), 0); /* the file before it is what is left of the run */
    cr_assert_eq(chmod(prev.text, 0640), 0);
    cr_assert_eq(replace(path.text, "4", false, NULL), NAS_OK);
    cr_assert_eq(mode_of(path.text), 0640);
    (void)umask(mask);
}

Test(file_links, the_mode_of_a_large_file_stays)
{
    const temp_path_t path = temp_file(&folder, "a");
    char *tmp = NULL;
    int fd = -1;
    temp_file_put(path.text, "old");
    cr_assert_eq(chmod(path.text, 0400), 0);
    cr_assert_eq(nas_file_begin(path.text, &tmp, &fd, NULL), NAS_OK);
    cr_assert_eq(mode_of(tmp), 0600);
    cr_assert_eq(write(fd, "new", 3), 3);
    cr_assert_eq(nas_file_publish(fd, tmp, path.text, NULL), NAS_OK);
    cr_assert_eq(close(fd), 0);
    cr_assert_eq(mode_of(path.text), 0400);
    assert_content(path.text, "new");
    free(tmp);
}

Test(file_links, owner_and_group_stay_where_root_writes)
{
    const temp_path_t path = temp_file(&folder, "a");
    struct stat info;
    if (geteuid() != 0) cr_skip_test("only root gives files away");
    temp_file_put(path.text, "old");
    cr_assert_eq(chown(path.text, 1234, 2345), 0);
    cr_assert_eq(chmod(path.text, 0640), 0);
    cr_assert_eq(replace(path.text, "new", true, NULL), NAS_OK);
    cr_assert_eq(stat(path.text, &info), 0);
    cr_assert(info.st_uid == 1234 && info.st_gid == 2345 && (info.st_mode & 0777) == 0640);
}

/* ------------------------------------------------------------------------------------- follow */

static void assert_leads(const char *path, const char *end)
{
    const temp_path_t expected = temp_file(&folder, end);
    nas_error_t err = {0};
    char *target = NULL, *located = nas_file_locate(path, NULL);
    cr_assert_eq(nas_file_follow(path, &target, &err), NAS_OK, "%s", err.text);
    cr_assert_str_eq(target, expected.text);
    cr_assert_str_eq(located, expected.text);
    free(target);
    free(located);
}

Test(file_links, links_are_followed_to_their_end)
{
    const temp_path_t a = temp_file(&folder, "a"), b = temp_file(&folder, "b"),
                      c = temp_file(&folder, "c"), d = temp_file(&folder, "d");
    cr_assert_eq(mkdir(d.text, 0700), 0);
    assert_leads(a.text, "a"); /* nothing there */
    temp_file_put(a.text, "");
    assert_leads(a.text, "a");
    cr_assert_eq(symlink("d/file", b.text), 0); /* to nothing yet */
    assert_leads(b.text, "d/file");
    cr_assert_eq(symlink(b.text, c.text), 0);
    assert_leads(c.text, "d/file");
    cr_assert_eq(symlink("../a", temp_file(&folder, "d/file").text), 0);
    assert_leads(c.text, "d/../a");
}

Test(file_links, links_in_a_circle_are_refused)
{
    const temp_path_t a = temp_file(&folder, "a"), b = temp_file(&folder, "b");
    nas_error_t err = {0};
    char *target = NULL;
    cr_assert_eq(symlink("b", a.text), 0);
    cr_assert_eq(symlink("a", b.text), 0);
    cr_assert_eq(nas_file_follow(a.text, &target, &err), NAS_EINPUT);
    cr_assert_not_null(strstr(err.text, "/a: a circle of symbolic links"), "%s", err.text);
    cr_assert_null(target);
    target = nas_file_locate(a.text, NULL);
    cr_assert_str_eq(target, a.text);
    free(target);
}

Test(file_links, a_link_of_another_user_is_refused)
{
    const temp_path_t a = temp_file(&folder, "a"), b = temp_file(&folder, "b"),
                      d = temp_file(&folder, "d"), file = temp_file(&folder, "d/file");
    nas_error_t err = {0};
    char *target = NULL;
    if (geteuid() != 0) cr_skip_test("only root gives links away");
    cr_assert_eq(symlink("a", b.text), 0);
    cr_assert_eq(lchown(b.text, 1234, 2345), 0);
    cr_assert_eq(nas_file_follow(b.text, &target, &err), NAS_EINPUT);
    cr_assert_not_null(strstr(err.text, "/b is a symbolic link of another user"), "%s", err.text);
    target = nas_file_locate(b.text, NULL); /* to read is no harm */
    cr_assert_str_eq(target, a.text);
    free(target);
    cr_assert_eq(symlink(".", d.text), 0);
    cr_assert_eq(nas_file_make_parent(file.text, &err), NAS_OK);
    cr_assert_eq(lchown(d.text, 1234, 2345), 0);
    cr_assert_eq(nas_file_make_parent(file.text, &err), NAS_EINPUT);
    cr_assert_not_null(strstr(err.text, "/d is a symbolic link of another user"), "%s", err.text);
    cr_assert_eq(chown(folder.text, 1234, 2345), 0); /* whose folder it is may lead anywhere */
    assert_leads(b.text, "a");
}

/* --------------------------------------------------------------------------------------- lock */

static void assert_lock_refused(const char *path, nas_status_t expected, const char *reason)
{
    nas_lock_t *lock = NULL;
    nas_error_t err = {0};
    cr_assert_eq(nas_lock_acquire(path, &lock, &err), expected);
    cr_assert_not_null(strstr(err.text, "/a.lock"), "%s", err.text);
    cr_assert_not_null(strstr(err.text, reason), "'%s' is not said: %s", reason, err.text);
    cr_assert_null(lock);
}

Test(file_links, what_is_no_lock_file_is_refused_and_left_alone)
{
    const temp_path_t path = temp_file(&folder, "a"), lock = temp_file(&folder, "a.lock"),
                      victim = temp_file(&folder, "victim");
    static const char *const reason[N_PLANTED] = {"is a symbolic link", "hard link",
                                                  "is not a regular file"};
    temp_file_put(victim.text, "precious");
    for (int kind = 0; kind < N_PLANTED; kind++) {
        plant(kind, victim.text, lock.text);
        assert_lock_refused(path.text, NAS_EINPUT, reason[kind]);
        assert_content(victim.text, "precious");
    }
    cr_assert_eq(unlink(lock.text), 0);
    temp_file_put(lock.text, "# a file of the user\n");
    assert_lock_refused(path.text, NAS_EINPUT, "is not a lock file of robotnas");
    assert_content(lock.text, "# a file of the user\n");
    cr_assert_eq(unlink(lock.text), 0);
    cr_assert_eq(mkdir(lock.text, 0700), 0);
    assert_lock_refused(path.text, NAS_EIO, "Is a directory");
}

Test(file_links, a_lock_file_that_was_left_is_taken)
{
    const temp_path_t path = temp_file(&folder, "a"), lock_path = temp_file(&folder, "a.lock");
    static const char *const left[] = {"", "process 12 on host elsewhere\n"};
    for (int i = 0; i < 2; i++) {
        nas_lock_t *lock = NULL;
        nas_error_t err = {0};
        temp_file_put(lock_path.text, left[i]);
        cr_assert_eq(nas_lock_acquire(path.text, &lock, &err), NAS_OK, "%s", err.text);
        cr_assert_null(nas_lock_missing(lock));
        nas_lock_release(lock);
        cr_assert_not(nas_file_exists(lock_path.text));
    }
}

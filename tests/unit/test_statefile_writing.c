#include "tests/unit/statefile_case.h"

TestSuite(statefile_writing, .init = make_folder, .fini = remove_folder, .timeout = 100);

/* A state whose elapsed_s tells which it is. */
static nas_status_t write_generation(const char *path, int generation)
{
    nas_state_t state = sample_state(SMALL);
    state.elapsed_s = generation;
    const nas_status_t status = nas_statefile_write(path, &state, NULL, NULL);
    nas_state_fini(&state);
    return status;
}

/* The generation that is read from path or path.prev, -1 for none; notice [out]. */
static int read_generation(const char *path, nas_error_t *notice, nas_error_t *err)
{
    nas_state_t state = {0};
    if (nas_statefile_read(path, &state, notice, err)) return -1;
    const int generation = (int)state.elapsed_s;
    nas_state_fini(&state);
    return generation;
}

static void damage(const char *path)
{
    const int fd = open(path, O_RDWR);
    cr_assert_geq(fd, 0);
    cr_assert_eq(pwrite(fd, "damage", 6, 1000), 6);
    close(fd);
}

Test(statefile_writing, previous_file_stands_in)
{
    const temp_path_t path = temp_file(&folder, "a.h5");
    nas_error_t notice = {0}, err = {0};
    cr_assert_not(nas_statefile_exists(path.text));
    cr_assert_eq(write_generation(path.text, 1), NAS_OK);
    cr_assert_eq(write_generation(path.text, 2), NAS_OK);
    cr_assert_eq(read_generation(path.text, &notice, &err), 2);
    cr_assert_str_eq(notice.text, "");
    damage(path.text);
    cr_assert_eq(read_generation(path.text, &notice, &err), 1);
    cr_assert_not_null(strstr(notice.text, "a.h5 is damaged"), "%s", notice.text);
    cr_assert_not_null(strstr(notice.text, "a.h5.prev"), "%s", notice.text);
    cr_assert_eq(unlink(path.text), 0);
    cr_assert(nas_statefile_exists(path.text));
    cr_assert_eq(read_generation(path.text, &notice, &err), 1);
    cr_assert_not_null(strstr(notice.text, "No such file"), "%s", notice.text);
}

Test(statefile_writing, both_files_bad_gives_both_reasons)
{
    const temp_path_t path = temp_file(&folder, "a.h5"), prev = temp_file(&folder, "a.h5.prev");
    nas_error_t notice = {0}, err = {0};
    cr_assert_eq(write_generation(path.text, 1), NAS_OK);
    damage(path.text);
    cr_assert_eq(read_generation(path.text, &notice, &err), -1);
    cr_assert_null(strstr(err.text, "the file before it"), "there is none: %s", err.text);
    cr_assert_not_null(strstr(err.text, "start anew with --fresh"), "%s", err.text);
    put_bytes(prev.text, "garbage", 7);
    cr_assert_eq(read_generation(path.text, &notice, &err), -1);
    cr_assert_not_null(strstr(err.text, "a.h5 is damaged"), "%s", err.text);
    cr_assert_not_null(strstr(err.text, "a.h5.prev is not a state file"), "%s", err.text);
    cr_assert_not_null(strstr(err.text, "start anew with --fresh"), "%s", err.text);
}

Test(statefile_writing, a_link_has_the_previous_file_of_its_target)
{
    const temp_path_t path = temp_file(&folder, "a.h5"), link = temp_file(&folder, "b.h5");
    nas_error_t notice = {0}, err = {0};
    cr_assert_eq(symlink("a.h5", link.text), 0);
    cr_assert_not(nas_statefile_exists(link.text));
    cr_assert_eq(write_generation(path.text, 1), NAS_OK);
    cr_assert_eq(write_generation(path.text, 2), NAS_OK);
    cr_assert_eq(read_generation(link.text, &notice, &err), 2);
    cr_assert_eq(unlink(path.text), 0);
    cr_assert(nas_statefile_exists(link.text));
    cr_assert_eq(read_generation(link.text, &notice, &err), 1);
}

Test(statefile_writing, newer_version_is_not_passed_over)
{
    const temp_path_t path = temp_file(&folder, "a.h5"), prev = temp_file(&folder, "a.h5.prev");
    nas_error_t notice = {0}, err = {0};
    write_sample(prev.text, SMALL);
    write_newer(path.text);
    cr_assert_eq(read_generation(path.text, &notice, &err), -1);
    cr_assert_not_null(strstr(err.text, "newer robotnas"), "%s", err.text);
}

Test(statefile_writing, damaged_file_does_not_push_out_the_good_one)
{
    const temp_path_t path = temp_file(&folder, "a.h5");
    nas_error_t notice = {0}, err = {0};
    for (int generation = 1; generation <= 2; generation++)
        cr_assert_eq(write_generation(path.text, generation), NAS_OK);
    damage(path.text);
    cr_assert_eq(write_generation(path.text, 3), NAS_OK);
    damage(path.text);
    cr_assert_eq(read_generation(path.text, &notice, &err), 1);
}

/* Damage it and set its time of change to what it was; until the clock that tells when anything
 * was changed has gone on. */
static void damage_in_secret(const char *path)
{
    nas_file_identity_t before, now;
    struct stat info;
    cr_assert_eq(stat(path, &info), 0);
    cr_assert(nas_file_identify(path, &before));
    const struct timespec times[2] = {info.st_mtim, info.st_mtim};
    do {
        damage(path);
        cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
        cr_assert(nas_file_identify(path, &now));
    } while (now.touched_ns == before.touched_ns);
    cr_assert(now.size == before.size && now.changed_ns == before.changed_ns);
}

/* What a writer left is whole as long as nothing changed it, and need not be read; what something
 * changed is. */
Test(statefile_writing, a_writer_knows_its_last_file)
{
    const temp_path_t path = temp_file(&folder, "a.h5"), prev = temp_file(&folder, "a.h5.prev");
    nas_state_t state = sample_state(SMALL), found = {0};
    nas_file_identity_t last = {0};
    for (int i = 0; i < 2; i++)
        cr_assert_eq(nas_statefile_write(path.text, &state, &last, NULL), NAS_OK);
    damage_in_secret(path.text);
    cr_assert_eq(nas_statefile_write(path.text, &state, &last, NULL), NAS_OK);
    cr_assert_eq(nas_statefile_read_one(prev.text, &found, NULL), NAS_OK, "the good one stayed");
    nas_state_fini(&found);
    damage(path.text);
    cr_assert(nas_file_identify(path.text, &last));
    cr_assert_eq(nas_statefile_write(path.text, &state, &last, NULL), NAS_OK);
    cr_assert_neq(nas_statefile_read_one(prev.text, &found, NULL), NAS_OK, "nobody looked");
    nas_state_fini(&state);
}

/* Write generations first, first + 1, ... in a child with this fault; whether the child was killed.
 */
static bool write_until_killed(const char *path, int first, int n, const char *fault)
{
    int status = 0;
    const pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        if (setenv("NAS_FAULT", fault, 1) != 0) _exit(1);
        for (int i = 0; i < n; i++)
            if (write_generation(path, first + i) != NAS_OK) _exit(1);
        _exit(0);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0, "the child could not write");
    return WIFSIGNALED(status);
}

static const char *const FAULT_POINT[] = {"write-before",  "write-middle",  "write-after",
                                          "rename-before", "rename-middle", "rename-after"};
enum { N_FAULT_POINT = 6 };

/* The parent never writes: fault points are armed at a process's first write, so each child's own
 * is. */
Test(statefile_writing, killed_writer_leaves_one_of_two_whole_states)
{
#ifndef NAS_WITH_FAULTS
    cr_skip_test("built without fault points");
#endif
    for (int point = 0; point < N_FAULT_POINT; point++)
        for (int pass = 1; pass <= 3; pass++) {
            char name[32], fault[64];
            nas_error_t notice = {0}, err = {0};
            (void)snprintf(name, sizeof name, "%d-%d.h5", point, pass);
            (void)snprintf(fault, sizeof fault, "%s:%d:KILL", FAULT_POINT[point], pass);
            const temp_path_t path = temp_file(&folder, name);
            cr_assert(write_until_killed(path.text, 1, 5, fault), "%s", fault);
            const int found = read_generation(path.text, &notice, &err);
            cr_assert_eq(found, point < 5 ? (pass > 1 ? pass - 1 : -1) : pass, "%s: %d, %s", fault,
                         found, err.text);
            cr_assert_not(write_until_killed(path.text, 10, 2, "never:1:KILL"));
            cr_assert_eq(read_generation(path.text, &notice, &err), 11, "%s: %s", fault, err.text);
            cr_assert_str_eq(notice.text, "");
        }
}

Test(statefile_writing, writer_killed_beside_a_damaged_file_leaves_a_whole_state)
{
#ifndef NAS_WITH_FAULTS
    cr_skip_test("built without fault points");
#endif
    for (int point = 0; point < N_FAULT_POINT; point++) {
        char fault[64];
        nas_error_t notice = {0}, err = {0};
        const temp_path_t path = temp_file(&folder, FAULT_POINT[point]);
        (void)snprintf(fault, sizeof fault, "%s:1:KILL", FAULT_POINT[point]);
        cr_assert_not(write_until_killed(path.text, 1, 2, "never:1:KILL"));
        damage(path.text);
        cr_assert(write_until_killed(path.text, 3, 1, fault), "%s", fault);
        cr_assert_eq(read_generation(path.text, &notice, &err), point < 5 ? 1 : 3, "%s: %s", fault,
                     err.text);
    }
}

Test(statefile_writing, unknown_fault_is_refused)
{
#ifndef NAS_WITH_FAULTS
    cr_skip_test("built without fault points");
#endif
    static const char *const wrong[] = {"",
                                        "write-before",
                                        "write-before:1",
                                        "write-before:0:KILL",
                                        "write-before:1:NONE",
                                        "write-before:x:KILL",
                                        ":1:KILL"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int status = 0;
        const pid_t child = fork();
        cr_assert_geq(child, 0);
        if (child == 0) {
            (void)setenv("NAS_FAULT", wrong[i], 1);
            (void)write_generation(temp_file(&folder, "a.h5").text, 1);
            _exit(0);
        }
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 2, "NAS_FAULT=%s", wrong[i]);
    }
}

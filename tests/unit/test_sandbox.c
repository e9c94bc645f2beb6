#include "common/io/file.h"
#include "worker/data/untrusted/sandbox.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MEMORY_BYTES = 64 << 20 };

/* Enough for a second of processor time on a busy machine. Each test is a process of its own. */
static int wall_s = 100;

/* Run a task on the file "x" and take at most size bytes of its answer. */
static nas_status_t run(bool (*work)(int fd, const void *context), const void *context,
                        char *answer, size_t size, nas_error_t *err)
{
    const nas_sandbox_task_t task = {
        .path = "x",
        .limits = {.memory_bytes = MEMORY_BYTES, .cpu_s = 1, .wall_s = wall_s},
        .work = work,
        .context = context,
    };
    nas_sandbox_t sandbox;
    size_t n_read = 0;
    cr_assert_eq(nas_sandbox_start(&task, &sandbox, err), NAS_OK, "%s", err->text);
    cr_assert_eq(nas_file_read_next(sandbox.fd, "x", answer, size, &n_read, err), NAS_OK);
    memset(answer + n_read, 0, size - n_read);
    return nas_sandbox_finish(&task, &sandbox, err);
}

static void assert_ends(bool (*work)(int fd, const void *context), const void *context,
                        nas_status_t expected, const char *text)
{
    char answer[8];
    nas_error_t err = {0};
    cr_assert_eq(run(work, context, answer, sizeof answer, &err), expected);
    cr_assert_str_eq(err.text, text);
}

static bool echo(int fd, const void *context)
{
    return nas_sandbox_send(fd, context, strlen(context));
}

Test(sandbox, the_answer_arrives)
{
    char answer[8];
    nas_error_t err = {0};
    cr_assert_eq(run(echo, "hello", answer, sizeof answer, &err), NAS_OK, "%s", err.text);
    cr_assert_str_eq(answer, "hello");
}

static bool fail(int fd, const void *context)
{
    (void)fd;
    (void)context;
    return false;
}

Test(sandbox, a_failure_is_said)
{
    assert_ends(fail, NULL, NAS_EIO, "x: the process that reads it failed");
}

static bool crash(int fd, const void *context)
{
    (void)fd;
    const int signal_number = *(const int *)context;
    return raise(signal_number) != 0;
}

static void never(int signal_number)
{
    (void)signal_number;
}

Test(sandbox, a_crash_is_said_even_where_its_signal_is_caught)
{
    cr_assert_neq(signal(SIGSEGV, never), SIG_ERR);
    assert_ends(crash, &(int){SIGSEGV}, NAS_EINPUT,
                "x: reading it crashed (Segmentation fault); it is damaged");
    assert_ends(crash, &(int){SIGABRT}, NAS_EINPUT,
                "x: reading it crashed (Aborted); it is damaged");
}

static bool give_up(int fd, const void *context)
{
    (void)fd;
    _exit(*(const int *)context);
}

Test(sandbox, a_library_that_gives_up_is_said)
{
    assert_ends(give_up, &(int){1}, NAS_EINPUT,
                "x: reading it crashed (exit code 1); it is damaged");
}

static bool spin(int fd, const void *context)
{
    (void)fd;
    const volatile int *forever = context;
    while (*forever) {
    }
    return true;
}

Test(sandbox, an_endless_loop_ends)
{
    assert_ends(spin, &(int){1}, NAS_EINPUT,
                "x: not read within 1 s of processor time; is it damaged?");
}

static bool sleep_for_ever(int fd, const void *context)
{
    (void)fd;
    (void)context;
    while (pause() < 0) { /* a signal that is handled wakes it */
    }
    return true;
}

Test(sandbox, an_endless_wait_ends)
{
    wall_s = 2;
    assert_ends(sleep_for_ever, NULL, NAS_EINPUT, "x: not read within 2 s");
}

/* Sends whether that much memory is to be had. */
static bool map(int fd, const void *context)
{
    const size_t size = *(const size_t *)context;
    void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const char answer = data == MAP_FAILED ? 'n' : 'y';
    return nas_sandbox_send(fd, &answer, 1);
}

Test(sandbox, memory_is_limited)
{
    char answer[8];
    nas_error_t err = {0};
    cr_assert_eq(run(map, &(size_t){MEMORY_BYTES / 2}, answer, sizeof answer, &err), NAS_OK);
    cr_assert_str_eq(answer, "y");
    cr_assert_eq(run(map, &(size_t){2 * MEMORY_BYTES}, answer, sizeof answer, &err), NAS_OK);
    cr_assert_str_eq(answer, "n");
}

static bool chatter(int fd, const void *context)
{
    while (nas_sandbox_send(fd, context, strlen(context))) {
    }
    return false;
}

Test(sandbox, a_child_that_nobody_listens_to_ends_without_an_error)
{
    assert_ends(chatter, "more", NAS_OK, "");
}

static bool shout(int fd, const void *context)
{
    const bool good = fputs(context, stderr) >= 0 && fflush(stderr) == 0;
    return nas_sandbox_send(fd, good ? "y" : "n", 1);
}

Test(sandbox, what_the_child_prints_is_not_seen)
{
    int end[2];
    char seen[8], answer[8];
    nas_error_t err = {0};
    const int kept = dup(STDERR_FILENO);
    cr_assert_eq(pipe(end), 0);
    cr_assert_geq(dup2(end[1], STDERR_FILENO), 0);
    const nas_status_t status = run(shout, "free(): invalid pointer\n", answer, 8, &err);
    cr_assert_geq(dup2(kept, STDERR_FILENO), 0);
    close(end[1]);
    cr_assert_eq(status, NAS_OK);
    cr_assert_eq(answer[0], 'y');
    cr_assert_eq(read(end[0], seen, sizeof seen), 0);
    close(end[0]);
    close(kept);
}

#include "common/io/stop.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/io/file.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A signal handler can reach nothing but globals. */
static volatile sig_atomic_t received;
static volatile sig_atomic_t was_interrupted;

/* The second SIGINT is for a user who insists: it ends the process when the handler returns. */
static void on_signal(int signal_number)
{
    received = signal_number;
    if (signal_number != SIGINT) return;
    if (was_interrupted) {
        (void)signal(SIGINT, SIG_DFL);
        (void)raise(SIGINT);
    }
    was_interrupted = 1;
}

/* What this process does at a signal. A write beyond a limit on file sizes then fails with a
 * message that names the file. */
static const struct {
    const char *name;
    void (*handler)(int);
    int number;
    bool is_held;
} wanted[] = {{"SIGTERM", on_signal, SIGTERM, true},
              {"SIGUSR1", on_signal, SIGUSR1, true},
              {"SIGINT", on_signal, SIGINT, false},
              {"SIGXFSZ", SIG_IGN, SIGXFSZ, false}};

enum { N_WANTED = sizeof wanted / sizeof wanted[0] };

static bool is_installed;
static double next_keep_s;

static bool is_kept(int i)
{
    struct sigaction now;
    return sigaction(wanted[i].number, NULL, &now) == 0 && now.sa_handler == wanted[i].handler;
}

static void set(int i)
{
    const struct sigaction action = {.sa_handler = wanted[i].handler, .sa_flags = SA_RESTART};
    const int result = sigaction(wanted[i].number, &action, NULL);
    NAS_ASSERT(result == 0 && is_kept(i));
}

/* Returns how many signals did something else. */
static int set_taken(bool is_said)
{
    int n_taken = 0;
    for (int i = 0; i < N_WANTED; i++) {
        if (is_kept(i)) continue;
        set(i);
        n_taken++;
        if (is_said)
            nas_log_line(
                "a library has taken %s for itself; it is this program's again, but one that came meanwhile is lost",
                wanted[i].name);
    }
    return n_taken;
}

void nas_stop_install(void)
{
    sigset_t all;
    (void)set_taken(false);
    (void)sigemptyset(&all);
    for (int i = 0; i < N_WANTED; i++) (void)sigaddset(&all, wanted[i].number);
    (void)sigprocmask(SIG_UNBLOCK, &all, NULL); /* those that were held back are noted now */
    is_installed = true;
}

void nas_stop_hold(void)
{
    sigset_t held;
    (void)sigemptyset(&held);
    for (int i = 0; i < N_WANTED; i++)
        if (wanted[i].is_held) (void)sigaddset(&held, wanted[i].number);
    (void)sigprocmask(SIG_BLOCK, &held, NULL);
    is_installed = false;
}

int nas_stop_keep(void)
{
    return is_installed ? set_taken(true) : 0;
}

int nas_stop_signal(void)
{
    const double interval_s = 0.1;
    const double now_s = nas_clock_monotonic_s();
    if (now_s >= next_keep_s) {
        next_keep_s = now_s + interval_s;
        (void)nas_stop_keep();
    }
    return (int)received;
}

static bool is_folder(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static nas_status_t check_no_folder(const char *path, nas_error_t *err)
{
    if (!is_folder(path)) return NAS_OK;
    return nas_error_set(err, NAS_EINPUT,
                         "%s is a directory; a file of that name stops the run: remove it", path);
}

nas_status_t nas_stop_file_init(nas_stop_file_t *file, const char *output, nas_error_t *err)
{
    char *target = NULL;
    nas_status_t status = nas_file_follow(output, &target, err);
    if (status) return status;
    *file = (nas_stop_file_t){.path = nas_file_sibling(output, ".stop", err),
                              .target = nas_file_sibling(target, ".stop", err)};
    free(target);
    status = file->path && file->target ? NAS_OK : NAS_ENOMEM;
    if (!status) status = check_no_folder(file->path, err);
    if (!status) status = check_no_folder(file->target, err);
    if (status) nas_stop_file_fini(file);
    return status;
}

static bool stops(const char *path)
{
    return nas_file_exists(path) && !is_folder(path);
}

bool nas_stop_file_seen(nas_stop_file_t *file)
{
    const double interval_s = 0.5;
    const double now_s = nas_clock_monotonic_s();
    if (now_s < file->next_look_s) return false;
    file->next_look_s = now_s + interval_s;
    return stops(file->path) || stops(file->target);
}

bool nas_stop_file_clear(const nas_stop_file_t *file)
{
    (void)unlink(file->path);
    (void)unlink(file->target);
    return !stops(file->path) && !stops(file->target);
}

void nas_stop_file_fini(nas_stop_file_t *file)
{
    free(file->path);
    free(file->target);
    *file = (nas_stop_file_t){0};
}

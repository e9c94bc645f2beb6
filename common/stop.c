#include "common/stop.h"

#include "common/clock.h"
#include "common/file.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A signal handler can reach nothing but a global. */
static volatile sig_atomic_t received;

static void on_signal(int signal_number)
{
    received = signal_number;
}

void nas_stop_install(void)
{
    static const int graceful[] = {SIGTERM, SIGUSR1, SIGINT};
    for (size_t i = 0; i < sizeof graceful / sizeof graceful[0]; i++) {
        struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
        if (graceful[i] == SIGINT) action.sa_flags |= (int)SA_RESETHAND;
        (void)sigaction(graceful[i], &action, NULL);
    }
    /* a write beyond a limit on file sizes then fails with a message that names the file */
    (void)signal(SIGXFSZ, SIG_IGN);
}

int nas_stop_signal(void)
{
    return (int)received;
}

nas_status_t nas_stop_file_init(nas_stop_file_t *file, const char *output, nas_error_t *err)
{
    file->next_look_s = 0;
    file->path = nas_file_sibling(output, ".stop", err);
    return file->path ? NAS_OK : NAS_ENOMEM;
}

bool nas_stop_file_seen(nas_stop_file_t *file)
{
    const double interval_s = 0.5;
    const double now_s = nas_clock_monotonic_s();
    if (now_s < file->next_look_s) return false;
    file->next_look_s = now_s + interval_s;
    return nas_file_exists(file->path);
}

void nas_stop_file_clear(const nas_stop_file_t *file)
{
    (void)unlink(file->path);
}

void nas_stop_file_fini(nas_stop_file_t *file)
{
    free(file->path);
    *file = (nas_stop_file_t){0};
}

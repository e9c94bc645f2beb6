#include "common/base/fault.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef NAS_WITH_FAULTS

enum { POINT_SIZE = 64 };

/* What the environment asks for. */
typedef struct fault {
    char point[POINT_SIZE]; /* empty: nothing */
    long n;                 /* passes until the signal */
    int signal;
} fault_t;

/* Number of a signal given by number or name, or 0. */
static int signal_number(const char *text)
{
    static const struct {
        const char *name;
        int number;
    } known[] = {{"KILL", SIGKILL}, {"TERM", SIGTERM}, {"USR1", SIGUSR1}, {"INT", SIGINT},
                 {"HUP", SIGHUP},   {"SEGV", SIGSEGV}, {"ABRT", SIGABRT}, {"STOP", SIGSTOP}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(text, known[i].name) == 0) return known[i].number;
    char *end = NULL;
    const long number = strtol(text, &end, 10);
    return end != text && !*end && number > 0 && number < NSIG ? (int)number : 0;
}

/* A fault that was asked for in a wrong way must not pass for a run without faults. */
static fault_t parse(const char *text)
{
    fault_t fault = {0};
    const char *colon = strchr(text, ':');
    const size_t length = colon ? (size_t)(colon - text) : 0;
    char *end = NULL;
    if (length > 0 && length < POINT_SIZE) {
        memcpy(fault.point, text, length);
        fault.n = strtol(colon + 1, &end, 10);
        if (*end == ':') fault.signal = signal_number(end + 1);
    }
    if (fault.n < 1 || fault.signal == 0) {
        (void)fprintf(
            stderr,
            "robotnas: NAS_FAULT=%s: expected point:n:signal, such as write-middle:2:KILL\n", text);
        exit(2);
    }
    return fault;
}

void nas_fault_point(const char *point)
{
    /* Static, since fault points stand where no context reaches: a device for tests, absent from
     * release builds. */
    static fault_t fault;
    static int parsed;
    if (!parsed) {
        const char *text = getenv("NAS_FAULT");
        if (text) fault = parse(text);
        parsed = 1;
    }
    if (strcmp(point, fault.point) == 0 && --fault.n == 0) (void)kill(getpid(), fault.signal);
}

#endif

#include "worker/objectives/command/descendants.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

typedef struct process {
    pid_t pid;
    pid_t parent;
    pid_t group;
    bool descends;
} process_t;

typedef struct processes {
    process_t *at;
    size_t n;
    size_t capacity;
} processes_t;

/* "123 (name) S parent group ...", where the name may hold anything, blanks and brackets too. */
static bool read_process(const char *pid, process_t *process)
{
    char path[64], text[512];
    (void)snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false; /* it has ended meanwhile */
    const ssize_t n = read(fd, text, sizeof text - 1);
    (void)close(fd);
    text[n > 0 ? n : 0] = '\0';
    char *field = strrchr(text, ')');
    if (!field || strlen(field) < 4) return false;
    const long parent = strtol(field + 3, &field, 10);
    const long group = strtol(field, NULL, 10);
    *process = (process_t){
        .pid = (pid_t)strtol(pid, NULL, 10), .parent = (pid_t)parent, .group = (pid_t)group};
    return process->pid > 0;
}

static bool add(processes_t *all, process_t process)
{
    if (all->n == all->capacity) {
        const size_t capacity = all->capacity > 0 ? 2 * all->capacity : 1024;
        process_t *at = realloc(all->at, capacity * sizeof *at);
        if (!at) return false;
        all->at = at;
        all->capacity = capacity;
    }
    all->at[all->n++] = process;
    return true;
}

/* Those of all processes for which there is memory. */
static void list_all(processes_t *all)
{
    process_t process;
    bool room = true;
    DIR *dir = opendir("/proc");
    if (!dir) return;
    for (const struct dirent *entry = readdir(dir); entry && room; entry = readdir(dir))
        if (isdigit((unsigned char)entry->d_name[0]) && read_process(entry->d_name, &process))
            room = add(all, process);
    (void)closedir(dir);
}

static int by_pid(const void *a, const void *b)
{
    const process_t *left = a, *right = b;
    return (left->pid > right->pid) - (left->pid < right->pid);
}

static int by_group(const void *a, const void *b)
{
    const process_t *left = a, *right = b;
    return (left->group > right->group) - (left->group < right->group);
}

static bool descends(const processes_t *all, const process_t *process, pid_t root)
{
    if (process->parent == root) return true;
    const process_t key = {.pid = process->parent};
    const process_t *parent = bsearch(&key, all->at, all->n, sizeof key, by_pid);
    return parent && parent->descends;
}

/* Parents mostly have lower numbers, so that one pass finds nearly all. */
static void mark(processes_t *all, pid_t root)
{
    qsort(all->at, all->n, sizeof *all->at, by_pid);
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < all->n; i++) {
            process_t *process = &all->at[i];
            if (process->descends || !descends(all, process, root)) continue;
            process->descends = true;
            changed = true;
        }
    }
}

/* A group of a descendant, other than this process's own, holds descendants only: groups do not
 * reach beyond their session, and its first process is a descendant. */
static void send_signal(processes_t *all, int signal_number)
{
    const pid_t own_group = getpgrp();
    pid_t last = own_group;
    qsort(all->at, all->n, sizeof *all->at, by_group);
    for (size_t i = 0; i < all->n; i++) {
        const process_t *process = &all->at[i];
        if (!process->descends) continue;
        if (process->group == own_group) /* not yet in the session that it makes for itself */
            (void)kill(process->pid, signal_number);
        else if (process->group != last && process->group > 1) /* -1 would mean everybody */
            (void)kill(-process->group, signal_number);
        last = process->group;
    }
}

void nas_descendants_signal(int signal_number)
{
    processes_t all = {0};
    list_all(&all);
    if (all.n > 0) {
        mark(&all, getpid());
        send_signal(&all, signal_number);
    }
    free(all.at);
}

#include "worker/command/output.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

enum { NOTES_SIZE = 1024 /* of the file, set aside for the program's own lines */ };

static bool write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        const ssize_t n = write(fd, data, size);
        if (n < 0 && errno != EINTR) return false;
        if (n <= 0) continue;
        data += n;
        size -= (size_t)n;
    }
    return true;
}

static void close_once(int *fd)
{
    if (*fd >= 0) (void)close(*fd);
    *fd = -1;
}

static void save(nas_output_t *output, const char *data, size_t size)
{
    const size_t room = (size_t)(NAS_OUTPUT_SIZE - NOTES_SIZE - output->n_saved);
    const size_t n = size < room ? size : room;
    if (output->to >= 0 && !write_all(output->to, data, n)) close_once(&output->to);
    output->n_saved += (int64_t)n;
    output->n_dropped += (int64_t)(size - n);
}

size_t nas_output_take(nas_output_t *output, char piece[NAS_OUTPUT_PIECE])
{
    if (output->from < 0) return 0;
    const ssize_t n = read(output->from, piece, NAS_OUTPUT_PIECE);
    if (n > 0) {
        save(output, piece, (size_t)n);
        return (size_t)n;
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) close_once(&output->from);
    return 0;
}

void nas_output_note(nas_output_t *output, const char *line)
{
    if (output->to >= 0) (void)dprintf(output->to, "\nrobotnas: %.200s\n", line);
}

void nas_output_finish(nas_output_t *output)
{
    char line[100];
    (void)snprintf(line, sizeof line, "%lld more bytes were printed, and dropped",
                   (long long)output->n_dropped);
    if (output->n_dropped > 0) nas_output_note(output, line);
    close_once(&output->from);
    close_once(&output->to);
}

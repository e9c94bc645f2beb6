#include "worker/objectives/command/output.h"

#include "common/io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NOTES_SIZE = 1024, /* of the file, set aside for the program's own lines */
    TAIL_SIZE = 8192   /* bytes of the end that is looked at */
};

static const char note[] = "robotnas: ";

static void close_once(int *fd)
{
    if (*fd >= 0) (void)close(*fd);
    *fd = -1;
}

static void save(nas_output_t *output, const char *data, size_t size)
{
    const size_t room = (size_t)(NAS_OUTPUT_SIZE - NOTES_SIZE - output->n_saved);
    const size_t n = size < room ? size : room;
    if (output->to >= 0 && !nas_file_write_all(output->to, data, n)) close_once(&output->to);
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
    if (output->to >= 0) (void)dprintf(output->to, "\n%s%.200s\n", note, line);
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

/* ------------------------------------------------------------------------------ the last line */

static bool read_tail(const char *path, char tail[TAIL_SIZE], size_t *n)
{
    struct stat info;
    const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n_read = -1;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode))
        n_read =
            pread(fd, tail, TAIL_SIZE, info.st_size > TAIL_SIZE ? info.st_size - TAIL_SIZE : 0);
    (void)close(fd);
    if (n_read < 0) return false;
    *n = (size_t)n_read;
    return true;
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

bool nas_output_last_line(const char *path, char line[NAS_OUTPUT_LINE_SIZE])
{
    char tail[TAIL_SIZE];
    size_t end = 0;
    *line = '\0';
    if (!read_tail(path, tail, &end)) return false;
    while (end > 0) {
        while (end > 0 && is_one_of(tail[end - 1], " \t\r\n")) end--;
        size_t begin = end;
        while (begin > 0 && !is_one_of(tail[begin - 1], "\r\n")) begin--;
        const size_t n = end - begin, most = NAS_OUTPUT_LINE_SIZE - 1;
        const bool ours = n >= sizeof note - 1 && memcmp(tail + begin, note, sizeof note - 1) == 0;
        end = begin;
        if (n == 0 || ours) continue;
        memcpy(line, tail + begin, n < most ? n : most);
        line[n < most ? n : most] = '\0';
        return true;
    }
    return true;
}

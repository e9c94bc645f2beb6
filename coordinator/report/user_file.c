#include "coordinator/report/user_file.h"

#include "common/io/file.h"
#include "common/state/statefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static nas_status_t cannot_write(const char *path, nas_error_t *err)
{
    return nas_error_set(err, NAS_EIO, "cannot write %s: %s", path, strerror(errno));
}

/* Whether it is no file, but takes what is written to it. */
static bool is_stream(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISCHR(info.st_mode));
}

static nas_status_t open_stream(const char *path, nas_user_file_t *file, nas_error_t *err)
{
    const int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 && errno == ENXIO)
        return nas_error_set(err, NAS_EINPUT, "%s is a pipe that nobody reads from", path);
    if (fd < 0) return cannot_write(path, err);
    (void)fcntl(fd, F_SETFL, 0); /* clears O_NONBLOCK */
    file->stream = fdopen(fd, "w");
    if (file->stream) return NAS_OK;
    (void)close(fd);
    return nas_error_nomem(err, path);
}

static nas_status_t open_tmp(const char *path, nas_user_file_t *file, nas_error_t *err)
{
    int fd = -1;
    nas_status_t status = nas_file_follow(path, &file->path, err);
    if (!status && nas_statefile_begins(file->path))
        status = nas_error_set(
            err, NAS_EINPUT,
            "%s is the state file of a run, which would be lost; name another file to write to",
            path);
    if (!status) status = nas_file_begin(file->path, &file->tmp, &fd, err);
    if (status) return status;
    file->stream = fdopen(fd, "w");
    if (file->stream) return NAS_OK;
    (void)close(fd);
    (void)unlink(file->tmp);
    return nas_error_nomem(err, path);
}

static void fini(nas_user_file_t *file)
{
    free(file->path);
    free(file->tmp);
    *file = (nas_user_file_t){0};
}

nas_status_t nas_user_file_open(const char *path, nas_user_file_t *file, nas_error_t *err)
{
    nas_user_file_t made = {.stream = stdout};
    nas_status_t status = NAS_OK;
    if (strcmp(path, "-") != 0)
        status = is_stream(path) ? open_stream(path, &made, err) : open_tmp(path, &made, err);
    if (status)
        fini(&made);
    else
        *file = made;
    return status;
}

nas_status_t nas_user_file_close(nas_user_file_t *file, nas_status_t status, nas_error_t *err)
{
    const char *name = file->tmp ? file->tmp : "the output";
    if ((fflush(file->stream) || ferror(file->stream)) && !status) status = cannot_write(name, err);
    if (file->tmp && !status)
        status = nas_file_publish(fileno(file->stream), file->tmp, file->path, err);
    if (file->tmp && status) (void)unlink(file->tmp);
    if (file->stream != stdout) (void)fclose(file->stream);
    fini(file);
    return status;
}

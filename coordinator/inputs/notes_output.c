/* Notes about where a run will write. */
#include "common/io/file.h"
#include "common/state/statefile.h"
#include "coordinator/inputs/note.h"
#include "coordinator/inputs/notes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The nearest folder, or other thing, above a path that is there; the caller frees it. NULL with
 * err set. */
static char *climb(const char *path, nas_error_t *err)
{
    size_t length = strlen(path);
    for (;;) {
        while (length > 0 && path[length - 1] != '/') length--;
        while (length > 1 && path[length - 1] == '/') length--;
        if (length == 0) return nas_string_copy(".", err);
        char *above = nas_string_format(err, "%.*s", (int)length, path);
        if (!above || length == 1 || nas_file_exists(above)) return above;
        free(above);
    }
}

static nas_status_t note_folder(const char *output, nas_strings_t *notes, nas_error_t *err)
{
    struct stat info;
    char *folder = climb(output, err);
    if (!folder) return NAS_ENOMEM;
    nas_status_t status = NAS_OK;
    errno = stat(folder, &info) == 0 && !S_ISDIR(info.st_mode) ? ENOTDIR : 0;
    if (errno || access(folder, W_OK | X_OK) != 0)
        status =
            nas_note_add(notes,
                         nas_string_format(err, "output: nothing can be written into %.200s: %s",
                                           folder, strerror(errno)),
                         err);
    free(folder);
    return status;
}

nas_status_t nas_inputs_note_output(const nas_inputs_t *inputs, nas_strings_t *notes,
                                    nas_error_t *err)
{
    const char *output = inputs->job->output;
    char *target = NULL;
    nas_status_t status = nas_file_follow(output, &target, err);
    if (!status) status = nas_file_check_replaceable(target, err);
    if (!status) status = nas_statefile_check_own(target, err);
    if (!status) status = note_folder(target, notes, err);
    if (!status && nas_statefile_exists(output))
        status = nas_note_add(
            notes,
            nas_string_format(
                err,
                "output: a run is at %.200s already; --resume goes on with it, --fresh starts anew",
                output),
            err);
    free(target);
    return status;
}

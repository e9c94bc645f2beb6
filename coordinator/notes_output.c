/* Notes about where a run will write. */
#include "common/file.h"
#include "common/statefile.h"
#include "coordinator/notes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Cut a path down to the nearest thing above it that is there. */
static void climb(char *path)
{
    do {
        char *slash = strrchr(path, '/');
        if (!slash)
            (void)strcpy(path, "."); /* a path has room for it */
        else
            slash[slash == path] = '\0';
    } while (!nas_file_exists(path) && strcmp(path, ".") != 0 && strcmp(path, "/") != 0);
}

static nas_status_t note_folder(const char *output, nas_strings_t *notes, nas_error_t *err)
{
    char *folder = nas_string_copy(output, err);
    if (!folder) return NAS_ENOMEM;
    climb(folder);
    struct stat info;
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
    if (!status) status = note_folder(target, notes, err);
    if (!status && nas_statefile_exists(output))
        status = nas_note_add(notes,
                              nas_string_format(err,
                                                "output: a run is at %.200s already; --resume goes "
                                                "on with it, --fresh starts anew",
                                                output),
                              err);
    free(target);
    return status;
}

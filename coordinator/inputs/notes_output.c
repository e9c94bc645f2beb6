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

/* Where the job names no method, and the run that is there has another one than the default: how it
 * goes on. The caller's; NULL: it does not, or cannot be read. */
static char *other_method(const nas_inputs_t *inputs, const char *output)
{
    const nas_method_t *method = inputs->search.method;
    nas_state_t state = {0};
    nas_error_t ignored = {0};
    char *text = NULL;
    if (!method || nas_job_names(inputs->job, "search.method")) return NULL;
    if (nas_statefile_read(output, &state, &ignored, &ignored)) return NULL;
    if (nas_method_find(state.method) && strcmp(state.method, method->name) != 0)
        text = nas_string_format(NULL, " by its method %s, since the job names none", state.method);
    nas_state_fini(&state);
    return text;
}

static nas_status_t note_run(const nas_inputs_t *inputs, nas_strings_t *notes, nas_error_t *err)
{
    const char *output = inputs->job->output;
    char *how = other_method(inputs, output);
    const nas_status_t status = nas_note_add(
        notes,
        nas_string_format(
            err,
            "output: a run is at %.200s already; --resume goes on with it%s, --fresh starts anew",
            output, how ? how : ""),
        err);
    free(how);
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
    if (!status && nas_statefile_exists(output)) status = note_run(inputs, notes, err);
    free(target);
    return status;
}

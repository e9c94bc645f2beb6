#include "worker/data/folders/folder_internal.h"

#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------------------------- the whole */

nas_status_t nas_folder_absorb(nas_folder_faults_t *faults, nas_status_t status,
                               const nas_error_t *reason, nas_error_t *err)
{
    if (status == NAS_OK) return NAS_OK;
    if (status != NAS_EINPUT) return nas_error_set(err, status, "%s", reason->text);
    if (faults->n++ >= NAS_FOLDER_MOST_FAULTS) return NAS_OK;
    char *line = nas_string_escape(reason->text, err);
    status = line ? nas_strings_add(&faults->line, line, strlen(line), err) : NAS_ENOMEM;
    free(line);
    return status;
}

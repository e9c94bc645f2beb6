#include "coordinator/inputs/note.h"

#include "common/base/log.h"

#include <stdlib.h>
#include <string.h>

nas_status_t nas_note_add(nas_strings_t *notes, char *text, nas_error_t *err)
{
    const nas_status_t status = text ? nas_strings_add(notes, text, strlen(text), err) : NAS_ENOMEM;
    free(text);
    return status;
}

void nas_notes_log(const nas_strings_t *notes)
{
    for (size_t i = 0; i < notes->n; i++) nas_log_line("note: %s", notes->at[i]);
}

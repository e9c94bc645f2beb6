/* A note: a line about an input that nothing forbids and nobody may have meant. */
#ifndef NAS_COORDINATOR_INPUTS_NOTE_H
#define NAS_COORDINATOR_INPUTS_NOTE_H

#include "common/base/error.h"
#include "common/base/strings.h"

/** Append a note. Takes over text (free); NULL: NAS_ENOMEM. */
nas_status_t nas_note_add(nas_strings_t *notes, char *text, nas_error_t *err);

/** Say notes in the log. */
void nas_notes_log(const nas_strings_t *notes);

#endif

/* Texts as words of a shell, for commands that are printed to be copied. */
#ifndef NAS_COORDINATOR_COMMANDS_SHELL_WORD_H
#define NAS_COORDINATOR_COMMANDS_SHELL_WORD_H

#include "common/base/error.h"
#include "common/base/strings.h"

/** The text as one word that a shell takes for it: in single quotes where it is not plain. Owned by
 *  the caller (free), or NULL with err set. */
char *nas_shell_word(const char *text, nas_error_t *err);

/** Cut a command into words at its blanks; '...', "..." and \ hold together as in a shell, of which
 *  nothing else is done.
 *  words [out].  NAS_EARG: a quote that is not closed. NAS_ENOMEM. */
nas_status_t nas_shell_split(const char *command, nas_strings_t *words, nas_error_t *err);

#endif

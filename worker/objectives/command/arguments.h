/* The trainer's program and arguments: placeholders, and whether the program is there. */
#ifndef NAS_WORKER_OBJECTIVES_COMMAND_ARGUMENTS_H
#define NAS_WORKER_OBJECTIVES_COMMAND_ARGUMENTS_H

#include "common/base/error.h"
#include "common/base/strings.h"

#include <stdbool.h>

/** What is replaced. */
typedef enum nas_placeholder {
    NAS_PLACEHOLDER_ARCH = 0, /**< {arch} */
    NAS_PLACEHOLDER_INDEX,    /**< {index} */
    NAS_PLACEHOLDER_SEED,     /**< {seed} */
    NAS_PLACEHOLDER_WORK,     /**< {work} */
    NAS_PLACEHOLDER_DEVICE,   /**< {device} */
    NAS_PLACEHOLDER_JOB,      /**< {job} */
    NAS_PLACEHOLDER_ONNX,     /**< {onnx} */
    NAS_PLACEHOLDERS
} nas_placeholder_t;

/** Their texts, borrowed; NULL: not known here. */
typedef struct nas_placeholder_texts {
    const char *at[NAS_PLACEHOLDERS];
    bool
        of_network; /**< it is about a network's file: {arch}, {job} and {onnx} are known; otherwise
                          all but {onnx} */
} nas_placeholder_texts_t;

/** Replace the placeholders of a text; {{ and }} become braces.  Not collective. What is put in is
 *  not looked at again.
 *  text_p [out] the caller's (free).
 *  NAS_EINPUT: an unknown placeholder, or one without a text; an unpaired brace. NAS_ENOMEM. */
nas_status_t nas_argument_expand(const char *argument, const nas_placeholder_texts_t *texts,
                                 char **text_p, nas_error_t *err);

/** Whether a program is there, where execvp would look for it.  Not collective.
 *  NAS_EINPUT: it is not in PATH, not at its path, or may not be run. */
nas_status_t nas_argument_find_program(const char *program, nas_error_t *err);

#endif

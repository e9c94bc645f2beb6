/* What a trainer prints on one stream, saved in a file up to a limit. */
#ifndef NAS_WORKER_COMMAND_OUTPUT_H
#define NAS_WORKER_COMMAND_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

enum {
    NAS_OUTPUT_SIZE = 16 << 20, /**< bytes of the largest file */
    NAS_OUTPUT_PIECE = 1 << 16  /**< bytes taken at a time */
};

/** A stream. Both descriptors are owned; end with nas_output_finish. */
typedef struct nas_output {
    int from; /**< the pipe, which must not block; -1 after its end */
    int to;   /**< the file; -1 where it cannot be written, as on a full disk: what is printed is
                   read all the same, so that the trainer does not wait */
    int64_t n_saved;
    int64_t n_dropped;
} nas_output_t;

/** Take what is there, at most a piece, and save it.  Not collective. Does not wait.
 *  Returns its bytes, 0 where there are none now or no more. */
size_t nas_output_take(nas_output_t *output, char piece[NAS_OUTPUT_PIECE]);

/** Add the program's own line to the file, where there is room. */
void nas_output_note(nas_output_t *output, const char *line);

/** Say how much was dropped, where something was, and close both. */
void nas_output_finish(nas_output_t *output);

#endif

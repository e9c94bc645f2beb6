/* What a trainer prints on one stream, saved in a file up to a limit, and the end of such a file.
 */
#ifndef NAS_WORKER_OBJECTIVES_COMMAND_OUTPUT_H
#define NAS_WORKER_OBJECTIVES_COMMAND_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What ends the files' names. */
#define NAS_OUTPUT_OUT ".out"
#define NAS_OUTPUT_ERR ".err"

enum {
    NAS_OUTPUT_SIZE = 16 << 20, /**< bytes of the largest file */
    NAS_OUTPUT_PIECE = 1 << 16, /**< bytes taken at a time */
    NAS_OUTPUT_LINE_SIZE = 256  /**< room for a line, for a message */
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

/** The last line of a file that a trainer printed, of those that are not blank and not the
 *  program's own; newlines and carriage returns end a line.  Not collective. Reads the end of the
 *  file only.
 *  line [out] its beginning, "" where there is none. Returns false where no file is there that can
 *  be read; a link is none. */
bool nas_output_last_line(const char *path, char line[NAS_OUTPUT_LINE_SIZE]);

#endif

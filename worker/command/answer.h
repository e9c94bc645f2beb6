/* What a trainer answers: one line of JSON among whatever else it prints. */
#ifndef NAS_WORKER_COMMAND_ANSWER_H
#define NAS_WORKER_COMMAND_ANSWER_H

#include "common/error.h"
#include "common/strings.h"
#include "worker/candidate.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NAS_ANSWER_SIZE = 1 << 20 /**< bytes of the longest answer */ };

/** The lines of a text that begin with '{', collected while the text goes by. Zero-initialise; end
 *  with nas_answer_fini. */
typedef struct nas_answer {
    char *line;      /**< the first such line, without its end; owned, no NUL */
    size_t n_bytes;  /**< of line */
    size_t capacity; /**< of line */
    int64_t n_lines; /**< how many there are */
    bool too_long;   /**< the first has more than NAS_ANSWER_SIZE bytes; line is cut */
    enum {
        NAS_ANSWER_BETWEEN = 0, /**< the next byte begins a line */
        NAS_ANSWER_WITHIN,      /**< within the first such line */
        NAS_ANSWER_ELSEWHERE    /**< within another */
    } place;
} nas_answer_t;

/** Take the next bytes of the text; how it is cut into pieces makes no difference.  Not collective.
 *  Any bytes will do. O(n_bytes); keeps at most NAS_ANSWER_SIZE. NAS_ENOMEM. */
nas_status_t nas_answer_feed(nas_answer_t *answer, const char *data, size_t n_bytes,
                             nas_error_t *err);

/** Read the answer, after the end of the text.  Not collective. Depends on the text alone.
 *  columns: names of the numbers to take from "columns".
 *  outcome [out] the caller's: NAS_EVAL_OK with score, cost and columns [columns->n], or
 *  NAS_EVAL_FAILED with a reason. NAS_ENOMEM. */
nas_status_t nas_answer_read(const nas_answer_t *answer, const nas_strings_t *columns,
                             nas_outcome_t *outcome, nas_error_t *err);

/** Free the line; answer is zero afterwards. */
void nas_answer_fini(nas_answer_t *answer);

#endif

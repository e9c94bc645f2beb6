/* What a trainer answers: one line of JSON among whatever else it prints. */
#ifndef NAS_WORKER_OBJECTIVES_COMMAND_ANSWER_H
#define NAS_WORKER_OBJECTIVES_COMMAND_ANSWER_H

#include "common/base/error.h"
#include "common/base/strings.h"
#include "worker/candidates/candidate.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NAS_ANSWER_SIZE = 1 << 20, /**< bytes of the longest answer */
    NAS_ANSWER_SEEN_SIZE = 96  /**< room for the beginning of a line, for a message */
};

/** A line, without the blanks before it and without its end. */
typedef struct nas_answer_line {
    char *at; /**< owned, no NUL */
    size_t n_bytes;
    size_t capacity;
    bool too_long; /**< it has more than NAS_ANSWER_SIZE bytes and is cut */
} nas_answer_line_t;

/** The answer of a text, looked for while the text goes by: the last line that is a JSON object
 *  with the key "score". A line that begins with '{' and has "score": in it but is not JSON, as
 *  where Python has written NaN, is an answer too, and a wrong one: else the score of an earlier
 *  line would pass for the last. Newlines and carriage returns end a line; blanks and UTF-8 byte
 *  order marks before one are skipped. Zero-initialise; end with nas_answer_fini. */
typedef struct nas_answer {
    nas_answer_line_t line;          /**< the answer so far; no bytes: none */
    nas_answer_line_t reading;       /**< the line that goes by, where it begins with '{' */
    int64_t n_lines;                 /**< of the text, other than blank ones */
    bool seen_brace;                 /**< some of them begin with '{' */
    char seen[NAS_ANSWER_SEEN_SIZE]; /**< beginning of the last of these, else of the last line */
    size_t n_seen;                   /**< bytes in it */
    size_t n_mark;                   /**< bytes of a byte order mark that may have begun */
    size_t n_wide;                   /**< characters of "score" in UTF-16, at the end so far */
    bool is_wide;                    /**< the text has it in UTF-16 */
    enum {
        NAS_ANSWER_BETWEEN = 0, /**< the next byte that is no blank begins a line */
        NAS_ANSWER_WITHIN,      /**< within a line that begins with '{' */
        NAS_ANSWER_ELSEWHERE    /**< within another */
    } place;
} nas_answer_t;

/** Take the next bytes of the text; how it is cut into pieces makes no difference.  Not collective.
 *  Any bytes will do. O(n_bytes); keeps two lines of at most NAS_ANSWER_SIZE. NAS_ENOMEM. */
nas_status_t nas_answer_feed(nas_answer_t *answer, const char *data, size_t n_bytes,
                             nas_error_t *err);

/** The text has ended, and its last line with it. */
void nas_answer_end(nas_answer_t *answer);

/** Read the answer, after nas_answer_end.  Not collective. Depends on the text alone.
 *  columns: names of the numbers to take from "columns".
 *  outcome [out] the caller's: NAS_EVAL_OK with score, cost and columns [columns->n], or
 *  NAS_EVAL_FAILED with a reason, which says what was seen where there is no answer. NAS_ENOMEM. */
nas_status_t nas_answer_read(const nas_answer_t *answer, const nas_strings_t *columns,
                             nas_outcome_t *outcome, nas_error_t *err);

/** Free the lines; answer is zero afterwards. */
void nas_answer_fini(nas_answer_t *answer);

#endif

/* Status codes and error texts, shared by every module.
 *
 * A user's or the system's error is a nas_status_t plus one line of text in a caller-owned
 * nas_error_t; whoever decides that it is an error writes the text, and main() prints it once. Our
 * own bugs are NAS_ASSERT.
 */
#ifndef NAS_COMMON_BASE_ERROR_H
#define NAS_COMMON_BASE_ERROR_H

/** Ordered by severity, so that ranks agree on the worst by taking the maximum. */
typedef enum nas_status {
    NAS_OK = 0,
    NAS_ESTOP,    /**< stopped on request, state saved; exit 75 */
    NAS_EARG,     /**< bad usage of the command line or of a function; exit 2 */
    NAS_EINPUT,   /**< a job file, table or state file is wrong; exit 2 */
    NAS_EFAILED,  /**< no candidate succeeded; exit 1 */
    NAS_ENUMERIC, /**< numerical breakdown; exit 1 */
    NAS_EIO,      /**< the system failed to read or write; exit 1 */
    NAS_ENOMEM,   /**< out of memory; exit 1 */
    NAS_ECOMM     /**< communication failed or a rank is missing; exit 1 */
} nas_status_t;

enum { NAS_ERROR_SIZE = 1024 };

/** One line of text, no trailing newline. Zero-initialise it: `nas_error_t err = {0}`. */
typedef struct nas_error {
    char text[NAS_ERROR_SIZE];
} nas_error_t;

/** Write the text (printf-style, cut at NAS_ERROR_SIZE) and return `status`, for `return
 *  nas_error_set(...)`. Control characters in the text are replaced by '?', so that an error stays
 *  one line.  Not collective.
 *  err [out] may be NULL. */
nas_status_t nas_error_set(nas_error_t *err, nas_status_t status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Out of memory, with what it was for ("score table").  Not collective. */
nas_status_t nas_error_nomem(nas_error_t *err, const char *what);

/** Process exit code of a status: 0, 1, 2 or 75. */
int nas_exit_code(nas_status_t status);

/** Print file, line and condition to stderr, then abort. Used by NAS_ASSERT. */
_Noreturn void nas_assert_failed(const char *file, int line, const char *condition);

#define NAS_ASSERT(condition)                                                                      \
    ((condition) ? (void)0 : nas_assert_failed(__FILE__, __LINE__, #condition))

#endif

/* Messages to the user on stderr: plain lines, and on a terminal one status line below them.
 *
 * The log is the project's one global. It is silent until opened, and one rank opens it.
 */
#ifndef NAS_COMMON_BASE_LOG_H
#define NAS_COMMON_BASE_LOG_H

#include <stdbool.h>

/** Start to write.  Not collective: rank 0 alone, so that every line stands once. */
void nas_log_open(void);

/** Whether stderr is a terminal, so that a status line can be redrawn. */
bool nas_log_is_terminal(void);

/** One line "robotnas: ..." (with date and time where stderr is no terminal). */
void nas_log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** As nas_log_line, from any rank, the log being open or not: for what this rank alone knows. */
void nas_log_line_of_rank(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Redraw the status line; "" erases it. Does nothing where stderr is no terminal. */
void nas_log_status(const char *text);

#endif

/* The command line: each command is one file and one line in the list of list.c. */
#ifndef NAS_COORDINATOR_COMMANDS_COMMAND_H
#define NAS_COORDINATOR_COMMANDS_COMMAND_H

#include "common/error.h"

/** One command. */
typedef struct nas_command {
    const char *name;
    const char *summary; /**< one line for the list of commands */
    const char *help;    /**< usage and options, printed by --help; ends with a newline */
    /** Run it: argv[0] is the command's name. Returns the process's exit code; prints its own error
     * through nas_command_finish. */
    int (*run)(int argc, char **argv);
} nas_command_t;

extern const nas_command_t nas_command_search;
extern const nas_command_t nas_command_score;
extern const nas_command_t nas_command_check;
extern const nas_command_t nas_command_report;
extern const nas_command_t nas_command_verify;
extern const nas_command_t nas_command_bench;

/** All commands in the order of --help; n [out]. */
const nas_command_t *const *nas_command_list(int *n);

/** Print the error of a status, if it is one, as the one line "robotnas: ..."; its exit code. */
int nas_command_finish(nas_status_t status, const nas_error_t *err);

/** The error of an option that getopt_long did not like (its return value: '?' or ':').  NAS_EARG.
 */
nas_status_t nas_command_bad_option(const nas_command_t *command, char **argv, int what,
                                    nas_error_t *err);

/** The one operand that must follow the options, from optind on.  operand [out] borrowed from argv.
 * NAS_EARG names `what` ("JOB.yaml"). */
nas_status_t nas_command_operand(const nas_command_t *command, int argc, char **argv,
                                 const char *what, const char **operand, nas_error_t *err);

#endif

/* The command line: each command is one file and one line in the list of list.c. */
#ifndef NAS_COORDINATOR_COMMANDS_COMMAND_H
#define NAS_COORDINATOR_COMMANDS_COMMAND_H

#include "common/base/error.h"

#include <stdio.h>

/** One command. */
typedef struct nas_cli_command {
    const char *name;
    const char *summary; /**< one line for the list of commands */
    const char *help;    /**< usage and options, printed by --help; ends with a newline */
    /** Run it: argv[0] is the command's name. Returns the process's exit code; prints its own error
     * through nas_cli_finish. */
    int (*run)(int argc, char **argv);
} nas_cli_command_t;

extern const nas_cli_command_t nas_cli_init;
extern const nas_cli_command_t nas_cli_search;
extern const nas_cli_command_t nas_cli_score;
extern const nas_cli_command_t nas_cli_check;
extern const nas_cli_command_t nas_cli_report;
extern const nas_cli_command_t nas_cli_export;
extern const nas_cli_command_t nas_cli_verify;
extern const nas_cli_command_t nas_cli_bench;
extern const nas_cli_command_t nas_cli_convert;
extern const nas_cli_command_t nas_cli_devices;

/** All commands in the order of --help; n [out]. */
const nas_cli_command_t *const *nas_cli_list(int *n);

/** Print every method with its line, and which is the default. */
void nas_cli_print_methods(FILE *out);

/** Print the error of a status, if it is one, as the one line "robotnas: ..."; its exit code. */
int nas_cli_finish(nas_status_t status, const nas_error_t *err);

/** The error of an option that getopt_long did not like (its return value: '?' or ':').  NAS_EARG.
 */
nas_status_t nas_cli_bad_option(const nas_cli_command_t *command, char **argv, int what,
                                nas_error_t *err);

/** The one operand that must follow the options, from optind on.  operand [out] borrowed from argv.
 * NAS_EARG names `what` ("JOB.yaml"). */
nas_status_t nas_cli_operand(const nas_cli_command_t *command, int argc, char **argv,
                             const char *what, const char **operand, nas_error_t *err);

#endif

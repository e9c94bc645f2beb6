#include "coordinator/commands/command.h"

#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int nas_cli_finish(nas_status_t status, const nas_error_t *err)
{
    if (status) (void)fprintf(stderr, "robotnas: %s\n", err->text);
    return nas_exit_code(status);
}

nas_status_t nas_cli_bad_option(const nas_cli_command_t *command, char **argv, int what,
                                nas_error_t *err)
{
    /* getopt leaves an unknown letter in optopt, and optind behind an unknown word; a word that
     * lacks its value leaves its letter, too */
    const char letter[] = {'-', (char)optopt, '\0'};
    const char *last = argv[optind - 1];
    const bool is_word = strncmp(last, "--", 2) == 0;
    const char *option = !is_word && 0 < optopt && optopt <= UCHAR_MAX ? letter : last;
    return nas_error_set(err, NAS_EARG, "%s: %s '%s'; see robotnas %s --help", command->name,
                         what == ':' ? "a value is missing after" : "there is no option", option,
                         command->name);
}

nas_status_t nas_cli_operand(const nas_cli_command_t *command, int argc, char **argv,
                             const char *what, const char **operand, nas_error_t *err)
{
    if (optind >= argc)
        return nas_error_set(err, NAS_EARG, "%s: %s is missing; see robotnas %s --help",
                             command->name, what, command->name);
    if (optind + 1 < argc)
        return nas_error_set(err, NAS_EARG, "%s: one %s is enough, '%s' is too much", command->name,
                             what, argv[optind + 1]);
    *operand = argv[optind];
    return NAS_OK;
}

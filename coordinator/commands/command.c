#include "coordinator/commands/command.h"

#include "coordinator/search/methods/method.h"

#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

void nas_cli_print_methods(FILE *out)
{
    int n = 0;
    const nas_method_t *const *method = nas_method_list(&n);
    (void)fputs("\nMethods (search.method):\n", out);
    for (int i = 0; i < n; i++)
        (void)fprintf(out, "  %-10s %s%s\n", method[i]->name, method[i]->summary,
                      strcmp(method[i]->name, NAS_METHOD_DEFAULT) == 0 ? " (the default)" : "");
}

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

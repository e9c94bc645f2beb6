/* robotnas: neural architecture search on clusters. */
#include "common/base/version.h"
#include "coordinator/commands/command.h"
#include "coordinator/libraries.h"

#include <stdio.h>
#include <string.h>

static int print_version(void)
{
    (void)printf("robotnas %s (commit %s)\n", nas_version(), nas_commit());
    nas_libraries_print(stdout);
    return 0;
}

static int print_help(void)
{
    int n_commands = 0;
    const nas_cli_command_t *const *command = nas_cli_list(&n_commands);
    (void)printf(
        "usage: robotnas COMMAND ...\n\n"
        "Neural architecture search on clusters, as an MPI program: a Gaussian process over the pool,\n"
        "RoBoT (He et al., ICLR 2024) and others.\n\n"
        "Commands (robotnas COMMAND --help says more):\n");
    for (int i = 0; i < n_commands; i++)
        (void)printf("  %-10s %s\n", command[i]->name, command[i]->summary);
    nas_cli_print_methods(stdout);
    (void)printf(
        "\nrobotnas --version prints the versions of the program and its libraries.\n"
        "Exit codes: 0 done, 1 failed, 2 bad usage or input, 75 stopped on request and saved.\n");
    return 0;
}

static int unknown_command(const char *name)
{
    nas_error_t err = {0};
    return nas_cli_finish(
        nas_error_set(&err, NAS_EARG, "there is no command '%s'; see robotnas --help", name), &err);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        nas_error_t err = {0};
        return nas_cli_finish(
            nas_error_set(&err, NAS_EARG, "a command is missing; see robotnas --help"), &err);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) return print_help();
    if (strcmp(argv[1], "--version") == 0) return print_version();
    int n = 0;
    const nas_cli_command_t *const *command = nas_cli_list(&n);
    for (int i = 0; i < n; i++)
        if (strcmp(argv[1], command[i]->name) == 0) return command[i]->run(argc - 1, argv + 1);
    return unknown_command(argv[1]);
}

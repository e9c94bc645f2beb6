#include "coordinator/commands/command.h"

const nas_cli_command_t *const *nas_cli_list(int *n)
{
    static const nas_cli_command_t *const list[] = {
        &nas_cli_init,   &nas_cli_search, &nas_cli_score, &nas_cli_check,   &nas_cli_report,
        &nas_cli_export, &nas_cli_verify, &nas_cli_bench, &nas_cli_devices, &nas_cli_convert,
    };
    *n = (int)(sizeof list / sizeof list[0]);
    return list;
}

/* The reference page docs/job-file.md: rules in prose, then every field from the field table. */
#include "common/job_internal.h"

static const char intro[] =
    "# The job file\n"
    "\n"
    "A job file is one YAML document that says what to search, by what and how long. `robotnas "
    "check JOB.yaml`\n"
    "prints the resolved job, every key with its value, and runs nothing; its output is itself a "
    "job file.\n"
    "\n"
    "This page is written from the table of fields in `common/job_fields.c`; a test keeps the two "
    "equal.\n"
    "\n"
    "## Example\n"
    "\n"
    "```yaml\n"
    "name: nb201-cifar10\n"
    "seed: 10\n"
    "output: runs/nb201-cifar10.h5\n"
    "pool:\n"
    "  space: table\n"
    "  table: ${ROBOTNAS_TABLES}/nb201-cifar10.csv\n"
    "  arch: arch\n"
    "  encoding: nas-bench-201\n"
    "metrics:\n"
    "  source: table\n"
    "  names: [grad_norm, snip, grasp, fisher, synflow, jacov]\n"
    "  transform: {synflow: exp}\n"
    "objective:\n"
    "  kind: table\n"
    "  column: cifar10_valid_acc_12ep\n"
    "  cost: train_seconds_12ep\n"
    "  report: [cifar10_test_acc, cifar100_test_acc, imagenet16_test_acc]\n"
    "search: {method: robot, budget: 20, repeats: 20}\n"
    "```\n"
    "\n"
    "## Rules\n"
    "\n"
    "- **Overrides.** `--set key.path=value` sets one key after the file is read; the value is "
    "YAML, so\n"
    "  `--set 'metrics.names=[snip, jacov]'` works, and a later `--set` wins. An empty value, as "
    "in\n"
    "  `--set objective.cost=`, unsets an optional text.\n"
    "- **Paths.** Input paths in the file are relative to the file's folder; `output` and paths in "
    "`--set` to the\n"
    "  working directory. In input paths `${NAME}` stands for the environment variable NAME, which "
    "must be set\n"
    "  unless `--set` gives another path. The shipped jobs find published tables in the folder\n"
    "  `${ROBOTNAS_TABLES}`.\n"
    "- **Types.** The key decides the type: a column may be called `10` or `no` without quotes. "
    "Integers are plain\n"
    "  decimals. `true`, `yes` and `on` are true; `false`, `no` and `off` are false. A text that "
    "begins with `|`,\n"
    "  as NAS-Bench-201 architectures do, or holds `: ` or ` #`, needs quotes.\n"
    "- **Refused**, with file, line and column: unknown keys (the nearest known one is named), "
    "duplicate keys,\n"
    "  values of another type or out of range, null, anchors, aliases, tags, a second document, "
    "and more than\n"
    "  1 MiB.\n"
    "- **Resuming.** A run goes on with `--resume` only if the keys marked *fixed* are as they "
    "were. A changed\n"
    "  `search.budget` is a new run that can take over what was evaluated: `--reuse OLD.h5`.\n";

static const char *resume_rule(const nas_job_field_t *field)
{
    if (field->type == NAS_JOB_INPUT_PATH) return "same content";
    return field->affects & NAS_JOB_AFFECTS_VALUES ? "fixed" : "free";
}

static void write_default(FILE *out, const nas_job_field_t *field)
{
    if (!field->initial)
        (void)fputs("required", out);
    else if (!*field->initial)
        (void)fputs("none", out);
    else
        (void)fprintf(out, "`%s`", field->initial);
}

static void write_row(FILE *out, const nas_job_field_t *field)
{
    char expected[NAS_JOB_EXPECTED_SIZE];
    nas_job_field_expected(field, expected);
    (void)fprintf(out, "| `%s` | %s | ", field->key, expected);
    write_default(out, field);
    (void)fprintf(out, " | %s | %s |\n", resume_rule(field), field->doc);
}

static void write_heading(FILE *out, const nas_job_field_t *field)
{
    const size_t length = nas_job_field_group(field);
    if (length)
        (void)fprintf(out, "\n## `%.*s`\n\n", (int)length, field->key);
    else
        (void)fputs("\n## Top level\n\n", out);
    (void)fputs("| Key | Takes | Default | On resume | Meaning |\n|---|---|---|---|---|\n", out);
}

void nas_job_write_reference(FILE *out)
{
    (void)fputs(intro, out);
    for (size_t i = 0; i < nas_job_field_count(); i++) {
        const nas_job_field_t *field = nas_job_field_at(i);
        if (i == 0 || !nas_job_same_group(field, nas_job_field_at(i - 1)))
            write_heading(out, field);
        write_row(out, field);
    }
}

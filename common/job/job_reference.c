/* What fields take, in words, and the reference page docs/job-file.md: rules in prose, then every
 * field from the field table. */
#include "common/job/job_internal.h"

#include <stdio.h>

/* "first, second, third" */
static void join(const char *const *names, char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; names[i] && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, "%s%s", i ? ", " : "", names[i]);
}

static const char *number_phrase(nas_job_type_t type)
{
    if (type == NAS_JOB_FLOATS) return "a list of numbers";
    return type == NAS_JOB_INT ? "an integer" : "a number";
}

void nas_job_field_expected(const nas_job_field_t *field, char text[NAS_JOB_EXPECTED_SIZE])
{
    char names[96] = "";
    if (field->names) join(field->names, names, sizeof names);
    const char *phrase = "";
    switch (field->type) {
    case NAS_JOB_STRING:
        phrase = "a text";
        break;
    case NAS_JOB_OPTIONAL:
        phrase = "a text, or \"\" for none";
        break;
    case NAS_JOB_IDENTIFIER:
        phrase = "a name of letters, digits, '.', '_' and '-', at most 100";
        break;
    case NAS_JOB_INPUT_PATH:
    case NAS_JOB_OUTPUT_PATH:
        phrase = "a path";
        break;
    case NAS_JOB_INPUT_PATHS:
        phrase = "a list of paths, such as [a.bin, b.bin]";
        break;
    case NAS_JOB_SUBSET:
        phrase = "all, unique, equivalent, {sample: N} or {file: PATH}";
        break;
    case NAS_JOB_BOOL:
        phrase = "true or false";
        break;
    case NAS_JOB_STRINGS:
        phrase = "a list of texts, such as [a, b]";
        break;
    case NAS_JOB_ARGUMENTS:
        phrase = "a list of a program and its arguments, such as [./train, \"{arch}\"]";
        break;
    case NAS_JOB_INT:
    case NAS_JOB_FLOAT:
    case NAS_JOB_FLOATS:
        (void)snprintf(text, NAS_JOB_EXPECTED_SIZE, "%s from %.16g to %.16g",
                       number_phrase(field->type), field->least, field->most);
        return;
    case NAS_JOB_ENUM:
        (void)snprintf(text, NAS_JOB_EXPECTED_SIZE, field->names[1] ? "one of %s" : "%s", names);
        return;
    case NAS_JOB_CHOICES:
        (void)snprintf(text, NAS_JOB_EXPECTED_SIZE, "a mapping of names to one of %s", names);
        return;
    }
    (void)snprintf(text, NAS_JOB_EXPECTED_SIZE, "%s", phrase);
}

static const char intro[] =
    "# The job file\n"
    "\n"
    "A job file is one YAML document that says what to search, by what and how long. `robotnas check JOB.yaml`\n"
    "prints the resolved job, every key with its value, and runs nothing; its output is itself a job file.\n"
    "\n"
    "This page is written from the table of fields in `common/job/job_fields.c`; a test keeps the two equal.\n"
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
    "where names such as `jacov` are columns of that table; and for scoring alone, with metrics that are computed:\n"
    "\n"
    "```yaml\n"
    "name: score-cifar10\n"
    "seed: 1\n"
    "output: runs/score-cifar10.h5\n"
    "pool: {space: nas-bench-201, subset: {sample: 300}}\n"
    "data: {format: cifar-binary, train: [\"${ROBOTNAS_DATA}/data_batch_1.bin\"]}\n"
    "metrics:\n"
    "  source: compute\n"
    "  names: [grad_norm, snip, grasp, fisher, synflow, jacob_cov, nwot]\n"
    "```\n"
    "\n"
    "and for the whole method on images, where the candidates are trained (`docs/training.md`):\n"
    "\n"
    "```yaml\n"
    "name: my-images\n"
    "seed: 1\n"
    "output: runs/my-images.h5\n"
    "pool: {space: nas-bench-201, subset: equivalent}\n"
    "network: {channels: 16, cells: 5}\n"
    "data: {format: hdf5, train: [train.h5], test: [test.h5]}\n"
    "metrics: {source: compute, names: [grad_norm, snip, synflow, jacob_cov, nwot]}\n"
    "objective: {kind: train, epochs: 12, batch: 256, flip: true, crop: 4}\n"
    "search: {method: robot, budget: 20, parallel: 4}\n"
    "```\n";

static const char rules[] =
    "\n"
    "## Rules\n"
    "\n"
    "- **What applies.** A key marked *only with* is refused elsewhere; one marked *counts with* has no effect\n"
    "  elsewhere. A required key is required where it applies. `robotnas score` takes no notice of `objective`,\n"
    "  `search` and `metrics.transform`.\n"
    "- **Overrides.** `--set key.path=value` sets one key after the file is read; the value is YAML, so\n"
    "  `--set 'metrics.names=[snip, jacov]'` works, and a later `--set` wins. An empty value, as in\n"
    "  `--set objective.cost=`, unsets an optional text.\n"
    "- **Paths.** Input paths in the file are relative to the file's folder; `output`, the program of\n"
    "  `objective.command` and paths in `--set` to the working directory. In all of them `${NAME}` stands for\n"
    "  the environment variable NAME, which must be set unless `--set` gives another path, a `~` in front, alone or\n"
    "  before a `/`, for the home folder, and `$$` for a `$`; any other `$` or `~` in front is refused. Texts that\n"
    "  are no paths, arguments of a program among them, stay as they are. The shipped jobs find published tables in\n"
    "  the folder `${ROBOTNAS_TABLES}` and images in `${ROBOTNAS_DATA}`.\n"
    "- **Text.** UTF-8; a byte order mark is skipped. YAML indents with spaces, never with tabs. Without quotes\n"
    "  around them, typographic quotes at the head of a text and no-break spaces are refused.\n"
    "- **Tables.** CSV: commas between fields, a decimal point, a header row. Blanks around column names,\n"
    "  architectures and other fields do not count, in quotes or not; neither do rows without any text, columns\n"
    "  without a name, and empty fields beyond the header's, all of which spreadsheets write. Numbers hold nothing\n"
    "  but digits, sign, point and exponent. A field means missing when it is empty, `nan`, an infinity, or named in\n"
    "  `pool.missing` or `objective.missing`, as in `missing: [NA, -1]`; any other text in a column of numbers is\n"
    "  refused.\n"
    "- **Lists** of architectures: one a line, in either form of the space; blank lines and what follows a `#` do not\n"
    "  count.\n"
    "- **Types.** The key decides the type: a column may be called `10` or `no` without quotes. Integers are plain\n"
    "  decimals. `true`, `yes` and `on` are true; `false`, `no` and `off` are false. A text that begins with `|`,\n"
    "  as NAS-Bench-201 architectures do, or holds `: ` or ` #`, needs quotes.\n"
    "- **Refused**, with file, line and column: unknown keys (the nearest known one is named), duplicate keys,\n"
    "  values of another type or out of range, null, anchors, aliases, tags, a second document, and more than\n"
    "  1 MiB.\n"
    "- **Notes.** What nothing forbids and nobody may have meant is said, by `robotnas check` in lines that begin\n"
    "  with `# note:` and when a run starts: metrics that are the same for every architecture or the objective's\n"
    "  own column, metrics, scores or objectives that know a part of the pool only, scores of another seed,\n"
    "  network or images, images that `data.limit` leaves out, trainings of few steps. `check` refuses what a\n"
    "  run would refuse before its first evaluation, in the same words.\n"
    "- **Resuming.** A run goes on with `--resume` only if the keys marked *fixed* are as they were. A changed\n"
    "  `search.budget` is a new run that can take over what was evaluated: `--reuse OLD.h5`.\n";

static const char *resume_rule(const nas_job_field_t *field)
{
    if (field->type == NAS_JOB_INPUT_PATH || field->type == NAS_JOB_INPUT_PATHS)
        return "same content";
    return field->affects & NAS_JOB_AFFECTS_VALUES ? "fixed" : "free";
}

static void write_default(FILE *out, const nas_job_field_t *field)
{
    if (!field->initial)
        (void)fputs(field->search_only ? "required to search" : "required", out);
    else if (!*field->initial)
        (void)fputs("none", out);
    else
        (void)fprintf(out, "`%s`", field->initial);
}

static void write_part(FILE *out, const nas_job_condition_t *part)
{
    const nas_job_field_t *other = nas_job_field_at((size_t)nas_job_field_find(part->key));
    (void)fprintf(out, "`%s` ", part->key);
    bool first = true;
    for (size_t i = 0; other->names[i]; i++) {
        if (!(part->choices >> i & 1u)) continue;
        (void)fprintf(out, "%s%s", first ? "" : ", ", other->names[i]);
        first = false;
    }
    if (part->also) (void)fputs(" and ", out);
    if (part->instead) (void)fputs(" or ", out);
    if (part->also) write_part(out, part->also);
    if (part->instead) write_part(out, part->instead);
}

/* Where the field applies; nothing where it always does. */
static void write_condition(FILE *out, const nas_job_field_t *field)
{
    if (!field->condition) return;
    (void)fputs(field->condition->tolerant ? "Counts with " : "Only with ", out);
    write_part(out, field->condition);
    (void)fputs(". ", out);
}

static void write_row(FILE *out, const nas_job_field_t *field)
{
    char expected[NAS_JOB_EXPECTED_SIZE];
    nas_job_field_expected(field, expected);
    (void)fprintf(out, "| `%s` | %s | ", field->key, expected);
    write_default(out, field);
    (void)fprintf(out, " | %s | ", resume_rule(field));
    write_condition(out, field);
    (void)fprintf(out, "%s |\n", field->doc);
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
    (void)fputs(rules, out);
    for (size_t i = 0; i < nas_job_field_count(); i++) {
        const nas_job_field_t *field = nas_job_field_at(i);
        if (i == 0 || !nas_job_same_group(field, nas_job_field_at(i - 1)))
            write_heading(out, field);
        write_row(out, field);
    }
}

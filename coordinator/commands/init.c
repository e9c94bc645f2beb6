/* A first job file for what a user has, with comments that say what to change. It is composed in
 * memory and passes what `robotnas check` tests before it is written; only where images have still
 * to be converted, their files cannot be read yet. */
#include "common/io/file.h"
#include "common/job/job.h"
#include "coordinator/commands/command.h"
#include "coordinator/commands/init_job.h"
#include "coordinator/commands/shell_word.h"
#include "coordinator/inputs/inputs.h"
#include "coordinator/registries/registries.h"
#include "coordinator/report/user_file.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: robotnas init --images DIR      [--output JOB.yaml]\n"
    "       robotnas init --table CSV       [--objective COLUMN] [--output JOB.yaml]\n"
    "       robotnas init --trainer COMMAND [--images DIR | --table CSV] [--output JOB.yaml]\n"
    "\n"
    "Write a job file, with comments, to begin from.\n"
    "\n"
    "  --images DIR        search for a network for images: HDF5, CIFAR or IDX files, or a folder of\n"
    "                      pictures a class, for which the commands that convert them are named\n"
    "  --table CSV         a study on a table of architectures, metrics and results\n"
    "  --trainer COMMAND   a program evaluates an architecture, in place of the built-in training;\n"
    "                      placeholders such as {arch} stand in it, or are added at its end\n"
    "  --objective COLUMN  of a table: the column to optimise; default: a guess by the names\n"
    "  --output FILE       where to write; what is there is never replaced; default: standard output\n";

typedef struct init_options {
    const char *images, *table, *trainer, *objective;
    const char *output; /* NULL: standard output */
    bool help;
} init_options_t;

/* What was found, and the file in the making. */
typedef struct draft {
    const init_options_t *options;
    nas_init_table_t table;
    nas_init_images_t images;
    nas_strings_t command;
    char *name;
    FILE *out;
} draft_t;

static nas_status_t parse(int argc, char **argv, init_options_t *options, nas_error_t *err)
{
    static const struct option known[] = {{"images", required_argument, NULL, 'i'},
                                          {"table", required_argument, NULL, 't'},
                                          {"trainer", required_argument, NULL, 'c'},
                                          {"objective", required_argument, NULL, 'b'},
                                          {"output", required_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    for (int option; (option = getopt_long(argc, argv, ":h", known, NULL)) != -1;) {
        if (option == 'h') {
            options->help = true;
            return NAS_OK;
        }
        const char **const value = option == 'i'   ? &options->images
                                   : option == 't' ? &options->table
                                   : option == 'c' ? &options->trainer
                                   : option == 'b' ? &options->objective
                                   : option == 'o' ? &options->output
                                                   : NULL;
        if (!value) return nas_cli_bad_option(&nas_cli_init, argv, option, err);
        *value = optarg;
    }
    if (optind < argc)
        return nas_error_set(err, NAS_EARG, "init: '%s' is too much; see robotnas init --help",
                             argv[optind]);
    if (options->images && options->table)
        return nas_error_set(err, NAS_EARG, "init: --images and --table exclude each other");
    if (!options->images && !options->table && !options->trainer)
        return nas_error_set(
            err, NAS_EARG,
            "init: --images, --table or --trainer is missing; see robotnas init --help");
    if (options->objective && (!options->table || options->trainer))
        return nas_error_set(err, NAS_EARG,
                             "init: --objective is a column of a --table to search by");
    return NAS_OK;
}

/* ------------------------------------------------------------------------------------ the parts */

/* A name for the job: that of the job file or else of what it is for, as far as one can have it. */
static nas_status_t choose_name(draft_t *draft, nas_error_t *err)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    enum { MOST = 60 };
    const init_options_t *options = draft->options;
    const char *from = options->output   ? options->output
                       : options->table  ? options->table
                       : options->images ? options->images
                                         : "trainer";
    size_t n = strlen(from), n_name = 0;
    while (n > 1 && from[n - 1] == '/') n--;
    const char *begin = from + n;
    while (begin > from && begin[-1] != '/') begin--;
    char name[MOST + 1] = "";
    for (const char *at = begin; at < from + n && *at != '.' && n_name < MOST; at++)
        name[n_name++] = (char)(strchr(allowed, *at) ? *at : '-');
    draft->name = nas_string_copy(n_name > 0 && name[0] != '-' ? name : "job", err);
    return draft->name ? NAS_OK : NAS_ENOMEM;
}

/* A path of the command line, in a file whose paths are relative to its own folder. */
static void write_path(const draft_t *draft, const char *path)
{
    const char *output = draft->options->output;
    char *folder = path[0] != '/' && output && strchr(output, '/') ? getcwd(NULL, 0) : NULL;
    char *absolute = folder ? nas_string_format(NULL, "%s/%s", folder, path) : NULL;
    nas_job_write_path(draft->out, absolute ? absolute : path);
    free(absolute);
    free(folder);
}

static void write_paths(const draft_t *draft, const char *key, const nas_strings_t *paths)
{
    (void)fprintf(draft->out, "  %s:\n", key);
    for (size_t i = 0; i < paths->n; i++) {
        (void)fputs("    - ", draft->out);
        write_path(draft, paths->at[i]);
        (void)fputc('\n', draft->out);
    }
}

static void write_texts(const draft_t *draft, const char *key, const nas_strings_t *texts)
{
    (void)fprintf(draft->out, "  %s:\n", key);
    for (size_t i = 0; i < texts->n; i++) {
        (void)fputs("    - ", draft->out);
        nas_job_write_text(draft->out, texts->at[i]);
        (void)fputc('\n', draft->out);
    }
}

static void write_head(const draft_t *draft)
{
    const char *output = draft->options->output;
    char *word = nas_shell_word(output ? output : "JOB.yaml", NULL);
    (void)fprintf(draft->out,
                  "# Made by robotnas init. Every key and its default: docs/job-file.md.\n#\n");
    for (size_t i = 0; i < draft->images.convert.n; i++)
        (void)fprintf(draft->out, "#   %s\n", draft->images.convert.at[i]);
    (void)fprintf(
        draft->out,
        "#   robotnas check %s                        # all defaults, memory, hours; runs nothing\n"
        "#   mpirun -n 4 robotnas search %s --resume  # or srun --mpi=pmix, slurm/submit\n"
        "# With fewer cores than ranks: mpirun --oversubscribe.\n\n"
        "name: %s\n"
        "seed: 1\t# every random choice follows from it\n"
        "output: runs/%s.h5\t# the state of the run, seen from the working directory\n",
        word ? word : "", word ? word : "", draft->name, draft->name);
    free(word);
}

static void write_table_pool(const draft_t *draft)
{
    const nas_init_table_t *table = &draft->table;
    (void)fputs("pool:\n  space: table\n  table: ", draft->out);
    write_path(draft, draft->options->table);
    (void)fputs("\n  arch: ", draft->out);
    nas_job_write_text(draft->out, table->arch);
    (void)fputs("\t# the column that names the architectures, each once\n", draft->out);
    if (table->encoding)
        (void)fprintf(draft->out, "  encoding: %s\t# the names are positions with a choice each\n",
                      table->encoding);
    if (table->missing.n > 0) write_texts(draft, "missing", &table->missing);
    for (size_t i = 0; i < table->left_out.n; i++)
        (void)fprintf(draft->out, "# Left out: %s\n", table->left_out.at[i]);
}

static void write_table_metrics(const draft_t *draft)
{
    const nas_init_table_t *table = &draft->table;
    if (table->metrics.n == 0) return;
    (void)fputs(
        "metrics:\n  # Numbers that are known before anything is trained; take out what is not one of them.\n",
        draft->out);
    write_texts(draft, "names", &table->metrics);
    if (table->wide.n == 0) return;
    (void)fputs("  # For methods that go by values, such as robot, and not by ranks: transform: {",
                draft->out);
    for (size_t i = 0; i < table->wide.n; i++) {
        if (i) (void)fputs(", ", draft->out);
        nas_job_write_text(draft->out, table->wide.at[i]);
        (void)fputs(": log", draft->out);
    }
    (void)fputs("}\n", draft->out);
}

static void write_table_objective(const draft_t *draft)
{
    const nas_init_table_t *table = &draft->table;
    (void)fputs("objective:\n  kind: table\n  column: ", draft->out);
    nas_job_write_text(draft->out, table->objective);
    (void)fprintf(draft->out, "\t# what is looked for%s\n",
                  table->guessed ? ": a guess by the names of the columns, --objective says another"
                                 : "");
    (void)fprintf(draft->out, "  minimise: %s\t# true: the lowest is the best\n",
                  table->minimise ? "true" : "false");
    if (table->cost) {
        (void)fputs("  cost: ", draft->out);
        nas_job_write_text(draft->out, table->cost);
        (void)fputs("\t# what an evaluation would have cost, summed up in the report\n",
                    draft->out);
    }
    if (table->report.n > 0) {
        (void)fputs("  # Shown in the report besides.\n", draft->out);
        write_texts(draft, "report", &table->report);
    }
}

static void write_images(const draft_t *draft)
{
    const nas_init_images_t *images = &draft->images;
    const int64_t few = images->n_train > 0 && images->n_train < 64 ? images->n_train : 64;
    (void)fputs(
        "pool: {space: nas-bench-201, subset: {sample: 1000}}\t# of 15,625 cells; or subset: equivalent, 4,930 that differ\n"
        "network: {channels: 16, cells: 5}\t# of each candidate; smaller is faster\n",
        draft->out);
    (void)fprintf(draft->out, "data:\n  format: %s\n", images->format->name);
    write_paths(draft, "train", &images->train);
    if (images->test.n > 0) write_paths(draft, "test", &images->test);
    if (images->n_classes > 0) (void)fprintf(draft->out, "  classes: %d\n", images->n_classes);
    (void)fputs("metrics:\n  source: compute\t# measured on networks that are not trained\n"
                "  names: [grad_norm, snip, synflow, jacob_cov, nwot]\n",
                draft->out);
    (void)fprintf(draft->out, "  batch: %lld\t# images that they are measured on\n",
                  (long long)few);
}

/* So many epochs that a training takes some hundred steps, of batches that leave an epoch eight. */
static void write_training(const draft_t *draft)
{
    const nas_init_images_t *images = &draft->images;
    const int64_t n = images->n_train > 0 ? images->n_train * 4 / 5 : 50000;
    int64_t batch = 256, epochs = 12;
    while (batch > 8 && batch * 8 > n) batch /= 2;
    const int64_t n_steps = n / batch > 0 ? n / batch : 1, enough = 400;
    if (epochs * n_steps < enough) epochs = (enough + n_steps - 1) / n_steps;
    (void)fprintf(draft->out,
                  "objective:\n  kind: train\t# docs/training.md\n"
                  "  epochs: %lld\n  batch: %lld\n"
                  "  shards: 1\t# ranks that share one training; divides batch\n"
                  "  validation: 0.2\t# share of the training images that is held out to validate\n"
                  "  flip: %s\t# mirror images: not for digits and writing\n"
                  "  crop: %d\t# shift by up to so many pixels\n",
                  (long long)epochs, (long long)batch, images->channels == 1 ? "false" : "true",
                  images->n_train == 0 || images->side >= 16 ? 4 : 0);
}

static void write_command(const draft_t *draft)
{
    (void)fputs(
        "objective:\n  kind: command\t# docs/command.md\n"
        "  # {arch}, {seed}, {index}, {device}, {work} and {job} are filled in. It prints a line such as {\"score\": 91.3}.\n"
        "  command:\n",
        draft->out);
    for (size_t i = 0; i < draft->command.n; i++) {
        (void)fputs("    - ", draft->out);
        (i == 0 ? nas_job_write_path : nas_job_write_text)(draft->out, draft->command.at[i]);
        (void)fputc('\n', draft->out);
    }
    (void)fputs("  timeout: 3600\t# seconds; 0: none\n"
                "  minimise: false\t# true: the lowest score is the best\n",
                draft->out);
}

static void write_search(const draft_t *draft)
{
    const bool learns =
        !draft->options->table || draft->table.metrics.n > 0 || draft->table.encoding;
    const int64_t n = draft->table.n_rows;
    const bool looked_up = draft->options->table && !draft->options->trainer;
    (void)fputs("search:\n", draft->out);
    (void)fprintf(
        draft->out, "  method: %s\t# the default; docs/methods.md has others%s\n",
        NAS_METHOD_DEFAULT,
        learns
            ? ""
            : ". Without metrics, numbers that are known before any training, it draws at random");
    (void)fprintf(draft->out, "  budget: %lld\t# architectures that are evaluated\n",
                  (long long)(n > 0 && n < 20 ? n : 20));
    if (looked_up && learns && n < NAS_METHOD_LEAST_HIDING)
        (void)fprintf(draft->out,
                      "  repeats: 1\t# of a pool below %d they would be much the same\n",
                      NAS_METHOD_LEAST_HIDING);
    else if (looked_up)
        (void)fputs("  repeats: 5\t# runs with seeds that follow each other\n", draft->out);
    else
        (void)fputs("  parallel: 4\t# at a time\n", draft->out);
}

static void write_all(const draft_t *draft)
{
    const init_options_t *options = draft->options;
    write_head(draft);
    if (options->table) {
        write_table_pool(draft);
        write_table_metrics(draft);
    } else if (options->images) {
        write_images(draft);
    } else {
        (void)fputs("pool: {space: nas-bench-201, subset: equivalent}\t# docs/spaces.md\n",
                    draft->out);
    }
    if (options->trainer)
        write_command(draft);
    else if (options->table)
        write_table_objective(draft);
    else
        write_training(draft);
    write_search(draft);
}

/* ------------------------------------------------------------------------------------- together */

/* The user's words and, where no placeholder of an architecture is among them, options with those.
 */
static nas_status_t take_trainer(const char *text, nas_strings_t *words, nas_error_t *err)
{
    static const char *const added[] = {"--arch", "{arch}",   "--seed",
                                        "{seed}", "--device", "{device}"};
    nas_status_t status = nas_shell_split(text, words, err);
    bool has_arch = false;
    if (!status && words->n == 0)
        status = nas_error_set(err, NAS_EARG, "init: --trainer is empty; a command was expected");
    for (size_t i = 0; !status && i < words->n; i++) {
        has_arch |= strstr(words->at[i], "{arch}") || strstr(words->at[i], "{index}");
        if (!nas_job_can_hold(words->at[i]))
            status = nas_error_set(err, NAS_EARG,
                                   "init: --trainer has a control character or is not UTF-8");
    }
    for (size_t i = 0; !status && !has_arch && i < sizeof added / sizeof *added; i++)
        status = nas_strings_add(words, added[i], strlen(added[i]), err);
    return status;
}

static nas_status_t look(draft_t *draft, nas_error_t *err)
{
    const init_options_t *options = draft->options;
    const char *given[] = {options->images, options->table, options->output};
    nas_status_t status = NAS_OK;
    for (size_t i = 0; !status && i < sizeof given / sizeof *given; i++)
        if (given[i] && !nas_job_can_hold(given[i]))
            status = nas_error_set(err, NAS_EARG,
                                   "init: a path has a control character or is not UTF-8");
    if (!status) status = choose_name(draft, err);
    if (!status && options->images)
        status = nas_init_images_find(options->images, draft->name, &draft->images, err);
    if (!status && options->table)
        status = nas_init_table_read(options->table, options->objective, &draft->table, err);
    const char *spoilt = draft->table.spoilt;
    if (!status && options->table && !options->trainer && !draft->table.objective)
        status = nas_error_set(
            err, NAS_EINPUT,
            "%s: no column looks like the result of an architecture; --objective COLUMN names it%s%s",
            options->table, spoilt ? "; left out: " : "", spoilt ? spoilt : "");
    if (!status && options->trainer) status = take_trainer(options->trainer, &draft->command, err);
    return status;
}

/* Comments that follow a value begin in one column, or two blanks behind it: a tab in the draft
 * stands for the blanks. Nothing else in it is a tab, which the writers of texts escape. */
static void align(const char *draft, FILE *out)
{
    enum { COLUMN = 37, LEAST = 2 };
    int at = 0;
    for (; *draft; draft++) {
        if (*draft == '\t') {
            const int n = at + LEAST < COLUMN ? COLUMN - at : LEAST;
            (void)fprintf(out, "%*s", n, "");
            at += n;
            continue;
        }
        const bool continues = ((unsigned char)*draft & 0xc0) == 0x80; /* a character of UTF-8 */
        at = *draft == '\n' ? 0 : at + !continues;
        (void)fputc(*draft, out);
    }
}

static nas_status_t compose(draft_t *draft, char **text_p, nas_error_t *err)
{
    char *raw = NULL;
    size_t n_raw = 0, size = 0;
    draft->out = open_memstream(&raw, &n_raw);
    if (!draft->out) return nas_error_nomem(err, "the job file");
    write_all(draft);
    const bool is_written = fclose(draft->out) == 0;
    draft->out = is_written ? open_memstream(text_p, &size) : NULL;
    if (draft->out) align(raw, draft->out);
    free(raw);
    const bool is_whole = draft->out && fclose(draft->out) == 0;
    return is_whole ? NAS_OK : nas_error_nomem(err, "the job file");
}

/* As `robotnas check` does. */
static nas_status_t check(const draft_t *draft, const char *text, nas_error_t *err)
{
    const char *output = draft->options->output;
    const nas_job_source_t source = {
        .sections = nas_registries_job(), .path = output ? output : "JOB.yaml", .text = text};
    nas_inputs_t inputs = {0};
    nas_status_t status = nas_inputs_read_job(&inputs, &source, err);
    if (!status) status = nas_inputs_choose_method(&inputs, NULL, err);
    if (!status && draft->images.convert.n == 0) status = nas_inputs_read_files(&inputs, err);
    nas_inputs_fini(&inputs);
    return status;
}

static nas_status_t write_file(const draft_t *draft, const char *text, nas_error_t *err)
{
    const char *output = draft->options->output;
    nas_user_file_t file = {0};
    if (output && nas_file_exists(output))
        return nas_error_set(err, NAS_EINPUT, "%s is there already and is not replaced", output);
    const nas_status_t status = nas_user_file_open(output ? output : "-", &file, err);
    if (status) return status;
    (void)fputs(text, file.stream);
    return nas_user_file_close(&file, NAS_OK, err);
}

/* What is to be done before the file can be used. */
static void tell(const draft_t *draft)
{
    if (draft->images.convert.n > 0)
        (void)fprintf(stderr,
                      "robotnas: the pictures are converted first, to what size you like:\n");
    for (size_t i = 0; i < draft->images.convert.n; i++)
        (void)fprintf(stderr, "  %s\n", draft->images.convert.at[i]);
}

static nas_status_t init(const init_options_t *options, nas_error_t *err)
{
    draft_t draft = {.options = options};
    char *text = NULL;
    nas_status_t status = look(&draft, err);
    if (!status) status = compose(&draft, &text, err);
    if (!status) status = check(&draft, text, err);
    if (!status) status = write_file(&draft, text, err);
    if (!status) tell(&draft);
    free(text);
    free(draft.name);
    nas_strings_fini(&draft.command);
    nas_init_table_fini(&draft.table);
    nas_init_images_fini(&draft.images);
    return status;
}

static int run(int argc, char **argv)
{
    nas_error_t err = {0};
    init_options_t options = {0};
    nas_status_t status = parse(argc, argv, &options, &err);
    if (!status && options.help)
        (void)fputs(help, stdout);
    else if (!status)
        status = init(&options, &err);
    return nas_cli_finish(status, &err);
}

const nas_cli_command_t nas_cli_init = {
    .name = "init",
    .summary = "a first job file for your images, table or trainer",
    .help = help,
    .run = run,
};

#include "coordinator/report/export.h"
#include "coordinator/report/export_job.h"
#include "report_state.h"
#include "temp_folder.h"

#include <jansson.h>

#define CELL "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|none~2|"

/* The run of report_state.h, in a folder of its own. */
typedef struct fixture {
    temp_path_t folder;
    temp_path_t path;
    nas_state_t state;
    nas_export_t what;
    nas_error_t err;
} fixture_t;

static void make(fixture_t *f)
{
    *f = (fixture_t){.folder = temp_folder_make(), .state = report_state_make()};
    f->path = temp_file(&f->folder, "run.h5");
    for (int64_t r = 0; r < f->state.n_repeat; r++)
        for (int64_t i = 0; i < f->state.repeat[r].n_evaluation; i++)
            f->state.repeat[r].evaluation[i].seed = f->state.repeat[r].seed;
}

static void drop(fixture_t *f)
{
    nas_export_fini(&f->what);
    nas_state_fini(&f->state);
    temp_folder_remove(&f->folder);
}

static nas_status_t find(fixture_t *f, const char *arch)
{
    nas_export_fini(&f->what);
    return nas_export_find(f->path.text, &f->state, arch, &f->what, &f->err);
}

static nas_evaluation_t *evaluation_at(fixture_t *f, int64_t repeat, int64_t i)
{
    return &f->state.repeat[repeat].evaluation[i];
}

static void rename_evaluation(nas_evaluation_t *evaluation, const char *name)
{
    free(evaluation->name);
    evaluation->name = strdup(name);
}

static void assert_found(fixture_t *f, const char *arch, const nas_evaluation_t *expected)
{
    cr_assert_eq(find(f, arch), NAS_OK, "%s", f->err.text);
    cr_assert_eq(f->what.evaluation, expected);
}

static void assert_refused(fixture_t *f, const char *arch, const char *reason)
{
    cr_assert_eq(find(f, arch), NAS_EINPUT);
    cr_assert_null(f->what.evaluation);
    cr_assert_not_null(strstr(f->err.text, f->path.text), "%s", f->err.text);
    cr_assert_not_null(strstr(f->err.text, reason), "%s", f->err.text);
}

/* ----------------------------------------------------------------------------------------- find */

/* Of all repeats; the earliest on a tie. */
Test(export, the_best_is_the_best_of_all_repeats)
{
    fixture_t f;
    make(&f);
    assert_found(&f, "best", evaluation_at(&f, 0, 1));
    evaluation_at(&f, 1, 0)->value[0] = 3.5;
    assert_found(&f, "best", evaluation_at(&f, 1, 0));
    evaluation_at(&f, 1, 0)->status = NAS_EVAL_FAILED;
    assert_found(&f, "best", evaluation_at(&f, 0, 1));
    drop(&f);
}

Test(export, the_best_of_a_minimised_objective_is_the_lowest)
{
    fixture_t f;
    make(&f);
    f.state.minimise = true;
    assert_found(&f, "best", evaluation_at(&f, 0, 0));
    drop(&f);
}

Test(export, an_architecture_is_that_of_its_best_evaluation)
{
    fixture_t f;
    make(&f);
    assert_found(&f, "arch-20", evaluation_at(&f, 1, 0));
    rename_evaluation(evaluation_at(&f, 0, 0), "arch-20");
    assert_found(&f, "arch-20", evaluation_at(&f, 1, 0));
    f.state.minimise = true;
    assert_found(&f, "arch-20", evaluation_at(&f, 0, 0));
    drop(&f);
}

Test(export, what_was_not_evaluated_successfully_is_refused)
{
    fixture_t f;
    make(&f);
    assert_refused(&f, "arch-99", "no successful evaluation of 'arch-99'");
    assert_refused(&f, "arch-21", "no successful evaluation of 'arch-21'");
    for (int64_t r = 0; r < 2; r++)
        for (int64_t i = 0; i < f.state.repeat[r].n_evaluation; i++)
            evaluation_at(&f, r, i)->status = NAS_EVAL_FAILED;
    assert_refused(&f, "best", "no architecture has been evaluated successfully yet");
    drop(&f);
}

/* ----------------------------------------------------------------------------------------- JSON */

/* The caller ends it with json_decref. */
static json_t *json_of(fixture_t *f)
{
    char *text = NULL;
    cr_assert_eq(nas_export_json(&f->what, &text, &f->err), NAS_OK, "%s", f->err.text);
    cr_assert_eq(text[strlen(text) - 1], '\n');
    json_t *object = json_loads(text, 0, NULL);
    cr_assert_not_null(object);
    free(text);
    return object;
}

static json_t *member(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    cr_assert_not_null(value, "no member %s", key);
    return value;
}

static const char *text_of(json_t *object, const char *key)
{
    return json_string_value(member(object, key));
}

static double number_of(json_t *object, const char *key)
{
    return json_number_value(member(object, key));
}

Test(export, json_says_what_was_found_and_where_it_comes_from)
{
    fixture_t f;
    make(&f);
    free(f.state.job_text);
    f.state.job_text = strdup("name: tiny\n");
    f.state.job_hash.byte[0] = 0xab;
    evaluation_at(&f, 0, 1)->value[0] = 1.0 / 3.0;
    assert_found(&f, "arch-12", evaluation_at(&f, 0, 1));
    json_t *root = json_of(&f), *evaluation = member(root, "evaluation"),
           *provenance = member(root, "provenance");
    cr_assert_str_eq(text_of(root, "arch"), "arch-12");
    cr_assert(json_is_null(member(root, "cell")), "a name that is no cell");
    cr_assert(json_is_null(member(root, "network")), "no network was trained");
    cr_assert_eq(number_of(evaluation, "target"), 1.0 / 3.0);
    cr_assert_eq(number_of(evaluation, "cost"), 2.5);
    cr_assert_eq(number_of(member(evaluation, "columns"), "test"), 30);
    cr_assert_eq(json_integer_value(member(evaluation, "seed")), 5);
    cr_assert(json_is_false(member(evaluation, "reused")));
    cr_assert_str_eq(text_of(provenance, "name"), "tiny");
    cr_assert_str_eq(text_of(provenance, "method"), "robot");
    cr_assert_str_eq(text_of(provenance, "job"), "name: tiny\n");
    cr_assert_eq(strncmp(text_of(provenance, "job_hash"), "ab00", 4), 0);
    cr_assert_eq(strlen(text_of(provenance, "job_hash")), 2 * (size_t)NAS_DIGEST_SIZE);
    json_decref(root);
    drop(&f);
}

Test(export, json_has_null_for_what_is_unknown)
{
    fixture_t f;
    make(&f);
    nas_evaluation_t *best = evaluation_at(&f, 0, 1);
    best->cost = (double)NAN;
    best->columns[0] = (double)NAN;
    assert_found(&f, "best", best);
    json_t *root = json_of(&f), *evaluation = member(root, "evaluation");
    cr_assert(json_is_null(member(evaluation, "cost")));
    cr_assert(json_is_null(member(member(evaluation, "columns"), "test")));
    json_decref(root);
    drop(&f);
}

Test(export, json_is_valid_whatever_the_names)
{
    fixture_t f;
    make(&f);
    f.state.report_columns.at[0][0] = '\xff';
    rename_evaluation(evaluation_at(&f, 0, 1), "\xe9l\xe9");
    assert_found(&f, "\xe9l\xe9", evaluation_at(&f, 0, 1));
    json_t *root = json_of(&f);
    cr_assert_str_eq(text_of(root, "arch"), "\xef\xbf\xbdl\xef\xbf\xbd");
    cr_assert_eq(number_of(member(member(root, "evaluation"), "columns"), "\xef\xbf\xbd"
                                                                          "est"),
                 30);
    json_decref(root);
    drop(&f);
}

Test(export, json_spells_a_cell_out)
{
    static const struct {
        int from, to;
        const char *operation;
    } edge[] = {{0, 1, "nor_conv_3x3"}, {0, 2, "none"},         {1, 2, "skip_connect"},
                {0, 3, "avg_pool_3x3"}, {1, 3, "nor_conv_1x1"}, {2, 3, "none"}};
    fixture_t f;
    make(&f);
    rename_evaluation(evaluation_at(&f, 0, 1), CELL);
    assert_found(&f, CELL, evaluation_at(&f, 0, 1));
    json_t *root = json_of(&f), *cell = member(root, "cell");
    cr_assert_eq(json_array_size(cell), sizeof edge / sizeof *edge);
    for (size_t i = 0; i < sizeof edge / sizeof *edge; i++) {
        json_t *got = json_array_get(cell, i);
        cr_assert_eq(json_integer_value(member(got, "from")), edge[i].from);
        cr_assert_eq(json_integer_value(member(got, "to")), edge[i].to);
        cr_assert_str_eq(text_of(got, "operation"), edge[i].operation);
    }
    json_decref(root);
    drop(&f);
}

/* What it says of the machine is left out. */
Test(export, a_job_keeps_no_absolute_path)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"output: /home/me/runs/a.h5\n", "output: a.h5\n"},
        {"output: \"/home/my own/a, b.h5\"\n", "output: \"a, b.h5\"\n"},
        {"train: [/a/b.bin, \"/c d/e.bin\", /f/]\n", "train: [b.bin, \"e.bin\", f]\n"},
        {"subset: {file: /a/cells.txt}\n", "subset: {file: cells.txt}\n"},
        {"command: [/usr/bin/python3, \"{job}/t.py\", --data=/d/e, \"sh -c '/x/y /z'\"]\n",
         "command: [python3, \"{job}/t.py\", --data=e, \"sh -c 'y z'\"]\n"},
        {"path: \"/a/b:/c/d\"\n", "path: \"d\"\n"},
        {"see: \"https://x.org/a/b\"\nrate: 1/2\n", "see: \"https://x.org/a/b\"\nrate: 1/2\n"},
        {"output: /\n", "output: .\n"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *job = nas_export_job(cases[i].text, NULL);
        cr_assert_str_eq(job, cases[i].expected);
        free(job);
    }
}

/* ------------------------------------------------------------------------- candidates' files */

enum { N_VALUES = 50, COLOURS = 3, N_EPOCHS = 1 };

/* The best becomes a cell that was trained here, with its candidate's file. */
static void train(fixture_t *f, int height, bool done)
{
    double value[N_VALUES] = {0.5, 0.25, 0.125}, curve[NAS_CURVE_COLUMNS] = {1, 2, 3};
    nas_evaluation_t *best = evaluation_at(f, 0, 1);
    nas_candidate_record_t record = {.candidate = {.arch = best->arch, .seed = 5, .name = CELL},
                                     .done = done,
                                     .outcome = {.value = {best->value[0]},
                                                 .cost = best->cost,
                                                 .columns = best->columns,
                                                 .curve = curve},
                                     .n_goals = 1,
                                     .n_columns = 1,
                                     .n_epochs = N_EPOCHS,
                                     .parameters = {value, N_VALUES},
                                     .statistics = {value, 4},
                                     .velocity = {value, done ? 0 : N_VALUES},
                                     .network = {.image_channels = COLOURS,
                                                 .height = height,
                                                 .width = 28,
                                                 .channels = 4,
                                                 .cells = 1,
                                                 .classes = 7},
                                     .mean = {value, COLOURS},
                                     .std = {value + 1, COLOURS}};
    rename_evaluation(best, CELL);
    f->state.n_epochs = N_EPOCHS;
    cr_assert_eq(nas_state_identity(&f->state, &record.run, NULL), NAS_OK);
    char *stem = nas_candidate_stem(f->path.text, &record.candidate, NULL);
    cr_assert_eq(nas_candidate_write(stem, &record, &f->err), NAS_OK, "%s", f->err.text);
    free(stem);
}

static void train_best(fixture_t *f, bool done)
{
    train(f, 32, done);
}

Test(export, json_has_the_network_that_was_trained)
{
    static const struct {
        const char *key;
        int value;
    } extent[] = {{"image_channels", COLOURS},
                  {"height", 32},
                  {"width", 28},
                  {"channels", 4},
                  {"cells", 1},
                  {"classes", 7},
                  {"parameters", N_VALUES}};
    fixture_t f;
    make(&f);
    train_best(&f, true);
    assert_found(&f, "best", evaluation_at(&f, 0, 1));
    cr_assert(f.what.has_record);
    json_t *root = json_of(&f), *network = member(root, "network");
    for (size_t i = 0; i < sizeof extent / sizeof *extent; i++)
        cr_assert_eq(json_integer_value(member(network, extent[i].key)), extent[i].value, "%s",
                     extent[i].key);
    cr_assert_eq(json_array_size(member(network, "mean")), COLOURS);
    cr_assert_eq(json_number_value(json_array_get(member(network, "mean"), 0)), 0.5);
    cr_assert_eq(json_number_value(json_array_get(member(network, "std"), 0)), 0.25);
    cr_assert(json_is_null(member(root, "class_names")));
    json_decref(root);
    for (int i = 0; i < 8; i++)
        cr_assert_eq(nas_strings_add(&f.state.class_names, &"abcdefgh"[i], 1, NULL), NAS_OK);
    root = json_of(&f);
    json_t *names = member(root, "class_names");
    cr_assert_eq(json_array_size(names), 7, "those of the network's labels");
    cr_assert_str_eq(json_string_value(json_array_get(names, 6)), "g");
    json_decref(root);
    drop(&f);
}

/* Of a training that stopped on its way, as where the evaluation was taken over. */
Test(export, the_file_of_a_training_under_way_does_not_count)
{
    fixture_t f;
    make(&f);
    train_best(&f, false);
    assert_found(&f, "best", evaluation_at(&f, 0, 1));
    cr_assert_not(f.what.has_record);
    drop(&f);
}

Test(export, a_damaged_file_is_refused)
{
    fixture_t f;
    make(&f);
    train_best(&f, true);
    const temp_path_t file = temp_file(&f.folder, "run.h5.d/000012-s5.h5");
    cr_assert_eq(truncate(file.text, 1000), 0);
    cr_assert_eq(find(&f, "best"), NAS_EINPUT);
    cr_assert_not_null(strstr(f.err.text, "000012-s5.h5 is cut short"), "%s", f.err.text);
    drop(&f);
}

/* ----------------------------------------------------------------------------------------- ONNX */

static void assert_no_model(fixture_t *f, const char *reason)
{
    unsigned char *data = NULL;
    size_t size = 0;
    cr_assert_eq(find(f, "best"), NAS_OK);
    cr_assert_eq(nas_export_onnx(&f->what, &data, &size, &f->err), NAS_EINPUT);
    cr_assert_not_null(strstr(f->err.text, reason), "%s", f->err.text);
    cr_assert(!data && size == 0);
}

Test(export, a_model_needs_trained_parameters_that_fit)
{
    fixture_t f;
    make(&f);
    assert_no_model(&f, "this run trained no networks");
    f.state.n_epochs = N_EPOCHS;
    assert_no_model(&f, "run.h5.d/000012-s5.h5: not there, or of another run");
    train_best(&f, true);
    assert_no_model(&f, "the candidate's file does not fit its architecture");
    train(&f, 30, true);
    assert_no_model(&f, "run.h5: images of 30 x 28 cannot be halved twice");
    drop(&f);
}

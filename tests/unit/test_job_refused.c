/* Job files that are refused: each with its exact line, which names the place, the key, and what
 * would be right. */
#include "job_sandbox.h"

/* Reading the bytes is refused with this text, in which @ stands for the job file's path. */
static void assert_bytes_refused(const char *bytes, size_t size, const char *set,
                                 const char *expected)
{
    sandbox_t box = sandbox_of(bytes, size);
    nas_job_t *job = NULL;
    const nas_status_t status = nas_job_read(box.path, &set, set ? 1 : 0, &job, &box.err);
    char text[NAS_ERROR_SIZE];
    const char *at = strchr(expected, '@');
    (void)snprintf(text, sizeof text, "%.*s%s%s", at ? (int)(at - expected) : 0, expected,
                   at ? box.path : "", at ? at + 1 : expected);
    sandbox_clear(&box);
    cr_assert_eq(status, NAS_EINPUT, "accepted: %.100s", bytes);
    cr_assert_null(job);
    cr_assert_str_eq(box.err.text, text, "got      %s\nexpected %s", box.err.text, text);
}

static void assert_refused(const char *text, const char *set, const char *expected)
{
    assert_bytes_refused(text, strlen(text), set, expected);
}

typedef struct refusal {
    const char *text, *expected;
} refusal_t;

Test(job_refused, what_is_no_job_file)
{
    static const refusal_t cases[] = {
        {"", "@:1:1: empty; expected keys and values, such as name: study"},
        {"# nothing\n\n", "@:1:1: empty; expected keys and values, such as name: study"},
        {"---\n", "@:2:1: expected a mapping of keys to values, such as name: study"},
        {"study\n", "@:1:1: expected a mapping of keys to values, such as name: study"},
        {"\n- name: a\n", "@:2:1: expected a mapping of keys to values, such as name: study"},
        {LEAST SEARCH "---\nname: b\n", "@:5:1: a second document begins; a job file holds one"},
        {LEAST SEARCH "...\n# end\n--- {}\n",
         "@:7:1: a second document begins; a job file holds one"},
        {"name: &a study\n", "@:1:7: anchors (&name) have no place in a job file; write it out"},
        {"pool: &a [*a, *a]\n", "@:1:7: anchors (&name) have no place in a job file; write it out"},
        {"pool: &a {}\n", "@:1:7: anchors (&name) have no place in a job file; write it out"},
        {"name: *a\n", "@:1:7: aliases (*name) have no place in a job file; write it out"},
        {"name: !!str study\n", "@:1:7: tags (!name) have no place in a job file; leave it out"},
        {"pool: !x {}\n", "@:1:7: tags (!name) have no place in a job file; leave it out"},
        {"pool: !x []\n", "@:1:7: tags (!name) have no place in a job file; leave it out"},
        {"&a name: study\n", "@:1:1: anchors (&name) have no place in a job file; write it out"},
        {"*a : study\n", "@:1:1: a key must be a text, such as name"},
        {"? [a, b]\n: study\n", "@:1:3: a key must be a text, such as name"},
        {"'': study\n", "@:1:1: a key must be a text, such as name"},
        {"name: a\nseed: 1\nname: b\n",
         "@:3:1: the key name is there twice, first in line 1; keep one of them"},
        {"search: {budget: 1, budget: 1}\n",
         "@:1:21: the key budget is there twice, first in line 1; keep one of them"},
        {"name: [[[[[[[[[x]]]]]]]]]\n", "@:1:14: nested too deep; a job has three levels"},
        {"name: a\npool:\n  arch: |nor_conv_3x3~0|+|x~0|\n",
         "@:3:9: a value that begins with | needs quotes, such as '|nor_conv_3x3~0|+...'"},
        {"name: a: b\n", "@:1:8: not YAML: mapping values are not allowed in this context"},
        {"name: [a, b\n",
         "@:2:1: not YAML: did not find expected ',' or ']' while parsing a flow sequence"},
        {"name: \"a\\tb\"\n", "@:1:7: a value holds a line break or a control character"},
        {"name: \"a\\0b\"\n", "@:1:7: a value holds a line break or a control character"},
        {"name: \"a\\Nb\"\n", "@:1:7: a value holds a line break or a control character"},
        {"name: \"a\\Lb\"\n", "@:1:7: a value holds a line break or a control character"},
        {"name: \"a\\uFEFF\"\n", "@:1:7: a value holds a line break or a control character"},
        {"name: |\n  a\n", "@:1:7: a value holds a line break or a control character"},
        {"name: é\xff\n", "@:1:8: not text in UTF-8: invalid leading UTF-8 octet"},
        {"seed: 1\nname: \x01\n", "@:2:7: not text in UTF-8: control characters are not allowed"},
        {"\xff\xfen\n", "@:1:1: not text in UTF-8: invalid leading UTF-8 octet"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].text, NULL, cases[i].expected);
    assert_bytes_refused("name: a\0b\n", 10, NULL,
                         "@:1:8: not text in UTF-8: control characters are not allowed");
}

Test(job_refused, unknown_keys_name_the_nearest)
{
    static const refusal_t cases[] = {
        {"nam: a\n", "@:1:1: nam: unknown key; did you mean name?"},
        {"name: a\nserach: {budget: 1}\n", "@:2:1: serach: unknown key; did you mean search?"},
        {"pool:\n  tabel: a\n", "@:2:3: pool.tabel: unknown key; did you mean pool.table?"},
        {"budget: 1\n", "@:1:1: budget: unknown key; did you mean search.budget?"},
        {"pool: {budgets: 1}\n", "@:1:8: pool.budgets: unknown key; did you mean search.budget?"},
        {"x: 1\n", "@:1:1: x: unknown key; docs/job-file.md lists them all"},
        {"quantum_annealing: 1\n",
         "@:1:1: quantum_annealing: unknown key; docs/job-file.md lists them all"},
        {"<<: {}\n", "@:1:1: <<: unknown key; docs/job-file.md lists them all"},
        {"search.budget: 1\n",
         "@:1:1: search.budget: keys nest in a file, as in search: {budget: 20}; "
         "dots are for --set"},
        {"search: 20\n",
         "@:1:9: search: expected a mapping of keys to values, such as {key: value}"},
        {"search: [budget]\n",
         "@:1:9: search: expected a mapping of keys to values, such as {key: value}"},
        {"search:\n", "@:1:8: search: expected a mapping of keys to values, such as {key: value}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].text, NULL, cases[i].expected);
}

Test(job_refused, required_keys)
{
    static const refusal_t cases[] = {
        {"seed: 1\n",
         "@: name: this key is required; expected a name of letters, digits, '.', '_' and "
         "'-', at most 100"},
        {"name: a\n", "@: pool.space: this key is required; expected table"},
        {"name: a\npool: {space: table}\n", "@: pool.table: this key is required; expected a path"},
        {"name: a\npool: {space: table, table: t}\nobjective: {kind: table}\n",
         "@: objective.column: this key is required; expected a text"},
        {LEAST, "@: search.budget: this key is required; expected an integer from 1 to 1000000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].text, NULL, cases[i].expected);
}

/* LEAST fills lines 1 to 3. */
Test(job_refused, values_of_another_type_or_out_of_range)
{
#define NAME "a name of letters, digits, '.', '_' and '-', at most 100"
#define BUDGET "@:4:18: search.budget: expected an integer from 1 to 1000000, found "
#define INTERVAL "@:4:24: checkpoint.interval: expected a number from 0 to 60, found "
#define OBJECTIVE                                                                                  \
    "name: study\npool: {space: table, table: t.csv}\n\nobjective: {kind: table, minimise: "
    static const refusal_t cases[] = {
        {"name: a b\n", "@:1:7: name: expected " NAME ", found a b"},
        {"name: ../a\n", "@:1:7: name: expected " NAME ", found ../a"},
        {"name: ''\n", "@:1:7: name: expected " NAME ", found \"\""},
        {"name:\n", "@:1:6: name: expected " NAME ", found nothing"},
        {"name: ~\n", "@:1:7: name: expected " NAME ", found nothing"},
        {"name: [a]\n", "@:1:7: name: expected " NAME ", found a list"},
        {"name: éééééééééééééééééééééééééééééé\n",
         "@:1:7: name: expected " NAME ", found éééééééééééééééééééé..."},
        {"name: a\nseed: -1\n",
         "@:2:7: seed: expected an integer from 0 to 9007199254740992, found -1"},
        {"name: a\noutput: null\n", "@:2:9: output: expected a path, found nothing"},
        {"name: a\npool: {space: tables}\n", "@:2:15: pool.space: expected table, found tables"},
        {"name: a\npool: {space: table, table: {}}\n",
         "@:2:29: pool.table: expected a path, found a mapping"},
        {LEAST "search: {budget: 0}\n", BUDGET "0"},
        {LEAST "search: {budget: 1000001}\n", BUDGET "1000001"},
        {LEAST "search: {budget: 99999999999999999999}\n", BUDGET "99999999999999999999"},
        {LEAST "search: {budget: 20x}\n", BUDGET "20x"},
        {LEAST "search: {budget: 20.0}\n", BUDGET "20.0"},
        {LEAST "search: {budget: 0x14}\n", BUDGET "0x14"},
        {LEAST "search: {budget: 024}\n", BUDGET "024"},
        {LEAST "search: {budget: '20'}\n", BUDGET "\"20\""},
        {LEAST "search: {budget: many}\n", BUDGET "many"},
        {LEAST "search: {budget: [20]}\n", BUDGET "a list"},
        {LEAST "search: {budget: }\n", BUDGET "nothing"},
        {LEAST SEARCH "checkpoint: {interval: 61}\n",
         "@:5:24: checkpoint.interval: expected a number from 0 to 60, "
         "found 61"},
        {LEAST "checkpoint: {interval: -0.1}\nsearch: {budget: 1}\n", INTERVAL "-0.1"},
        {LEAST "checkpoint: {interval: .nan}\nsearch: {budget: 1}\n", INTERVAL ".nan"},
        {LEAST "checkpoint: {interval: nan}\nsearch: {budget: 1}\n", INTERVAL "nan"},
        {LEAST "checkpoint: {interval: 1e999}\nsearch: {budget: 1}\n", INTERVAL "1e999"},
        {LEAST "checkpoint: {interval: 1s}\nsearch: {budget: 1}\n", INTERVAL "1s"},
        {LEAST "checkpoint: {interval: 1-}\nsearch: {budget: 1}\n", INTERVAL "1-"},
        {LEAST "checkpoint: {interval: {}}\nsearch: {budget: 1}\n", INTERVAL "a mapping"},
        {OBJECTIVE "1, column: a}\n",
         "@:4:36: objective.minimise: expected true or false, found 1"},
        {OBJECTIVE "'true', column: a}\n",
         "@:4:36: objective.minimise: expected true or false, found \"true\""},
        {OBJECTIVE "truth, column: a}\n",
         "@:4:36: objective.minimise: expected true or false, found truth"},
        {LEAST "metrics: {names: snip}\n",
         "@:4:18: metrics.names: expected a list of texts, such as [a, b], found "
         "snip"},
        {LEAST "metrics: {names: {}}\n",
         "@:4:18: metrics.names: expected a list of texts, such as [a, b], found "
         "a mapping"},
        {LEAST "metrics: {names: [a, [b]]}\n",
         "@:4:22: metrics.names: expected a text in the list, found a list"},
        {LEAST "metrics: {names: [a, '']}\n",
         "@:4:22: metrics.names: expected a text in the list, found \"\""},
        {LEAST "metrics: {names: [a, ~]}\n",
         "@:4:22: metrics.names: expected a text in the list, found nothing"},
        {LEAST "metrics: {names: [a, b, a]}\n",
         "@:4:25: metrics.names: a is there twice; keep one of them"},
        {LEAST "metrics: {transform: [exp]}\n",
         "@:4:22: metrics.transform: expected a mapping of names to one of none, log, exp, rank, "
         "found a list"},
        {LEAST "metrics:\n  names: [snip]\n  transform: {snip: sqrt}\n",
         "@:6:21: metrics.transform: expected one of none, log, exp, rank, found sqrt"},
        {LEAST "metrics:\n  names: [snip]\n  transform: {snip: }\n",
         "@:6:21: metrics.transform: expected one of none, log, exp, rank, found nothing"},
        {LEAST "metrics:\n  names: [snip]\n  transform: {snp: log}\n",
         "@:6:15: metrics.transform: snp is not in metrics.names; did you mean snip?"},
        {LEAST "metrics:\n  transform: {snip: log}\n",
         "@:5:15: metrics.transform: snip is not in metrics.names; add it there first"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].text, NULL, cases[i].expected);
}

Test(job_refused, long_lists_and_large_files_are_refused)
{
    enum { SIZE = (1 << 20) + 1 };
    char *text = malloc(SIZE);
    cr_assert_not_null(text);
    memset(text, ',', SIZE);
    int length = snprintf(text, SIZE, "name: [a");
    for (int i = 0; i < 1000; i++)
        length += snprintf(text + length, (size_t)(SIZE - length), ",\na");
    assert_bytes_refused(text, (size_t)length, NULL,
                         "@:1001:1: more than 1000 entries; that is no job");

    memset(text, '#', SIZE);
    sandbox_t box = sandbox_of(text, SIZE);
    nas_job_t *job = NULL;
    cr_assert_eq(nas_job_read(box.path, NULL, 0, &job, &box.err), NAS_EINPUT);
    cr_assert_not_null(strstr(box.err.text, box.path), "%s", box.err.text);
    sandbox_clear(&box);
    free(text);
}

/* A text that is cut or changed anywhere is read, or refused by name. */
Test(job_refused, damaged_files_are_read_or_refused)
{
    static const char bytes[] = "\x00\x7f\xff&*!|[]{}:,'\"\n#-~9";
    char text[] = FULL;
    for (size_t i = 0; i < sizeof text - 1; i += 3) {
        const char kept = text[i];
        text[i] = bytes[i % (sizeof bytes - 1)];
        const size_t size = i % 2 ? sizeof text - 1 : i + 1;
        sandbox_t box = sandbox_of(text, size);
        nas_job_t *job = NULL;
        const nas_status_t status = nas_job_read(box.path, NULL, 0, &job, &box.err);
        cr_assert(status == NAS_OK || (status == NAS_EINPUT && strstr(box.err.text, box.path)),
                  "%s", box.err.text);
        nas_job_destroy(job);
        sandbox_clear(&box);
        text[i] = kept;
    }
}

Test(job_refused, a_file_that_is_not_there)
{
    nas_job_t *job = NULL;
    nas_error_t err = {0};
    cr_assert_eq(nas_job_read("/nowhere/j.yaml", NULL, 0, &job, &err), NAS_EINPUT);
    cr_assert_not_null(strstr(err.text, "/nowhere/j.yaml"), "%s", err.text);
    cr_assert_null(job);
}

Test(job_refused, overrides_are_refused_with_their_key)
{
    static const refusal_t cases[] = {
        {"search.budget", "--set search.budget: expected key.path=value, such as search.budget=20"},
        {"=3", "--set =3: expected key.path=value, such as search.budget=20"},
        {"search.budgt=3", "--set search.budgt: unknown key; did you mean search.budget?"},
        {"search.budget.x=3", "--set search.budget.x: unknown key; did you mean search.budget?"},
        {"search.budget=many",
         "--set search.budget: expected an integer from 1 to 1000000, found many"},
        {"search.budget=",
         "--set search.budget: expected an integer from 1 to 1000000, found \"\""},
        {"search.budget=# 3",
         "--set search.budget: empty; expected keys and values, such as name: study"},
        {"search={budgt: 3}", "--set search.budgt: unknown key; did you mean search.budget?"},
        {"search={budget: 0}",
         "--set search.budget: expected an integer from 1 to 1000000, found 0"},
        {"search=3", "--set search: expected a mapping of keys to values, such as {key: value}"},
        {"metrics.names=[a",
         "--set metrics.names: not YAML: did not find expected ',' or ']' while parsing "
         "a flow sequence"},
        {"metrics.names=[a, a]", "--set metrics.names: a is there twice; keep one of them"},
        {"metrics.names=a",
         "--set metrics.names: expected a list of texts, such as [a, b], found a"},
        {"pool.arch=|x|y", "--set pool.arch: a value that begins with | needs quotes, such as "
                           "'|nor_conv_3x3~0|+...'"},
        {"pool.arch=&a b",
         "--set pool.arch: anchors (&name) have no place in a job file; write it out"},
        {"name=\xff", "--set name: not text in UTF-8: invalid leading UTF-8 octet"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(LEAST SEARCH, cases[i].text, cases[i].expected);
}

Test(job_refused, variables_that_cannot_be_replaced)
{
    cr_assert_eq(setenv("NAS_TEST_EMPTY", "", 1), 0);
    cr_assert_eq(setenv("NAS_TEST_LOOP", "${NAS_TEST_LOOP}", 1), 0);
    cr_assert_eq(unsetenv("NAS_TEST_UNSET"), 0);
    static const refusal_t cases[] = {
        {"pool.table=${NAS_TEST_UNSET}/t.csv",
         "--set pool.table: the environment variable NAS_TEST_UNSET is not set; "
         "set it, or give --set pool.table=PATH"},
        {"pool.table=${NAS_TEST_EMPTY}/t.csv",
         "--set pool.table: the environment variable NAS_TEST_EMPTY is not set; "
         "set it, or give --set pool.table=PATH"},
        {"pool.table=${NAS_TEST_LOOP}",
         "--set pool.table: the environment variable NAS_TEST_LOOP is no plain path"},
        {"pool.table=${}",
         "--set pool.table: expected the name of a variable after ${, as in ${HOME}"},
        {"pool.table=${HOME",
         "--set pool.table: expected the name of a variable after ${, as in ${HOME}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(LEAST SEARCH, cases[i].text, cases[i].expected);
    assert_refused(
        "name: a\npool:\n  space: table\n  table: ${NAS_TEST_UNSET}/t.csv\n", NULL,
        "@:4:10: pool.table: the environment variable NAS_TEST_UNSET is not set; set it, or give "
        "--set pool.table=PATH");
}

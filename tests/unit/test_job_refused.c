/* Job files that are refused: each with its exact line, which names the place, the key, and what
 * would be right. */
#include "job_refusal.h"

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
        {"name: é\xff\n",
         "@:1:8: not text in UTF-8: invalid leading UTF-8 octet; save the file as UTF-8"},
        {"\xef\xbb\xbf"
         "n: é\xff\n",
         "@:1:5: not text in UTF-8: invalid leading UTF-8 octet; save the file as UTF-8"},
        {"name: a\rseed: \xff\n",
         "@:2:7: not text in UTF-8: invalid leading UTF-8 octet; save the file as UTF-8"},
        {"seed: 1\nname: \x01\n", "@:2:7: not text in UTF-8: control characters are not allowed"},
        {"\xff\xfen\n", "@:1: this text is in UTF-16; save it as UTF-8"},
        {"name: \xef\xbb\xbf"
         "a\n",
         "@:1:7: a value holds a line break or a control character"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].text, NULL, cases[i].expected);
    assert_bytes_refused("name: a\0b\n", 10, NULL,
                         "@:1:8: not text in UTF-8: control characters are not allowed");
}

Test(job_refused, tabs_are_called_so)
{
#define TAB                                                                                        \
    "a tab in the indentation, where YAML knows spaces only; put as many spaces as the lines "     \
    "beside it have"
    static const refusal_t cases[] = {
        {"pool:\n\tspace: table\n", "@:2:1: " TAB},
        {"\tname: a\n", "@:1:1: " TAB},
        {"\xef\xbb\xbf\tname: a\n", "@:1:1: " TAB},
        {"pool:\r\n  space: table\r\n  \ttable: t.csv\r\n", "@:3:3: " TAB},
        {"name: é\rpool:\r\tspace: table\r", "@:3:1: " TAB},
        {"name: a\npool:\n  space: table\n\ttable: t.csv\n", "@:4:1: " TAB},
        {"metrics:\n  names:\n\t- snip\n", "@:3:1: " TAB},
        {"pool: {space: table,\n\ttable: [}\n",
         "@:2:10: not YAML: did not find expected node content while parsing a flow node"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].text, NULL, cases[i].expected);
}

Test(job_refused, signs_of_word_processors)
{
#define SIGN "; type the plain sign, or put plain quotes around a text that has it"
    static const refusal_t cases[] = {
        {"name: \xe2\x80\x9cstudy\xe2\x80\x9d\n",
         "@:1:7: a typographic quote stands in \xe2\x80\x9cstudy\xe2\x80\x9d" SIGN},
        {"name: \xe2\x80\x98"
         "a\xe2\x80\x99\n",
         "@:1:7: a typographic quote stands in \xe2\x80\x98"
         "a\xe2\x80\x99" SIGN},
        {"name:\xc2\xa0study\n", "@:1:1: a no-break space stands in name:\xc2\xa0study" SIGN},
        {"name: a\n\xc2\xa0seed: 1\n", "@:2:1: a no-break space stands in \xc2\xa0seed" SIGN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].text, NULL, cases[i].expected);
}

Test(job_refused, unknown_keys_name_the_nearest)
{
    static const refusal_t cases[] = {
        {"nam: a\n", "@:1:1: nam: unknown key; did you mean name?"},
        {"name: a\nserach: {budget: 1}\n", "@:2:1: serach: unknown key; did you mean search?"},
        {"pool:\n  tabel: a\n", "@:2:3: pool.tabel: unknown key; did you mean pool.table?"},
        {"budget: 1\n", "@:1:1: budget: unknown key; did you mean search.budget?"},
        {"NAME: a\n", "@:1:1: NAME: unknown key; did you mean name?"},
        {"SEARCH: {budget: 1}\n", "@:1:1: SEARCH: unknown key; did you mean search?"},
        {"'name ': a\n", "@:1:1: name : unknown key; did you mean name?"},
        {"search: {transfrom: {}}\n",
         "@:1:10: search.transfrom: unknown key; did you mean metrics.transform?"},
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
        {"name: a\n", "@: pool.space: this key is required; expected one of table, "
                      "nas-bench-201, transnas-micro, transnas-macro, darts, onnx"},
        {"name: a\npool: {space: table}\n",
         "@: pool.table: this key is required with pool.space table; expected a path"},
        {"name: a\npool: {space: table, table: t}\nobjective: {kind: table}\n",
         "@: objective.column: this key is required with objective.kind table; expected a text"},
        {"name: a\npool: {space: transnas-macro}\nobjective: {kind: table}\n",
         "@: objective.table: this key is required with pool.space transnas-macro; expected a "
         "path"},
        {"name: a\npool: {space: nas-bench-201}\nmetrics: {source: scores}\n",
         "@: metrics.file: this key is required with metrics.source scores; expected a path"},
        {"name: a\npool: {space: nas-bench-201}\nmetrics: {source: compute}\n",
         "@: data.format: this key is required with metrics.source compute; expected one of "
         "cifar-binary, idx, hdf5"},
        {"name: a\npool: {space: nas-bench-201}\nmetrics: {source: compute}\n"
         "data: {format: idx}\n",
         "@: data.train: this key is required with metrics.source compute; expected a list of "
         "paths, such as [a.bin, b.bin]"},
        {"name: a\npool: {space: nas-bench-201}\nmetrics: {source: compute, names: [snip]}\n"
         "data: {format: idx, train: [a, b]}\n",
         "@: objective.kind: this key is required; expected one of table, train, command; a job "
         "for metrics alone is for robotnas score and robotnas check --score"},
        {LEAST, "@: search.budget: this key is required; expected an integer from 1 to 1000000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].text, NULL, cases[i].expected);
}

Test(job_refused, jobs_that_cannot_be_scored)
{
    static const struct {
        const char *text, *set, *expected;
    } cases[] = {
        {LEAST SEARCH, NULL,
         "@:2:15: pool.space: a table has no networks to score; set one of nas-bench-201, "
         "transnas-micro, transnas-macro, darts, onnx"},
        {SPACE, "metrics.source=table",
         "--set metrics.source: scoring computes metrics; set compute"},
        {SPACE, "metrics={source: scores, file: s.h5}",
         "--set metrics.source: scoring computes metrics; set compute"},
        {SPACE, "metrics.names=[]",
         "--set metrics.names: scoring needs metrics; name at least one, such as [synflow, nwot]"},
        {SPACE, "data.train=[]", "--set data.train: needs at least one file, such as [a.bin]"},
        {"name: a\npool: {space: nas-bench-201}\n", NULL,
         "@: metrics.source (default): scoring computes metrics; set compute"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_box_refused(sandbox_of(cases[i].text, strlen(cases[i].text)), NAS_JOB_SCORE,
                           cases[i].set, cases[i].expected);
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
    cr_assert_eq(read_box(&box, NAS_JOB_SEARCH, NULL, &job), NAS_EINPUT);
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
        const nas_status_t status = read_box(&box, NAS_JOB_SEARCH, NULL, &job);
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
    const nas_job_source_t source = {.sections = nas_registries_job(), .path = "/nowhere/j.yaml"};
    cr_assert_eq(nas_job_read(&source, &job, &err), NAS_EINPUT);
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
#define BRACES "a variable is written ${NAME}, with braces, and a $ itself $$"
#define TILDE                                                                                      \
    "~ stands for the own home folder only, alone or before a /; write the folder of another "     \
    "user out, and ./~ for a file whose name begins so"
    cr_assert_eq(setenv("NAS_TEST_TILDE", "~/here", 1), 0);
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
        {"output=${NAS_TEST_UNSET}/t.h5",
         "--set output: the environment variable NAS_TEST_UNSET is not set; "
         "set it, or give --set output=PATH"},
        {"output=$HOME/t.h5", "--set output: " BRACES},
        {"output=$(pwd)/t.h5", "--set output: " BRACES},
        {"output=t.h5$", "--set output: " BRACES},
        {"output=$$$", "--set output: " BRACES},
        {"pool.table=$1.csv", "--set pool.table: " BRACES},
        {"output=~me/t.h5", "--set output: " TILDE},
        {"pool.table=~me", "--set pool.table: " TILDE},
        {"output=${NAS_TEST_TILDE}/t.h5",
         "--set output: the environment variable NAS_TEST_TILDE is no plain path"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(LEAST SEARCH, cases[i].text, cases[i].expected);
    assert_refused(SPACE SPACE_OBJECTIVE SEARCH, "data.train=[\"${NAS_TEST_UNSET}/a\"]",
                   "--set data.train: the environment variable NAS_TEST_UNSET is not set; set it, "
                   "or give --set data.train=[PATH]");
    assert_refused(SPACE SPACE_OBJECTIVE SEARCH, "pool.subset={file: \"${NAS_TEST_UNSET}/a\"}",
                   "--set pool.subset: the environment variable NAS_TEST_UNSET is not set; set it, "
                   "or give --set pool.subset={file: PATH}");
    assert_refused(
        "name: a\npool:\n  space: table\n  table: ${NAS_TEST_UNSET}/t.csv\n", NULL,
        "@:4:10: pool.table: the environment variable NAS_TEST_UNSET is not set; set it, or give "
        "--set pool.table=PATH");
    assert_refused(LEAST SEARCH "output: ${NAS_TEST_UNSET}/t.h5\n", NULL,
                   "@:5:9: output: the environment variable NAS_TEST_UNSET is not set; set it, or "
                   "give --set output=PATH");
    assert_refused("name: a\npool: {space: table, table: t.csv}\n"
                   "objective: {kind: command, command: ['${NAS_TEST_UNSET}/a']}\n" SEARCH,
                   NULL,
                   "@:3:38: objective.command: the environment variable NAS_TEST_UNSET is not set; "
                   "set it, or give --set objective.command=[PROGRAM, ARGUMENT]");
}

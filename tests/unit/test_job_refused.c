/* Job files that are refused: each with its exact line, which names the place, the key, and what
 * would be right. */
#include "job_sandbox.h"

/* Reading the job is refused with this text, in which @ stands for the job file's path. */
static void assert_box_refused(sandbox_t box, nas_job_purpose_t purpose, const char *set,
                               const char *expected)
{
    nas_job_t *job = NULL;
    const nas_status_t status = read_box(&box, purpose, set, &job);
    char text[NAS_ERROR_SIZE];
    const char *at = strchr(expected, '@');
    (void)snprintf(text, sizeof text, "%.*s%s%s", at ? (int)(at - expected) : 0, expected,
                   at ? box.path : "", at ? at + 1 : expected);
    sandbox_clear(&box);
    cr_assert_eq(status, NAS_EINPUT, "accepted, not %s", text);
    cr_assert_null(job);
    cr_assert_str_eq(box.err.text, text, "got      %s\nexpected %s", box.err.text, text);
}

static void assert_bytes_refused(const char *bytes, size_t size, const char *set,
                                 const char *expected)
{
    assert_box_refused(sandbox_of(bytes, size), NAS_JOB_SEARCH, set, expected);
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
                      "nas-bench-201, transnas-micro, transnas-macro"},
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
        {"name: a\npool: {space: tables}\n",
         "@:2:15: pool.space: expected one of table, nas-bench-201, "
         "transnas-micro, transnas-macro, found tables; did you mean table?"},
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
        {LEAST "search: {budget: 1, metric: None}\n",
         "@:4:29: search.metric: expected a text, or \"\" for none, found None"},
        {LEAST "search: {budget: None}\n", BUDGET "None"},
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

/* SPACE fills lines 1 to 4. */
Test(job_refused, values_of_a_space)
{
#define SUBSET                                                                                     \
    "--set pool.subset: expected all, unique, equivalent, {sample: N} or {file: PATH}, found "
#define SAMPLE "--set pool.subset: expected an integer from 1 to 1000000, found "
#define PATHS ": expected a list of paths, such as [a.bin, b.bin], found "
#define MEAN "--set data.mean: expected a list of numbers from -1000000 to 1000000, found "
#define MEAN_OF "--set data.mean: expected a number from -1000000 to 1000000, found "
    static const refusal_t cases[] = {
        {"search.method=pool_gp",
         "--set search.method: expected one of pool-gp, robot, random, rea, "
         "reinforce, single, found pool_gp; did you mean pool-gp?"},
        {"backend=gpu", "--set backend: expected one of ref, cpu, found gpu"},
        {"coordinator=none", "--set coordinator: expected one of shared, dedicated, found none"},
        {"pool.subset=some", SUBSET "some"},
        {"pool.subset=sample", SUBSET "sample"},
        {"pool.subset=", SUBSET "\"\""},
        {"pool.subset=[all]", SUBSET "a list"},
        {"pool.subset={}", SUBSET "a mapping"},
        {"pool.subset={all: 1}", SUBSET "a mapping"},
        {"pool.subset={sampel: 1}", SUBSET "a mapping"},
        {"pool.subset={sample: 1, file: f}", SUBSET "a mapping"},
        {"pool.subset={sample: 0}", SAMPLE "0"},
        {"pool.subset={sample: 1000001}", SAMPLE "1000001"},
        {"pool.subset={sample: all}", SAMPLE "all"},
        {"pool.subset={file: ''}", "--set pool.subset: expected a path, found \"\""},
        {"pool.subset={file: [a]}", "--set pool.subset: expected a path, found a list"},
        {"pool.subset.sample=3",
         "--set pool.subset.sample: unknown key; did you mean pool.subset?"},
        {"metrics.source=file",
         "--set metrics.source: expected one of table, compute, scores, found file"},
        {"metrics.batch=0", "--set metrics.batch: expected an integer from 1 to 65536, found 0"},
        {"metrics.batch=65537",
         "--set metrics.batch: expected an integer from 1 to 65536, found 65537"},
        {"metrics.choice=first",
         "--set metrics.choice: expected one of random, per-class, found first"},
        {"network.channels=0",
         "--set network.channels: expected an integer from 1 to 1024, found 0"},
        {"network.channels=1025",
         "--set network.channels: expected an integer from 1 to 1024, found 1025"},
        {"network.cells=0", "--set network.cells: expected an integer from 1 to 64, found 0"},
        {"network.cells=65", "--set network.cells: expected an integer from 1 to 64, found 65"},
        {"network.convention=paper",
         "--set network.convention: expected one of score, train, found paper"},
        {"data.format=png",
         "--set data.format: expected one of cifar-binary, idx, hdf5, found png"},
        {"data.train=a.bin", "--set data.train" PATHS "a.bin"},
        {"data.train={a: b}", "--set data.train" PATHS "a mapping"},
        {"data.train=[a, a]", "--set data.train: a is there twice; keep one of them"},
        {"data.train=[[a]]", "--set data.train: expected a text in the list, found a list"},
        {"data.test=a.bin", "--set data.test" PATHS "a.bin"},
        {"data.classes=-1", "--set data.classes: expected an integer from 0 to 65536, found -1"},
        {"data.classes=65537",
         "--set data.classes: expected an integer from 0 to 65536, found 65537"},
        {"data.limit=-1", "--set data.limit: expected an integer from 0 to 1000000000, found -1"},
        {"data.mean=0.5", MEAN "0.5"},
        {"data.mean={a: 1}", MEAN "a mapping"},
        {"data.mean=[1, x]", MEAN_OF "x"},
        {"data.mean=[1e7]", MEAN_OF "1e7"},
        {"data.mean=[[1]]", MEAN_OF "a list"},
        {"data.std=[1, 0]", "--set data.std: expected a number from 1e-06 to 1000000, found 0"},
        {"data.std=[.inf]", "--set data.std: expected a number from 1e-06 to 1000000, found .inf"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(SPACE SPACE_OBJECTIVE SEARCH, cases[i].text, cases[i].expected);
    assert_refused("name: a\npool: {space: nas-bench-201, subset: {sample: 0}}\n", NULL,
                   "@:2:47: pool.subset: expected an integer from 1 to 1000000, found 0");
    assert_refused("name: a\ndata: {mean: [0, a]}\n", NULL,
                   "@:2:18: data.mean: expected a number from -1000000 to 1000000, found a");
}

Test(job_refused, keys_of_another_kind_of_pool)
{
#define NO_MEANING ": has no meaning with pool.space "
    static const refusal_t cases[] = {
        {"name: a\npool: {space: table, table: t, subset: all}\n",
         "@:2:40: pool.subset" NO_MEANING "table; remove it"},
        {"name: a\npool: {space: table, table: t}\n"
         "objective: {kind: table, column: a, table: t}\n",
         "@:3:44: objective.table" NO_MEANING "table; remove it"},
        {"name: a\npool: {space: table, table: t}\n"
         "objective: {kind: table, column: a, arch: t}\n",
         "@:3:43: objective.arch" NO_MEANING "table; remove it"},
        {"name: a\npool: {space: table, table: t}\n"
         "objective: {kind: table, column: a, missing: []}\n",
         "@:3:46: objective.missing" NO_MEANING "table; remove it"},
        {"name: a\npool: {space: nas-bench-201, table: t}\n",
         "@:2:37: pool.table" NO_MEANING "nas-bench-201; remove it"},
        {"name: a\npool: {space: transnas-micro, arch: t}\n",
         "@:2:37: pool.arch" NO_MEANING "transnas-micro; remove it"},
        {"name: a\npool: {space: nas-bench-201, encoding: none}\n",
         "@:2:40: pool.encoding" NO_MEANING "nas-bench-201; remove it"},
        {"name: a\npool: {space: nas-bench-201, missing: []}\n",
         "@:2:39: pool.missing" NO_MEANING "nas-bench-201; remove it"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].text, NULL, cases[i].expected);
    assert_refused(LEAST SEARCH, "pool.subset=all",
                   "--set pool.subset" NO_MEANING "table; remove it");
}

Test(job_refused, keys_that_contradict_each_other)
{
#define NO_CLASSES                                                                                 \
    "only nas-bench-201 has classes of architectures; set all, {sample: N} or {file: PATH}"
#define TRANSNAS "name: a\npool: {space: transnas-micro}\n" SPACE_OBJECTIVE SEARCH
    static const struct {
        const char *text, *set, *expected;
    } cases[] = {
        {LEAST SEARCH, "metrics.source=scores",
         "@: metrics.file: this key is required with metrics.source scores; expected a path"},
        {LEAST SEARCH, "metrics={source: scores, file: s.h5}",
         "--set metrics.source: scores are of a space; set pool.space to the one that was scored, "
         "and objective.table to the table"},
        {LEAST SEARCH "metrics: {source: compute}\ndata: {format: idx, train: [a]}\n", NULL,
         "@:5:19: metrics.source: a table has no networks to compute metrics of; set table, or "
         "pool.space to nas-bench-201"},
        {TRANSNAS "metrics: {source: compute}\ndata: {format: idx, train: [a]}\n", NULL,
         "@:5:19: metrics.source: this release builds networks of nas-bench-201 only; set "
         "pool.space to that, or take the metrics from a table"},
        {TRANSNAS, "metrics.names=[snip]",
         "@: metrics.source (default): columns of a table need pool.space table; set compute or "
         "scores"},
        {TRANSNAS, "pool.subset=unique", "--set pool.subset: " NO_CLASSES},
        {TRANSNAS, "pool.subset=equivalent", "--set pool.subset: " NO_CLASSES},
        {SPACE SEARCH "objective: {kind: train, table: /x}\n", NULL,
         "@:6:33: objective.table: has no meaning with objective.kind train; remove it"},
        {"name: a\npool: {space: transnas-micro}\nobjective: {kind: train}\n" SEARCH
         "data: {format: hdf5, train: [a]}\n",
         NULL,
         "@:3:19: objective.kind: this release trains networks of nas-bench-201 only; set "
         "pool.space to that, or take an objective of a table or a command"},
        {SPACE SEARCH "objective: {kind: train, batch: 64}\n", "objective.shards=3",
         "--set objective.shards: 3 equal parts of a batch of 64 images do not exist; choose a "
         "divisor"},
        {SPACE SEARCH "objective: {kind: train, validation: 0}\n", NULL,
         "@:6:38: objective.validation: with 0 the test images validate, and there are none; name "
         "data.test, or hold out a share such as 0.2"},
        {LEAST SEARCH, "objective.command=[a]",
         "--set objective.command: has no meaning with objective.kind table; remove it"},
        {"name: a\npool: {space: table, table: t}\nobjective: {kind: command}\n" SEARCH, NULL,
         "@: objective.command: this key is required with objective.kind command; expected a list "
         "of a program and its arguments, such as [./train, \"{arch}\"]"},
        {"name: a\npool: {space: table, table: t}\nobjective: {kind: command}\n" SEARCH,
         "objective.command=[]",
         "--set objective.command: expected a list of a program and its arguments, such as "
         "[./train, \"{arch}\"], found a list"},
        {"name: a\npool: {space: nas-bench-201}\nobjective: {kind: train}\n" SEARCH, NULL,
         "@: data.format: this key is required with objective.kind train; expected one of "
         "cifar-binary, idx, hdf5"},
        {SPACE SPACE_OBJECTIVE SEARCH, "data.train=[]",
         "--set data.train: needs at least one file, such as [a.bin]"},
        {SPACE SPACE_OBJECTIVE SEARCH, "data={mean: [0, 0, 0], std: [1]}",
         "--set data.std: has 1 numbers and data.mean 3; both hold one a channel"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].text, cases[i].set, cases[i].expected);
}

Test(job_refused, jobs_that_cannot_be_scored)
{
    static const struct {
        const char *text, *set, *expected;
    } cases[] = {
        {LEAST SEARCH, NULL,
         "@:2:15: pool.space: a table has no networks to score; set nas-bench-201"},
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

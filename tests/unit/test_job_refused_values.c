/* Values that are refused: each with its exact line, which names the place, the key, and what would
 * be right. */
#include "job_refusal.h"

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
         "transnas-micro, transnas-macro, darts, onnx, found tables; did you mean table?"},
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
        {"device=tpu",
         "--set device: there is no device 'tpu'; auto, cpu, gpu, cuda[:N], hip[:N] and "
         "opencl[:PLATFORM[:N]] are, with the numbers of robotnas devices"},
        {"device=", "--set device: expected a text, found \"\""},
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
         "pool.space to one of nas-bench-201, transnas-micro, transnas-macro, darts, onnx"},
        {TRANSNAS, "metrics.names=[snip]",
         "@: metrics.source (default): columns of a table need pool.space table or onnx; set compute or "
         "scores"},
        {TRANSNAS, "pool.subset=unique", "--set pool.subset: " NO_CLASSES},
        {TRANSNAS, "pool.subset=equivalent", "--set pool.subset: " NO_CLASSES},
        {SPACE SEARCH "objective: {kind: train, table: /x}\n", NULL,
         "@:6:33: objective.table: has no meaning with objective.kind train; remove it"},
        {"name: a\npool: {space: table, table: t}\nobjective: {kind: train}\n" SEARCH
         "data: {format: hdf5, train: [a]}\n",
         NULL,
         "@:3:19: objective.kind: this release trains networks of nas-bench-201, transnas-micro, "
         "transnas-macro, darts, onnx only; set pool.space to one of them, or take an objective of a "
         "table or a command"},
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

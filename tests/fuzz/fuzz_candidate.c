/* Files of candidates: edits (h5_edit.h) of a good one, with their digests made anew. The first byte says whether
 * its training is done. What is accepted is exported, as JSON and as ONNX. */
#include "common/state/checksummed.h"
#include "coordinator/report/export.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/h5_edit.h"
#include "tests/fuzz/state_sample.h"
#include "worker/engine/graph/graph.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const nas_network_t network = {.image_channels = 1,
                                      .height = 4,
                                      .width = 4,
                                      .channels = 1,
                                      .cells = 1,
                                      .classes = 2,
                                      .convention = NAS_CONVENTION_TRAIN};

/* What the run holds of the candidate that its file is of. */
typedef struct run {
    nas_state_t state;
    char *path;
    char *stem;
    char *file;
    nas_candidate_record_t record;
} run_t;

static run_t make_run(void)
{
    run_t run = {.state = fuzz_state_sample(), .path = fuzz_path("run.h5")};
    const nas_evaluation_t *best = &run.state.repeat[0].evaluation[0];
    run.record = (nas_candidate_record_t){
        .candidate = {.arch = best->arch, .seed = best->seed, .name = best->name},
        .n_goals = 1,
        .n_columns = (int64_t)run.state.report_columns.n,
        .n_epochs = run.state.n_epochs};
    NAS_ASSERT(nas_state_identity(&run.state, &run.record.run, NULL) == NAS_OK);
    run.stem = nas_candidate_stem(run.path, &run.record.candidate, NULL);
    run.file = nas_string_format(NULL, "%s.h5", run.stem);
    NAS_ASSERT(run.stem && run.file);
    return run;
}

static void end_run(run_t *run)
{
    nas_state_fini(&run->state);
    free(run->path);
    free(run->stem);
    free(run->file);
}

/* ------------------------------------------------------------------------------------- good */

static void write_good(const run_t *run, bool done)
{
    const nas_evaluation_t *best = &run->state.repeat[0].evaluation[0];
    double one = 1;
    nas_arch_t arch;
    nas_graph_t *graph = NULL;
    nas_candidate_record_t record = run->record;
    NAS_ASSERT(nas_arch_find(best->name, &arch, NULL) == NAS_OK);
    NAS_ASSERT(nas_graph_create(&network, &arch, &graph, NULL) == NAS_OK);
    double *zeros = calloc((size_t)(graph->n_values + graph->n_statistics), sizeof *zeros);
    NAS_ASSERT(zeros);
    record.done = done;
    record.outcome = (nas_outcome_t){.value = {best->value[0]},
                                     .cost = best->cost,
                                     .columns = best->columns,
                                     .curve = best->curve};
    record.step = 1;
    record.parameters = (nas_numbers_t){zeros, graph->n_values};
    record.statistics = (nas_numbers_t){zeros, graph->n_statistics};
    record.velocity = (nas_numbers_t){zeros, done ? 0 : graph->n_values};
    record.network = network;
    record.mean = record.std = (nas_numbers_t){&one, 1};
    NAS_ASSERT(nas_candidate_write(run->stem, &record, NULL) == NAS_OK);
    free(zeros);
    nas_graph_destroy(graph);
    nas_arch_fini(&arch);
}

/* The good file of a kind, made once. */
static fuzz_bytes_t good_file(const run_t *run, bool done)
{
    static fuzz_bytes_t good[2];
    if (good[done].n > 0) return good[done];
    write_good(run, done);
    good[done] = fuzz_read(run->file);
    return good[done];
}

/* --------------------------------------------------------------------------------- accepted */

static void check_record(const nas_candidate_record_t *record)
{
    const nas_outcome_t *outcome = &record->outcome;
    const bool ok = outcome->status == NAS_EVAL_OK;
    NAS_ASSERT(ok || outcome->status == NAS_EVAL_FAILED);
    NAS_ASSERT(!record->done || (ok ? isfinite(outcome->value[0]) : isnan(outcome->value[0])));
    NAS_ASSERT(!record->done || outcome->columns);
    NAS_ASSERT(memchr(outcome->reason, '\0', NAS_REASON_SIZE));
    NAS_ASSERT(record->step >= 0);
}

static void try_record(const run_t *run)
{
    nas_candidate_record_t record = run->record;
    nas_error_t err = {0};
    bool found = false;
    const nas_status_t status = nas_candidate_read(run->stem, &record, &found, &err);
    if (status)
        fuzz_check_error(status, &err);
    else if (found)
        check_record(&record);
    nas_candidate_record_fini(&record);
}

/* As a report reads it, which knows no candidate. */
static void try_any_record(const run_t *run)
{
    nas_candidate_record_t record = {.run = run->record.run,
                                     .n_goals = 1,
                                     .n_columns = run->record.n_columns,
                                     .n_epochs = run->record.n_epochs};
    nas_error_t err = {0};
    char *name = NULL;
    bool found = false;
    const nas_status_t status = nas_candidate_read_any(run->file, &record, &name, &found, &err);
    if (status) fuzz_check_error(status, &err);
    NAS_ASSERT(found == (name != NULL));
    if (found) check_record(&record);
    nas_candidate_record_fini(&record);
    free(name);
}

static void try_export(const run_t *run)
{
    nas_export_t what = {0};
    nas_error_t err = {0};
    char *text = NULL;
    unsigned char *model = NULL;
    size_t size = 0;
    nas_status_t status = nas_export_find(run->path, &run->state, "best", &what, &err);
    if (!status) NAS_ASSERT(nas_export_json(&what, &text, &err) == NAS_OK);
    if (!status) status = nas_export_onnx(&what, &model, &size, &err);
    if (status) fuzz_check_error(status, &err);
    free(text);
    free(model);
    nas_export_fini(&what);
}

/* Of candidate_file.c. */
static void checksum(char *image, size_t size)
{
    const nas_checksummed_kind_t kind = {
        .magic = "ROBOTCAN", .version = 2, .name = "candidate's file"};
    NAS_ASSERT(nas_checksummed_fill(&kind, image, size, NULL) == NAS_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes_t input = {data, size};
    run_t run = make_run();
    const fuzz_bytes_t good = good_file(&run, fuzz_byte(&input) % 2 == 0);
    const fuzz_bytes_t file = fuzz_h5_edit(good, input);
    char *image = (char *)(uintptr_t)file.at;
    checksum(image, file.n);
    fuzz_write(run.file, file);
    try_record(&run);
    try_any_record(&run);
    try_export(&run);
    end_run(&run);
    free(image);
    return 0;
}

#include "tests/fuzz/job_check.h"

#include "coordinator/registries/registries.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

typedef nas_status_t (*hash_t)(const nas_job_t *job, const nas_job_content_t *content,
                               nas_digest_t *hash, nas_error_t *err);

static void check_hash(hash_t hash, const nas_job_t *a, const nas_job_t *b)
{
    const nas_digest_t file[2] = {{{1}}, {{2}}};
    const nas_job_content_t content = {.file = file, .n = 2};
    nas_digest_t of_a, of_b;
    NAS_ASSERT(hash(a, &content, &of_a, NULL) == NAS_OK);
    NAS_ASSERT(hash(b, &content, &of_b, NULL) == NAS_OK);
    NAS_ASSERT(memcmp(&of_a, &of_b, sizeof of_a) == 0);
}

/* A job that is read to score has no objective, one that computes no metrics no scores. */
static void check_hashes(const nas_job_t *a, const nas_job_t *b)
{
    check_hash(nas_job_hash, a, b);
    check_hash(nas_job_hash_without_budget, a, b);
    if (a->purpose == NAS_JOB_SEARCH) check_hash(nas_job_objective_hash, a, b);
    if (a->metrics.source == NAS_SOURCE_COMPUTE) check_hash(nas_job_score_hash, a, b);
}

static void check_job(const nas_job_t *job)
{
    char *text = NULL, *text_again = NULL;
    nas_job_t *again = NULL;
    nas_error_t err = {0};
    NAS_ASSERT(nas_job_print(job, false, &text, &err) == NAS_OK);
    const nas_job_source_t source = {.sections = nas_registries_job(),
                                     .path = "/else/where.yaml",
                                     .text = text,
                                     .purpose = job->purpose};
    if (nas_job_read(&source, &again, &err)) (void)fprintf(stderr, "%s\n%s", err.text, text);
    NAS_ASSERT(again);
    NAS_ASSERT(nas_job_print(again, false, &text_again, &err) == NAS_OK);
    if (strcmp(text, text_again) != 0) (void)fprintf(stderr, "%s---\n%s", text, text_again);
    NAS_ASSERT(strcmp(text, text_again) == 0);
    check_hashes(job, again);
    free(text);
    free(text_again);
    nas_job_destroy(again);
}

void fuzz_try_job(const nas_job_source_t *source)
{
    nas_job_t *job = NULL;
    nas_error_t err = {0};
    NAS_ASSERT(setenv("DATA", "/data/here", 1) == 0);
    const nas_status_t status = nas_job_read(source, &job, &err);
    if (status)
        fuzz_check_error(status, &err);
    else
        check_job(job);
    nas_job_destroy(job);
}

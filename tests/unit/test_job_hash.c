/* Identities of jobs: what changes them, and what does not. */
#include "job_sandbox.h"

typedef nas_status_t (*hash_t)(const nas_job_t *job, const nas_job_content_t *content,
                               nas_digest_t *hash, nas_error_t *err);

static nas_digest_t hash_of(hash_t hash, const nas_job_t *job, const nas_digest_t *file, size_t n)
{
    nas_digest_t digest = {{0}};
    const nas_job_content_t content = {.file = file, .n = n};
    cr_assert_eq(hash(job, &content, &digest, NULL), NAS_OK);
    return digest;
}

/* Whether a hash is the same after an override. */
static bool same_hash(hash_t hash, const char *text, const char *set)
{
    const nas_digest_t file = {{1, 2, 3}};
    nas_job_t *job = read_job(text, NULL), *other = read_job(text, set);
    const nas_digest_t a = hash_of(hash, job, &file, 1), b = hash_of(hash, other, &file, 1);
    nas_job_destroy(job);
    nas_job_destroy(other);
    return memcmp(&a, &b, sizeof a) == 0;
}

Test(job_hash, hashes_change_with_what_they_identify)
{
    static const struct {
        const char *set;
        bool same, same_without_budget, same_objective;
    } cases[] = {
        {"output=x.h5", true, true, true},
        {"coordinator=dedicated", true, true, true},
        {"backend=ref", true, true, true},
        {"device=cpu", true, true, true},
        {"network.cells=1", true, true, true},
        {"pool.table=x.csv", true, true, true},
        {"search.groups=1", true, true, true},
        {"search.hidden=0.5", true, true, true},
        {"checkpoint.interval=1", true, true, true},
        {"metrics.transform={10: exp, snip: log, \"|x\": rank}", true, true, true},
        {"search.budget=5", false, true, true},
        {"name=other", false, false, true},
        {"seed=1", false, false, true},
        {"pool.encoding=none", false, false, true},
        {"metrics.transform={}", false, false, true},
        {"search.method=robot", false, false, true},
        {"search.repeats=2", false, false, true},
        {"search.parallel=2", false, false, true},
        {"search.metric=", false, false, true},
        {"pool.arch=a", false, false, false},
        {"pool.missing=[]", false, false, false},
        {"objective.column=a", false, false, false},
        {"objective.minimise=no", false, false, false},
        {"objective.cost=", false, false, false},
        {"objective.report=[b, a]", false, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *set = cases[i].set;
        cr_assert_eq(same_hash(nas_job_hash, FULL, set), cases[i].same, "%s", set);
        cr_assert_eq(same_hash(nas_job_hash_without_budget, FULL, set),
                     cases[i].same_without_budget, "%s", set);
        cr_assert_eq(same_hash(nas_job_objective_hash, FULL, set), cases[i].same_objective, "%s",
                     set);
    }
}

/* Whoever resumes or reuses a run of an earlier version finds its job's identity again: no key that
 * came later counts where it does not apply. */
Test(job_hash, a_job_of_an_earlier_version_has_the_hash_that_it_had)
{
    static const struct {
        hash_t hash;
        const char *text, *set, *hex;
    } cases[] = {
        {nas_job_hash, FULL, NULL,
         "69fe11b5dfabe8930a4dfecf0f5e9e673601ce9499a32f7d925f75a49c9b30ae"},
        {nas_job_hash_without_budget, FULL, NULL,
         "4283a76978cf486a2d052f88e5558fb07fb126a0c664b384febfc79f408d186e"},
        {nas_job_objective_hash, FULL, NULL,
         "faa04d70dd3b2489e49de8c106a6be9f219b81c23df9cbdf1199002e4d421d5e"},
        {nas_job_hash, SPACE_FULL, "search.method=robot",
         "8986f7292dc358d0581106673198c0d0a65ebc36f7dc7caec6aa6559934e9c1e"},
    };
    const nas_digest_t file = {{1, 2, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char hex[NAS_DIGEST_HEX_SIZE];
        nas_job_t *job = read_job(cases[i].text, cases[i].set);
        const nas_digest_t digest = hash_of(cases[i].hash, job, &file, 1);
        nas_digest_hex(&digest, hex);
        cr_assert_str_eq(hex, cases[i].hex);
        nas_job_destroy(job);
    }
}

Test(job_hash, hashes_of_a_space_change_with_what_they_identify)
{
    static const struct {
        const char *set;
        bool same, same_scores, same_objective;
    } cases[] = {
        {"output=x.h5", true, true, true},
        {"coordinator=shared", true, true, true},
        {"objective.table=x.csv", true, true, true},
        {"pool.subset={file: x.txt}", true, true, true},
        {"data.train=[x, y]", true, true, true},
        {"metrics.file=x.h5", true, true, true},
        {"name=other", false, true, true},
        {"metrics.transform={}", false, true, true},
        {"search.budget=5", false, true, true},
        {"search.method=robot", false, true, true},
        {"search.hidden=0.5", false, true, true}, /* of pool-gp, the default */
        {"objective.arch=a", false, true, false},
        {"objective.missing=[]", false, true, false},
        {"objective.column=a", false, true, false},
        {"seed=1", false, false, true},
        {"backend=cpu", false, false, true},
        {"device=cpu", true, true, true},
        {"pool.subset=all", false, false, true},
        {"pool.subset={sample: 3}", false, false, true},
        {"metrics.names=[snip]", false, false, true},
        {"metrics.batch=1", false, false, true},
        {"metrics.choice=random", false, false, true},
        {"network.channels=16", false, false, true},
        {"network.cells=5", false, false, true},
        {"network.convention=score", false, false, true},
        {"data.format=idx", false, false, true},
        {"data.train=[x]", false, false, true},
        {"data.test=[]", false, false, true},
        {"data.classes=10", false, false, true},
        {"data.mean=[]", false, false, true},
        {"data.std=[1, 1, 1]", false, false, true},
        {"data.limit=1", false, false, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *set = cases[i].set;
        cr_assert_eq(same_hash(nas_job_hash, SPACE_FULL, set), cases[i].same, "%s", set);
        cr_assert_eq(same_hash(nas_job_score_hash, SPACE_FULL, set), cases[i].same_scores, "%s",
                     set);
        cr_assert_eq(same_hash(nas_job_objective_hash, SPACE_FULL, set), cases[i].same_objective,
                     "%s", set);
    }
}

/* Training depends on network and images, which a table's values do not. */
Test(job_hash, the_objective_of_training_is_its_recipe_network_and_images)
{
#define TRAINED SPACE SEARCH "objective: {kind: train}\n"
    static const struct {
        const char *set;
        bool same_objective;
    } cases[] = {
        {"output=x.h5", true},
        {"metrics.batch=1", true},
        {"seed=1", true},
        {"pool.subset={sample: 3}", true},
        {"network.convention=train", true},
        {"silence=1", true},
        {"device=cpu", true},
        {"objective.patience=0", true},
        {"network.channels=8", false},
        {"backend=ref", false},
        {"data.limit=10", false},
        {"objective.epochs=1", false},
        {"objective.batch=64", false},
        {"objective.shards=2", false},
        {"objective.rate=1", false},
        {"objective.schedule=constant", false},
        {"objective.momentum=0", false},
        {"objective.nesterov=false", false},
        {"objective.weight_decay=0", false},
        {"objective.smoothing=0.1", false},
        {"objective.clip=5", false},
        {"objective.validation=0.5", false},
        {"objective.flip=true", false},
        {"objective.crop=4", false},
        {"objective.cutout=8", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert_eq(same_hash(nas_job_objective_hash, TRAINED, cases[i].set),
                     cases[i].same_objective, "%s", cases[i].set);
}

/* So that a search knows the file of its scoring stage. */
Test(job_hash, the_score_hash_is_the_same_for_every_purpose)
{
    const nas_digest_t file = {{1}};
    nas_job_t *score = read_job_for(NAS_JOB_SCORE, SPACE, "name=other");
    nas_job_t *search = read_job(SPACE SPACE_OBJECTIVE SEARCH, "metrics.transform={snip: log}");
    const nas_digest_t a = hash_of(nas_job_score_hash, score, &file, 1);
    const nas_digest_t b = hash_of(nas_job_score_hash, search, &file, 1);
    cr_assert_eq(memcmp(&a, &b, sizeof a), 0);
    nas_job_destroy(score);
    nas_job_destroy(search);
}

Test(job_hash, hashes_change_with_the_content_of_files)
{
    static const hash_t hashes[] = {nas_job_hash, nas_job_hash_without_budget,
                                    nas_job_objective_hash, nas_job_score_hash};
    const nas_digest_t files[] = {{{1}}, {{2}}, {{1}}};
    nas_job_t *job = read_job(SPACE_FULL, NULL);
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
        const nas_digest_t first = hash_of(hashes[i], job, &files[0], 2);
        const nas_digest_t swapped = hash_of(hashes[i], job, &files[1], 2);
        const nas_digest_t fewer = hash_of(hashes[i], job, &files[0], 1);
        cr_assert_neq(memcmp(&first, &swapped, sizeof first), 0);
        cr_assert_neq(memcmp(&first, &fewer, sizeof first), 0);
    }
    nas_job_destroy(job);
}

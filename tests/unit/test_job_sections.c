/* Sections of a made-up program: what a registry says of its names and keys is all that a job knows
 * of them. */
#include "common/job/job.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

typedef struct oven {
    int64_t heat;
    char *wood;
} oven_t;

enum { HOT = 1 };

static const char *kind_name(size_t choice)
{
    static const char *const name[] = {"oven", "pan", "cold"};
    return choice < 3 ? name[choice] : NULL;
}

static unsigned kind_traits(size_t choice)
{
    return choice < 2 ? HOT : 0;
}

static const nas_job_condition_t hot = {.key = "cook.by", .choices = HOT};

static const nas_job_field_t cook[] = {
    {.key = "cook.by",
     .type = NAS_JOB_ENUM,
     .affects = NAS_JOB_AFFECTS_VALUES,
     .offset = offsetof(nas_job_t, objective.kind),
     .name = kind_name,
     .traits = kind_traits,
     .doc = "How."},
    {.key = "cook.gloves",
     .type = NAS_JOB_BOOL,
     .affects = NAS_JOB_AFFECTS_NOTHING,
     .condition = &hot,
     .offset = offsetof(nas_job_t, objective.minimise),
     .initial = "true",
     .doc = "Gloves."},
};

static const nas_job_field_t of_oven[] = {
    {.key = "cook.heat",
     .type = NAS_JOB_INT,
     .affects = NAS_JOB_AFFECTS_VALUES,
     .own = true,
     .offset = offsetof(oven_t, heat),
     .initial = "200",
     .most = 300,
     .doc = "Degrees."},
    {.key = "cook.wood",
     .type = NAS_JOB_OPTIONAL,
     .affects = NAS_JOB_AFFECTS_NOTHING,
     .own = true,
     .offset = offsetof(oven_t, wood),
     .initial = "",
     .doc = "Of which tree."},
};

static const nas_job_field_t of_pan[] = {
    {.key = "cook.heat"},
    {.key = "cook.oil",
     .type = NAS_JOB_OPTIONAL,
     .affects = NAS_JOB_AFFECTS_VALUES,
     .own = true,
     .offset = 0,
     .doc = "Of which fruit."},
};

static nas_status_t check_oven(const nas_job_t *job, nas_error_t *err);

static const nas_job_section_t section_cook = {.fields = cook, .n_fields = 2},
                               section_oven = {.key = "cook.by",
                                               .name = "oven",
                                               .fields = of_oven,
                                               .n_fields = 2,
                                               .n_bytes = sizeof(oven_t),
                                               .check = check_oven},
                               section_pan = {.key = "cook.by",
                                              .name = "pan",
                                              .fields = of_pan,
                                              .n_fields = 2,
                                              .n_bytes = sizeof(char *)};

static nas_status_t check_oven(const nas_job_t *job, nas_error_t *err)
{
    const oven_t *oven = nas_job_values(job, &section_oven);
    if (oven->heat < 250 || oven->wood) return NAS_OK;
    return nas_job_error(job, "cook.heat", err, "so much needs wood");
}

static const nas_job_section_t *const LIST[] = {&nas_job_identity, &section_cook, &section_oven,
                                                &section_pan};
static const char *const PREFACE[] = {"# Cooking\n", "first\n", NULL};
static const nas_job_sections_t ALL = {LIST, 4, PREFACE};

static nas_status_t read_kitchen(const char *text, nas_job_t **job_p, nas_error_t *err)
{
    const nas_job_source_t source = {.sections = &ALL, .path = "/j.yaml", .text = text};
    return nas_job_read(&source, job_p, err);
}

static nas_job_t *kitchen(const char *text)
{
    nas_error_t err = {0};
    nas_job_t *job = NULL;
    cr_assert_eq(read_kitchen(text, &job, &err), NAS_OK, "%s", err.text);
    return job;
}

static void assert_refused(const char *text, const char *expected)
{
    nas_error_t err = {0};
    nas_job_t *job = NULL;
    cr_assert_eq(read_kitchen(text, &job, &err), NAS_EINPUT);
    cr_assert_str_eq(err.text, expected);
}

Test(job_sections, own_values_are_read_and_defaulted)
{
    nas_job_t *job = kitchen("name: a\ncook: {by: oven, wood: ash}\n");
    const oven_t *oven = nas_job_values(job, &section_oven);
    cr_assert_eq(oven->heat, 200);
    cr_assert_str_eq(oven->wood, "ash");
    cr_assert(nas_job_has(job, "cook.by", HOT));
    cr_assert_null(*(char *const *)nas_job_values(job, &section_pan));
    nas_job_destroy(job);
}

Test(job_sections, the_text_of_a_job_has_what_applies_in_the_order_of_the_sections)
{
    char *text = NULL;
    nas_job_t *job = kitchen("name: a\ncook: {by: pan, oil: olive, heat: 100}\n");
    cr_assert_eq(nas_job_print(job, false, &text, NULL), NAS_OK);
    cr_assert_str_eq(strstr(text, "cook:"),
                     "cook:\n  by: pan\n  gloves: true\n  heat: 100\n  oil: olive\n");
    free(text);
    nas_job_destroy(job);
    job = kitchen("name: a\ncook: {by: cold}\n");
    cr_assert_eq(nas_job_print(job, true, &text, NULL), NAS_OK);
    cr_assert_str_eq(text, "name: a\nseed: 0\ncook:\n  by: cold\n");
    free(text);
    nas_job_destroy(job);
}

Test(job_sections, keys_of_other_names_are_refused)
{
    assert_refused("name: a\ncook: {by: cold, heat: 7}\n",
                   "/j.yaml:2:24: cook.heat: has no meaning with cook.by cold; remove it");
    assert_refused("name: a\ncook: {by: cold, gloves: no}\n",
                   "/j.yaml:2:26: cook.gloves: has no meaning with cook.by cold; remove it");
    assert_refused("name: a\ncook: {by: pan, wood: ash, oil: x}\n",
                   "/j.yaml:2:23: cook.wood: has no meaning with cook.by pan; remove it");
    assert_refused("name: a\ncook: {by: pan}\n",
                   "/j.yaml: cook.oil: this key is required with cook.by pan; expected a text, or "
                   "\"\" for none");
}

Test(job_sections, names_and_nearest_keys_come_from_the_sections)
{
    assert_refused("name: a\ncook: {by: sun}\n",
                   "/j.yaml:2:12: cook.by: expected one of oven, pan, cold, found sun");
    assert_refused("name: a\ncook: {by: pan, hat: 1}\n",
                   "/j.yaml:2:17: cook.hat: unknown key; did you mean cook.heat?");
}

Test(job_sections, a_section_checks_where_it_applies)
{
    assert_refused("name: a\ncook: {by: oven, heat: 250}\n",
                   "/j.yaml:2:24: cook.heat: so much needs wood");
    nas_job_destroy(kitchen("name: a\ncook: {by: pan, heat: 250, oil: x}\n"));
}

Test(job_sections, the_reference_says_what_applies_with_what)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    cr_assert_not_null(out);
    nas_job_write_reference(&ALL, out);
    cr_assert_eq(fclose(out), 0);
    cr_assert(strncmp(text, "# Cooking\nfirst\n\n## Top level\n", 30) == 0);
    cr_assert_not_null(strstr(text, "| `cook.heat` | an integer from 0 to 300 | `200` | fixed | "
                                    "Only with `cook.by` oven, pan. Degrees. |\n"));
    cr_assert_not_null(strstr(text, "Only with `cook.by` oven, pan. Gloves. |\n"));
    cr_assert_not_null(strstr(text, "Only with `cook.by` oven. Of which tree. |\n"));
    free(text);
}

/* Writing state files.
 *
 * The image is built in memory and written in one go by nas_file_replace, so that the disk sees
 * either all or nothing of it and every failure of the disk is reported by that module. The file
 * that it replaces becomes path.prev, but only if it is whole: a damaged one must never push out
 * the good one before it.
 */
#include "common/io/file.h"
#include "common/state/statefile.h"
#include "common/state/statefile_internal.h"

#include <stdlib.h>

static nas_status_t write_fields(hid_t at, nas_statefile_fields_t fields, const void *object,
                                 nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = 0; i < fields.n && !status; i++) {
        const nas_statefile_field_t *field = &fields.at[i];
        status = nas_h5_write_attribute(at, field->name, field->type,
                                        (const char *)object + field->offset, err);
    }
    return status;
}

static nas_status_t write_root(hid_t file, const nas_state_t *state, nas_error_t *err)
{
    const int64_t version = NAS_STATEFILE_VERSION;
    const char *job = state->job_text ? state->job_text : "";
    nas_status_t status = nas_h5_write_attribute(file, "format_version", NAS_H5_I64, &version, err);
    if (!status) status = write_fields(file, nas_statefile_root(), state, err);
    if (!status) status = write_fields(file, nas_statefile_root_of_3(), state, err);
    if (!status) status = write_fields(file, nas_statefile_root_optional(), state, err);
    if (!status) status = nas_h5_write_texts(file, "job", &job, 1, err);
    return status;
}

static nas_status_t write_events(hid_t file, const nas_state_t *state, nas_error_t *err)
{
    const int64_t n = state->n_event;
    hid_t group = H5I_INVALID_HID;
    nas_status_t status = NAS_OK;
    double *time_s = malloc(((size_t)n + 1) * sizeof *time_s);
    const char **text = malloc(((size_t)n + 1) * sizeof *text);
    if (!time_s || !text) {
        status = nas_error_nomem(err, "the events");
        goto out;
    }
    for (int64_t i = 0; i < n; i++) {
        time_s[i] = state->event[i].time_s;
        text[i] = state->event[i].text;
    }
    status = nas_h5_group_create(file, "events", &group, err);
    if (!status)
        status =
            nas_h5_write_array(group, "time", &(nas_h5_array_t){NAS_H5_F64, 1, {n}, time_s}, err);
    if (!status) status = nas_h5_write_texts(group, "text", text, n, err);
out:
    nas_h5_group_close(group);
    free(time_s);
    free(text);
    return status;
}

static nas_status_t write_lists(hid_t file, const nas_state_t *state, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = 0; i < NAS_STATEFILE_LISTS && !status; i++) {
        const nas_strings_t *list =
            (const void *)((const char *)state + nas_statefile_lists[i].offset);
        if (list->n > 0)
            status = nas_statefile_write_names(file, nas_statefile_lists[i].name, list, err);
    }
    return status;
}

/* The whole file but for its user block. */
static nas_status_t build(hid_t file, const nas_state_t *state, nas_error_t *err)
{
    nas_status_t status = write_root(file, state, err);
    if (!status) status = nas_statefile_write_scores(file, state, err);
    if (!status)
        status = nas_statefile_write_names(file, "report_columns", &state->report_columns, err);
    if (!status) status = write_lists(file, state, err);
    if (!status) status = nas_statefile_write_repeats(file, state, err);
    if (!status) status = nas_statefile_write_evaluations(file, state, err);
    if (!status) status = write_events(file, state, err);
    return status;
}

/* Whether what stands at path is worth keeping as the previous file. */
static bool is_whole(const char *path, const nas_file_identity_t *last)
{
    nas_file_identity_t now = {0};
    if (last && last->size > 0 && nas_file_identify(path, &now) &&
        nas_file_identity_equal(&now, last))
        return true;
    return nas_checksummed_is_whole(&nas_statefile_kind, path);
}

nas_status_t nas_statefile_write(const char *path, const nas_state_t *state,
                                 nas_file_identity_t *last, nas_error_t *err)
{
    char *image = NULL;
    size_t size = 0;
    hid_t file = H5I_INVALID_HID;
    nas_status_t status = nas_h5_create(&file, err);
    if (status) return status;
    status = build(file, state, err);
    if (!status) status = nas_h5_view(file, &image, &size, err);
    if (!status) status = nas_checksummed_fill(&nas_statefile_kind, image, size, err);
    if (status) goto out;
    status = nas_file_replace(path, &(nas_span_t){image, size}, 1, is_whole(path, last), err);
    if (!status && last && !nas_file_identify(path, last)) *last = (nas_file_identity_t){0};
out:
    nas_h5_close(file);
    return status;
}

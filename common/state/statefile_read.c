/* Reading state files: of a file that was verified as bytes, the type, shape and range of every
 * value are checked.
 *
 * Where path is damaged or missing, path.prev is read instead, and the caller gets a notice to
 * print. A file of a newer version is left alone: falling back to the file before it would silently
 * undo what the newer program did.
 */
#include "common/io/file.h"
#include "common/state/statefile.h"
#include "common/state/statefile_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static nas_status_t read_optional(hid_t at, nas_statefile_fields_t fields, void *object,
                                  nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = 0; i < fields.n && !status; i++)
        if (nas_h5_has_attribute(at, fields.at[i].name))
            status = nas_statefile_read_fields(at, (nas_statefile_fields_t){&fields.at[i], 1},
                                               object, err);
    return status;
}

/* Files of version 2 have one goal. */
static nas_status_t read_root(hid_t file, uint64_t version, nas_state_t *state, nas_error_t *err)
{
    nas_h5_texts_t job = {0};
    state->n_goals = 1;
    nas_status_t status = nas_statefile_read_fields(file, nas_statefile_root(), state, err);
    if (!status && version >= 3)
        status = nas_statefile_read_fields(file, nas_statefile_root_of_3(), state, err);
    if (!status) status = read_optional(file, nas_statefile_root_optional(), state, err);
    if (!status) status = nas_h5_read_texts(file, "job", 1, &job, err);
    if (status) return status;
    state->job_text = job.data;
    if (state->generation < 0)
        return nas_error_set(err, NAS_EINPUT, "generation %lld is negative",
                             (long long)state->generation);
    if (state->n_goals < 1 || state->n_goals > NAS_MAX_GOALS)
        return nas_error_set(err, NAS_EINPUT, "n_goals %lld is not from 1 to %d",
                             (long long)state->n_goals, NAS_MAX_GOALS);
    if (state->budget < 0 || state->n_arch < 0 || state->n_epochs < 0)
        return nas_error_set(
            err, NAS_EINPUT, "budget %lld, n_arch %lld or n_epochs %lld is negative",
            (long long)state->budget, (long long)state->n_arch, (long long)state->n_epochs);
    return NAS_OK;
}

static nas_status_t read_events(hid_t file, nas_state_t *state, nas_error_t *err)
{
    hid_t group = H5I_INVALID_HID;
    nas_h5_texts_t text = {0};
    nas_h5_array_t time_s = {.type = NAS_H5_F64, .rank = 1};
    nas_status_t status = nas_h5_group_open(file, "events", &group, err);
    if (status) return status;
    status = nas_h5_read_texts(group, "text", -1, &text, err);
    time_s.size[0] = text.n;
    if (!status) status = nas_h5_read_array(group, "time", &time_s, err);
    for (int64_t i = 0; i < text.n && !status; i++) {
        status = nas_state_add_event(state, err, "%s", text.data + (size_t)i * text.width);
        if (!status) state->event[i].time_s = ((const double *)time_s.data)[i];
    }
    free(text.data);
    free(time_s.data);
    nas_h5_group_close(group);
    return status;
}

static nas_status_t read_lists(hid_t file, nas_state_t *state, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = 0; i < NAS_STATEFILE_LISTS && !status; i++) {
        nas_strings_t *list = (void *)((char *)state + nas_statefile_lists[i].offset);
        if (nas_h5_has(file, nas_statefile_lists[i].name))
            status = nas_statefile_read_names(file, nas_statefile_lists[i].name, list, err);
    }
    return status;
}

/* The order matters: later parts are checked against earlier ones. */
static nas_status_t read_content(hid_t file, uint64_t version, nas_state_t *state, nas_error_t *err)
{
    nas_status_t status = read_root(file, version, state, err);
    if (!status) status = nas_statefile_read_scores(file, state, err);
    if (!status)
        status = nas_statefile_read_names(file, "report_columns", &state->report_columns, err);
    if (!status) status = read_lists(file, state, err);
    if (!status) status = nas_statefile_read_repeats(file, version, state, err);
    if (!status) status = nas_statefile_read_evaluations(file, version, state, err);
    if (!status) status = read_events(file, state, err);
    return status;
}

/* newer [out] as in nas_checksummed_image_t. */
static nas_status_t read_file(const char *path, nas_state_t *state, bool *newer, nas_error_t *err)
{
    nas_checksummed_image_t image = {0};
    nas_state_t read = {0};
    nas_error_t reason = {0};
    hid_t file = H5I_INVALID_HID;
    nas_status_t status = nas_checksummed_load(&nas_statefile_kind, path, &image, err);
    *newer = image.newer;
    if (status) return status;
    status = nas_h5_open(image.data, image.size, &file, &reason);
    if (!status) status = read_content(file, image.version, &read, &reason);
    nas_h5_close(file);
    free(image.data);
    if (status) {
        nas_state_fini(&read);
        return nas_error_set(err, status, "%s: inconsistent state file: %s", path, reason.text);
    }
    *state = read;
    return NAS_OK;
}

nas_status_t nas_statefile_read_one(const char *path, nas_state_t *state, nas_error_t *err)
{
    bool newer = false;
    return read_file(path, state, &newer, err);
}

/* Whether there is a file that can be opened: what is wrong with it is its content. */
static bool is_readable(const char *path)
{
    int fd = -1;
    int64_t size = 0;
    if (nas_file_open(path, &fd, &size, NULL)) return false;
    (void)close(fd);
    return true;
}

/* Whether a file is a text that is not called as a state file is: a job in place of its run. */
static bool is_job(const char *at)
{
    char data[256];
    int fd = -1;
    int64_t size = 0;
    size_t n = 0;
    const size_t length = strlen(at);
    const bool is_named = length > 3 && strcmp(at + length - 3, ".h5") == 0;
    if (is_named || nas_file_open(at, &fd, &size, NULL)) return false;
    bool is_text = !nas_file_read_next(fd, at, data, sizeof data, &n, NULL) && n > 0;
    (void)close(fd);
    for (size_t i = 0; i < n && is_text; i++)
        is_text = (unsigned char)data[i] >= ' ' || (data[i] && strchr("\t\r\n", data[i]));
    return is_text;
}

/* path was refused for `reason`: try the file before it, beside `at`, where a link leads to. */
static nas_status_t read_previous(const char *at, nas_state_t *state, const nas_error_t *reason,
                                  nas_error_t *err)
{
    nas_error_t second = {0};
    const char *const remedy =
        nas_statefile_check_own(at, &second)
            ? "restore a copy, or move it away and start the run anew"
            : "restore a copy, or let the run that writes it start anew with --fresh";
    char *prev = nas_file_sibling(at, ".prev", err);
    if (!prev) return NAS_ENOMEM;
    nas_status_t status = nas_statefile_read_one(prev, state, &second);
    if (status && nas_file_exists(prev))
        status = nas_error_set(err, status, "%s; the file before it is no help: %s; %s",
                               reason->text, second.text, remedy);
    else if (status && is_readable(at))
        status = nas_error_set(
            err, status, "%s; %s", reason->text,
            is_job(at) ? "a job's run is at its output (robotnas check JOB.yaml prints it)"
                       : remedy);
    else if (status)
        status = nas_error_set(err, status, "%s", reason->text);
    free(prev);
    return status;
}

nas_status_t nas_statefile_read(const char *path, nas_state_t *state, nas_error_t *notice,
                                nas_error_t *err)
{
    bool newer = false;
    nas_error_t reason = {0};
    notice->text[0] = '\0';
    nas_status_t status = read_file(path, state, &newer, &reason);
    if (!status) return NAS_OK;
    if (newer || status == NAS_ENOMEM) return nas_error_set(err, status, "%s", reason.text);
    char *at = nas_file_locate(path, err);
    if (!at) return NAS_ENOMEM;
    status = read_previous(at, state, &reason, err);
    if (!status)
        (void)nas_error_set(notice, NAS_OK, "%s; going on from the file before it, %s.prev",
                            reason.text, at);
    free(at);
    return status;
}

/* An evaluated architecture for other tools. */
#ifndef NAS_COORDINATOR_REPORT_EXPORT_H
#define NAS_COORDINATOR_REPORT_EXPORT_H

#include "common/base/error.h"
#include "common/state/state.h"
#include "worker/candidates/candidate_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** What is exported. */
typedef struct nas_export {
    const char *path;                   /**< of the state file; borrowed */
    const nas_state_t *state;           /**< borrowed */
    const nas_evaluation_t *evaluation; /**< borrowed from state */
    nas_candidate_record_t record;      /**< owned; of its training */
    bool has_record;                    /**< its file is there, with trained parameters */
    char *source; /**< the run that it was taken over from, as found from this one's folder; owned;
                   *   NULL: none, or not known */
} nas_export_t;

/** Find an architecture among the evaluations, and its candidate's file: beside this run's, or of
 *  what was taken over beside that of the run that trained it.  Not collective.
 *  arch: "best", or an architecture as the report prints it, of which the best evaluation counts;
 *  out [out]; end it with nas_export_fini.
 *  NAS_EINPUT: nothing was evaluated successfully, or not this architecture, or its file is
 *  damaged; what is wrong with other runs' files makes them as good as none. NAS_EIO, NAS_ENOMEM.
 */
nas_status_t nas_export_find(const char *path, const nas_state_t *state, const char *arch,
                             nas_export_t *out, nas_error_t *err);

/** As one JSON object, described in docs/report.md.  Not collective.
 *  text_p [out] ends with a newline; the caller's (free). NAS_ENOMEM. */
nas_status_t nas_export_json(const nas_export_t *what, char **text_p, nas_error_t *err);

/** As an ONNX model with trained parameters.  Not collective.
 *  data_p [out] size bytes, the caller's (free).
 *  NAS_EINPUT: this run trained nothing, or the candidate's file is not there; of what was taken
 *  over the text says where it should be. NAS_ENOMEM. */
nas_status_t nas_export_onnx(const nas_export_t *what, unsigned char **data_p, size_t *size,
                             nas_error_t *err);

void nas_export_fini(nas_export_t *what);

#endif

#include "coordinator/search/message.h"

#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------------------------------------- steps */

typedef struct step_header {
    int64_t repeat, status, stop, done, n, n_frontier, has_learned;
    double posterior_mean, posterior_std;
} step_header_t;

nas_status_t nas_step_pack(const nas_step_t *step, nas_message_sizes_t sizes, nas_buffer_t *buffer,
                           nas_error_t *err)
{
    const nas_proposals_t *p = &step->proposed;
    const step_header_t header = {
        step->repeat,  step->status,   step->stop,        step->done,      p->n,
        p->n_frontier, p->has_learned, p->posterior_mean, p->posterior_std};
    const size_t n_best = p->has_learned ? (size_t)sizes.n_metric : 0;
    const size_t n_weights = (size_t)(p->n * sizes.n_weight);
    nas_status_t status = nas_buffer_put(buffer, &header, sizeof header, err);
    if (!status)
        status =
            nas_buffer_put(buffer, step->err.text, step->status ? sizeof step->err.text : 0, err);
    if (!status) status = nas_buffer_put(buffer, p->arch, (size_t)p->n * sizeof *p->arch, err);
    if (!status) status = nas_buffer_put(buffer, p->phase, (size_t)p->n * sizeof *p->phase, err);
    if (!status) status = nas_buffer_put(buffer, p->weights, n_weights * sizeof *p->weights, err);
    if (!status)
        status =
            nas_buffer_put(buffer, p->frontier, (size_t)p->n_frontier * sizeof *p->frontier, err);
    if (!status)
        status = nas_buffer_put(buffer, p->best_weights, n_best * sizeof *p->best_weights, err);
    return status;
}

/* Views into a received buffer are never written through. */
static void *view(const void *data)
{
    return (void *)(uintptr_t)data;
}

void nas_step_unpack(const char *data, size_t size, nas_message_sizes_t sizes, nas_step_t *step)
{
    *step = (nas_step_t){.repeat = -1};
    if (size == 0) return;
    const step_header_t *header = nas_buffer_take(&data, sizeof *header);
    step->repeat = header->repeat;
    step->status = header->status;
    step->stop = header->stop;
    step->done = header->done;
    if (header->status)
        memcpy(step->err.text, nas_buffer_take(&data, sizeof step->err.text),
               sizeof step->err.text);
    nas_proposals_t *p = &step->proposed;
    p->n = header->n;
    p->n_frontier = header->n_frontier;
    p->has_learned = header->has_learned;
    p->posterior_mean = header->posterior_mean;
    p->posterior_std = header->posterior_std;
    p->arch = view(nas_buffer_take(&data, (size_t)p->n * sizeof *p->arch));
    p->phase = view(nas_buffer_take(&data, (size_t)p->n * sizeof *p->phase));
    p->weights = view(nas_buffer_take(&data, (size_t)(p->n * sizes.n_weight) * sizeof *p->weights));
    p->frontier = view(nas_buffer_take(&data, (size_t)p->n_frontier * sizeof *p->frontier));
    p->best_weights = view(data);
}

/* ------------------------------------------------------------------------------------- replies */

typedef struct reply_header {
    int64_t kind, repeat;
    uint64_t seed;
    int64_t status, n;
} reply_header_t;

nas_status_t nas_reply_pack(const nas_reply_t *reply, int64_t n_weight, nas_buffer_t *buffer,
                            nas_error_t *err)
{
    const reply_header_t header = {reply->kind, reply->repeat, reply->seed, reply->status,
                                   reply->n};
    nas_status_t status = nas_buffer_put(buffer, &header, sizeof header, err);
    if (!status)
        status = nas_buffer_put(buffer, reply->err.text, reply->status ? sizeof reply->err.text : 0,
                                err);
    for (int64_t i = 0; !status && i < reply->n; i++) {
        status = nas_buffer_put(buffer, &reply->result[i], sizeof reply->result[i], err);
        if (!status && reply->kind == NAS_REPLY_START)
            status = nas_buffer_put(buffer, reply->result[i].weights,
                                    (size_t)n_weight * sizeof(double), err);
    }
    return status;
}

nas_status_t nas_reply_unpack(const char *data, int64_t n_weight, nas_reply_t *reply,
                              nas_error_t *err)
{
    const reply_header_t *header = nas_buffer_take(&data, sizeof *header);
    *reply = (nas_reply_t){.kind = header->kind,
                           .repeat = header->repeat,
                           .seed = header->seed,
                           .status = header->status,
                           .n = header->n};
    if (header->status)
        memcpy(reply->err.text, nas_buffer_take(&data, sizeof reply->err.text),
               sizeof reply->err.text);
    reply->result = calloc((size_t)reply->n + 1, sizeof *reply->result);
    if (!reply->result) return nas_error_nomem(err, "a message");
    for (int64_t i = 0; i < reply->n; i++) {
        memcpy(&reply->result[i], nas_buffer_take(&data, sizeof reply->result[i]),
               sizeof reply->result[i]);
        reply->result[i].weights = NULL;
        if (reply->kind == NAS_REPLY_START)
            reply->result[i].weights = nas_buffer_take(&data, (size_t)n_weight * sizeof(double));
    }
    return NAS_OK;
}

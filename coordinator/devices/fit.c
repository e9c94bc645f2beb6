#include "coordinator/devices/fit.h"

#include "worker/engine/host/backends.h"

#include <math.h>
#include <string.h>

/* As pack/gpu_engine.h has it where nothing else is said. */
static const double SHARE = 0.9;
enum { MOST = 64 };

static double mebibytes(double n_bytes)
{
    return n_bytes / (1024.0 * 1024.0);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The tensors of a pack are one buffer. */
void nas_devices_fit_set(nas_devices_fit_t *fit, const char *device, const nas_gpu_info_t *info)
{
    const size_t one_buffer = info->largest > 0 ? info->largest : info->memory;
    const size_t is_free = info->free_memory > 0 ? info->free_memory : info->memory;
    fit->device = device;
    fit->memory = least(one_buffer, info->memory);
    fit->free_memory = least(one_buffer, is_free);
}

nas_status_t nas_devices_check_fit(const nas_job_t *job, const nas_devices_fit_t *fit,
                                   nas_error_t *err)
{
    if (isnan(fit->n_bytes) || fit->n_bytes <= SHARE * (double)fit->memory) return NAS_OK;
    return nas_job_error(
        job, "device", err,
        "the pool's largest network takes %.0f MiB while it is %s, and %s has room for %.0f MiB; set a smaller batch or network, another device, or cpu",
        ceil(mebibytes(fit->n_bytes)), fit->what, fit->device,
        floor(mebibytes(SHARE * (double)fit->memory)));
}

int nas_devices_pack(const nas_devices_fit_t *fit)
{
    const double n = SHARE * (double)fit->free_memory / fit->n_bytes;
    return n < 1.0 ? 1 : n > MOST ? MOST : (int)n;
}

/* ---------------------------------------------------------------------------------- this machine */

void nas_devices_look(const nas_job_t *job, nas_devices_view_t *view)
{
    nas_device_place_t place;
    *view = (nas_devices_view_t){.choice = nas_device_choice_of(job)};
    view->may_take_gpu =
        view->choice.kind != NAS_DEVICE_CPU && nas_backend_at((size_t)job->backend)->yields;
    if (!view->may_take_gpu) return;
    view->is_here = nas_device_find(&view->choice, 0, &place, &view->reason) == NAS_OK;
    if (!view->is_here) return;
    view->info = place.info;
    nas_device_spell(place.layer, &place.info, view->name);
}

nas_status_t nas_devices_fit_all(const nas_job_t *job, const nas_devices_view_t *view,
                                 nas_devices_fit_t *fit, int n, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    if (!view->is_here) return NAS_OK;
    for (int i = 0; !status && i < n; i++) {
        nas_devices_fit_set(&fit[i], view->name, &view->info);
        if (view->choice.kind == NAS_DEVICE_GPU) status = nas_devices_check_fit(job, &fit[i], err);
    }
    return status;
}

static double gibibytes(double n_bytes)
{
    return n_bytes / (1024.0 * 1024.0 * 1024.0);
}

static void print_place(const nas_devices_view_t *view, const char *asked_for, FILE *out)
{
    const nas_gpu_info_t *info = &view->info;
    (void)fprintf(out, "# device:      %s: here %s %s, %.1f GiB", asked_for, view->name, info->name,
                  gibibytes((double)info->memory));
    if (info->free_memory > 0)
        (void)fprintf(out, ", %.1f GiB free", gibibytes((double)info->free_memory));
    (void)fputc('\n', out);
}

static void print_fit(const nas_devices_fit_t *fit, FILE *out)
{
    if (isnan(fit->n_bytes)) return;
    (void)fprintf(out, "#              %.0f MiB on a GPU for the largest network while it is %s: ",
                  ceil(mebibytes(fit->n_bytes)), fit->what);
    if (fit->device)
        (void)fprintf(out, "packs of %d\n", nas_devices_pack(fit));
    else
        (void)fprintf(out, "%.2g GiB for a pack of %d\n", MOST * gibibytes(fit->n_bytes), MOST);
}

void nas_devices_print(const nas_job_t *job, const nas_devices_view_t *view,
                       const nas_devices_fit_t *fit, int n, FILE *out)
{
    if (!view->may_take_gpu) {
        (void)fprintf(out, "# device:      cpu\n");
        return;
    }
    if (view->is_here)
        print_place(view, job->device, out);
    else
        (void)fprintf(out, "# device:      %s: no GPU here: %s\n", job->device, view->reason.text);
    for (int i = 0; i < n; i++) print_fit(&fit[i], out);
}

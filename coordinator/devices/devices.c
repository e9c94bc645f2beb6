#include "coordinator/devices/devices.h"

#include "common/base/isa.h"
#include "common/base/log.h"
#include "worker/engine/host/backends.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The decision under way on a rank. */
typedef struct opening {
    nas_comm_t *world;
    nas_devices_request_t request;
    nas_devices_t *devices;
    nas_isa_t isa; /* of all ranks */
    int local_rank;
    nas_error_t reason; /* why this rank has no GPU */
} opening_t;

/* ------------------------------------------------------------------------------------ the kind */

/* Rank 0: what a run that goes on, and its backend, leave of the choice. */
static nas_status_t settle_kind(nas_devices_request_t *request, nas_error_t *err)
{
    nas_device_choice_t *choice = &request->choice;
    const nas_device_kind_t recorded = (nas_device_kind_t)request->recorded;
    if (recorded != NAS_DEVICE_AUTO && choice->kind == NAS_DEVICE_AUTO) choice->kind = recorded;
    if (choice->kind == NAS_DEVICE_AUTO && !nas_backend_at((size_t)request->backend)->yields)
        choice->kind = NAS_DEVICE_CPU;
    if (recorded == NAS_DEVICE_AUTO || choice->kind == recorded) return NAS_OK;
    return nas_error_set(
        err, NAS_EINPUT,
        "device: this run has computed on %s so far, whose values differ from those of %s in their last bits; leave device at auto, or start anew with --fresh",
        recorded == NAS_DEVICE_GPU ? "GPUs" : "the CPU",
        recorded == NAS_DEVICE_GPU ? "the CPU" : "GPUs");
}

static nas_status_t spread_request(opening_t *opening, const nas_devices_request_t *request,
                                   nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    double isa = nas_isa_best();
    if (nas_comm_rank(opening->world) == 0) {
        opening->request = *request;
        status = settle_kind(&opening->request, err);
    }
    nas_comm_bcast(opening->world, 0, &opening->request, sizeof opening->request);
    nas_comm_min(opening->world, &isa, 1);
    opening->isa = (nas_isa_t)isa;
    if (opening->request.first_worker >= nas_comm_size(opening->world))
        opening->request.first_worker = 0;
    return nas_comm_agree(opening->world, status, err);
}

/* Whether this rank computes at all. */
static bool is_worker(const opening_t *opening)
{
    return nas_comm_rank(opening->world) >= opening->request.first_worker;
}

/* ----------------------------------------------------------------------------------------- CPU */

static nas_status_t open_cpu(opening_t *opening, nas_error_t *err)
{
    nas_device_options_t options = {.choice = {.kind = NAS_DEVICE_CPU}};
    opening->devices->kind = NAS_DEVICE_CPU;
    if (!is_worker(opening)) return NAS_OK;
    const nas_status_t status =
        nas_backend_require(opening->request.backend, opening->isa, &options.backend, err);
    return status ? status : nas_device_open(&options, &opening->devices->own, err);
}

/* ---------------------------------------------------------------------------------------- GPUs */

/* Open this rank's GPU, if it has one. A GPU that does not work is none where any will do. */
static nas_status_t open_gpu(opening_t *opening, nas_error_t *err)
{
    const bool is_open = opening->request.choice.kind == NAS_DEVICE_AUTO;
    nas_device_options_t options = {.choice = opening->request.choice,
                                    .local_rank = opening->local_rank};
    options.choice.kind = NAS_DEVICE_GPU;
    if (!is_worker(opening)) return NAS_OK;
    const nas_status_t status = nas_device_open(&options, &opening->devices->own, &opening->reason);
    if (status == NAS_OK || status == NAS_EINPUT) return NAS_OK;
    if (is_open && status == NAS_EIO) {
        nas_log_line_of_rank("its GPU counts as none: %s", opening->reason.text);
        return NAS_OK;
    }
    *err = opening->reason;
    return status;
}

static nas_status_t mark_idle(opening_t *opening, int64_t *n_gpus, nas_error_t *err)
{
    const int n_ranks = nas_comm_size(opening->world);
    const bool is_idle = opening->devices->own == NULL;
    opening->devices->is_idle = calloc((size_t)n_ranks, sizeof(bool));
    nas_status_t status =
        opening->devices->is_idle ? NAS_OK : nas_error_nomem(err, "the list of devices");
    status = nas_comm_agree(opening->world, status, err);
    if (status) return status;
    nas_comm_all_gather(opening->world, &is_idle, sizeof is_idle, opening->devices->is_idle);
    *n_gpus = 0;
    for (int r = 0; r < n_ranks; r++) *n_gpus += !opening->devices->is_idle[r];
    return NAS_OK;
}

/* No rank has one: an error with the first worker's reason, where one is asked for. */
static nas_status_t refuse(opening_t *opening, nas_error_t *err)
{
    const char *who = opening->request.recorded == NAS_DEVICE_GPU
                          ? "device: this run has computed on GPUs so far, and no rank has one"
                          : "device: no rank has such a GPU";
    nas_status_t status = NAS_OK;
    if (is_worker(opening))
        status = nas_error_set(err, NAS_EINPUT, "%s: %s", who, opening->reason.text);
    return nas_comm_agree(opening->world, status, err);
}

/* What a GPU says of itself to the others. */
typedef struct identity {
    uint64_t golden;
    char text[256];
} identity_t;

static void identify(const opening_t *opening, identity_t *identity)
{
    char host[64] = "unknown";
    (void)gethostname(host, sizeof host - 1);
    identity->golden = nas_device_golden(opening->devices->own);
    (void)snprintf(identity->text, sizeof identity->text, "rank %d on %s (%s, golden hash %016llx)",
                   nas_comm_rank(opening->world), host, nas_device_name(opening->devices->own),
                   (unsigned long long)identity->golden);
}

/* Every GPU against that of the first rank that has one, and all against the run's so far. */
static nas_status_t compare_golden(opening_t *opening, nas_error_t *err)
{
    nas_devices_t *devices = opening->devices;
    identity_t first = {0}, own = {0};
    int root = 0;
    nas_status_t status = NAS_OK;
    while (devices->is_idle[root]) root++;
    if (devices->own) identify(opening, &own);
    first = own;
    nas_comm_bcast(opening->world, root, &first, sizeof first);
    devices->golden = first.golden;
    if (devices->own && own.golden != first.golden)
        status = nas_error_set(
            err, NAS_ENUMERIC,
            "the GPUs of this run do not compute the same bits: %s, %s; leave one kind out",
            first.text, own.text);
    else if (opening->request.recorded == NAS_DEVICE_GPU && first.golden != opening->request.golden)
        status = nas_error_set(
            err, NAS_EINPUT,
            "device: the GPUs that this run has computed on so far had golden hash %016llx, and this is %s: its values would not repeat; go on where it began, or start anew with --fresh",
            (unsigned long long)opening->request.golden, first.text);
    return nas_comm_agree(opening->world, status, err);
}

/* -------------------------------------------------------------------------------------- saying */

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

static void say_gpus(const opening_t *opening, int64_t n_gpus)
{
    const int n_ranks = nas_comm_size(opening->world);
    const long long n_idle = n_ranks - n_gpus;
    char first[256] = "", without[96] = "";
    if (opening->devices->own)
        (void)snprintf(first, sizeof first, "; rank 0 has %s",
                       nas_device_name(opening->devices->own));
    if (n_idle > 0)
        (void)snprintf(without, sizeof without, "; %lld rank%s without one compute%s no networks",
                       n_idle, plural(n_idle), n_idle == 1 ? "s" : "");
    nas_log_line("computing on GPUs: %lld of %d rank%s ha%s one%s%s", (long long)n_gpus, n_ranks,
                 plural(n_ranks), n_gpus == 1 ? "s" : "ve", first, without);
}

/* At the end, where the log is open: what its first rank waited for, once a kind of device. */
static void say_kernels(const nas_device_t *device)
{
    const nas_gpu_counts_t *counts = nas_device_counts(device);
    if (counts)
        nas_log_line("kernels: %lld built, %lld taken from those that earlier runs built",
                     (long long)counts->n_built, (long long)counts->n_cached);
}

/* ----------------------------------------------------------------------------------------- all */

static nas_status_t open_gpus(opening_t *opening, nas_error_t *err)
{
    int64_t n_gpus = 0;
    opening->local_rank = nas_comm_local_rank(opening->world);
    nas_status_t status = nas_comm_agree(opening->world, open_gpu(opening, err), err);
    if (!status) status = mark_idle(opening, &n_gpus, err);
    if (status) return status;
    if (n_gpus == 0 && opening->request.choice.kind == NAS_DEVICE_GPU) return refuse(opening, err);
    if (n_gpus == 0) {
        nas_log_line("computing on the CPU: no rank has a GPU");
        return NAS_OK;
    }
    opening->devices->kind = NAS_DEVICE_GPU;
    status = compare_golden(opening, err);
    if (!status) say_gpus(opening, n_gpus);
    return status;
}

nas_status_t nas_devices_open(nas_comm_t *world, const nas_devices_request_t *request,
                              nas_devices_t *devices, nas_error_t *err)
{
    opening_t opening = {.world = world, .devices = devices};
    *devices = (nas_devices_t){0};
    nas_status_t status = spread_request(&opening, request, err);
    if (!status && opening.request.choice.kind != NAS_DEVICE_CPU) status = open_gpus(&opening, err);
    if (!status && devices->kind != NAS_DEVICE_GPU) {
        free(devices->is_idle);
        devices->is_idle = NULL;
        status = nas_comm_agree(world, open_cpu(&opening, err), err);
    }
    if (status) nas_devices_close(devices);
    return status;
}

void nas_devices_close(nas_devices_t *devices)
{
    if (devices->own && devices->kind == NAS_DEVICE_GPU) say_kernels(devices->own);
    nas_device_close(devices->own);
    free(devices->is_idle);
    *devices = (nas_devices_t){0};
}

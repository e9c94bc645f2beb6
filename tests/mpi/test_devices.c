/* How ranks decide what they compute on, whatever each of them has: devices are made up here. */
#include "check.h"
#include "coordinator/devices/devices.h"
#include "worker/engine/host/backends.h"

#include <stdlib.h>
#include <string.h>

/* What this rank has. */
static struct {
    nas_status_t gpu; /* how its GPU opens */
    uint64_t golden;
    int n_open;
} own;

struct nas_device {
    nas_device_kind_t kind;
};

nas_status_t __wrap_nas_device_open(const nas_device_options_t *options, nas_device_t **device_p,
                                    nas_error_t *err);
void __wrap_nas_device_close(nas_device_t *device);
uint64_t __wrap_nas_device_golden(const nas_device_t *device);
const char *__wrap_nas_device_name(const nas_device_t *device);
const nas_gpu_counts_t *__wrap_nas_device_counts(const nas_device_t *device);

nas_status_t __wrap_nas_device_open(const nas_device_options_t *options, nas_device_t **device_p,
                                    nas_error_t *err)
{
    const bool is_gpu = options->choice.kind == NAS_DEVICE_GPU;
    CHECK(options->choice.kind != NAS_DEVICE_AUTO && (is_gpu || options->backend));
    if (is_gpu && own.gpu) return nas_error_set(err, own.gpu, "made up");
    *device_p = malloc(sizeof **device_p);
    CHECK(*device_p);
    (*device_p)->kind = (nas_device_kind_t)options->choice.kind;
    own.n_open++;
    return NAS_OK;
}

void __wrap_nas_device_close(nas_device_t *device)
{
    own.n_open -= device != NULL;
    free(device);
}

uint64_t __wrap_nas_device_golden(const nas_device_t *device)
{
    return device->kind == NAS_DEVICE_GPU ? own.golden : 0;
}

const char *__wrap_nas_device_name(const nas_device_t *device)
{
    return device->kind == NAS_DEVICE_GPU ? "cuda:0 made up" : "cpu";
}

const nas_gpu_counts_t *__wrap_nas_device_counts(const nas_device_t *device)
{
    static const nas_gpu_counts_t none;
    return device->kind == NAS_DEVICE_GPU ? &none : NULL;
}

static int64_t place_of(const char *name)
{
    int64_t place = 0;
    while (nas_backend_at((size_t)place) != nas_backend_named(name)) place++;
    return place;
}

/* A job that says so much, of a backend that GPUs take the place of. */
static nas_devices_request_t request_of(nas_device_kind_t kind)
{
    return (nas_devices_request_t){.choice = {.kind = kind, .platform = -1, .index = -1},
                                   .backend = place_of("cpu")};
}

static void expect_kind(nas_comm_t *world, nas_devices_request_t request, nas_device_kind_t kind)
{
    const int rank = nas_comm_rank(world);
    nas_devices_t devices;
    nas_error_t err = {0};
    if (kind == NAS_DEVICE_CPU && !nas_backend_of(request.backend, NAS_ISA_PLAIN)) return;
    const nas_devices_request_t other = {0};
    CHECK(nas_devices_open(world, rank == 0 ? &request : &other, &devices, &err) == NAS_OK);
    CHECK(devices.kind == kind);
    const bool is_free = rank < request.first_worker && nas_comm_size(world) > 1;
    const bool has_none = is_free || (kind == NAS_DEVICE_GPU && own.gpu != NAS_OK);
    CHECK((devices.own == NULL) == has_none && own.n_open == !has_none);
    CHECK((devices.is_idle != NULL) == (kind == NAS_DEVICE_GPU));
    CHECK(!devices.is_idle || devices.is_idle[rank] == has_none);
    CHECK(!devices.own || devices.own->kind == kind);
    CHECK(devices.golden == (kind == NAS_DEVICE_GPU ? own.golden : 0));
    nas_devices_close(&devices);
    CHECK(own.n_open == 0 && !devices.own);
}

static void expect_error(nas_comm_t *world, nas_devices_request_t request, nas_status_t status,
                         const char *text)
{
    nas_devices_t devices;
    nas_error_t err = {0};
    CHECK(nas_devices_open(world, &request, &devices, &err) == status);
    if (!strstr(err.text, text)) (void)fprintf(stderr, "'%s' is not in '%s'\n", text, err.text);
    CHECK(strstr(err.text, text));
    CHECK(!devices.own && !devices.is_idle && own.n_open == 0);
}

/* Left open, GPUs where any rank has one that works, but not where the backend or the run so far
 * say no. */
static void test_left_open(nas_comm_t *world)
{
    const int rank = nas_comm_rank(world), last = nas_comm_size(world) - 1;
    nas_devices_request_t request = request_of(NAS_DEVICE_AUTO);
    own.golden = 7;
    own.gpu = NAS_EINPUT;
    expect_kind(world, request, NAS_DEVICE_CPU);
    own.gpu = NAS_EIO;
    expect_kind(world, request, NAS_DEVICE_CPU);
    own.gpu = rank == last ? NAS_OK : rank == 0 ? NAS_EINPUT : NAS_EIO;
    expect_kind(world, request, NAS_DEVICE_GPU);
    own.gpu = NAS_OK;
    expect_kind(world, request, NAS_DEVICE_GPU);
    request.recorded = NAS_DEVICE_CPU;
    expect_kind(world, request, NAS_DEVICE_CPU);
    request.recorded = NAS_DEVICE_AUTO;
    request.backend = place_of("ref");
    expect_kind(world, request, NAS_DEVICE_CPU);
    own.gpu = rank == last ? NAS_ENOMEM : NAS_OK;
    request.backend = place_of("cpu");
    expect_error(world, request, NAS_ENOMEM, "made up");
}

static void test_asked_for(nas_comm_t *world)
{
    const int rank = nas_comm_rank(world), last = nas_comm_size(world) - 1;
    const nas_devices_request_t request = request_of(NAS_DEVICE_GPU);
    own.golden = 7;
    own.gpu = NAS_OK;
    expect_kind(world, request_of(NAS_DEVICE_CPU), NAS_DEVICE_CPU);
    expect_kind(world, request, NAS_DEVICE_GPU);
    own.gpu = rank == last ? NAS_OK : NAS_EINPUT;
    expect_kind(world, request, NAS_DEVICE_GPU);
    own.gpu = NAS_EINPUT;
    expect_error(world, request, NAS_EINPUT, "no rank has such a GPU: made up");
    own.gpu = rank == last ? NAS_EIO : NAS_OK;
    expect_error(world, request, NAS_EIO, "made up");
}

/* A rank that only coordinates needs none. */
static void test_dedicated(nas_comm_t *world)
{
    const bool is_alone = nas_comm_size(world) == 1;
    nas_devices_request_t request = request_of(NAS_DEVICE_AUTO);
    request.first_worker = 1;
    own.golden = 7;
    own.gpu = NAS_OK;
    expect_kind(world, request, NAS_DEVICE_GPU);
    own.gpu = nas_comm_rank(world) == 0 ? NAS_OK : NAS_EINPUT;
    expect_kind(world, request, is_alone ? NAS_DEVICE_GPU : NAS_DEVICE_CPU);
}

static void test_golden(nas_comm_t *world)
{
    const int rank = nas_comm_rank(world), last = nas_comm_size(world) - 1;
    char text[64];
    own.gpu = NAS_OK;
    own.golden = rank == last ? 0xabc : 7;
    (void)snprintf(text, sizeof text, "rank %d on", last);
    if (last > 0) {
        expect_error(world, request_of(NAS_DEVICE_GPU), NAS_ENUMERIC, text);
        expect_error(world, request_of(NAS_DEVICE_AUTO), NAS_ENUMERIC, "rank 0 on");
        expect_error(world, request_of(NAS_DEVICE_GPU), NAS_ENUMERIC, "0000000000000abc");
    }
    own.gpu = rank == last && last > 0 ? NAS_EINPUT : NAS_OK; /* who has none has no say */
    own.golden = 7;
    expect_kind(world, request_of(NAS_DEVICE_GPU), NAS_DEVICE_GPU);
}

/* A run that goes on keeps its kind, and the bits of its GPUs. */
static void test_going_on(nas_comm_t *world)
{
    nas_devices_request_t request = request_of(NAS_DEVICE_AUTO);
    request.recorded = NAS_DEVICE_GPU;
    request.golden = own.golden = 7;
    own.gpu = NAS_OK;
    expect_kind(world, request, NAS_DEVICE_GPU);
    request.choice.kind = NAS_DEVICE_GPU;
    expect_kind(world, request, NAS_DEVICE_GPU);
    own.golden = 8;
    expect_error(world, request, NAS_EINPUT, "had golden hash 0000000000000007");
    own.gpu = NAS_EINPUT;
    request.choice.kind = NAS_DEVICE_AUTO;
    expect_error(world, request, NAS_EINPUT, "has computed on GPUs so far, and no rank has one");
    request.choice.kind = NAS_DEVICE_CPU;
    expect_error(world, request, NAS_EINPUT, "has computed on GPUs so far, whose values differ");
    request.recorded = NAS_DEVICE_CPU;
    request.choice.kind = NAS_DEVICE_GPU;
    own.gpu = NAS_OK;
    expect_error(world, request, NAS_EINPUT, "has computed on the CPU so far");
}

static void test_all(nas_comm_t *world)
{
    test_left_open(world);
    test_asked_for(world);
    test_dedicated(world);
    test_golden(world);
    test_going_on(world);
}

int main(void)
{
    return run_mpi_test(test_all);
}

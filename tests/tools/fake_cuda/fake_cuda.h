/* A driver of CUDA without a device, and NVRTC: for tests of the host's side of the layer cuda.
 *
 * One library is both (NAS_LIBCUDA and NAS_LIBNVRTC name it).
 *
 * The driver (driver.c) is as unkind as a driver may be. What is queued runs when somebody waits, not
 * before; new memory holds NaN; copies are held to memory that was allocated, of the host that was
 * pinned; arguments of a launch are copied when it is queued. Of a kernel the real cubin is there,
 * which must have it, and what runs is the C build of its source, by the layer `threads`.
 *
 * The compiler (nvrtc.c) is the real one, found by FAKE_CUDA_NVRTC, a path. The code that it gives
 * has its source behind it: an ELF file or a text does not say how long it is, so that a driver that
 * is given it does not see what comes behind.
 *
 * Faults, by variables of the environment:
 *   FAKE_CUDA_DEVICES=n          devices; 0: the driver says that there is none. 1 without it
 *   FAKE_CUDA_CAPABILITY=90      90 without it
 *   FAKE_CUDA_VERSION=13000      of the driver
 *   FAKE_CUDA_MEMORY=bytes       of a device; 1 GiB without it
 *   FAKE_CUDA_INIT=code          what cuInit returns
 *   FAKE_CUDA_LOAD=code          what loading a module returns
 *   FAKE_CUDA_LAUNCH=k:code      the k-th launch (from 1 on) fails with it
 *   FAKE_CUDA_WAIT=k:code        the k-th wait does, and every call after it
 */
#ifndef NAS_TESTS_TOOLS_FAKE_CUDA_H
#define NAS_TESTS_TOOLS_FAKE_CUDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

enum { FAKE_MAX_DEFINES = 32 };

/** Errors of CUDA's driver that are made here. */
enum {
    INVALID_VALUE = 1,
    OUT_OF_MEMORY = 2,
    NOT_INITIALIZED = 3,
    NO_DEVICE = 100,
    INVALID_DEVICE = 101,
    INVALID_IMAGE = 200,
    INVALID_CONTEXT = 201,
    INVALID_HANDLE = 400,
    NOT_FOUND = 500,
    LAUNCH_FAILED = 719
};

/** A source with its definitions, "NAME=VALUE". */
typedef struct fake_source {
    const char *text;
    const char *define[FAKE_MAX_DEFINES];
    int n_defines;
} fake_source_t;

/** Bytes of a code that came from nvrtc.c, without what is behind it; 0: it is none.
 *  A cubin is an ELF file; PTX is a text that ends in NUL. */
size_t fake_code_size(const void *code);

/** Bytes of what is put behind a code. */
size_t fake_tail_size(const fake_source_t *source);
void fake_tail_write(const fake_source_t *source, char *tail);
/** What was put behind a code, borrowed from it.  False: nothing was. */
bool fake_tail_read(const void *code, fake_source_t *source);

/** Whether a code has a kernel, or a variable, of this name. */
bool fake_code_has(const void *code, const char *kernel);
bool fake_code_has_variable(const void *code, const char *name);

#endif

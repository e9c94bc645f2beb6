/* Drivers of CUDA's kind: CUDA and HIP have the same functions under different names, and kernels
 * that a library of their vendor compiles at run time (NVRTC, hiprtc).  Private to the layers.
 *
 * cuda.c and hip.c say what differs: names of libraries and functions, numbers of attributes, what a
 * device is called. Neither vendor's headers are needed, and a library is looked for only when the
 * layer is asked for a device. Libraries stay loaded: drivers do not take being unloaded.
 *
 * In the environment NAS_LIBCUDA, NAS_LIBNVRTC, NAS_LIBHIP and NAS_LIBHIPRTC are paths that stand in
 * place of the libraries' names.
 */
#ifndef NAS_WORKER_ENGINE_GPU_LAYERS_DRIVER_H
#define NAS_WORKER_ENGINE_GPU_LAYERS_DRIVER_H

#include "worker/engine/gpu/layers/modules.h"

/** Results of calls, the same numbers in both. */
enum {
    NAS_DRIVER_OUT_OF_MEMORY = 2,
    NAS_DRIVER_NO_DEVICE = 100,
    NAS_DRIVER_INVALID_DEVICE = 101,
    NAS_DRIVER_INVALID_IMAGE = 200,
    NAS_DRIVER_NO_BINARY = 209,
    NAS_DRIVER_INVALID_PTX = 218,
    NAS_DRIVER_UNSUPPORTED_PTX = 222,
    NAS_DRIVER_UNKNOWN = 999
};

/** Functions of the driver, named by what they do. All return 0 or a number as above. */
typedef struct nas_driver_calls {
    int (*init)(unsigned flags);
    int (*version)(int *version);
    int (*count)(int *n);
    int (*device)(int *device, int ordinal);
    int (*name)(char *name, int size, int device);
    int (*attribute)(int *value, int attribute, int device);
    int (*total_memory)(size_t *bytes, int device);
    int (*memory)(size_t *n_free, size_t *total);
    int (*alloc)(void **memory, size_t bytes);
    int (*free)(void *memory);
    int (*host_alloc)(void **memory, size_t bytes, unsigned flags);
    int (*host_free)(void *memory);
    int (*write)(void *to, const void *from, size_t bytes, void *stream);
    int (*read)(void *to, const void *from, size_t bytes, void *stream);
    int (*read_now)(void *to, const void *from, size_t bytes);
    int (*stream_create)(void **stream, unsigned flags);
    int (*stream_destroy)(void *stream);
    int (*stream_wait)(void *stream);
    int (*module_load)(void **module, const void *image);
    int (*module_unload)(void *module);
    int (*module_function)(void **function, void *module, const char *name);
    int (*module_global)(void **memory, size_t *bytes, void *module, const char *name);
    int (*launch)(void *function, unsigned groups_x, unsigned groups_y, unsigned groups_z,
                  unsigned lanes_x, unsigned lanes_y, unsigned lanes_z, unsigned local_bytes,
                  void *stream, void **arguments, void **extra);
    int (*record_begin)(void *stream, int mode);
    int (*record_end)(void *stream, void **graph);
    int (*graph_build)(void **executable, void *graph, unsigned long long flags);
    int (*graph_launch)(void *executable, void *stream);
    int (*graph_destroy)(void *graph);
    int (*executable_destroy)(void *executable);
    /* CUDA alone: */
    int (*error_name)(int code, const char **text);
    int (*error_text)(int code, const char **text);
    int (*context_retain)(void **context, int device);
    int (*context_set)(void *context);
    int (*context_release)(int device);
    int (*uuid)(unsigned char id[16], int device);
    int (*instance_uuid)(unsigned char id[16], int device); /**< of a MIG instance; may be NULL */
    /* HIP alone: */
    const char *(*error_name_of)(int code);
    const char *(*error_text_of)(int code);
    int (*set_device)(int device);
    int (*bus_id)(char *text, int size, int device);
    int (*properties)(void *properties, int device);     /**< of HIP 6 on; may be NULL */
    int (*properties_old)(void *properties, int device); /**< may be NULL */
} nas_driver_calls_t;

/** Functions of the compiler. */
typedef struct nas_driver_compiler {
    int (*version)(int *major, int *minor);
    int (*create)(void **program, const char *text, const char *name, int n_headers,
                  const char *const *headers, const char *const *names);
    int (*compile)(void *program, int n, const char *const *options);
    int (*log_size)(void *program, size_t *size);
    int (*log)(void *program, char *log);
    int (*code_size)(void *program, size_t *size);
    int (*code)(void *program, char *code);
    int (*destroy)(void **program);
    const char *(*error_text)(int code);
    /* NVRTC alone: */
    int (*ptx_size)(void *program, size_t *size);
    int (*ptx)(void *program, char *ptx);
    int (*n_known)(int *n);
    int (*known)(int *architecture);
} nas_driver_compiler_t;

/** A function's name in a library, and its place in one of the structures above. */
typedef struct nas_driver_symbol {
    size_t at;
    const char *name;
    bool optional;
} nas_driver_symbol_t;

enum { NAS_DRIVER_FILES = 10 };

typedef struct nas_driver_library {
    const char *variable;               /**< of the environment: its path, in place of `file` */
    const char *versioned;              /**< file tried first, "libnvrtc.so." and the number of the
                                             driver's version; NULL: none */
    const char *file[NAS_DRIVER_FILES]; /**< tried in this order, up to the first NULL */
    const char *remedy;                 /**< where none is there */
    const nas_driver_symbol_t *symbol;
    int n_symbols;
} nas_driver_library_t;

typedef struct nas_driver_gpu nas_driver_gpu_t;

/** What kernels are compiled for. */
typedef struct nas_driver_target {
    char option[NAS_GPU_ID_SIZE + 32]; /**< "--gpu-architecture=sm_90" */
    bool is_ptx;                       /**< for the driver to compile further */
} nas_driver_target_t;

/** What differs between CUDA and HIP. */
typedef struct nas_driver_vendor {
    const char *name;          /**< of the layer */
    const char *compiler_name; /**< "NVRTC" */
    nas_driver_library_t driver, compiler;
    const char *visible; /**< variable that says which devices a process sees */
    int attribute_group_size, attribute_local_bytes, attribute_compute_units;
    const char *const *option; /**< for the compiler, up to a NULL */

    /** Name and words of an error; never NULL. */
    void (*words)(const nas_driver_calls_t *calls, int code, const char **name, const char **text);
    /** info's driver, id and architecture, of the device with this handle; 0 or an error. */
    int (*describe)(const nas_driver_calls_t *calls, int device, nas_gpu_info_t *info);
    /** Make the device's context this thread's; *context is kept between calls, NULL at first. */
    int (*enter)(const nas_driver_calls_t *calls, int device, void **context);
    /** Give it up.  NULL: nothing is to be done. */
    void (*leave)(const nas_driver_calls_t *calls, int device);
    /** NAS_EINPUT: the compiler knows nothing for this device, with the remedy. */
    nas_status_t (*target)(const nas_driver_compiler_t *compiler, const nas_gpu_info_t *info,
                           nas_driver_target_t *target, nas_error_t *err);
} nas_driver_vendor_t;

/** Load a library and look up its functions in `calls`, a structure as above.  Not collective.
 *  version: of the driver, where the library has a versioned name.
 *  NAS_EINPUT: none of its files is there, with the remedy, or one that lacks a function. */
nas_status_t nas_driver_load(const nas_driver_library_t *library, int version, void *calls,
                             nas_error_t *err);

/** layer.h's functions: cuda.c and hip.c give the vendor, all else is the same. */
nas_status_t nas_driver_list(const nas_driver_vendor_t *vendor, nas_gpu_info_t *info, int room,
                             int *n, nas_error_t *reason, nas_error_t *err);
nas_status_t nas_driver_open(const nas_driver_vendor_t *vendor, const nas_gpu_layer_t *layer,
                             int position, nas_gpu_t **gpu_p, nas_error_t *err);
void nas_driver_close(nas_gpu_t *gpu);
void nas_driver_describe(nas_gpu_t *gpu, nas_gpu_info_t *info);
nas_status_t nas_driver_alloc(nas_gpu_t *gpu, size_t bytes, nas_gpu_buffer_t *buffer,
                              nas_error_t *err);
void nas_driver_free(nas_gpu_t *gpu, nas_gpu_buffer_t *buffer);
void *nas_driver_host_alloc(nas_gpu_t *gpu, size_t bytes);
void nas_driver_host_free(nas_gpu_t *gpu, void *memory);
nas_status_t nas_driver_kernel(nas_gpu_t *gpu, const nas_gpu_source_t *source, const char *name,
                               const nas_gpu_kernel_t **kernel_p, nas_error_t *err);
void nas_driver_write(nas_gpu_t *gpu, nas_gpu_buffer_t to, size_t at, const void *from,
                      size_t bytes);
void nas_driver_read(nas_gpu_t *gpu, nas_gpu_buffer_t from, size_t at, void *to, size_t bytes);
void nas_driver_launch(nas_gpu_t *gpu, const nas_gpu_kernel_t *kernel, int groups_x, int groups_y,
                       const nas_gpu_memory_t *memory, int64_t at);
void nas_driver_begin_record(nas_gpu_t *gpu);
nas_status_t nas_driver_end_record(nas_gpu_t *gpu, nas_gpu_graph_t **graph_p, nas_error_t *err);
void nas_driver_replay(nas_gpu_t *gpu, nas_gpu_graph_t *graph);
void nas_driver_graph_free(nas_gpu_t *gpu, nas_gpu_graph_t *graph);
nas_status_t nas_driver_wait(nas_gpu_t *gpu, nas_error_t *err);

/** Define nas_gpu_layer_NAME, the layer of `vendor`, and its own functions. */
#define NAS_DRIVER_LAYER(NAME)                                                                     \
    static nas_status_t list(nas_gpu_info_t *info, int room, int *n, nas_error_t *reason,          \
                             nas_error_t *err)                                                     \
    {                                                                                              \
        return nas_driver_list(&vendor, info, room, n, reason, err);                               \
    }                                                                                              \
    static nas_status_t open_device(int position, nas_gpu_t **gpu_p, nas_error_t *err)             \
    {                                                                                              \
        return nas_driver_open(&vendor, &nas_gpu_layer_##NAME, position, gpu_p, err);              \
    }                                                                                              \
    const nas_gpu_layer_t nas_gpu_layer_##NAME = {.name = #NAME,                                   \
                                                  .list = list,                                    \
                                                  .open = open_device,                             \
                                                  .close = nas_driver_close,                       \
                                                  .describe = nas_driver_describe,                 \
                                                  .alloc = nas_driver_alloc,                       \
                                                  .free = nas_driver_free,                         \
                                                  .host_alloc = nas_driver_host_alloc,             \
                                                  .host_free = nas_driver_host_free,               \
                                                  .kernel = nas_driver_kernel,                     \
                                                  .write = nas_driver_write,                       \
                                                  .read = nas_driver_read,                         \
                                                  .launch = nas_driver_launch,                     \
                                                  .begin_record = nas_driver_begin_record,         \
                                                  .end_record = nas_driver_end_record,             \
                                                  .replay = nas_driver_replay,                     \
                                                  .graph_free = nas_driver_graph_free,             \
                                                  .wait = nas_driver_wait}

/* Between driver.c, driver_kernel.c and driver_load.c. */

struct nas_driver_gpu {
    nas_gpu_t base;
    const nas_driver_vendor_t *vendor;
    nas_driver_calls_t calls;
    nas_driver_compiler_t compiler;
    nas_driver_target_t target;
    nas_gpu_info_t info;
    nas_gpu_modules_t *modules;
    int device;
    void *context;
    void *stream;
    int failed;                               /**< the first error of what was queued; it stays */
    char failed_at[NAS_GPU_KERNEL_NAME_SIZE]; /**< of a kernel, or "copy", "wait" */
};

extern const nas_gpu_builder_t nas_driver_builder;

/** Load the compiler, and find what kernels are compiled for.  As nas_gpu_layer_t's `open`.
 *  identity [out]: compiler, its version, target and options, for the cache. */
nas_status_t nas_driver_compiler_open(nas_driver_gpu_t *gpu, char *identity, size_t size,
                                      nas_error_t *err);

/** "WHAT: CUDA_ERROR_OUT_OF_MEMORY (out of memory)".  Returns `status`. */
nas_status_t nas_driver_error(const nas_driver_gpu_t *gpu, nas_status_t status, const char *what,
                              int code, nas_error_t *err);

#endif

/* One kernel language: the common part of OpenCL C 1.2, CUDA C++, HIP C++ and C17.
 *
 * Rules for kernels:
 * - Groups are one-dimensional, of at most 256 work-items, and their size is a macro.
 * - No recursion, function pointers, vector types (LOAD4, STORE4 and those of LOCAL move four floats), float
 *   atomics, warp or sub-group operations: a missing barrier is then an error everywhere.
 * - One barrier means local and global memory of the group. Local arrays are declared by LOCAL at
 *   the top of the kernel, 48 KiB in all.
 * - A loop has as many turns for every work-item of a group, and those with nothing to do in a turn
 *   pass over it by an `if`: PoCL turns loops inside out, and where their ends differ it lets some
 *   run on for ever.
 * - Bits are the same on every device. Products that are added go through MAD (float) or MAD64
 *   (double); contraction is off elsewhere; there is no float division or square root (OpenCL
 *   allows 2.5 ulp; those of double are rounded correctly); exp and log are math.h's.
 * - Names are not reserved in any of the languages: `half`, `kernel`, `global`, `sampler` are.
 *
 * Every kernel has the same arguments (NAS_KERNEL): tensors, vectors, bytes of images, and a table
 * of descriptors (work.h), with the place in it of the launch's first.
 */
#ifndef NAS_WORKER_ENGINE_GPU_KERNELS_PRELUDE_H
#define NAS_WORKER_ENGINE_GPU_KERNELS_PRELUDE_H

#if defined(__OPENCL_VERSION__) || defined(__OPENCL_C_VERSION__)
#define NAS_OPENCL
#endif

#if defined(NAS_OPENCL)
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#pragma OPENCL FP_CONTRACT OFF
typedef long i64;
typedef ulong u64;
typedef uint u32;
typedef uchar u8;
#define KERNEL_HEAD(name, lanes)                                                                   \
    __kernel __attribute__((reqd_work_group_size(lanes, 1, 1))) void name
#define DEVICE static inline
#define GLOBAL __global
#define LOCAL(type, name, n) __local type name[n] __attribute__((aligned(16)))
#define LOCAL_POINTER __local
#define CONSTANT __constant
#define GROUP_X ((int)get_group_id(0))
#define GROUP_Y ((int)get_group_id(1))
#define LANE ((int)get_local_id(0))
#define BARRIER() barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE)
#define RESTRICT restrict
#define UNROLL _Pragma("unroll")
#define UNROLL_BY(n) NAS_PRAGMA(unroll n)
#define NAS_PRAGMA(words) _Pragma(#words)
#define MAD(a, b, c) fma((float)(a), (float)(b), (float)(c))
#define MAD64(a, b, c) fma((double)(a), (double)(b), (double)(c))
#define BITS_OF(x) as_ulong(x)
#define DOUBLE_OF(x) as_double(x)
#define ATOMIC_ADD(at, n) ((void)atomic_add((volatile __global u32 *)(at), (u32)(n)))
#define POPCOUNT(x) ((int)popcount((u32)(x)))
#define LOAD4_LOCAL(to, from)                                                                      \
    do {                                                                                           \
        const float4 v_ = *(const __local float4 *)(from);                                         \
        (to)[0] = v_.x, (to)[1] = v_.y, (to)[2] = v_.z, (to)[3] = v_.w;                            \
    } while (0)
#define LOAD4(to, from)                                                                            \
    do {                                                                                           \
        const float4 v_ = *(const __global float4 *)(from);                                        \
        (to)[0] = v_.x, (to)[1] = v_.y, (to)[2] = v_.z, (to)[3] = v_.w;                            \
    } while (0)
#define STORE4(to, from)                                                                           \
    (*(__global float4 *)(to) = (float4)((from)[0], (from)[1], (from)[2], (from)[3]))
#define STORE4_LOCAL(to, from)                                                                     \
    (*(__local float4 *)(to) = (float4)((from)[0], (from)[1], (from)[2], (from)[3]))

#elif defined(__CUDACC__) || defined(__HIP__)
typedef long long i64;
typedef unsigned long long u64;
typedef unsigned int u32;
typedef unsigned char u8;
#if defined(__HIP__) && !defined(__HIPCC_RTC__) && !defined(NAS_BARE_HIP)
#include <hip/hip_runtime.h>
#endif
#if defined(NAS_BARE_HIP) /* clang alone, without ROCm's headers: does it compile, and to what */
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
struct alignas(16) float4 {
    float x, y, z, w;
};
static __device__ inline float4 make_float4(float x, float y, float z, float w)
{
    return {x, y, z, w};
}
#define LAUNCH_BOUNDS(n) __attribute__((amdgpu_flat_work_group_size(n, n)))
#define GROUP_X ((int)__builtin_amdgcn_workgroup_id_x())
#define GROUP_Y ((int)__builtin_amdgcn_workgroup_id_y())
#define LANE ((int)__builtin_amdgcn_workitem_id_x())
#define BARRIER()                                                                                  \
    do {                                                                                           \
        __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");                                     \
        __builtin_amdgcn_s_barrier();                                                              \
        __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");                                     \
    } while (0)
#define MAD(a, b, c) __builtin_fmaf(a, b, c)
#define MAD64(a, b, c) __builtin_fma(a, b, c)
#define ATOMIC_ADD(at, n) ((void)__atomic_fetch_add((u32 *)(at), (u32)(n), __ATOMIC_RELAXED))
#define POPCOUNT(x) __builtin_popcount(x)
#define sqrt __builtin_sqrt
#define fabs __builtin_fabs
#define fabsf __builtin_fabsf
#define fmax __builtin_fmax
#else
#if defined(__HIP__)
#define LAUNCH_BOUNDS(n) __launch_bounds__(n)
#else /* 512 work-items fit: 128 registers each */
#define LAUNCH_BOUNDS(n) __launch_bounds__(n, 512 / (n))
#endif
#define GROUP_X ((int)blockIdx.x)
#define GROUP_Y ((int)blockIdx.y)
#define LANE ((int)threadIdx.x)
#define BARRIER() __syncthreads()
#define MAD(a, b, c) fmaf(a, b, c)
#define MAD64(a, b, c) fma((double)(a), (double)(b), (double)(c))
#define ATOMIC_ADD(at, n) ((void)atomicAdd((u32 *)(at), (u32)(n)))
#define POPCOUNT(x) __popc(x)
#endif
/* The host reads how many work-items a group has. */
#define KERNEL_HEAD(name, lanes)                                                                   \
    extern "C" __device__ int name##_lanes = lanes;                                                \
    extern "C" __global__ void LAUNCH_BOUNDS(lanes) name
#if !defined(__HIP__)
#define RESIDENT_HEAD(name, lanes, groups)                                                         \
    extern "C" __device__ int name##_lanes = lanes;                                                \
    extern "C" __global__ void __launch_bounds__(lanes, groups) name
#endif
#define DEVICE static __device__ inline __attribute__((always_inline))
#define GLOBAL
#define LOCAL_POINTER
#define LOCAL(type, name, n) __shared__ __attribute__((aligned(16))) type name[n]
#define CONSTANT static __device__ const
#define RESTRICT __restrict__
#define UNROLL _Pragma("unroll")
#define UNROLL_BY(n) NAS_PRAGMA(unroll n)
#define NAS_PRAGMA(words) _Pragma(#words)
union nas_bits {
    u64 bits;
    double value;
};
DEVICE u64 nas_bits_of(double x)
{
    nas_bits b;
    b.value = x;
    return b.bits;
}
DEVICE double nas_double_of(u64 x)
{
    nas_bits b;
    b.bits = x;
    return b.value;
}
#define BITS_OF(x) nas_bits_of(x)
#define DOUBLE_OF(x) nas_double_of(x)
#define LOAD4(to, from)                                                                            \
    do {                                                                                           \
        const float4 v_ = *(const float4 *)(from);                                                 \
        (to)[0] = v_.x, (to)[1] = v_.y, (to)[2] = v_.z, (to)[3] = v_.w;                            \
    } while (0)
#define LOAD4_LOCAL(to, from) LOAD4(to, from)
#define STORE4(to, from) (*(float4 *)(to) = make_float4((from)[0], (from)[1], (from)[2], (from)[3]))
#define STORE4_LOCAL(to, from) STORE4(to, from)

#else /* C: work-items are threads or fibres of layers/threads.c; one group at a time */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
typedef int64_t i64;
typedef uint64_t u64;
typedef uint32_t u32;
typedef uint8_t u8;
/* What a work-item is told by whoever runs it (layers/threads.c): where it stands, and what to call
 * at a barrier of that line and, in the first lane, for each array of local memory. */
typedef struct nas_gpu_item {
    int group_x, group_y, lane;
    void *runner;
    void (*barrier)(void *runner, int line);
    void (*local)(void *runner, void *array, size_t bytes);
} nas_gpu_item_t;
#ifndef NAS_ITEM_LOCAL
#define NAS_ITEM_LOCAL _Thread_local
#endif
extern NAS_ITEM_LOCAL nas_gpu_item_t nas_gpu_item;
#define KERNEL_HEAD(name, lanes)                                                                   \
    const int name##_lanes = lanes;                                                                \
    void name
#define DEVICE static inline
#define GLOBAL
#define LOCAL_POINTER
#define LOCAL(type, name, n)                                                                       \
    static _Alignas(16) type name[n];                                                              \
    if (LANE == 0) nas_gpu_item.local(nas_gpu_item.runner, name, sizeof(name))
#define CONSTANT static const
#define GROUP_X nas_gpu_item.group_x
#define GROUP_Y nas_gpu_item.group_y
#define LANE nas_gpu_item.lane
#define BARRIER() nas_gpu_item.barrier(nas_gpu_item.runner, __LINE__)
#define RESTRICT
#define UNROLL
#define UNROLL_BY(n)
#define MAD(a, b, c) fmaf(a, b, c)
#define MAD64(a, b, c) fma(a, b, c)
static inline u64 nas_bits_of(double x)
{
    u64 bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}
static inline double nas_double_of(u64 bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}
#define BITS_OF(x) nas_bits_of(x)
#define DOUBLE_OF(x) nas_double_of(x)
#define ATOMIC_ADD(at, n) ((void)__atomic_fetch_add((u32 *)(at), (u32)(n), __ATOMIC_RELAXED))
#define POPCOUNT(x) __builtin_popcount(x)
#define LOAD4(to, from) memcpy(to, from, 16)
#define LOAD4_LOCAL(to, from) memcpy(to, from, 16)
#define STORE4(to, from) memcpy(to, from, 16)
#define STORE4_LOCAL(to, from) memcpy(to, from, 16)
#endif

/* arena: tensors; vectors: float64; data: images; table: descriptors, of which the launch's begin
 * `at` bytes behind its beginning. */
#define NAS_ARGUMENTS                                                                              \
    (GLOBAL float *arena, GLOBAL double *vectors, GLOBAL const u8 *data, GLOBAL const u8 *table,   \
     i64 at)
#define NAS_KERNEL(name, lanes) KERNEL_HEAD(name, lanes) NAS_ARGUMENTS

/* The same, of which CUDA is to keep so many groups on a multiprocessor: of 64 lanes 16, and each has
 * 64 registers. Left to itself its compiler takes more, or spills to have fewer. */
#ifndef RESIDENT_HEAD
#define RESIDENT_HEAD(name, lanes, groups) KERNEL_HEAD(name, lanes)
#endif
#define NAS_KERNEL_RESIDENT(name, lanes, groups) RESIDENT_HEAD(name, lanes, groups) NAS_ARGUMENTS

/* The descriptor of this group. */
#define NAS_WORK(type) ((const GLOBAL type *)(table + at) + GROUP_Y)

#endif

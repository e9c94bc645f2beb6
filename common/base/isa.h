/* Instruction sets: own kernels are compiled once for each and picked at run time. */
#ifndef NAS_COMMON_BASE_ISA_H
#define NAS_COMMON_BASE_ISA_H

#include <stdbool.h>

/** From the smallest to the largest; each contains those before it. */
typedef enum nas_isa {
    NAS_ISA_PLAIN = 0, /**< what the compiler targets by default */
    NAS_ISA_AVX2,      /**< x86: AVX2, FMA */
    NAS_ISA_AVX512,    /**< x86: AVX-512 F, BW, DQ, VL besides */
    NAS_ISA_COUNT      /**< their number, no instruction set */
} nas_isa_t;

/** Whether it is compiled in and this processor has it.  Not collective. */
bool nas_isa_available(nas_isa_t isa);

/** The largest that is available.  Not collective. */
nas_isa_t nas_isa_best(void);

/** "plain", "avx2", "avx512". */
const char *nas_isa_name(nas_isa_t isa);

#endif

#include "common/base/isa.h"

bool nas_isa_available(nas_isa_t isa)
{
#ifdef NAS_WITH_AVX2
    if (isa == NAS_ISA_AVX2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
#ifdef NAS_WITH_AVX512
    if (isa == NAS_ISA_AVX512)
        return nas_isa_available(NAS_ISA_AVX2) && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl");
#endif
    return isa == NAS_ISA_PLAIN;
}

nas_isa_t nas_isa_best(void)
{
    nas_isa_t isa = NAS_ISA_COUNT - 1;
    while (!nas_isa_available(isa)) isa--;
    return isa;
}

const char *nas_isa_name(nas_isa_t isa)
{
    static const char *const name[NAS_ISA_COUNT] = {"plain", "avx2", "avx512"};
    return name[isa];
}

# Helpers that give every target the same language, warnings and include root.

set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# What is installed finds libraries outside the system's folders where it was built with them: of modules, or of a prefix.
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)

# Strict C17 with the project's warnings; bits must not depend on contraction into fused multiply-adds.
function(nas_configure_target target)
    set_target_properties(${target} PROPERTIES C_STANDARD 17 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
    target_compile_definitions(${target} PRIVATE _POSIX_C_SOURCE=200809L _DEFAULT_SOURCE
                               $<$<BOOL:${ROBOTNAS_FAULTS}>:NAS_WITH_FAULTS>)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                           -ffp-contract=off -fno-math-errno $<$<BOOL:${ROBOTNAS_WERROR}>:-Werror>)
endfunction()

# nas_add_library(NAME SOURCES file... DEPENDS target...): a static library of one concern.
function(nas_add_library name)
    cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
    add_library(${name} STATIC ${ARG_SOURCES})
    target_link_libraries(${name} PUBLIC ${ARG_DEPENDS})
    nas_configure_target(${name})
endfunction()

# Own kernels are compiled once per instruction set and picked at run time.
include(CheckCCompilerFlag)
check_c_compiler_flag(-mavx2 NAS_COMPILER_HAS_AVX2)
check_c_compiler_flag(-mavx512vl NAS_COMPILER_HAS_AVX512)
set(NAS_ISAS plain)
set(NAS_ISA_DEFINITIONS "")
set(NAS_FLAGS_avx2 -mavx2 -mfma)
set(NAS_FLAGS_avx512 ${NAS_FLAGS_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512)
foreach(isa avx2 avx512)
    string(TOUPPER ${isa} upper)
    if(NAS_COMPILER_HAS_${upper})
        list(APPEND NAS_ISAS ${isa})
        list(APPEND NAS_ISA_DEFINITIONS NAS_WITH_${upper})
    endif()
endforeach()

# nas_add_kernel(LIBRARY NAME [option...]): NAME_kernel.c for every instruction set, its table of functions named
# nas_NAME_kernel_ISA.
function(nas_add_kernel library name)
    string(TOUPPER ${name} upper)
    foreach(isa ${NAS_ISAS})
        set(target nas_${name}_kernel_${isa})
        add_library(${target} OBJECT ${name}_kernel.c)
        nas_configure_target(${target})
        target_compile_definitions(${target} PRIVATE NAS_${upper}_KERNEL=${target})
        target_compile_options(${target} PRIVATE -O3 ${NAS_FLAGS_${isa}} ${ARGN})
        target_sources(${library} PRIVATE $<TARGET_OBJECTS:${target}>)
    endforeach()
endfunction()

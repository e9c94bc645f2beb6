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

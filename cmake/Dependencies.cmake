# Every dependency, found or named with the Debian package that has it.

# nas_require_library(TARGET HEADER LIBRARY PACKAGE [SUFFIX dir...]): an imported target for a plain C library.
function(nas_require_library target header library package)
    string(MAKE_C_IDENTIFIER ${library} id)
    find_path(${id}_INCLUDE_DIR ${header} PATH_SUFFIXES ${ARGN})
    if(library STREQUAL "NONE")
        set(${id}_LIBRARY "header only")
    else()
        find_library(${id}_LIBRARY ${library})
    endif()
    if(NOT ${id}_INCLUDE_DIR OR NOT ${id}_LIBRARY)
        message(FATAL_ERROR "${header} or its library was not found. On Debian: apt-get install ${package} "
                            "(or run scripts/install-deps.sh); elsewhere point CMAKE_PREFIX_PATH to it.")
    endif()
    add_library(${target} INTERFACE IMPORTED GLOBAL)
    target_include_directories(${target} SYSTEM INTERFACE ${${id}_INCLUDE_DIR})
    if(NOT library STREQUAL "NONE")
        target_link_libraries(${target} INTERFACE ${${id}_LIBRARY})
    endif()
    mark_as_advanced(${id}_INCLUDE_DIR ${id}_LIBRARY)
endfunction()

# nas_require_package(NAME PACKAGE [args...]): find_package with the same kind of message.
macro(nas_require_package name package)
    find_package(${name} QUIET ${ARGN})
    if(NOT ${name}_FOUND)
        message(FATAL_ERROR "${name} was not found. On Debian: apt-get install ${package} (or run "
                            "scripts/install-deps.sh); elsewhere load its module or point CMAKE_PREFIX_PATH to it.")
    endif()
endmacro()

nas_require_package(MPI "libopenmpi-dev openmpi-bin" COMPONENTS C)
nas_require_package(HDF5 "libhdf5-dev" COMPONENTS C)
nas_require_package(OpenSSL "libssl-dev" COMPONENTS Crypto)
nas_require_package(ZLIB "zlib1g-dev")
nas_require_library(nas_dep_yaml yaml.h yaml libyaml-dev)
nas_require_library(nas_dep_csv csv.h csv libcsv-dev)
nas_require_library(nas_dep_jansson jansson.h jansson libjansson-dev)
nas_require_library(nas_dep_nlopt nlopt.h nlopt libnlopt-dev)
nas_require_library(nas_dep_openblas cblas.h openblas libopenblas-dev x86_64-linux-gnu openblas)
nas_require_library(nas_dep_lapacke lapacke.h lapacke liblapacke-dev)
nas_require_library(nas_dep_random123 Random123/philox.h NONE librandom123-dev)

add_library(nas_dep_hdf5 INTERFACE IMPORTED GLOBAL)
target_include_directories(nas_dep_hdf5 SYSTEM INTERFACE ${HDF5_C_INCLUDE_DIRS})
target_link_libraries(nas_dep_hdf5 INTERFACE ${HDF5_C_LIBRARIES})

# oneDNN is optional: without it there is no cpu backend. Its threads are OpenMP's. Its own package file is passed over,
# since Debian's asks for OpenCL, which none of the calls here needs.
find_path(dnnl_INCLUDE_DIR dnnl.h)
find_library(dnnl_LIBRARY dnnl)
find_package(OpenMP QUIET COMPONENTS C)
if(dnnl_INCLUDE_DIR AND dnnl_LIBRARY AND OpenMP_C_FOUND)
    add_library(nas_dep_dnnl INTERFACE IMPORTED GLOBAL)
    target_include_directories(nas_dep_dnnl SYSTEM INTERFACE ${dnnl_INCLUDE_DIR})
    target_link_libraries(nas_dep_dnnl INTERFACE ${dnnl_LIBRARY} OpenMP::OpenMP_C)
else()
    message(STATUS "No cpu backend: oneDNN or OpenMP was not found. On Debian: apt-get install libdnnl-dev")
endif()
mark_as_advanced(dnnl_INCLUDE_DIR dnnl_LIBRARY)

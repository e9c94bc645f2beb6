# Writes OUT only when its text changes, so that an unchanged commit rebuilds nothing.
cmake_minimum_required(VERSION 3.21)
execute_process(COMMAND git -C ${SOURCE} rev-parse --short=12 HEAD OUTPUT_VARIABLE commit
                OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed OR commit STREQUAL "")
    set(commit "unknown")
else()
    execute_process(COMMAND git -C ${SOURCE} diff --quiet HEAD RESULT_VARIABLE dirty ERROR_QUIET)
    if(dirty)
        string(APPEND commit "+")
    endif()
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT "#define NAS_COMMIT \"@commit@\"\n#define NAS_VERSION \"@VERSION@\"\n" @ONLY)

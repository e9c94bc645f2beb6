# The git commit of the sources, for `robotnas --version` and the state file: refreshed at every build.
add_custom_target(nas_commit
    COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DVERSION=${PROJECT_VERSION}
            -DOUT=${PROJECT_BINARY_DIR}/generated/nas_commit.h -P ${PROJECT_SOURCE_DIR}/cmake/WriteCommit.cmake
    BYPRODUCTS ${PROJECT_BINARY_DIR}/generated/nas_commit.h)

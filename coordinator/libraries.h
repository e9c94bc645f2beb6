/* Versions of the libraries that this program runs with. */
#ifndef NAS_COORDINATOR_LIBRARIES_H
#define NAS_COORDINATOR_LIBRARIES_H

#include <stdio.h>

/** One line a library, asked of the library itself at run time where it can tell.  Does not start
 *  MPI. */
void nas_libraries_print(FILE *out);

#endif

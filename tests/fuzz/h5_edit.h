/* HDF5 files with other content than this program writes, made by the library itself: an input is a
 * list of edits of a good file. So what is tried is the reading of values, shapes, types and texts,
 * not the library, which damaged bytes can crash. */
#ifndef NAS_TESTS_FUZZ_H5_EDIT_H
#define NAS_TESTS_FUZZ_H5_EDIT_H

#include "tests/fuzz/fuzz.h"

/** Apply edits to a file. Places are the file's objects and attributes as they are before an edit,
 *  by name. An edit that cannot be made is passed over.
 *  image: the file's bytes, with a user block as in h5.h;
 *  edits: FUZZ_H5_EDIT_SIZE bytes each: what to do (h5_edit.c lists it), the place, two numbers
 *  that say how, and 8 bytes of content. At most FUZZ_H5_MOST_EDITS of them count.
 *  Returns the new file's bytes, user block zero; the caller frees at. */
fuzz_bytes_t fuzz_h5_edit(fuzz_bytes_t image, fuzz_bytes_t edits);

enum { FUZZ_H5_EDIT_SIZE = 12, FUZZ_H5_MOST_EDITS = 12 };

#endif

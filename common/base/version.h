/* Version of the program and of the sources it was built from. */
#ifndef NAS_COMMON_BASE_VERSION_H
#define NAS_COMMON_BASE_VERSION_H

/** "0.1.0". Static. */
const char *nas_version(void);

/** Short git commit, with '+' where the tree was modified; "unknown" outside git. Static. */
const char *nas_commit(void);

#endif

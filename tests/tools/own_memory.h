/* What a program itself holds in memory, less its libraries: see own_memory.c. */
#ifndef NAS_TESTS_TOOLS_OWN_MEMORY_H
#define NAS_TESTS_TOOLS_OWN_MEMORY_H

/** The most bytes that the program held at a time so far.  Not for threads. */
long long own_memory_peak(void);

#endif

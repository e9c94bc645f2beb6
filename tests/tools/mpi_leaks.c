/* Linked to what runs MPI under AddressSanitizer, so that the leak checker has little to read of what Open MPI leaves behind
 * (tests/lsan.supp): to find a block's place takes as long as thousands of allocations.
 *
 * Libraries that were loaded stay: Open MPI unloads its plugins before the program ends, and thousands of blocks, whose pointers
 * or whose callers were in them, would look lost. And what is allocated in MPI_Init_thread is Open MPI's own: the checker
 * leaves it out from the start, which also makes stacks by frame pointers enough, a tenth of the price: Open MPI has none. */
#include <dlfcn.h>
#include <mpi.h>
#include <sanitizer/lsan_interface.h>

int dlclose(void *handle)
{
    (void)handle;
    return 0;
}

int MPI_Init_thread(int *argc, char ***argv, int required, int *provided)
{
    __lsan_disable();
    const int result = PMPI_Init_thread(argc, argv, required, provided);
    __lsan_enable();
    return result;
}

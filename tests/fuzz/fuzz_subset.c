/* Files that list a part of a space. The first byte chooses the space. What was selected, written
 * as a file, is selected again. */
#include "common/space/subset.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static nas_status_t select_file(const nas_space_t *space, fuzz_bytes_t file,
                                nas_selection_t *selection, nas_error_t *err)
{
    char *path = fuzz_path("subset.txt");
    fuzz_write(path, file);
    const nas_subset_t subset = {.kind = NAS_SUBSET_FILE, .path = path};
    const nas_status_t status = nas_subset_select(space, &subset, selection, err);
    free(path);
    return status;
}

/* One name a line; the caller frees it. */
static fuzz_bytes_t list_names(const nas_names_t *names)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    NAS_ASSERT(out);
    for (int64_t i = 0; i < nas_names_count(names); i++)
        (void)fprintf(out, "%s\n", nas_names_at(names, i));
    NAS_ASSERT(fclose(out) == 0);
    return (fuzz_bytes_t){.at = (const uint8_t *)text, .n = size};
}

static void check_selection(const nas_space_t *space, const nas_selection_t *selection)
{
    const int64_t n = nas_names_count(selection->names);
    const fuzz_bytes_t list = list_names(selection->names);
    nas_selection_t again = {0};
    NAS_ASSERT(n > 0 && n <= space->count);
    NAS_ASSERT(select_file(space, list, &again, NULL) == NAS_OK);
    NAS_ASSERT(nas_names_count(again.names) == n);
    for (int64_t i = 0; i < n; i++) {
        NAS_ASSERT(again.index[i] == selection->index[i]);
        NAS_ASSERT(nas_names_find(selection->names, nas_names_at(again.names, i)) == i);
    }
    nas_selection_fini(&again);
    free((void *)(uintptr_t)list.at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes_t input = {data, size};
    int n_space = 0;
    const nas_space_t *const *spaces = nas_space_list(&n_space);
    const nas_space_t *space = spaces[fuzz_byte(&input) % n_space];
    nas_selection_t selection = {0};
    nas_error_t err = {0};
    const nas_status_t status = select_file(space, input, &selection, &err);
    if (status)
        fuzz_check_error(status, &err);
    else
        check_selection(space, &selection);
    nas_selection_fini(&selection);
    return 0;
}

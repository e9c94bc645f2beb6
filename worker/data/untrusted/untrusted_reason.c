/* Why values cannot be read though the file is sound: what makes them of stored bytes is not
 * installed, or the bytes are in another file. */
#include "worker/data/untrusted/untrusted_internal.h"

#include <stdio.h>

/* Registered filters that are in use but in no HDF5 library; files mostly say the name themselves.
 */
static const char *name_of(H5Z_filter_t id)
{
    static const struct {
        H5Z_filter_t id;
        const char *name;
    } known[] = {{H5Z_FILTER_DEFLATE, "gzip"},
                 {H5Z_FILTER_SZIP, "szip"},
                 {307, "bzip2"},
                 {32000, "lzf"},
                 {32001, "blosc"},
                 {32004, "lz4"},
                 {32008, "bitshuffle"},
                 {32013, "zfp"},
                 {32015, "zstd"},
                 {32026, "blosc2"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].id == id) return known[i].name;
    return "";
}

/* Whether values went through a filter that this library lacks; if so the text says which. */
static bool lacks_filter(hid_t creation, char text[NAS_UNTRUSTED_REASON_SIZE])
{
    const int n = H5Pget_nfilters(creation);
    for (int i = 0; i < n; i++) {
        char stored[64] = "";
        unsigned flags = 0;
        size_t n_values = 0;
        const H5Z_filter_t id = H5Pget_filter2(creation, (unsigned)i, &flags, &n_values, NULL,
                                               sizeof stored, stored, NULL);
        if (id < 0 || H5Zfilter_avail(id) > 0) continue;
        stored[sizeof stored - 1] = '\0';
        (void)snprintf(
            text, NAS_UNTRUSTED_REASON_SIZE,
            "went through the HDF5 filter %d (%s), which is not installed here; set HDF5_PLUGIN_PATH to where it is, or write the file anew where it can be read, as h5repack -f GZIP=1 OLD.h5 NEW.h5 or h5py with compression='gzip' do",
            (int)id, *name_of(id) ? name_of(id) : stored);
        return true;
    }
    return false;
}

/* Whether the values lie in another file; the text says in which. */
static bool lies_elsewhere(hid_t creation, char text[NAS_UNTRUSTED_REASON_SIZE])
{
    char name[128] = "";
    off_t offset = 0;
    hsize_t size = 0;
    if (H5Pget_external_count(creation) <= 0 ||
        H5Pget_external(creation, 0, sizeof name - 1, name, &offset, &size) < 0)
        return false;
    (void)snprintf(
        text, NAS_UNTRUSTED_REASON_SIZE,
        "has its values in another file, %s, which cannot be read from here; h5repack OLD.h5 NEW.h5 writes one file, where both can be read",
        name);
    return true;
}

void nas_untrusted_explain(hid_t dataset, char text[NAS_UNTRUSTED_REASON_SIZE])
{
    const hid_t creation = H5Dget_create_plist(dataset);
    const bool known =
        creation >= 0 && (lacks_filter(creation, text) || lies_elsewhere(creation, text));
    if (!known)
        (void)snprintf(text, NAS_UNTRUSTED_REASON_SIZE, "cannot be read by HDF5; it is damaged");
    if (creation >= 0) (void)H5Pclose(creation);
}

/* How large an array may be that a file, or the child that reads it, speaks of. */
#include "worker/data/untrusted/untrusted_internal.h"

static size_t type_bytes(nas_untrusted_type_t type)
{
    switch (type) {
    case NAS_UNTRUSTED_U8:
    case NAS_UNTRUSTED_TEXT:
        return 1;
    case NAS_UNTRUSTED_F32:
        return sizeof(float);
    case NAS_UNTRUSTED_I64:
        return sizeof(int64_t);
    case NAS_UNTRUSTED_F64:
        return sizeof(double);
    }
    return 0;
}

bool nas_untrusted_extent(const nas_untrusted_message_t *message, int64_t max_bytes, size_t *n,
                          size_t *n_bytes)
{
    const int64_t width = (int64_t)type_bytes(message->type);
    int64_t n_values = 1;
    if (width == 0 || message->rank < 0 || message->rank > NAS_UNTRUSTED_MAX_RANK) return false;
    for (int i = 0; i < message->rank; i++) {
        const int64_t size = message->size[i];
        if (size < 0 || (size > 0 && n_values > max_bytes / width / size)) return false;
        n_values *= size;
    }
    *n = (size_t)n_values;
    *n_bytes = (size_t)(n_values * width);
    return true;
}

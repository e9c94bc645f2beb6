#include "worker/engine/backends/backends.h"

const nas_backend_t *nas_backend_of(nas_backend_kind_t kind, nas_isa_t isa)
{
    switch (kind) {
    case NAS_BACKEND_REF:
        return nas_backend_ref();
    case NAS_BACKEND_CPU:
        break;
    }
    return nas_backend_cpu(isa);
}

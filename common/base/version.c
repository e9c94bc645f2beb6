#include "common/base/version.h"

#include <nas_commit.h>

const char *nas_version(void)
{
    return NAS_VERSION;
}

const char *nas_commit(void)
{
    return NAS_COMMIT;
}

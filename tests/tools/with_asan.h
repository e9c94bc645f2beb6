/* WITH_ASAN: whether this was built with AddressSanitizer, whose leak checker PoCL fails. */
#ifndef NAS_TESTS_TOOLS_WITH_ASAN_H
#define NAS_TESTS_TOOLS_WITH_ASAN_H

#include <stdbool.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN true
#endif
#endif
#ifndef WITH_ASAN
#define WITH_ASAN false
#endif

#endif

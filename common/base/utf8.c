#include "common/base/utf8.h"

#include <string.h>

/* The second byte's range excludes longer forms than needed, surrogates, and what lies beyond
 * U+10FFFF. */
size_t nas_utf8_length(const char *at)
{
    const unsigned char *text = (const unsigned char *)at;
    const unsigned char first = text[0];
    if (first < 0x80) return 1;
    if (first < 0xc2 || first > 0xf4) return 0;
    const size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    const unsigned char least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const unsigned char most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (text[1] < least || text[1] > most) return 0;
    for (size_t i = 2; i < length; i++)
        if ((text[i] & 0xc0) != 0x80) return 0;
    return length;
}

size_t nas_utf8_control(const char *at)
{
    const unsigned char *text = (const unsigned char *)at;
    if (*text < 0x20 || *text == 0x7f) return 1;
    return text[0] == 0xc2 && text[1] >= 0x80 && text[1] < 0xa0 ? 2 : 0;
}

void nas_utf8_tame(char *text)
{
    while (*text) {
        const size_t length = nas_utf8_control(text);
        memset(text, '?', length);
        text += length ? length : 1;
    }
}

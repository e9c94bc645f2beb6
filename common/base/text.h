/* What editors and spreadsheets leave in the texts that users hand over: byte order marks, other
 * encodings, blanks around what was meant. */
#ifndef NAS_COMMON_BASE_TEXT_H
#define NAS_COMMON_BASE_TEXT_H

#include "common/base/error.h"

#include <stddef.h>

/** Bytes at the head of a text file that are none of its text: the byte order mark of UTF-8, 3, or
 *  0.  Not collective. path: for the message; text [size] the file, or at least its first 4 bytes.
 *  skip [out].
 *  NAS_EINPUT: the text is in UTF-16 or UTF-32, by its mark or by its NULs, or it is a spreadsheet,
 *  compressed or HDF5; says so and what would be right. */
nas_status_t nas_text_begin(const char *path, const char *text, size_t size, size_t *skip,
                            nas_error_t *err);

/** The text without the blanks around it: ASCII's white space and no-break spaces (U+00A0).
 *  length [out] in bytes. Returns where it begins; borrowed from text. */
const char *nas_text_trim(const char *text, size_t *length);

/** The same in place: the text is cut behind its last character that is no blank. */
char *nas_text_strip(char *text);

/** Copy of text without the blanks around it, owned by the caller (free), or NULL with err set. */
char *nas_text_copy_trimmed(const char *text, nas_error_t *err);

#endif

/* Pictures brought to one size.
 *
 * A picture is cut about its centre to the proportions of the result: the whole of one side stays,
 * of the other as many pixels as come nearest. Along each side, pixels are averaged by area where
 * they become fewer, and interpolated between their centres where they become more.
 *
 * Both are sums with whole weights, divided once at the end and rounded to the nearest (halves up):
 * the result is exact and has the same bits everywhere. An equal size leaves a picture as it is.
 */
#ifndef NAS_WORKER_DATA_FOLDERS_RESIZE_H
#define NAS_WORKER_DATA_FOLDERS_RESIZE_H

#include "worker/data/folders/decode.h"

/** Bring a picture to height x width.  Not collective.
 *  Both from 1 to 2^15. O(pixels of the picture and of the result) time, O(width) memory.
 *  values [out] [C, height, width], with the C of the picture.
 *  NAS_ENOMEM. */
nas_status_t nas_resize(const nas_picture_t *picture, int height, int width, uint8_t *values,
                        nas_error_t *err);

#endif

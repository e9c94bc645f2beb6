/* The network that a NAS-Bench-201 cell is put into.
 *
 * Stem conv3x3 + BN; three stages of `cells` cells at C, 2C and 4C channels; a residual reduction
 * block before stages 2 and 3; BN, ReLU, global average pool, linear layer. Dong & Yang,
 * NAS-Bench-201, ICLR 2020.
 */
#ifndef NAS_COMMON_SPACE_NETWORK_H
#define NAS_COMMON_SPACE_NETWORK_H

/** Which parameters a network has. */
typedef enum nas_convention {
    NAS_CONVENTION_SCORE = 0, /**< cell convolutions have a bias, cell BNs no gamma and beta */
    NAS_CONVENTION_TRAIN      /**< cell convolutions have no bias, all BNs have gamma and beta */
} nas_convention_t;

/** The network around the cell. */
typedef struct nas_network {
    int image_channels;
    int height; /**< of the images; a multiple of 4, as is width */
    int width;
    int channels; /**< C of the first stage */
    int cells;    /**< per stage */
    int classes;
    nas_convention_t convention;
} nas_network_t;

#endif

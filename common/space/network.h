/* What a job says of the networks that architectures are put into: nas_space_t.build makes of it
 * what the space's networks have of such. */
#ifndef NAS_COMMON_SPACE_NETWORK_H
#define NAS_COMMON_SPACE_NETWORK_H

/** Which parameters a network has. */
typedef enum nas_convention {
    NAS_CONVENTION_SCORE = 0, /**< cell convolutions have a bias, cell BNs no gamma and beta */
    NAS_CONVENTION_TRAIN      /**< cell convolutions have no bias, all BNs have gamma and beta */
} nas_convention_t;

/** Extents of a network. */
typedef struct nas_network {
    int image_channels;
    int height; /**< of the images */
    int width;
    int channels; /**< C of the first stage */
    int cells;    /**< per stage, or how deep else it is */
    int classes;
    nas_convention_t convention;
} nas_network_t;

#endif

/* What operations of scalars.cl share: what a lane is given, and sums over all lanes.
 *
 * Sums are N_ROOMS at once at most: every lane adds what is its share, in order; then 16 lanes add
 * 16 lanes' each; then one adds theirs. So their order depends on nothing but the number of
 * terms. */
#ifndef NAS_WORKER_ENGINE_GPU_KERNELS_LANES_H
#define NAS_WORKER_ENGINE_GPU_KERNELS_LANES_H

#define LANES 256
#define LEVEL 16 /* LANES = LEVEL x LEVEL */
#define N_ROOMS 5

/* What a lane knows. Functions get it as `s` and an operation as `op`. */
typedef struct scalars {
    GLOBAL float *arena;
    GLOBAL double *vectors;
    GLOBAL const u8 *data;
    GLOBAL const u8 *table;
    LOCAL_POINTER double *room;  /* [N_ROOMS][LANES] shares of sums */
    LOCAL_POINTER double *level; /* [N_ROOMS][LEVEL] */
    int lane;
} scalars_t;

#define FUNCTION DEVICE void
#define OPERATION const scalars_t *s, const GLOBAL nas_gpu_scalar_t *op
/* A lane's share of [0, n); every lane's loop has as many turns. */
#define EACH(i, n)                                                                                 \
    for (int i = s->lane, left_##i = (n); left_##i > 0; i += LANES, left_##i -= LANES)            \
        if (i < (n))

/* What is done between shares and total, with all rooms. */
FUNCTION add_level(const scalars_t *s)
{
    if (s->lane >= N_ROOMS * LEVEL) return;
    double sum = 0;
    for (int i = 0; i < LEVEL; i++) sum += s->room[s->lane * LEVEL + i];
    s->level[s->lane] = sum;
}

DEVICE double total(const scalars_t *s, int room)
{
    double sum = 0;
    for (int i = 0; i < LEVEL; i++) sum += s->level[room * LEVEL + i];
    return sum;
}

DEVICE int exponent_of(const scalars_t *s, i64 at)
{
    return at < 0 ? 0 : (int)s->vectors[at];
}

/* An entry of gamma, beta or a bias. */
DEVICE double affine(OPERATION, i64 at, int c, double otherwise)
{
    if (at < 0) return otherwise;
    const double value = s->vectors[at + c];
    return op->flow ? fabs(value) : value;
}

#endif

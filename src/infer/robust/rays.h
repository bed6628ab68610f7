/* Whether a density has a tail along a ray or a curve from random points (rays.c), for those that
 * say which ways to go (proper.c). src/infer/robust only. */
#ifndef SL_INFER_ROBUST_RAYS_H
#define SL_INFER_ROBUST_RAYS_H
#include "infer/robust/attempt.h"

enum {
  SL__RAY_POINTS = 64, /* random ones that are tried */
  SL__RAY_DISTANCES = 6,
  SL__RAY_NEAR = 3, /* of these, where a direction is known well enough not to leave a ridge */
  SL__RAYS = 2 * SL__RAY_DISTANCES, /* both ways from a point */
  SL__MOST_RAY_DIM = 64             /* for directions that are not a coordinate's */
};
/* Of a direction of length 1 that is not a coordinate's. */
#define SL__LEAST_PARTNER 1e-9

typedef struct sl__rays {
  sl__robust *run;
  sl__density *density;
  int32_t dim;
  int points;        /* that have a density */
  double *q;         /* [SL__RAY_POINTS][dim]; the first `points` have one */
  double *value;     /* [SL__RAY_POINTS]; eigenvalues too */
  double *gradient;  /* [SL__RAY_POINTS][dim] */
  double *plain;     /* the same, of the density without the Jacobian */
  double *ray, *far; /* [SL__RAYS][dim], [SL__RAYS] */
  bool *undefined;   /* [SL__RAYS] */
  double *way;       /* [dim]: a direction, or the powers w of a curve */
  bool curved;
  bool scaled;           /* a curve leads logarithms to sums; else to powers, as all others */
  bool *logarithmic;     /* [dim]: coordinates that are a bounded parameter's logarithm */
  double *moments, *own; /* [dim][dim]: of the gradients, their eigenvectors */
} sl__rays;

/* rays.c. The arena's memory, and the density, which is the caller's to free. */
sl_status sl__rays_open(sl__rays *rays, sl__arena *arena);
/* Random points that have a density, and its gradients there; which coordinates are logarithms. */
sl_status sl__rays_draw(sl__rays *rays);
/* Distance k, from 0 to before SL__RAY_DISTANCES. */
double sl__rays_distance(int k);
/* Whether the density has no tail along rays->way, at any of the points, in the first `count` of
 * the distances. SL_STOPPED: by the caller or for want of time. */
sl_status sl__rays_have_no_tail(sl__rays *rays, int count, bool *out);
#endif

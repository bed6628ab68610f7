/* Where to climb from, beside places at random. A mode that is narrower than what is known has a
 * basin of a few hundredths of the places about, which tens of climbs from random points miss: so
 * thousands of points are strewn, near and far, and of the highest at every distance it is asked
 * where the density rises. From the top of one that is log-concave it falls along every line; a
 * point at which it rises, away from where the nearest chain has been, is on the near side of
 * something else, or of a bend, and a climb from there will tell. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "infer/robust/search.h"

enum {
  POINTS = 16384,  /* at each distance */
  LOOKED_AT = 512, /* of these: the highest */
  DISTANCES = 6,
  PICKED = SL__MOST_STREWN / (2 * DISTANCES), /* of each */
  MOST_DIM = 12                               /* where so many points still come about */
};
/* In the target's own units about 0, and in deviations of the chains about their mean. */
static const double scales[DISTANCES] = {1, 2, 4, 8, 16, 32},
                    deviations[DISTANCES] = {2, 4, 8, 16, 32, 64};

typedef struct height {
  double value;
  int64_t point;
} height;

typedef struct strewn {
  const sl__been *been;
  sl__density *density;
  const sl__search_watch *watch;
  double *q, *value;               /* [POINTS][dim], [POINTS] */
  height *order;                   /* [POINTS], the highest first */
  double *high, *level, *gradient; /* [LOOKED_AT][dim], [LOOKED_AT], [LOOKED_AT][dim] */
  double *first;                   /* [SL__MOST_STREWN][dim] */
  int32_t count;
} strewn;

/* The mean of the chain that it is the fewest deviations away from. */
static const double *nearest_mean(const sl__been *been, const double *place) {
  const int32_t dim = been->e->dim;
  const double *nearest = been->means;
  double least = INFINITY;
  for (int64_t c = 0; c < been->e->chain_count; c++) {
    const double *mean = been->means + c * dim;
    const double off = sl__been_distance(been, place, mean, least);
    if (off < least) {
      least = off;
      nearest = mean;
    }
  }
  return nearest;
}

static bool rises_outwards(const strewn *s, int64_t r) {
  const int32_t dim = s->been->e->dim;
  const double *place = s->high + r * dim, *mean = nearest_mean(s->been, place);
  double rise = 0;
  for (int32_t i = 0; i < dim; i++) rise += s->gradient[r * dim + i] * (place[i] - mean[i]);
  return isfinite(s->level[r]) && rise > 0;
}

static void pick(strewn *s) {
  const int32_t dim = s->been->e->dim;
  int picked = 0;
  for (int64_t r = 0; r < LOOKED_AT && picked < PICKED; r++) {
    const double *place = s->high + r * dim;
    if (!rises_outwards(s, r) || sl__been_same(s->been, place, s->count, s->first) ||
        sl__been_near(s->been, place))
      continue;
    memcpy(s->first + (size_t)s->count++ * (size_t)dim, place, (size_t)dim * sizeof *place);
    picked++;
  }
}

/* about_chains: distances in the chains' deviations. */
static void draw(strewn *s, sl__random_key key, int distance, bool about_chains) {
  const sl__been *been = s->been;
  const int32_t dim = been->e->dim;
  for (int64_t r = 0; r < POINTS; r++)
    for (int32_t i = 0; i < dim; i++) {
      const double normal = sl__random_normal(key, (uint64_t)r, (uint32_t)i);
      s->q[r * dim + i] = about_chains ? been->mean[i] + deviations[distance] * been->sd[i] * normal
                                       : scales[distance] * normal;
    }
}

static int by_height(const void *a, const void *b) {
  const height *x = a, *y = b;
  if (x->value != y->value) return x->value > y->value ? -1 : 1;
  return x->point < y->point ? -1 : x->point > y->point;
}

static void choose_highest(strewn *s) {
  const int32_t dim = s->been->e->dim;
  for (int64_t r = 0; r < POINTS; r++)
    s->order[r] = (height){isfinite(s->value[r]) ? s->value[r] : -INFINITY, r};
  qsort(s->order, POINTS, sizeof *s->order, by_height);
  for (int64_t r = 0; r < LOOKED_AT; r++)
    memcpy(s->high + r * dim, s->q + s->order[r].point * dim, (size_t)dim * sizeof *s->high);
}

static sl_status evaluate(strewn *s, sl_context *context, int64_t rows, const double *q,
                          double *value, double *gradient) {
  const sl__points points = {.rows = rows,
                             .q = q,
                             .value = value,
                             .gradient = gradient,
                             .row_stride = s->been->e->dim,
                             .column_stride = 1};
  const sl__search_watch *watch = s->watch;
  SL__TRY(sl__density_run_asking(context, s->density, &points, watch ? watch->may_go_on : NULL,
                                 watch ? watch->user : NULL));
  if (!watch || watch->may_go_on(watch->user)) return SL_OK;
  return sl__fail(context, SL_STOPPED, "stopped while looking for modes");
}

static sl_status look(strewn *s, sl_context *context) {
  SL__TRY(evaluate(s, context, POINTS, s->q, s->value, NULL));
  choose_highest(s);
  SL__TRY(evaluate(s, context, LOOKED_AT, s->high, s->level, s->gradient));
  pick(s);
  return SL_OK;
}

static sl_status open_strewn(strewn *s, sl__arena *arena) {
  const size_t dim = (size_t)s->been->e->dim;
  s->q = sl__arena_take(arena, POINTS * dim, sizeof *s->q);
  s->value = sl__arena_take(arena, POINTS, sizeof *s->value);
  s->order = sl__arena_take(arena, POINTS, sizeof *s->order);
  s->high = sl__arena_take(arena, LOOKED_AT * dim, sizeof *s->high);
  s->level = sl__arena_take(arena, LOOKED_AT, sizeof *s->level);
  s->gradient = sl__arena_take(arena, LOOKED_AT * dim, sizeof *s->gradient);
  return s->q && s->value && s->order && s->high && s->level && s->gradient ? SL_OK : SL_NO_MEMORY;
}

sl_status sl__been_strew(sl_context *context, sl__density *density, uint64_t seed,
                         const sl__search_watch *watch, const sl__been *been, double *first,
                         int32_t *count) {
  strewn s = {.been = been, .density = density, .watch = watch, .first = first};
  *count = 0;
  if (been->e->dim > MOST_DIM) return SL_OK;
  sl__arena arena;
  sl__arena_open(&arena, context);
  sl_status status = open_strewn(&s, &arena);
  for (int k = 0; k < 2 * DISTANCES && status == SL_OK; k++) {
    const sl__random_key key = {sl__seed_of_part(seed, SL__PART_STREW, k), SL__STREAM_SEARCH, 0};
    draw(&s, key, k / 2, k % 2);
    status = look(&s, context);
  }
  sl__arena_close(&arena);
  *count = s.count;
  return status;
}

/* Where to climb from, beside places at random. A mode that is narrower than what is known has a
 * basin of a few hundredths of the places about, which tens of climbs from random points miss: so
 * thousands of points are strewn, near and far, and of some at every distance it is asked where
 * the density rises. From the top of one that is log-concave it falls along every line; a point at
 * which it rises, away from the nearest of what is known, is on the near side of something else, or
 * of a bend, and a climb from there will tell. Known are the places where chains have been, and in
 * later rounds the summits that climbs have found.
 *
 * Asked are the highest; and the highest of each shell of points that are about as far out, since
 * in the basin of a narrow mode far out few points are, and none as high as the many nearer ones.
 * On all sides of such a mode but the near one the density falls outwards too, and steeply: what
 * tells these from the slopes of what is known is that the way up does not lead back to it. In
 * deviations of the chains it does for a normal density without correlations, and about does for
 * others. As soon as summits are known, it counts how far a point is from the nearest known place:
 * a small mode, once found, no longer stands out, and so hides no other that is as far from the
 * chains. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "infer/robust/search.h"

enum {
  POINTS = 16384,  /* at each distance */
  LOOKED_AT = 512, /* of these: the highest; and as many of all shells together */
  SHELLS = 32,     /* of about as many points each, as the first of the points tell */
  FIRST_POINTS = 1024,
  DISTANCES = 6,
  SETS = 2 * DISTANCES,
  PICKED_RISING = SL__MOST_RISING / SETS, /* of each set */
  PICKED_ASTRAY = SL__MOST_ASTRAY / SETS
};
_Static_assert(FIRST_POINTS % SHELLS == 0 && LOOKED_AT % SHELLS == 0, "shells are alike");
/* The cosine between the way up and the way back, which is 1 if it is the same. */
static const double most_cosine = 0.3;
/* In the target's own units about 0, and in deviations of the chains about their mean. */
static const double scales[DISTANCES] = {1, 2, 4, 8, 16, 32},
                    deviations[DISTANCES] = {2, 4, 8, 16, 32, 64};

typedef struct height {
  double value;
  int64_t point;
} height;

/* Places that are taken. */
typedef struct places {
  double *place; /* [count][dim] */
  int32_t count;
} places;

typedef struct strewn {
  const sl__been *been;
  sl__density *density;
  const sl__search_watch *watch;
  double *q, *value;               /* [POINTS][dim], [POINTS] */
  height *order;                   /* [POINTS], the highest first */
  int64_t rows;                    /* that are looked at, the highest first: */
  double *high, *level, *gradient; /* [LOOKED_AT][dim], [LOOKED_AT], [LOOKED_AT][dim] */
  double *square, *sorted;         /* [POINTS], of distances from what is known; [FIRST_POINTS] */
  places rising, astray;
} strewn;

/* The mean of each chain, then the summits. */
static const double *known_place(const sl__been *been, int64_t k) {
  const int64_t chains = been->e->chain_count;
  return k < chains ? been->means + k * been->e->dim : been->summits + (k - chains) * been->e->dim;
}

/* The known place that it is the fewest deviations away from. */
static const double *nearest_known(const sl__been *been, const double *place) {
  const double *nearest = been->means;
  double least = INFINITY;
  for (int64_t k = 0; k < been->e->chain_count + been->count; k++) {
    const double *known = known_place(been, k);
    const double off = sl__been_distance(been, place, known, least);
    if (off < least) {
      least = off;
      nearest = known;
    }
  }
  return nearest;
}

/* Whether a point that was looked at is to be climbed from. */
typedef bool test(const strewn *s, int64_t r);

static bool rises_outwards(const strewn *s, int64_t r) {
  const int32_t dim = s->been->e->dim;
  const double *place = s->high + r * dim, *known = nearest_known(s->been, place);
  double rise = 0;
  for (int32_t i = 0; i < dim; i++) rise += s->gradient[r * dim + i] * (place[i] - known[i]);
  return isfinite(s->level[r]) && rise > 0;
}

/* As rises_outwards, where the cosine is below 0, but in deviations and less strict. */
static bool leads_astray(const strewn *s, int64_t r) {
  const int32_t dim = s->been->e->dim;
  const double *place = s->high + r * dim, *known = nearest_known(s->been, place);
  double back = 0, slope = 0, both = 0; /* squared lengths, and the product */
  for (int32_t i = 0; i < dim; i++) {
    const double way_back = (known[i] - place[i]) / s->been->sd[i];
    const double way_up = s->gradient[r * dim + i] * s->been->sd[i];
    back += way_back * way_back;
    slope += way_up * way_up;
    both += way_back * way_up;
  }
  return isfinite(s->level[r]) && isfinite(slope) && isfinite(back) &&
         both < most_cosine * sqrt(back * slope);
}

static bool is_taken(const strewn *s, const places *p, const double *place) {
  return sl__been_same(s->been, place, p->count, p->place);
}

/* Of the points that were looked at, the highest that pass the test; beside `others`, or NULL. */
static void pick(const strewn *s, test *passes, int most, const places *others, places *to) {
  const int32_t dim = s->been->e->dim;
  int picked = 0;
  for (int64_t r = 0; r < s->rows && picked < most; r++) {
    const double *place = s->high + r * dim;
    if (!passes(s, r) || is_taken(s, to, place) || (others && is_taken(s, others, place)) ||
        sl__been_near(s->been, place))
      continue;
    memcpy(to->place + (size_t)to->count++ * (size_t)dim, place, (size_t)dim * sizeof *place);
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

static void order_by_height(strewn *s) {
  for (int64_t r = 0; r < POINTS; r++)
    s->order[r] = (height){isfinite(s->value[r]) ? s->value[r] : -INFINITY, r};
  qsort(s->order, POINTS, sizeof *s->order, by_height);
}

static void take_row(strewn *s, int64_t point) {
  const int32_t dim = s->been->e->dim;
  memcpy(s->high + s->rows++ * dim, s->q + point * dim, (size_t)dim * sizeof *s->high);
}

static void choose_highest(strewn *s) {
  s->rows = 0;
  for (int64_t r = 0; r < LOOKED_AT; r++) take_row(s, s->order[r].point);
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double square_distance(const sl__been *been, const double *place, const double *from) {
  double square = 0;
  for (int32_t i = 0; i < been->e->dim; i++) {
    const double off = (place[i] - from[i]) / been->sd[i];
    square += off * off;
  }
  return square;
}

/* From the mean of all chains; with summits, from the nearest of all known places. */
static void measure_distances(strewn *s) {
  const sl__been *been = s->been;
  for (int64_t r = 0; r < POINTS; r++) {
    const double *place = s->q + r * been->e->dim;
    s->square[r] = been->count > 0 ? INFINITY : square_distance(been, place, been->mean);
    for (int64_t k = 0; been->count > 0 && k < been->e->chain_count + been->count; k++)
      s->square[r] = fmin(s->square[r], square_distance(been, place, known_place(been, k)));
  }
}

static void choose_highest_of_shells(strewn *s) {
  int64_t taken[SHELLS] = {0};
  measure_distances(s);
  memcpy(s->sorted, s->square, FIRST_POINTS * sizeof *s->sorted);
  qsort(s->sorted, FIRST_POINTS, sizeof *s->sorted, ascending);
  s->rows = 0;
  for (int64_t r = 0; r < POINTS; r++) {
    const int64_t point = s->order[r].point;
    int shell = 0;
    while (shell + 1 < SHELLS &&
           s->square[point] > s->sorted[(shell + 1) * (FIRST_POINTS / SHELLS)])
      shell++;
    if (taken[shell]++ < LOOKED_AT / SHELLS) take_row(s, point);
  }
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
  order_by_height(s);
  choose_highest(s);
  SL__TRY(evaluate(s, context, s->rows, s->high, s->level, s->gradient));
  pick(s, rises_outwards, PICKED_RISING, NULL, &s->rising);
  choose_highest_of_shells(s);
  SL__TRY(evaluate(s, context, s->rows, s->high, s->level, s->gradient));
  pick(s, leads_astray, PICKED_ASTRAY, &s->rising, &s->astray);
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
  s->square = sl__arena_take(arena, POINTS, sizeof *s->square);
  s->sorted = sl__arena_take(arena, FIRST_POINTS, sizeof *s->sorted);
  s->astray.place = sl__arena_take(arena, SL__MOST_ASTRAY * dim, sizeof *s->astray.place);
  const bool all = s->q && s->value && s->order && s->high && s->level && s->gradient &&
                   s->square && s->sorted && s->astray.place;
  return all ? SL_OK : SL_NO_MEMORY;
}

sl_status sl__been_strew(sl_context *context, sl__density *density, uint64_t seed, int round,
                         const sl__search_watch *watch, const sl__been *been,
                         sl__strewn_places *out) {
  strewn s = {.been = been, .density = density, .watch = watch, .rising.place = out->first};
  const size_t dim = (size_t)been->e->dim;
  out->rising = out->astray = 0;
  if (dim > SL__MOST_STREWN_DIM) return SL_OK;
  sl__arena arena;
  sl__arena_open(&arena, context);
  sl_status status = open_strewn(&s, &arena);
  for (int k = 0; k < SETS && status == SL_OK; k++) {
    const uint64_t own = sl__seed_of_part(seed, SL__PART_STREW, round * SETS + k);
    const sl__random_key key = {own, SL__STREAM_SEARCH, 0};
    draw(&s, key, k / 2, k % 2);
    status = look(&s, context);
  }
  out->rising = s.rising.count;
  out->astray = s.astray.count;
  if (out->astray > 0)
    memcpy(out->first + (size_t)out->rising * dim, s.astray.place,
           (size_t)out->astray * dim * sizeof *out->first);
  sl__arena_close(&arena);
  return status;
}

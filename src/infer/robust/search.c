/* Modes that chains did not come to: many climbs, from far and near and from where strew.c says
 * that something rises, and of their ends those around which no chain has been. Climbs know nothing
 * of how much a mode weighs; chains from their ends and the population find that out. What has no
 * summit, as a funnel's neck, is not taken for one. */
#include <math.h>
#include <string.h>
#include "infer/chain/climb.h"
#include "infer/robust/search.h"

enum { CLIMBS = 64, SCALES = 4, MOST_STEPS = 100, HISTORY = 6, MOST_TRIES = 12 };
/* In the target's own units around 0, and in deviations of the chains around their mean. */
static const double scales[SCALES] = {1, 4, 16, 40}, deviations[SCALES] = {3, 10, 30, 100};
static const double tolerance = 1e-9;
/* In deviations within chains: how near a draw must be for a place to count as seen; how steep a
 * summit may be; how far summits are apart. */
static const double seen_within = 2, most_slope = 0.5, apart = 4;

typedef struct search {
  sl_context *context;
  sl__density *density;
  const sl__exploration *e;
  uint64_t seed;
  sl__been been;
  sl__strewn_places strewn; /* where the last of the climbs begin */
  int32_t climbs;
  int *tries;                   /* [climbs]: of first points */
  sl__climb *climb;             /* [climbs]: one from each chain's last draw, then the others */
  double *q, *value, *gradient; /* [climbs][dim], [climbs], [climbs][dim] */
} search;

static sl_status measure_chains(search *s, sl__arena *arena) {
  const sl__exploration *e = s->e;
  const int32_t dim = e->dim;
  const int64_t draws = e->chains.rows / e->chain_count;
  sl__been *been = &s->been;
  been->e = e;
  been->means = sl__arena_take(arena, (size_t)(e->chain_count * dim), sizeof *been->means);
  been->mean = sl__arena_take(arena, (size_t)dim, sizeof *been->mean);
  been->sd = sl__arena_take(arena, (size_t)dim, sizeof *been->sd);
  if (!been->means || !been->mean || !been->sd) return SL_NO_MEMORY;
  for (int32_t i = 0; i < dim; i++) {
    double variance = 0;
    for (int64_t c = 0; c < e->chain_count; c++) {
      const double *x = e->chains.x + c * draws * dim + i;
      double mean = 0, squares = 0;
      for (int64_t r = 0; r < draws; r++) mean += x[r * dim] / (double)draws;
      for (int64_t r = 0; r < draws; r++) {
        const double off = x[r * dim] - mean;
        squares += off * off / (double)draws;
      }
      been->means[c * dim + i] = mean;
      been->mean[i] += mean / (double)e->chain_count;
      variance += squares / (double)e->chain_count;
    }
    been->sd[i] = variance > 0 ? sqrt(variance) : 1;
  }
  return SL_OK;
}

/* ---- climbing, all ways side by side ---- */

/* A first point; one without a density is tried again, ever nearer to where it was drawn around. */
static void place(search *s, int32_t k) {
  const sl__exploration *e = s->e;
  const int32_t dim = e->dim, chains = (int32_t)e->chain_count, n = k - chains;
  const int32_t strewn = k - chains - CLIMBS;
  const int64_t draws = e->chains.rows / chains;
  double *trial = s->climb[k].trial;
  const double nearer = ldexp(1, -s->tries[k]++);
  if (k < chains) {
    memcpy(trial, e->chains.x + ((k + 1) * draws - 1) * dim, (size_t)dim * sizeof *trial);
    return;
  }
  if (strewn >= 0) {
    memcpy(trial, s->strewn.first + (size_t)strewn * dim, (size_t)dim * sizeof *trial);
    return;
  }
  const sl__random_key key = {sl__seed_of_part(s->seed, SL__PART_SEARCH, 0), SL__STREAM_SEARCH, 0};
  const double scale = scales[n / 2 % SCALES], wide = deviations[n / 2 % SCALES];
  for (int32_t i = 0; i < dim; i++) {
    const double normal = nearer * sl__random_normal(key, (uint64_t)n, (uint32_t)i);
    trial[i] = n % 2 ? s->been.mean[i] + wide * s->been.sd[i] * normal : scale * normal;
  }
}

static sl_status climb_all(search *s, const sl__search_watch *watch) {
  const int32_t dim = s->e->dim;
  const sl__points points = {.rows = s->climbs,
                             .q = s->q,
                             .value = s->value,
                             .gradient = s->gradient,
                             .row_stride = dim,
                             .column_stride = 1};
  for (int32_t k = 0; k < s->climbs; k++) place(s, k);
  for (bool on = true; on;) {
    for (int32_t k = 0; k < s->climbs; k++)
      memcpy(s->q + (size_t)k * dim, s->climb[k].trial, (size_t)dim * sizeof *s->q);
    SL__TRY(sl__density_run_asking(s->context, s->density, &points, watch ? watch->may_go_on : NULL,
                                   watch ? watch->user : NULL));
    if (watch && !watch->may_go_on(watch->user))
      return sl__fail(s->context, SL_STOPPED, "stopped while climbing");
    on = false;
    for (int32_t k = 0; k < s->climbs; k++) {
      sl__climb *climb = &s->climb[k];
      if (climb->done) continue;
      sl__climb_give(climb, s->value[k], s->gradient + (size_t)k * dim);
      if (!climb->begun && s->tries[k] == MOST_TRIES) climb->done = true;
      if (!climb->begun && !climb->done) place(s, k);
      on |= !climb->done;
    }
  }
  return SL_OK;
}

/* ---- the ends ---- */

static const double *end_of(const search *s, int32_t k) {
  return s->climb[k].q + (size_t)s->climb[k].steps * s->e->dim;
}

double sl__been_distance(const sl__been *been, const double *a, const double *b, double enough) {
  double most = 0;
  for (int32_t i = 0; i < been->e->dim && most <= enough; i++)
    most = fmax(most, fabs(a[i] - b[i]) / been->sd[i]);
  return most;
}

bool sl__been_near(const sl__been *been, const double *place) {
  const sl__draws *draws = &been->e->chains;
  for (int64_t r = 0; r < draws->rows; r++) {
    const double *draw = draws->x + r * been->e->dim;
    if (sl__been_distance(been, place, draw, seen_within) <= seen_within) return true;
  }
  return false;
}

bool sl__been_same(const sl__been *been, const double *place, int32_t count, const double *first) {
  for (int32_t k = 0; k < count; k++)
    if (sl__been_distance(been, place, first + (size_t)k * been->e->dim, apart) <= apart)
      return true;
  return false;
}

static bool is_summit(const search *s, int32_t k) {
  const sl__climb *climb = &s->climb[k];
  if (!climb->begun || climb->steps == climb->most_steps) return false;
  const double *gradient = climb->gradient + (size_t)climb->steps * s->e->dim;
  for (int32_t i = 0; i < s->e->dim; i++)
    if (!(fabs(gradient[i]) * s->been.sd[i] <= most_slope)) return false;
  return true;
}

/* Of the climbs from `begin` to before `end`, the highest summits first; `found` are there. */
static int choose(search *s, int32_t begin, int32_t end, int found, double *first,
                  double *heights) {
  for (int32_t round = begin; round < end && found < SL__MOST_FOUND; round++) {
    int32_t best = -1;
    for (int32_t k = begin; k < end; k++)
      if (s->climb[k].done && is_summit(s, k) &&
          (best < 0 ||
           s->climb[k].value[s->climb[k].steps] > s->climb[best].value[s->climb[best].steps]))
        best = k;
    if (best < 0) break;
    s->climb[best].done = false; /* looked at */
    const double *place = end_of(s, best);
    if (sl__been_same(&s->been, place, found, first) || sl__been_near(&s->been, place)) continue;
    memcpy(first + (size_t)found * s->e->dim, place, (size_t)s->e->dim * sizeof *first);
    heights[found++] = s->climb[best].value[s->climb[best].steps];
  }
  return found;
}

/* Where the climbs will begin. */
static sl_status open_search(search *s, sl__arena *arena, const sl__target *target,
                             const sl__search_watch *watch) {
  const size_t dim = (size_t)s->e->dim;
  SL__TRY(measure_chains(s, arena));
  SL__TRY(sl__density_new(s->context, target, 0, true, &s->density));
  s->strewn.first = sl__arena_take(arena, SL__MOST_STREWN * dim, sizeof *s->strewn.first);
  if (!s->strewn.first) return SL_NO_MEMORY;
  SL__TRY(sl__been_strew(s->context, s->density, s->seed, watch, &s->been, &s->strewn));
  s->climbs = (int32_t)s->e->chain_count + CLIMBS + s->strewn.rising + s->strewn.astray;
  const size_t count = (size_t)s->climbs;
  s->climb = sl__arena_take(arena, count, sizeof *s->climb);
  s->tries = sl__arena_take(arena, count, sizeof *s->tries);
  s->q = sl__arena_take(arena, count * dim, sizeof *s->q);
  s->value = sl__arena_take(arena, count, sizeof *s->value);
  s->gradient = sl__arena_take(arena, count * dim, sizeof *s->gradient);
  if (!s->climb || !s->tries || !s->q || !s->value || !s->gradient) return SL_NO_MEMORY;
  for (int32_t k = 0; k < s->climbs; k++)
    SL__TRY(sl__climb_open(arena, s->e->dim, MOST_STEPS, HISTORY, tolerance, &s->climb[k]));
  return SL_OK;
}

sl_status sl__exploration_search(sl_context *context, const sl__target *target, uint64_t seed,
                                 const sl__search_watch *watch, sl__exploration *e, double *first,
                                 sl__search_report *out) {
  *out = (sl__search_report){.known_height = -INFINITY};
  sl__arena arena;
  sl__arena_open(&arena, context);
  search s = {.context = context, .e = e, .seed = seed};
  sl_status status = open_search(&s, &arena, target, watch);
  if (status == SL_OK) status = climb_all(&s, watch);
  if (status == SL_OK) {
    for (int32_t k = 0; k < (int32_t)e->chain_count; k++)
      if (s.climb[k].begun)
        out->known_height = fmax(out->known_height, s.climb[k].value[s.climb[k].steps]);
    /* a summit that many climbs came to is the end of one from a usual place */
    const int32_t usual = s.climbs - s.strewn.astray, chains = (int32_t)e->chain_count;
    out->found = choose(&s, chains, usual, 0, first, out->heights);
    out->found = choose(&s, usual, s.climbs, out->found, first, out->heights);
  }
  if (s.density) {
    e->gradients += sl__density_gradients(s.density);
    e->values += sl__density_values(s.density);
  }
  e->climbs += s.climbs;
  sl__density_free(s.density);
  sl__arena_close(&arena);
  return status;
}

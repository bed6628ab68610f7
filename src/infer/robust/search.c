/* Modes that chains did not come to: many climbs, from far and near and from where strew.c says
 * that something rises, and of their ends those around which no chain has been. Climbs know nothing
 * of how much a mode weighs; chains from their ends and the population find that out. What has no
 * summit, as a funnel's neck, is not taken for one.
 *
 * A summit that was found may hide another, so where there is one, points are strewn again that are
 * judged by the summits too: twice, since few or none may fall into the basin of a narrow one. */
#include <math.h>
#include <string.h>
#include "infer/chain/climb.h"
#include "infer/robust/search.h"

enum { CLIMBS = 64, SCALES = 4, MOST_STEPS = 100, HISTORY = 6, MOST_TRIES = 12, ROUNDS = 3 };
/* In the target's own units around 0, and in deviations of the chains around their mean. */
static const double scales[SCALES] = {1, 4, 16, 40}, deviations[SCALES] = {3, 10, 30, 100};
static const double tolerance = 1e-9;
/* In deviations within chains: how near a draw must be for a place to count as seen; how steep a
 * summit may be; how far summits are apart. */
static const double seen_within = 2, most_slope = 0.5, apart = 4;
/* Nats by which a summit in the midst of a chain's draws may be higher than such draws say. */
static const double explained = 5;
/* Nats by which a later summit must be higher to take the place of one that was chosen. */
static const double higher = 1;

typedef struct search {
  sl_context *context;
  sl__density *density;
  const sl__exploration *e;
  uint64_t seed;
  sl__been been;
  sl__strewn_places strewn; /* where the last of the climbs begin, from first_strewn on */
  double *first;            /* [SL__MOST_FOUND][dim], the caller's */
  sl__search_report *report;
  int32_t climbs, first_strewn, all_climbs; /* the last: of all rounds */
  int *tries;                               /* [climbs]: of first points */
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
  been->summits = sl__arena_take(arena, SL__MOST_SUMMITS * (size_t)dim, sizeof *been->summits);
  if (!been->means || !been->mean || !been->sd || !been->summits) return SL_NO_MEMORY;
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
  const int32_t strewn = k - s->first_strewn;
  const int64_t draws = e->chains.rows / chains;
  double *trial = s->climb[k].trial;
  const bool at_origin = n == 0 && s->tries[k] == 0; /* where priors have their spikes */
  const double nearer = at_origin ? 0 : ldexp(1, -s->tries[k]++);
  s->tries[k] += at_origin;
  if (strewn >= 0) {
    memcpy(trial, s->strewn.first + (size_t)strewn * dim, (size_t)dim * sizeof *trial);
    return;
  }
  if (k < chains) {
    memcpy(trial, e->chains.x + ((k + 1) * draws - 1) * dim, (size_t)dim * sizeof *trial);
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

/* The last of the lowest. */
static int lowest(const sl__search_report *report) {
  int least = 0;
  for (int k = 1; k < report->found; k++)
    if (report->heights[k] <= report->heights[least]) least = k;
  return least;
}

/* Keeps a new summit in mind, and chooses it: behind the others, and where there is no more room,
 * instead of one that is lower. */
static void take_summit(search *s, const double *place, double height) {
  const size_t dim = (size_t)s->e->dim;
  sl__search_report *report = s->report;
  if (s->been.count < SL__MOST_SUMMITS)
    memcpy(s->been.summits + (size_t)s->been.count++ * dim, place, dim * sizeof *place);
  if (report->found == SL__MOST_FOUND) {
    const int least = lowest(report), after = report->found - 1 - least;
    if (!(height > report->heights[least] + higher)) return;
    memmove(s->first + (size_t)least * dim, s->first + (size_t)(least + 1) * dim,
            (size_t)after * dim * sizeof *s->first);
    memmove(report->heights + least, report->heights + least + 1,
            (size_t)after * sizeof *report->heights);
    report->found--;
  }
  memcpy(s->first + (size_t)report->found * dim, place, dim * sizeof *place);
  report->heights[report->found++] = height;
}

/* Whether a chain had a draw near the summit and was about as high as it is: a normal density is dim
 * / 2 lower in the mean than at its summit. A spike in the midst of draws is none of theirs. */
static bool was_seen(const search *s, const double *place, double height) {
  const sl__exploration *e = s->e;
  const sl__draws *draws = &e->chains;
  const double least = height - 0.5 * e->dim - explained;
  for (int64_t r = 0; r < draws->rows; r++) {
    if (!(e->stays[r / (draws->rows / e->chain_count)].log_density >= least)) continue;
    const double *draw = draws->x + r * e->dim;
    if (sl__been_distance(&s->been, place, draw, seen_within) <= seen_within) return true;
  }
  return false;
}

/* Chosen ones too: of many summits not all are kept in mind. */
static bool is_known(const search *s, const double *place, double height) {
  return sl__been_same(&s->been, place, s->been.count, s->been.summits) ||
         sl__been_same(&s->been, place, s->report->found, s->first) || was_seen(s, place, height);
}

/* Of the climbs from `begin` to before `end`, the summits that are new, the highest first. */
static void choose(search *s, int32_t begin, int32_t end) {
  for (int32_t round = begin; round < end; round++) {
    int32_t best = -1;
    for (int32_t k = begin; k < end; k++)
      if (s->climb[k].done && is_summit(s, k) &&
          (best < 0 ||
           s->climb[k].value[s->climb[k].steps] > s->climb[best].value[s->climb[best].steps]))
        best = k;
    if (best < 0) break;
    s->climb[best].done = false; /* looked at */
    const double *place = end_of(s, best), height = s->climb[best].value[s->climb[best].steps];
    if (!is_known(s, place, height)) take_summit(s, place, height);
  }
}

/* ---- rounds ---- */

/* Where the climbs will begin: the first round's from the chains and from places at random too. */
static sl_status open_round(search *s, sl__arena *arena, int round, const sl__search_watch *watch) {
  const size_t dim = (size_t)s->e->dim;
  s->climbs = 0;
  s->strewn.first = sl__arena_take(arena, SL__MOST_STREWN * dim, sizeof *s->strewn.first);
  if (!s->strewn.first) return SL_NO_MEMORY;
  SL__TRY(sl__been_strew(s->context, s->density, s->seed, round, watch, &s->been, &s->strewn));
  s->first_strewn = round == 0 ? (int32_t)s->e->chain_count + CLIMBS : 0;
  s->climbs = s->first_strewn + s->strewn.rising + s->strewn.astray;
  const size_t count = (size_t)s->climbs;
  if (count == 0) return SL_OK;
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

static sl_status climb_round(search *s, int round, const sl__search_watch *watch) {
  sl__arena arena;
  sl__arena_open(&arena, s->context);
  sl_status status = open_round(s, &arena, round, watch);
  if (status == SL_OK && s->climbs > 0) status = climb_all(s, watch);
  if (status == SL_OK) {
    /* a summit that many climbs came to is the end of one from a usual place */
    const int32_t usual = s->climbs - s->strewn.astray;
    choose(s, 0, usual);
    choose(s, usual, s->climbs);
  }
  s->all_climbs += s->climbs;
  sl__arena_close(&arena);
  return status;
}

/* By some draws of the chains. */
static sl_status learn_patience(const search *s, sl__arena *arena, double *steps) {
  enum { DRAWS = 64 };
  const sl__draws *draws = &s->e->chains;
  const int64_t rows = draws->rows < DRAWS ? draws->rows : DRAWS;
  double *value = sl__arena_take(arena, DRAWS, sizeof *value);
  if (!value) return SL_NO_MEMORY;
  const sl__points points = {.rows = rows,
                             .q = draws->x,
                             .value = value,
                             .row_stride = draws->rows / rows * s->e->dim,
                             .column_stride = 1};
  SL__TRY(sl__density_learn_patience(s->context, s->density, &points, steps));
  sl__density_set_patience(s->density, *steps);
  return SL_OK;
}

static sl_status search_on(search *s, sl__arena *arena, const sl__target *target,
                           const sl__search_watch *watch, double *most_ode_steps) {
  SL__TRY(measure_chains(s, arena));
  SL__TRY(sl__density_new(s->context, target, 0, true, &s->density));
  SL__TRY(learn_patience(s, arena, most_ode_steps));
  for (int round = 0; round == 0 || (round < ROUNDS && s->been.count > 0); round++)
    SL__TRY(climb_round(s, round, watch));
  return SL_OK;
}

sl_status sl__exploration_search(sl_context *context, const sl__target *target, uint64_t seed,
                                 const sl__search_watch *watch, sl__exploration *e, double *first,
                                 sl__search_report *out) {
  *out = (sl__search_report){0};
  sl__arena arena;
  sl__arena_open(&arena, context);
  search s = {.context = context, .e = e, .seed = seed, .first = first, .report = out};
  const sl_status status = search_on(&s, &arena, target, watch, &e->most_ode_steps);
  if (status != SL_OK) out->found = 0;
  if (s.density) {
    e->gradients += sl__density_gradients(s.density);
    e->values += sl__density_values(s.density);
  }
  e->climbs += s.all_climbs;
  sl__density_free(s.density);
  sl__arena_close(&arena);
  return status;
}

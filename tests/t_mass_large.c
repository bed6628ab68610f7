/* Every kind of layer is a density in the plane at ten times trained size too, where its mass lies
 * on ridges a thousandth wide that no fixed grid resolves. The integral is taken line by line: each
 * line by adaptive Simpson's rule in asinh(x), and so are the lines. An interval is halved while
 * its part of the sum found so far is uncertain; next to a ridge that is the one which climbs it,
 * since the largest of tiny values leads. The rule knows the log density alone, nothing of the
 * maps; that its first intervals end at coordinates of draws helps it to find peaks, and adds no
 * mass.
 *
 * One layer at a time: the slopes of several multiply. */
#include "catalogue.h"

enum { START = 112, NODES = 2 * START + 1, SPREAD = 56, MOST_PIECES = 4096, GENERATIONS = 60 };

/* An interval with the logarithms of the integrand at its ends and in the middle. */
typedef struct piece {
  double begin, end, at[3];
} piece;

typedef struct line {
  double place;
  int count;
  piece *pieces; /* [MOST_PIECES] */
} line;

/* Logarithms of the integrand [count] at (place, u), both asinh of coordinates; a line of lines
 * leaves place alone. */
typedef bool integrand(void *user, int count, const double *place, const double *u, double *out);

/* The part of a piece in units of exp(unit), and how far it may be off. */
static double part_of(const piece *p, double unit, double *doubt) {
  const double width = p->end - p->begin, a = exp(p->at[0] - unit), m = exp(p->at[1] - unit),
               b = exp(p->at[2] - unit);
  const double fine = width * (a + 4 * m + b) / 6, coarse = width * (a + b) / 2;
  *doubt = fabs(fine - coarse);
  return fine;
}

/* log of the integral so far. */
static double sum_of(const line *l) {
  double unit = -INFINITY, sum = 0, doubt;
  for (int i = 0; i < l->count; i++)
    for (int k = 0; k < 3; k++) unit = fmax(unit, l->pieces[i].at[k]);
  if (!(unit > -INFINITY)) return -INFINITY;
  for (int i = 0; i < l->count; i++) sum += part_of(&l->pieces[i], unit, &doubt);
  return unit + log(sum);
}

/* Halves what is uncertain; new pieces lack their middles. */
static int halve(line *l, double tolerance, int *fresh) {
  const double sum = sum_of(l);
  int found = 0;
  for (int i = 0, count = l->count; i < count && sum > -INFINITY; i++) {
    double doubt;
    piece *p = &l->pieces[i];
    const double middle = 0.5 * (p->begin + p->end);
    part_of(p, sum, &doubt);
    if (doubt <= tolerance || l->count == MOST_PIECES || middle <= p->begin || middle >= p->end)
      continue;
    fresh[found++] = i;
    fresh[found++] = l->count;
    l->pieces[l->count++] = (piece){middle, p->end, {p->at[1], 0, p->at[2]}};
    *p = (piece){p->begin, middle, {p->at[0], 0, p->at[1]}};
  }
  return found;
}

/* Where first intervals begin and end, and their middles. */
typedef struct grid {
  double at[NODES];
} grid;

/* Starts lines on a grid. */
static bool start_lines(int count, line *lines, const grid *on, integrand f, void *user,
                        double *scratch) {
  double *place = scratch, *u = place + (int64_t)count * NODES, *out = u + (int64_t)count * NODES;
  for (int i = 0; i < count; i++)
    for (int k = 0; k < NODES; k++) {
      place[i * NODES + k] = lines[i].place;
      u[i * NODES + k] = on->at[k];
    }
  if (!f(user, count * NODES, place, u, out)) return false;
  for (int i = 0; i < count; i++) {
    lines[i].count = START;
    for (int k = 0; k < START; k++) {
      const double *at = out + i * NODES + 2 * k;
      lines[i].pieces[k] = (piece){on->at[2 * k], on->at[2 * k + 2], {at[0], at[1], at[2]}};
    }
  }
  return true;
}

/* Integrates along lines [count], all at once so that rows are many. */
static bool integrate(int count, line *lines, const grid *on, double tolerance, integrand f,
                      void *user, double *log_integral) {
  const size_t most = (size_t)count * 2 * MOST_PIECES;
  double *scratch = malloc(3 * most * sizeof *scratch);
  int *fresh = malloc(most * sizeof *fresh), *owner = malloc(most * sizeof *owner);
  bool good = scratch && fresh && owner && start_lines(count, lines, on, f, user, scratch);
  for (int generation = 0; good && generation < GENERATIONS; generation++) {
    int total = 0;
    for (int i = 0; i < count; i++) {
      const int found = halve(&lines[i], tolerance, fresh + total);
      for (int k = 0; k < found; k++) owner[total++] = i;
    }
    if (total == 0) break;
    double *place = scratch, *u = place + total, *out = u + total;
    for (int k = 0; k < total; k++) {
      const piece *p = &lines[owner[k]].pieces[fresh[k]];
      place[k] = lines[owner[k]].place;
      u[k] = 0.5 * (p->begin + p->end);
    }
    good = f(user, total, place, u, out);
    for (int k = 0; k < total; k++) lines[owner[k]].pieces[fresh[k]].at[1] = out[k];
  }
  for (int i = 0; i < count; i++) log_integral[i] = good ? sum_of(&lines[i]) : NAN;
  free(scratch);
  free(fresh);
  free(owner);
  return good;
}

/* ---- the density, and its integrals along lines ---- */

typedef struct plane {
  fixture f;
  int inner;  /* which coordinate runs along a line */
  grid on[2]; /* of either coordinate */
} plane;

/* log density at (sinh place, sinh u), times cosh u. */
static bool across(void *user, int count, const double *place, const double *u, double *out) {
  enum { AT_ONCE = 4096 };
  static double x[2 * AT_ONCE];
  plane *p = user;
  for (int begin = 0; begin < count; begin += AT_ONCE) {
    const int rows = count - begin < AT_ONCE ? count - begin : AT_ONCE;
    for (int i = 0; i < rows; i++) {
      x[2 * i + 1 - p->inner] = sinh(place[begin + i]);
      x[2 * i + p->inner] = sinh(u[begin + i]);
    }
    if (!fixture_log_prob(&p->f, rows, x, NULL, out + begin)) return false;
    for (int i = 0; i < rows; i++) {
      double *at = &out[begin + i];
      /* What overflows far out has no mass. */
      if (isnan(*at) && fmax(fabs(x[2 * i]), fabs(x[2 * i + 1])) > 1e3) *at = -INFINITY;
      CHECK(!isnan(*at));
      *at += log(cosh(u[begin + i]));
    }
  }
  return true;
}

/* log of the integral along the line at u, times cosh u. */
static bool along(void *user, int count, const double *place, const double *u, double *out) {
  enum { AT_ONCE = 64 };
  static piece pieces[AT_ONCE][MOST_PIECES];
  plane *p = user;
  (void)place;
  line lines[AT_ONCE];
  for (int begin = 0; begin < count; begin += AT_ONCE) {
    const int rows = count - begin < AT_ONCE ? count - begin : AT_ONCE;
    for (int i = 0; i < rows; i++) lines[i] = (line){u[begin + i], 0, pieces[i]};
    if (!integrate(rows, lines, &p->on[p->inner], 3e-5, across, p, out + begin)) return false;
    for (int i = 0; i < rows; i++) out[begin + i] += log(cosh(u[begin + i]));
  }
  return true;
}

static int compare_numbers(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Places that are denser towards 0, and in their midst coordinates of draws; then the middles. */
static bool lay_grids(plane *p, double reach) {
  enum { DRAWS = START + 1 - SPREAD };
  static double x[2 * DRAWS], log_prob[DRAWS];
  const sl__sink sinks[2] = {{.data = x, .type = SL_F64}, {.data = log_prob, .type = SL_F64}};
  if (!fixture_run(&p->f, FIXTURE_SAMPLE, DRAWS, NULL, NULL, sinks)) return false;
  for (int axis = 0; axis < 2; axis++) {
    double ends[START + 1];
    for (int k = 0; k < SPREAD; k++) {
      const double t = 2.0 * k / (SPREAD - 1) - 1;
      ends[k] = reach * t * t * t;
    }
    for (int k = 0; k < DRAWS; k++) {
      const double u = asinh(x[2 * k + axis]);
      ends[SPREAD + k] = fabs(u) < reach ? u : 0;
    }
    qsort(ends, START + 1, sizeof *ends, compare_numbers);
    for (int k = 0; k <= START; k++) p->on[axis].at[2 * k] = ends[k];
    for (int k = 0; k < START; k++) p->on[axis].at[2 * k + 1] = 0.5 * (ends[k] + ends[k + 1]);
  }
  return true;
}

/* A ridge that is thin along one coordinate is easier to find along the other: what has not been
 * found is looked for both ways. */
static void check_layer(const char *formula) {
  static piece pieces[MOST_PIECES];
  static plane p;
  const double tolerance = 4e-3;
  if (!fixture_open(&p.f, formula, 2, 0, SL_F64)) return;
  /* asinh of 3.6, or of 5e99 */
  const bool on_circle = strncmp(formula, CIRCLE, strlen(CIRCLE)) == 0;
  /* Needles at any angle beside broad heaps are not for lines to find. */
  const bool needles = strcmp(formula, "gaussian_mixture") == 0;
  fixture_perturb(&p.f, needles ? 1 : 3, 23);
  double mass = 0, log_mass = NAN;
  bool good = CHECK(lay_grids(&p, on_circle ? 2 : 230));
  for (p.inner = 1; good && p.inner >= 0 && mass < 1 - tolerance; p.inner--) {
    line outer = {0, 0, pieces};
    good = CHECK(integrate(1, &outer, &p.on[1 - p.inner], 3e-4, along, &p, &log_mass));
    mass = fmax(mass, exp(log_mass));
  }
  if (!CHECK_CLOSE(mass, 1, tolerance)) printf("  %s\n", formula);
  fixture_close(&p.f);
}

/* Whether a formula has come up before; it has from now on. */
static bool is_known(const char *formula) {
  enum { MOST_KNOWN = 256 };
  static char known[MOST_KNOWN][256];
  static int count;
  for (int i = 0; i < count; i++)
    if (strcmp(known[i], formula) == 0) return true;
  if (CHECK(count < MOST_KNOWN)) snprintf(known[count++], sizeof known[0], "%s", formula);
  return false;
}

/* The formula itself, if it has no more than one trained layer, else that layer of it which it is
 * listed for, if it is a layer and not a way to combine some. */
static void check_formula(const char *formula, const sl__kind *kind) {
  char message[256], alone[256] = "";
  fixture f;
  if (!fits(formula, 2, message, sizeof message)) return;
  if (!fixture_open(&f, formula, 2, 0, SL_F64)) return;
  int trained = 0;
  const char *base = strcmp(f.flow->base_formula, "normal") == 0 ? "" : CIRCLE "-";
  for (int i = f.flow->chain.count; i-- > 0;) {
    const sl__layer *layer = &f.flow->chain.layers[i];
    trained += layer->parameter_count > 0;
    if (!kind || layer->kind == kind) snprintf(alone, sizeof alone, "%s%s", base, layer->text);
  }
  fixture_close(&f);
  const char *layer = trained <= 1 ? formula : alone;
  if (layer[0] == '\0' || is_known(layer)) return;
  static int listed;
  const int one_in = UNDER_SANITIZER ? 8 : 1; /* the density's code is seen; its mass in release */
  if (listed++ % one_in == 0) check_layer(layer);
}

TEST(densities_integrate_to_one_at_ten_times_trained_size) {
  CHECK(for_every_formula(check_formula) > 20);
}

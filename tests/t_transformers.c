/* Transformers against plain C of their own formulas in long double, at parameters of trained size
 * and ten times that, at values up to 1000: values, inverses, log-derivatives; log-derivatives and
 * gradients against differences; zeros are the identity; strictly increasing on a fine grid; the
 * density of a flow made of one has mass 1. */
#include "flow_checks.h"
#include "transformer_formulas.h"

/* What float32 cannot hold with a little to spare: squares of it are formed on the way. */
static bool beyond(sl_dtype type, real a) {
  return !(fabsl(a) < (type == SL_F32 ? 1e37L : 1e300L));
}

static void check_formula(int i, sl_dtype type, int axis, double size) {
  static points p;
  subject s;
  if (!open_subject(&s, &subjects[i].what, type, axis)) return;
  int failures = check_failures, compared = 0;
  real epsilon = type == SL_F32 ? 0x1p-23L : 0x1p-52L;
  for (int direction = 0; direction < DIRECTIONS; direction++) {
    fill(&p, &s, 120, size);
    run(&s, direction, &p);
    for (int r = 0; r < p.rows && check_failures < failures + 3; r++)
      for (int f = 0; f < FEATURES; f++) {
        double x = direction == SAMPLE ? p.value[r][f] : p.in[r][f];
        double z = direction == SAMPLE ? p.in[r][f] : p.value[r][f];
        if (p.log_det[r][f] == -INFINITY) continue; /* x would overflow: see far_out */
        exact e = subjects[i].exact(&s, p.raw[r][f], f, x);
        if (beyond(type, e.z)) continue;
        compared++;
        /* A root is as good as the function is known, and x itself has a rounding. */
        real rounding = 16 * epsilon * (e.size + expl(e.log_slope) * fabsl(x));
        real log_det = direction == SAMPLE ? -e.log_slope : e.log_slope;
        if (!CHECK_CLOSE(z - e.z, 0, rounding) ||
            !CHECK_CLOSE(p.log_det[r][f] - log_det, 0,
                         16 * epsilon * (e.log_size + fabsl(log_det))))
          printf("  x %.17g, z %.17g (%.17Lg), direction %d, row %d\n", x, z, e.z, direction, r);
      }
  }
  CHECK(compared > 600);
  if (check_failures > failures)
    printf("  %s, axis %d, parameters %g, %s; %d compared\n", named(&subjects[i].what), axis, size,
           type == SL_F32 ? "float32" : "float64", compared);
  close_subject(&s);
}

TEST(as_written) {
  for (int i = 0; i < SUBJECTS; i++) {
    check_formula(i, SL_F64, 0, 3);
    check_formula(i, SL_F64, 1, 0.3);
  }
}

TEST(as_written_in_float32) {
  for (int i = 0; i < SUBJECTS; i++) {
    check_formula(i, SL_F32, 0, 0.3);
    check_formula(i, SL_F32, 1, 3);
  }
}

TEST(zeros_are_the_identity) {
  static points p;
  for (int i = 0; i < SUBJECTS; i++)
    for (int direction = 0; direction < DIRECTIONS; direction++) {
      subject s;
      if (!open_subject(&s, &subjects[i].what, SL_F64, 0)) return;
      fill(&p, &s, 60, 0);
      run(&s, direction, &p);
      int failures = check_failures;
      for (int r = 0; r < p.rows; r++)
        for (int f = 0; f < FEATURES; f++) {
          CHECK_CLOSE(p.value[r][f], p.in[r][f], 1e-14);
          CHECK_CLOSE(p.log_det[r][f], 0, 1e-14 * fmax(1, fabs(p.in[r][f])));
        }
      if (check_failures > failures) printf("  %s\n", named(&subjects[i].what));
      close_subject(&s);
    }
}

/* There and back: what rounding in the middle makes of it, and no more. */
static void check_round_trip(int i, sl_dtype type, double size) {
  static points p;
  bool is_naf = subjects[i].exact == exact_naf; /* nowhere flat: the tolerance is all it needs */
  static double start[MOST_ROWS][FEATURES], there[MOST_ROWS][FEATURES], det[MOST_ROWS][FEATURES];
  subject s;
  if (!open_subject(&s, &subjects[i].what, type, 0)) return;
  int failures = check_failures, compared = 0;
  real epsilon = type == SL_F32 ? 0x1p-23L : 0x1p-52L, tolerance = type == SL_F32 ? 1e-4L : 1e-10L;
  for (int direction = 0; direction < DIRECTIONS; direction++) {
    fill(&p, &s, 120, size);
    memcpy(start, p.in, sizeof start);
    run(&s, direction, &p);
    memcpy(there, p.value, sizeof there);
    memcpy(det, p.log_det, sizeof det);
    memcpy(p.in, p.value, sizeof p.in);
    run(&s, 1 - direction, &p);
    for (int r = 0; r < p.rows && check_failures < failures + 3; r++)
      for (int f = 0; f < FEATURES; f++) {
        double x = direction == SAMPLE ? there[r][f] : start[r][f];
        exact e = subjects[i].exact(&s, p.raw[r][f], f, x);
        if (beyond(type, x) || beyond(type, e.z) || det[r][f] == -INFINITY) continue;
        real rounding = e.size + expl(e.log_slope) * fabsl(x); /* in z, in units of epsilon */
        if (direction == LOG_PROB) rounding *= expl(-e.log_slope);
        real doubt = is_naf ? 0 : 64 * epsilon * rounding;
        if (doubt > 1e3L * tolerance * (1 + fabs(start[r][f]))) continue; /* the map forgets it */
        compared++;
        if (!CHECK_CLOSE(p.value[r][f], start[r][f], tolerance + doubt))
          printf("  from %g by %g, direction %d, row %d\n", start[r][f], there[r][f], direction, r);
      }
  }
  CHECK(compared > 500);
  if (check_failures > failures)
    printf("  %s, parameters %g, %s; %d compared\n", named(&subjects[i].what), size,
           type == SL_F32 ? "float32" : "float64", compared);
  close_subject(&s);
}

TEST(round_trips) {
  for (int i = 0; i < SUBJECTS; i++) {
    check_round_trip(i, SL_F64, 0.3);
    check_round_trip(i, SL_F64, 3);
    check_round_trip(i, SL_F32, 0.3);
    check_round_trip(i, SL_F32, 3);
  }
}

/* Beyond which the map is straight, or NaN. */
static double edge_of(const sl__transform *transform) {
  static const int rows[] = {SL__ARGUMENT_bound, SL__ARGUMENT_reach};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (sl__transformer_takes(transform->kind, rows[i])) return transform->arguments[rows[i]].real;
  return NAN;
}

/* d (sum of value and log_det as in build) / d *at, for one feature, by differences of fourth
 * order; the log-derivative from the same values. */
static void check_row_slopes(subject *s, int direction, const points *all, int row, int f) {
  static const double steps[4] = {1, -1, 2, -2}, weights[4] = {8, -8, -1, 1};
  static points p;
  int32_t total = s->transform.total;
  const double h = 3e-5;
  /* Where a map becomes straight, differences of x would reach over the edge. */
  bool at_edge = fabs(all->in[row][f]) == edge_of(&s->transform);
  for (int32_t k = at_edge ? 0 : -1; k < total; k += k < 0 ? 1 : 1 + total / 8) {
    p.rows = 4;
    for (int i = 0; i < 4; i++) {
      memcpy(p.in[i], all->in[row], sizeof p.in[i]);
      memcpy(p.raw[i], all->raw[row], sizeof p.raw[i]);
      *(k < 0 ? &p.in[i][f] : &p.raw[i][f][k]) += h * steps[i];
    }
    run(s, direction, &p);
    double slope = 0, sum = 0, most = 0;
    for (int i = 0; i < 4; i++) {
      double all_of_it = p.value[i][f] + 0.7 * p.log_det[i][f];
      slope += weights[i] * p.value[i][f] / (12 * h);
      sum += (1 + 0.25 * f) * weights[i] * all_of_it / (12 * h);
      most = fmax(most, fabs(p.value[i][f]) + fabs(p.log_det[i][f]));
    }
    double doubt = 1e-6 + 1e-10 * most;
    if (k < 0 && slope < 1e4 && slope > 1e-4)
      CHECK_CLOSE(log(slope), all->log_det[row][f], doubt / slope + 1e-6);
    double found = k < 0 ? all->by_in[row][f] : all->by_raw[row][f][k];
    if (!CHECK_CLOSE(found, sum, doubt))
      printf("  by number %d at %.17g\n", (int)k, all->in[row][f]);
  }
}

TEST(slopes_against_differences) {
  static points p;
  for (int i = 0; i < SUBJECTS; i++)
    for (int direction = 0; direction < DIRECTIONS; direction++) {
      subject s;
      if (!open_subject(&s, &subjects[i].what, SL_F64, direction)) return;
      int failures = check_failures;
      fill(&p, &s, 21, 0.3);
      for (int r = 0; r < p.rows; r++) /* away from 0, where tail changes sides */
        for (int f = 0; f < FEATURES; f++)
          if (fabs(p.in[r][f]) < 1e-3) p.in[r][f] = 0.1;
      run(&s, direction, &p);
      for (int r = 0; r < p.rows && check_failures < failures + 3; r++)
        check_row_slopes(&s, direction, &p, r, r % FEATURES);
      if (check_failures > failures)
        printf("  %s, direction %d\n", named(&subjects[i].what), direction);
      close_subject(&s);
    }
}

/* Up to 1000 values and gradients are finite; rows do not disturb each other. Only tail makes of
 * noise what cannot be represented: there log_det is -infinity. */
TEST(far_out) {
  static points p;
  for (int i = 0; i < SUBJECTS; i++)
    for (int direction = 0; direction < DIRECTIONS; direction++) {
      subject s;
      if (!open_subject(&s, &subjects[i].what, SL_F64, 0)) return;
      int failures = check_failures, outside = 0;
      fill(&p, &s, 240, 3);
      p.in[0][0] = 1e300;
      p.in[1][1] = NAN;
      run(&s, direction, &p);
      for (int r = 2; r < p.rows; r++)
        for (int f = 0; f < FEATURES; f++) {
          outside += p.log_det[r][f] == -INFINITY;
          CHECK(isfinite(p.log_det[r][f]) || p.log_det[r][f] == -INFINITY);
          CHECK(isfinite(p.value[r][f]) && isfinite(p.by_in[r][f]));
          for (int k = 0; k < s.transform.total; k++) CHECK(isfinite(p.by_raw[r][f][k]));
        }
      bool overflows = strcmp(s.transform.kind->name, "tail") == 0 && direction == SAMPLE;
      CHECK((outside > 0) == overflows);
      if (check_failures > failures)
        printf("  %s, direction %d, %d outside\n", named(&subjects[i].what), direction, outside);
      close_subject(&s);
    }
}

TEST(strictly_increasing) {
  static points p;
  for (int i = 0; i < SUBJECTS; i++)
    for (int direction = 0; direction < DIRECTIONS; direction++) {
      subject s;
      if (!open_subject(&s, &subjects[i].what, SL_F64, 0)) return;
      int failures = check_failures;
      for (int trial = 0; trial < 2; trial++) {
        fill(&p, &s, MOST_ROWS, 3);
        for (int r = 0; r < p.rows; r++)
          for (int f = 0; f < FEATURES; f++) {
            p.in[r][f] = 8.0 * (2 * r - MOST_ROWS) / MOST_ROWS * (trial == 1 ? 100 : 1);
            memcpy(p.raw[r][f], p.raw[trial][f], sizeof p.raw[r][f]);
          }
        run(&s, direction, &p);
        for (int r = 1; r < p.rows; r++)
          for (int f = 0; f < FEATURES; f++)
            CHECK(p.value[r][f] > p.value[r - 1][f] || p.log_det[r][f] == -INFINITY ||
                  p.log_det[r - 1][f] == -INFINITY);
      }
      if (check_failures > failures)
        printf("  %s, direction %d\n", named(&subjects[i].what), direction);
      close_subject(&s);
    }
}

/* In the layers that use them, among them conditional ones. */
TEST(in_layers) {
  static const flow_case cases[] = {
      {"coupling(additive,hidden=6)", 3, 0},
      {"coupling(naf,units=4,hidden=6)", 3, 0},
      {"maf(naf,units=3,hidden=6)", 2, 1},
      {"iaf(naf,units=3,hidden=4)", 2, 0},
      {"coupling(sos,polynomials=2,degree=2,hidden=6)", 3, 1},
      {"maf(sos,degree=1,hidden=6)", 2, 0},
      {"iaf(sinh_arcsinh,hidden=6)", 2, 0},
      {"coupling(tail,hidden=6)", 3, 0},
      {"maf(tail,hidden=6)", 2, 1},
      {"elementwise(additive)-elementwise(sinh_arcsinh)-elementwise(tail)", 2, 0},
      {"elementwise(naf)", 2, 0},
      {"elementwise(sos)", 2, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) check_case(&cases[i], true);
}

/* By the trapezium rule in x = sinh(v), which reaches into tails as heavy as tail makes them. */
TEST(densities_integrate_to_one) {
  enum { POINTS = 200001 };
  static double x[POINTS], log_prob[POINTS];
  static const char *const formulas[] = {"maf(additive)", "maf(affine,scale=exp)", "maf(naf)",
                                         "maf(sos)",      "maf(sinh_arcsinh)",     "maf(tail)",
                                         "iaf(affine)"};
  const double width = 120.0 / (POINTS - 1);
  for (int k = 0; k < POINTS; k++) x[k] = sinh(-60 + width * k);
  for (size_t i = 0; i < sizeof formulas / sizeof formulas[0]; i++)
    for (int size = 0; size < 2; size++) {
      fixture f;
      if (!fixture_open(&f, formulas[i], 1, 0, SL_F64)) return;
      fixture_perturb(&f, size ? 3 : 0.3, 29);
      double mass = 0;
      for (int first = 0; first < POINTS; first += 4096) {
        int rows = POINTS - first < 4096 ? POINTS - first : 4096;
        if (!fixture_log_prob(&f, rows, x + first, NULL, log_prob + first)) break;
      }
      for (int k = 0; k < POINTS; k++)
        if (!isnan(log_prob[k])) mass += exp(log_prob[k]) * width * sqrt(1 + x[k] * x[k]);
      if (!CHECK_CLOSE(mass, 1, 1e-4)) printf("  %s, size %d\n", formulas[i], size);
      fixture_close(&f);
    }
}

/* Targets by the public calls: Stan programs, expressions, functions; values by hand, gradients by
 * differences, round trips, seeds, threads, refusals. */
#include <pthread.h>
#include "base/context.h"
#include "check.h"
#include "sluice/sluice.h"

static sl_context *context;

static void open_context(void) {
  if (!context) sl_context_new(NULL, &context);
}

static void check_error(const char *text) {
  if (!CHECK(strstr(sl_error(context), text) != NULL))
    printf("  expected \"%s\" in \"%s\"\n", text, sl_error(context));
}

static const char program[] =
    "data { int<lower=1> n; vector[n] y; }\n"
    "parameters { real mu; real<lower=0> sigma; simplex[3] p; }\n"
    "transformed parameters { vector[2] z = [mu, sigma]'; }\n"
    "model { mu ~ normal(0, 2); sigma ~ exponential(1); p ~ dirichlet([1, 2, 3]');\n"
    "  y ~ normal(mu, sigma); }\n"
    "generated quantities { real u = uniform_rng(0, 1);\n"
    "  if (mu > 100) reject(\"far\"); }\n";
static const char data[] = "{\"n\": 2, \"y\": [0.5, -1]}";

static sl_target *stan_target(void) {
  sl_target *target;
  open_context();
  return CHECK_OK(context, sl_target_from_stan(context, program, data, 0, &target)) ? target : NULL;
}

static double value_at(const sl_target *target, uint32_t flags, const double *q) {
  double value;
  const sl_array_in points = sl_in_f64(q, 1, sl_target_dim(target));
  const sl_array_out out = sl_out_f64(&value, 1, 1);
  CHECK_OK(context, sl_target_log_density(context, target, flags, &points, &out, NULL));
  return value;
}

static double normal_log(double x, double mean, double sd) {
  return -0.5 * pow((x - mean) / sd, 2) - log(sd) - 0.5 * log(2 * acos(-1));
}

TEST(a_stan_program_by_hand) {
  sl_target *target = stan_target();
  REQUIRE(target);
  REQUIRE(sl_target_dim(target) == 4);
  CHECK_TEXT(sl_target_name(target, 1), "sigma");
  CHECK_TEXT(sl_target_part_name(target, SL_TARGET_PARAMETERS, 4), "p.3");
  CHECK_INTEGER(sl_target_count(target, SL_TARGET_PARAMETERS), 5);
  CHECK_INTEGER(sl_target_count(target, SL_TARGET_TRANSFORMED), 2);
  CHECK_INTEGER(sl_target_count(target, SL_TARGET_GENERATED), 1);
  const double q[4] = {0.3, -0.4, 0, 0}, other[4] = {-1, 0.9, 0, 0};
  const double sigma = exp(q[1]), sigma2 = exp(other[1]);
  const double a =
      normal_log(q[0], 0, 2) - sigma + normal_log(0.5, q[0], sigma) + normal_log(-1, q[0], sigma);
  const double b = normal_log(other[0], 0, 2) - sigma2 + normal_log(0.5, other[0], sigma2) +
                   normal_log(-1, other[0], sigma2);
  /* the simplex has the same terms in both */
  CHECK_CLOSE(value_at(target, 0, q) - value_at(target, 0, other), a + q[1] - b - other[1], 1e-12);
  CHECK_CLOSE(value_at(target, SL_TARGET_NO_JACOBIAN, q) -
                  value_at(target, SL_TARGET_NO_JACOBIAN, other),
              a - b, 1e-12);
  /* the normals' three roots of 2 pi and the scale 2; 60 is the Dirichlet's, 5! / (0! 1! 2!) */
  CHECK_CLOSE(value_at(target, 0, q) - value_at(target, SL_TARGET_DROP_CONSTANTS, q),
              log(60) - log(2) - 1.5 * log(2 * acos(-1)), 1e-12);
  sl_target_free(target);
}

TEST(constrain_and_back) {
  enum { ROWS = 300 };
  static double q[ROWS][4], numbers[ROWS][7], back[ROWS][4];
  sl_target *target = stan_target();
  REQUIRE(target);
  for (int r = 0; r < ROWS; r++)
    for (int i = 0; i < 4; i++) q[r][i] = 2 * sin(5.0 * r + i);
  const sl_array_in points = sl_in_f64(*q, ROWS, 4), parameters = {*numbers, SL_F64, ROWS, 5, 7, 1};
  const sl_array_out values = sl_out_f64(*numbers, ROWS, 7), again = sl_out_f64(*back, ROWS, 4);
  REQUIRE_OK(context, sl_target_constrain(context, target, true, &points, &values));
  REQUIRE_OK(context, sl_target_unconstrain(context, target, &parameters, &again));
  for (int r = 0; r < ROWS; r++) {
    const double *n = numbers[r];
    CHECK_CLOSE(n[1], exp(q[r][1]), 1e-14);
    CHECK_CLOSE(n[2] + n[3] + n[4], 1, 1e-14);
    CHECK(n[5] == n[0] && n[6] == n[1]);
    for (int i = 0; i < 4; i++) CHECK_CLOSE(back[r][i], q[r][i], 1e-10);
  }
  numbers[2][1] = -3;
  CHECK_INTEGER(sl_target_unconstrain(context, target, &parameters, &again), SL_BAD_ARGUMENT);
  check_error("sigma");
  const sl_array_out narrow = sl_out_f64(*numbers, ROWS, 6);
  CHECK_INTEGER(sl_target_constrain(context, target, true, &points, &narrow), SL_BAD_ARGUMENT);
  check_error("300 x 6");
  sl_target_free(target);
}

TEST(generated_quantities_are_functions_of_seed_and_row) {
  enum { ROWS = 6 };
  double q[ROWS][4] = {{0}}, all[ROWS][8], tail[2][8], other[ROWS][8];
  sl_target *target = stan_target();
  REQUIRE(target);
  q[4][0] = 200;
  const sl_array_in points = sl_in_f64(*q, ROWS, 4), last = sl_in_f64(q[2], 2, 4);
  const sl_array_out a = sl_out_f64(*all, ROWS, 8), b = sl_out_f64(*tail, 2, 8);
  const sl_array_out c = sl_out_f64(*other, ROWS, 8);
  REQUIRE_OK(context, sl_target_generate(context, target, 9, 0, &points, &a));
  REQUIRE_OK(context, sl_target_generate(context, target, 9, 2, &last, &b));
  REQUIRE_OK(context, sl_target_generate(context, target, 10, 0, &points, &c));
  CHECK(memcmp(all[2], tail, sizeof tail) == 0);
  CHECK(all[0][7] != all[1][7] && all[0][7] != other[0][7]);
  CHECK(all[0][7] > 0 && all[0][7] < 1);
  CHECK(isnan(all[4][7]) && all[4][0] == 200);
  sl_target_free(target);
}

/* Failures of one thread must not be seen, or spoilt, by another. */
static void *trace_often(void *user) {
  sl_context *own;
  bool good =
      sl_context_new(&(sl_context_options){.size = sizeof(sl_context_options), .threads = 1},
                     &own) == SL_OK;
  const double q[4] = {0.1, 0.2, 0.3, 0.4};
  for (int i = 0; i < 30 && good; i++) {
    double value;
    const sl_array_in points = sl_in_f64(q, 1, 4), wrong = sl_in_f64(q, 2, 2);
    const sl_array_out out = sl_out_f64(&value, 1, 1);
    good = sl_target_log_density(own, user, 0, &points, &out, NULL) == SL_OK && isfinite(value) &&
           sl_target_log_density(own, user, 0, &wrong, &out, NULL) == SL_BAD_ARGUMENT;
  }
  sl_context_free(own);
  return good ? user : NULL;
}

TEST(several_threads_use_one_target) {
  sl_target *target = stan_target();
  REQUIRE(target);
  pthread_t thread[4];
  for (int i = 0; i < 4; i++) REQUIRE(pthread_create(&thread[i], NULL, trace_often, target) == 0);
  for (int i = 0; i < 4; i++) {
    void *result;
    pthread_join(thread[i], &result);
    CHECK(result == target);
  }
  sl_target_free(target);
}

TEST(wrong_programs_and_data) {
  sl_target *target;
  open_context();
  int32_t line, column;
  CHECK_INTEGER(sl_target_from_stan(context, "parameters { real x }", NULL, 0, &target), SL_SYNTAX);
  CHECK(target == NULL && sl_error_place(context, &line, &column) && line == 1 && column == 20);
  CHECK(sl_target_from_stan(context, program, NULL, 0, &target) != SL_OK);
  CHECK(sl_target_from_stan(context, program, "{\"n\": 2", 0, &target) != SL_OK);
  CHECK(sl_target_from_stan(context, program, "{\"n\": 3, \"y\": [1, 2]}", 0, &target) != SL_OK);
  check_error("y");
  CHECK_INTEGER(sl_target_load_stan(context, "/nowhere.stan", NULL, 0, &target), SL_IO);
  CHECK(target == NULL);
}

/* ---- expressions ---- */

TEST(an_expression) {
  sl_target *target;
  open_context();
  REQUIRE_OK(context, sl_target_from_expression(context, "-(x^2-y)^2 - 0.5*y^2", "x, y", &target));
  double q[2][2] = {{1.5, -0.5}, {-2, 3}}, value[2], slope[2][2];
  const sl_array_in points = sl_in_f64(*q, 2, 2);
  const sl_array_out values = sl_out_f64(value, 2, 1), slopes = sl_out_f64(*slope, 2, 2);
  CHECK_OK(context, sl_target_log_density(context, target, 0, &points, &values, &slopes));
  for (int r = 0; r < 2; r++) {
    const double x = q[r][0], y = q[r][1], gap = x * x - y;
    CHECK_CLOSE(value[r], -gap * gap - 0.5 * y * y, 1e-13);
    CHECK_CLOSE(slope[r][0], -4 * gap * x, 1e-13);
    CHECK_CLOSE(slope[r][1], 2 * gap - y, 1e-13);
  }
  CHECK_TEXT(sl_target_name(target, 1), "y");
  sl_target_free(target);
  REQUIRE_OK(context, sl_target_from_expression(
                          context, "normal_lpdf(x | 0, exp(t)) +\nnormal_lpdf(t | 0, 1)", "x[3],t",
                          &target));
  CHECK_INTEGER(sl_target_dim(target), 4);
  CHECK_CLOSE(value_at(target, 0, (double[]){1, 2, 3, 0.5}),
              normal_log(1, 0, exp(0.5)) + normal_log(2, 0, exp(0.5)) + normal_log(3, 0, exp(0.5)) +
                  normal_log(0.5, 0, 1),
              1e-12);
  sl_target_free(target);
}

TEST(wrong_expressions_point_into_the_users_text) {
  static const struct {
    const char *expression, *names, *said;
    int line, column;
  } cases[] = {
      {"x^2 - q", "x", "there is no variable 'q'", 1, 7},
      {"x +\n(x - qq)", "x", "there is no variable 'qq'", 2, 6},
      {"(x", "x", "opened at 1:1", 1, 3},
      {"x +", "x", "expected", 1, 4},
      {"x[4]", "x[3]", "", 1, 0},
      {"x; target += x", "x", "more than one expression", 0, 0},
      {"x; } generated quantities { real y = 1", "x", "more than one expression", 0, 0},
      {"x", "x y", "no list of coordinates", 0, 0},
      {"x", "x,", "no list of coordinates", 0, 0},
      {"x", "x[0]", "no list of coordinates", 0, 0},
      {"x", "real", "cannot have this name", 0, 0},
      {"x", "x,x", "'x' is named twice", 0, 0},
      {"-(x", "x", "found its end; '(' was opened at 1:2", 1, 4},
      {"x", "", "no list of coordinates", 0, 0},
      {" ", "x", "the expression is empty", 0, 0},
  };
  open_context();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    sl_target *target;
    int32_t line = 0, column = 0;
    CHECK(sl_target_from_expression(context, cases[i].expression, cases[i].names, &target) !=
          SL_OK);
    check_error(cases[i].said);
    CHECK(target == NULL);
    sl_error_place(context, &line, &column);
    const bool right = line == cases[i].line && (column == cases[i].column || !cases[i].column);
    if (!CHECK(right))
      printf("  %s: %d:%d: %s\n", cases[i].expression, line, column, sl_error(context));
  }
}

/* ---- functions ---- */

typedef struct quartic {
  int inside, most; /* calls at the same time */
  pthread_mutex_t lock;
} quartic;

/* -sum x^4 / 4; refuses x_0 > 50 */
static sl_status evaluate(void *user, int64_t rows, const double *x, double *value,
                          double *gradient) {
  quartic *q = user;
  pthread_mutex_lock(&q->lock);
  if (++q->inside > q->most) q->most = q->inside;
  pthread_mutex_unlock(&q->lock);
  sl_status status = SL_OK;
  for (int64_t r = 0; r < rows; r++) {
    if (x[3 * r] > 50) status = SL_STOPPED;
    value[r] = 0;
    for (int i = 0; i < 3; i++) {
      const double t = x[3 * r + i];
      value[r] -= t * t * t * t / 4;
      if (gradient) gradient[3 * r + i] = -t * t * t;
    }
  }
  pthread_mutex_lock(&q->lock);
  q->inside--;
  pthread_mutex_unlock(&q->lock);
  return status;
}

TEST(a_function) {
  enum { ROWS = 5000 };
  static double x[ROWS][3], value[ROWS], slope[ROWS][3];
  quartic state = {.lock = PTHREAD_MUTEX_INITIALIZER};
  sl_context *two;
  sl_target *target;
  REQUIRE(sl_context_new(&(sl_context_options){.size = sizeof(sl_context_options), .threads = 2},
                         &two) == SL_OK);
  REQUIRE_OK(two, sl_target_from_function(two, 3, (const char *const[]){"a", "b", "c"}, evaluate,
                                          &state, true, &target));
  CHECK_TEXT(sl_target_name(target, 2), "c");
  for (int r = 0; r < ROWS; r++)
    for (int i = 0; i < 3; i++) x[r][i] = sin(r + i);
  const sl_array_in points = sl_in_f64(*x, ROWS, 3);
  const sl_array_out values = sl_out_f64(value, ROWS, 1), slopes = sl_out_f64(*slope, ROWS, 3);
  CHECK_OK(two, sl_target_log_density(two, target, 0, &points, &values, &slopes));
  for (int r = 0; r < ROWS; r++) {
    double sum = 0;
    for (int i = 0; i < 3; i++) {
      sum -= pow(x[r][i], 4) / 4;
      CHECK_CLOSE(slope[r][i], -pow(x[r][i], 3), 1e-14);
    }
    CHECK_CLOSE(value[r], sum, 1e-14);
  }
  CHECK_INTEGER(state.most, 1); /* serial */
  x[3000][0] = 51;
  CHECK_INTEGER(sl_target_log_density(two, target, 0, &points, &values, NULL), SL_STOPPED);
  sl_target_free(target);
  sl_context_free(two);
}

/* ---- faults of a program, and of points ---- */

TEST(an_index_out_of_range_ends_generation) {
  static const char text[] = "parameters { real mu; }\nmodel {}\n"
                             "generated quantities { vector[2] v = [1, 2]'; v[mu > 0 ? 3 : 2] = 1; "
                             "if (mu < -1) reject(\"far\"); }\n";
  sl_target *target;
  double values[2][3];
  const double q[2] = {-0.5, -2}, bad = 0.5;
  open_context();
  REQUIRE_OK(context, sl_target_from_stan(context, text, NULL, 0, &target));
  const sl_array_in points = sl_in_f64(q, 2, 1), wrong = sl_in_f64(&bad, 1, 1);
  const sl_array_out two = sl_out_f64(*values, 2, 3), single = sl_out_f64(*values, 1, 3);
  CHECK_OK(context, sl_target_generate(context, target, 1, 0, &points, &two));
  CHECK_CLOSE(values[0][1], 1, 0);
  CHECK(isnan(values[1][1])); /* rejected: the other rows are written */
  CHECK(sl_target_generate(context, target, 1, 0, &wrong, &single) == SL_BAD_ARGUMENT);
  check_error("index 3 is out of range");
  sl_target_free(target);
}

TEST(the_row_that_breaks_a_constraint_is_named) {
  sl_target *target = stan_target();
  REQUIRE(target);
  double numbers[2][5] = {{0, 1, 0.2, 0.3, 0.5}, {0, -1, 0.2, 0.3, 0.5}}, q[2][4];
  const sl_array_in parameters = sl_in_f64(*numbers, 2, 5);
  const sl_array_out points = sl_out_f64(*q, 2, 4);
  CHECK(sl_target_unconstrain(context, target, &parameters, &points) == SL_BAD_ARGUMENT);
  check_error("'sigma' is -1, but must be at least 0 (row 1 of the parameters)");
  numbers[1][1] = 1;
  numbers[1][0] = (double)NAN;
  CHECK(sl_target_unconstrain(context, target, &parameters, &points) == SL_BAD_ARGUMENT);
  check_error("number 1 of 'mu' is not a number");
  const sl_array_in narrow = sl_in_f64(*numbers, 2, 3);
  CHECK(sl_target_unconstrain(context, target, &narrow, &points) == SL_BAD_ARGUMENT);
  check_error("parameters has 3 columns; 5 are wanted");
  sl_target_free(target);
}

/* So many coordinates that a row is evaluated at a time. */
TEST(a_very_wide_target) {
  enum { DIM = 700000, ROWS = 3 };
  static double q[ROWS][DIM], slope[ROWS][DIM];
  double value[ROWS];
  sl_target *target;
  open_context();
  REQUIRE_OK(context, sl_target_from_stan(context,
                                          "data { int n; } parameters { vector[n] x; }\n"
                                          "model { target += -dot_self(exp(x) - 1) / 2; }\n",
                                          "{\"n\": 700000}", 0, &target));
  for (int r = 0; r < ROWS; r++)
    for (int i = 0; i < DIM; i++) q[r][i] = 0.001 * ((i * 7 + r * 13) % 101);
  const sl_array_in points = sl_in_f64(*q, ROWS, DIM);
  const sl_array_out values = sl_out_f64(value, ROWS, 1), slopes = sl_out_f64(*slope, ROWS, DIM);
  REQUIRE_OK(context, sl_target_log_density(context, target, 0, &points, &values, &slopes));
  for (int r = 0; r < ROWS; r++) {
    double sum = 0;
    for (int i = 0; i < DIM; i++) sum -= expm1(q[r][i]) * expm1(q[r][i]) / 2;
    CHECK_CLOSE(value[r], sum, 1e-11 * fabs(sum));
    for (int i = 0; i < DIM; i += 9999)
      CHECK_CLOSE(slope[r][i], -expm1(q[r][i]) * exp(q[r][i]), 1e-14);
  }
  sl_target_free(target);
}

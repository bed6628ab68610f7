/* Stan's solvers of differential equations: every one of both interfaces against closed forms,
 * gradients against differences, known calls, refusals. */
#include "stan_fixture.h"

/* A damped oscillator seen at three times: its log density is a sum of weighted states. */
static const char old_functions[] =
    "functions { array[] real f(real t, array[] real y, array[] real p, array[] real xr,"
    " array[] int xi) { return {y[2], xr[1] * t - p[1] * y[1] - p[2] * y[2]}; } }\n";
static const char new_functions[] =
    "functions { vector f(real t, vector y, real k, data real c, array[] real p) {"
    " return [y[2], c * t - k * y[1] - p[1] * y[2]]'; } }\n";

static const char *const solvers[] = {"rk45", "bdf", "adams", "ckrk"};

static void old_program(char *to, size_t size, const char *name, const char *limits) {
  snprintf(to, size,
           "%s parameters { array[2] real p; array[2] real y0; real t1; }"
           " model { array[3, 2] real y = %s(f, y0, 0, {0.5, 1.0, 2.0 + t1 * 0}, p, {0.3}, {1}%s);"
           " target += y[1, 1] + 2 * y[2, 2] - 0.5 * y[3, 1] * y[3, 2]; }",
           old_functions, name, limits);
}

static void new_program(char *to, size_t size, const char *name, const char *limits) {
  snprintf(to, size,
           "%s parameters { array[2] real p; vector[2] y0; real t1; }"
           " model { array[3] vector[2] y = %s(f, y0, 0.1 * t1, {0.5, 1.0, 2.0 + t1}%s, p[1], 0.3,"
           " {p[2]}); target += y[1, 1] + 2 * y[2, 2] - 0.5 * y[3, 1] * y[3, 2]; }",
           new_functions, name, limits);
}

static void check_gradient(const sl__stan_model *model, const double *q, double tolerance) {
  double value, gradient[5], above, below;
  CHECK(density_at(model, q, true, &value, gradient) == SL_OK);
  CHECK(isfinite(value));
  for (int k = 0; k < 5; k++) {
    double moved[5];
    memcpy(moved, q, sizeof moved);
    moved[k] = q[k] + 1e-3;
    density_at(model, moved, true, &above, NULL);
    moved[k] = q[k] - 1e-3;
    density_at(model, moved, true, &below, NULL);
    CHECK_CLOSE(gradient[k], (above - below) / 2e-3, tolerance);
  }
}

static double value_of(const char *text, const double *q, bool differences) {
  double value = (double)NAN;
  sl__stan_model *model = make_model(text, NULL);
  if (!model) return value;
  CHECK(density_at(model, q, true, &value, NULL) == SL_OK);
  if (differences) check_gradient(model, q, 1e-5);
  sl__stan_model_free(context, model);
  return value;
}

TEST(all_solvers_agree) {
  const double q[5] = {1.3, 0.4, 0.7, -0.2, 0};
  char text[1024], name[64];
  old_program(text, sizeof text, "integrate_ode_rk45", ", 1e-10, 1e-10, 1e5");
  const double expected = value_of(text, q, true);
  for (int k = 0; k < 4; k++) {
    snprintf(name, sizeof name, "ode_%s", solvers[k]);
    new_program(text, sizeof text, name, "");
    CHECK_CLOSE(value_of(text, q, false), expected, 1e-5);
    snprintf(name, sizeof name, "ode_%s_tol", solvers[k]);
    new_program(text, sizeof text, name, ", 1e-10, 1e-10, 100000");
    CHECK_CLOSE(value_of(text, q, true), expected, 1e-8);
    if (k == 3) continue;
    snprintf(name, sizeof name, "integrate_ode_%s", solvers[k]);
    old_program(text, sizeof text, name, "");
    CHECK_CLOSE(value_of(text, q, false), expected, 1e-5);
  }
  old_program(text, sizeof text, "integrate_ode", "");
  CHECK_CLOSE(value_of(text, q, false), expected, 1e-5);
}

/* A slope that changes its formula at a time. */
TEST(conditions_on_time) {
  const char *text = "functions { vector f(real t, vector y, real k) { real s = 0;"
                     " if (t > 1) s = k * y[1]; return [s]'; } }"
                     " parameters { real k; } model {"
                     " target += ode_rk45_tol(f, [2]', 0, {3.0}, 1e-9, 1e-9, 10000, k)[1, 1]; }";
  sl__stan_model *model = make_model(text, NULL);
  REQUIRE(model);
  double value, gradient, k = 0.4;
  CHECK(density_at(model, &k, true, &value, &gradient) == SL_OK);
  CHECK_CLOSE(value, 2 * exp(0.8), 1e-7);
  CHECK_CLOSE(gradient, 4 * exp(0.8), 1e-6);
  sl__stan_model_free(context, model);
}

TEST(known_calls) {
  const char *text = "functions { vector f(real t, vector y, real k) { return -k * y; } }"
                     " transformed data { array[2] vector[2] y ="
                     " ode_bdf(f, [1, 3]', 0, {0.5, 1.0}, 2); }"
                     " parameters { real x; } model { target += y[2, 1] + x * y[1, 2]; }"
                     " generated quantities { real g ="
                     " ode_rk45(f, [x]', 0, {1.0}, x)[1, 1]; }";
  sl__stan_model *model = make_model(text, NULL);
  REQUIRE(model);
  double value, x = 0.5, out[2];
  CHECK(density_at(model, &x, true, &value, NULL) == SL_OK);
  CHECK_CLOSE(value, exp(-2) + 0.5 * 3 * exp(-1), 1e-5);
  CHECK(sl__stan_model_generate(context, model, &x, 1, 0, out) == SL_OK);
  CHECK_CLOSE(out[0], 0.5 * exp(-0.5), 1e-5);
  sl__stan_model_free(context, model);
}

TEST(too_many_steps_reject) {
  const char *text = "functions { vector f(real t, vector y, real k) { return [-k * y[1]]'; } }"
                     " parameters { real k; } model {"
                     " target += ode_rk45_tol(f, [1]', 0, {1.0}, 1e-6, 1e-6, 50, k)[1, 1]; }";
  sl__stan_model *model = make_model(text, NULL);
  REQUIRE(model);
  double value, k = 1;
  CHECK(density_at(model, &k, true, &value, NULL) == SL_OK);
  CHECK_CLOSE(value, exp(-1), 1e-5);
  k = 1e4;
  CHECK(density_at(model, &k, true, &value, NULL) == SL_OK);
  CHECK(value == -(double)INFINITY);
  sl__stan_model_free(context, model);
}

static void check_refused(const char *call, const char *message) {
  char text[512];
  snprintf(text, sizeof text,
           "functions { vector f(real t, vector y, real k) { return [k, k]'; } }"
           " parameters { real k; } model { target += %s[1, 1]; }",
           call);
  sl__stan_model *model = try_model(text, NULL);
  if (model) {
    double value, k = 1;
    CHECK(density_at(model, &k, true, &value, NULL) != SL_OK);
    sl__stan_model_free(context, model);
  }
  check_error(message);
}

TEST(refusals) {
  check_refused("ode_rk45(f, [1]', 0, {1.0}, k)", "2 slopes for a state of 1");
  check_refused("ode_rk45(f, [1, 1]', 2, {1.0}, k)", "before the first output");
  check_refused("ode_rk45(f, [1, 1]', 0, {2.0, 1.0}, k)", "times must ascend");
  check_refused("ode_rk45_tol(f, [1, 1]', 0, {1.0}, -1, 1e-6, 100, k)", "relative tolerance is -1");
  check_refused("ode_bdf_tol(f, [1, 1]', 0, {1.0}, 1e-6, 1e-6, 0, k)", "number of steps is 0");
}

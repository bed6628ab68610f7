/* What a density may cost: programs that ask for more than a point is given are refused where they
 * do it, before anything is computed; large programs that are honest are not; and calls leave no
 * memory behind. */
#include "stan_fixture.h"

#include <stdlib.h>

/* ---- refused ---- */

typedef struct hungry {
  const char *model; /* of a real x */
  const char *place, *words;
} hungry;

static const hungry hungry_models[] = {
    {"matrix[300, 300] m = rep_matrix(x, 300, 300);\nfor (i in 1:1000) m = inverse(m);",
     "test.stan:3:23", "the last are those of 'inverse'"},
    {"matrix[3000, 3000] m = rep_matrix(x, 3000, 3000);\ntarget += sum(inverse(m));",
     "test.stan:3:15", "'inverse' takes about 3.8e+11 multiplications"},
    {"matrix[3000, 3000] m = rep_matrix(x, 3000, 3000);\ntarget += sum(m * m);", "test.stan:3:17",
     "'*' takes about 4.2e+08 steps"},
    {"matrix[400, 400] m = rep_matrix(x, 400, 400);\nfor (i in 1:200) m = matrix_exp(m);",
     "test.stan:3:22", "multiplications at a point by now"},
    {"matrix[800, 800] m = rep_matrix(x, 800, 800);\ntarget += sum(eigenvalues_sym(m));",
     "test.stan:3:15", "'eigenvalues_sym' takes about"},
    {"rep_vector(0, 4000) ~ multi_normal(rep_vector(0, 4000), rep_matrix(x, 4000, 4000));",
     "test.stan:2:", "'multi_normal' takes about"},
    {"vector[3000000] v = rep_vector(x, 3000000);\nfor (i in 1:100) v = cumulative_sum(v);",
     "test.stan:3:22", "megabytes of values at a point"},
    {"for (i in 1:400000)\ntarget += student_t_lpdf(i | x, x, exp(x + i));",
     "test.stan:3:", "more than 6000000 operations"},
    {"real y = x;\nfor (i in 1:310000) y = sin(y + i);\ntarget += y;",
     "test.stan:3:1:", "620000 operations that follow"},
};

static sl_status trace(const sl__stan_model *model) {
  sl__graph *g;
  SL__TRY(sl__graph_new(context, &g));
  const sl_node point = op_input(g, SL_F64, sl__shape1(sl__stan_model_dim(model)));
  const sl_node density = sl__stan_model_log_density(model, g, point, false, true);
  const sl_status status = density ? SL_OK : sl__graph_status(g);
  sl__graph_free(g);
  return status;
}

TEST(refused) {
  for (size_t i = 0; i < sizeof hungry_models / sizeof *hungry_models; i++) {
    const hungry *h = &hungry_models[i];
    char text[512];
    snprintf(text, sizeof text, "parameters { real x; } model {\n%s }", h->model);
    sl__stan_model *model = make_model(text, NULL);
    if (!model) continue;
    if (!CHECK_INTEGER(trace(model), SL_UNSUPPORTED)) printf("  %s\n", text);
    if (h->place) check_error(h->place);
    check_error(h->words);
    sl__stan_model_free(context, model);
  }
}

/* ---- not refused ---- */

static const char *const large_models[] = {
    "matrix[1000, 1000] m = add_diag(rep_matrix(x, 1000, 1000), 1);"
    "target += sum(cholesky_decompose(m));",
    "matrix[2000, 2000] m = add_diag(rep_matrix(x, 2000, 2000), 1);"
    "rep_vector(0, 2000) ~ multi_normal(rep_vector(0, 2000), m);",
    "vector[3000000] y = linspaced_vector(3000000, 0, 1);"
    "y ~ normal(x + x * y, exp(x)); target += student_t_lcdf(y | exp(x), x, 1);",
};

TEST(not_refused) {
  for (size_t i = 0; i < sizeof large_models / sizeof *large_models; i++) {
    char text[512];
    snprintf(text, sizeof text, "parameters { real x; } model { %s }", large_models[i]);
    sl__stan_model *model = make_model(text, NULL);
    if (model && !CHECK_OK(context, trace(model))) printf("  %s\n", text);
    sl__stan_model_free(context, model);
  }
}

/* ---- memory ---- */

typedef struct counter {
  size_t now, most;
} counter;

static void *reallocate(void *user, void *pointer, size_t old_size, size_t new_size) {
  counter *c = user;
  c->now += new_size - old_size;
  if (c->now > c->most) c->most = c->now;
  if (new_size > 0) return realloc(pointer, new_size);
  free(pointer);
  return NULL;
}

static size_t memory_of(const char *text) {
  counter memory = {0};
  sl_context *before = context;
  const sl_context_options options = {
      .size = sizeof options, .threads = 1, .reallocate = reallocate, .user = &memory};
  if (!CHECK(sl_context_new(&options, &context) == SL_OK)) return 0;
  sl__stan_model_free(context, make_model(text, NULL));
  sl_context_free(context);
  context = before;
  return memory.most;
}

/* Half a million calls, which return scalars and vectors, need no more memory than few do. */
TEST(calls_leave_nothing) {
  const char *const bodies[] = {
      "real f(int n) { return n < 2 ? 1.0 : f(n - 1) + f(n - 2); } } transformed data { real a ="
      " f(%d); }",
      "vector f(int n) { if (n < 2) return [1, 2, 3]'; return f(n - 1) + f(n - 2); } }"
      " transformed data { vector[3] a = f(%d); }",
  };
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
    size_t bytes[2];
    for (int k = 0; k < 2; k++) {
      char body[256], text[512];
      snprintf(body, sizeof body, "functions { %s", bodies[i]);
      char *at = strstr(body, "%d");
      REQUIRE(at);
      *at = '\0';
      snprintf(text, sizeof text, "%s%d%s", body, k ? 22 : 12, at + 2);
      bytes[k] = memory_of(text);
    }
    CHECK(bytes[1] < 2 * bytes[0] + 65536);
  }
}

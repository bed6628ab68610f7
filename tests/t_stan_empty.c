/* Containers without elements: every function with every signature, walked through the registry, on
 * vectors, matrices and arrays of size 0, of data and of parameters; what Stan defines for some of
 * them; parameters that have no elements, and programs that have no parameters. A function may
 * refuse them with a reason of its own; it may not run out of memory, or fail as a graph. */
#include "stan_fixture.h"

#include "stan/signatures.h"

#include <math.h>
#include <stdio.h>

/* ---- every function ---- */

typedef struct sizes {
  int rows, columns;
} sizes;

static const sizes shapes[] = {{0, 0}, {0, 3}, {3, 0}};

/* The name of an argument that fits the word; false: functions, tuples, complex numbers. */
static bool argument_of(const sl__stan_word *word, bool parameters, char out[32]) {
  const char *base = "vector";
  int arrays = word->type.arrays;
  switch (word->kind) {
    case SL__STAN_EXACT:
      if (word->type.base == SL__STAN_INT_TYPE)
        base = "int";
      else if (word->type.base == SL__STAN_REAL_TYPE)
        base = "real";
      else if (word->type.base == SL__STAN_ROW_VECTOR_TYPE)
        base = "row_vector";
      else if (word->type.base == SL__STAN_MATRIX_TYPE)
        base = "matrix";
      else if (word->type.base != SL__STAN_VECTOR_TYPE)
        return false;
      break;
    case SL__STAN_INTS:
    case SL__STAN_EACH_INT:
      base = "int";
      arrays++;
      break;
    case SL__STAN_CALLBACK:
    case SL__STAN_COMPLEX_EACH:
    case SL__STAN_COMPLEX_DENSE: return false;
    default: break;
  }
  if (word->star) arrays++;
  if (arrays > 3) return false;
  if (arrays > 0 || base[0] == 'v' || base[1] == 'o' || base[0] == 'm')
    snprintf(out, 32, "%s_%d", base, arrays);
  else
    snprintf(out, 32, "%s", base[0] == 'i' ? "1" : parameters && !word->data ? "mu" : "0.5");
  return true;
}

/* "name(vector_0, 1)"; false: a signature that has no such arguments. */
static bool call_of(const sl__stan_builtin *builtin, const sl__stan_signature *signature,
                    bool parameters, char *out, size_t size) {
  size_t used = (size_t)snprintf(out, size, "%s(", builtin->name);
  for (int i = 0; i < signature->count; i++) {
    char argument[32];
    if (!argument_of(&signature->argument[i], parameters, argument)) return false;
    const char *between = i == 0 ? "" : ", ";
    if (i == 1 && (builtin->role == SL__STAN_DENSITY || builtin->role == SL__STAN_CDF))
      between = " | ";
    used += (size_t)snprintf(out + used, size - used, "%s%s", between, argument);
  }
  snprintf(out + used, size - used, ")");
  return true;
}

static void declare_all(char *out, size_t size, sizes s) {
  static const char *const bases[] = {"int", "real", "vector", "row_vector", "matrix"};
  size_t used = (size_t)snprintf(out, size, "transformed data {\n");
  for (int arrays = 0; arrays <= 3; arrays++) {
    static const char *const before[] = {"", "array[0] ", "array[0,0] ", "array[0,0,0] "};
    for (int b = 0; b < 5; b++) {
      char own[32] = "";
      if (b == 4) snprintf(own, sizeof own, "[%d,%d]", s.rows, s.columns);
      used += (size_t)snprintf(out + used, size - used, "  %s%s%s %s_%d;\n", before[arrays],
                               bases[b], b == 2 || b == 3 ? "[0]" : own, bases[b], arrays);
    }
  }
}

/* Returns whether the program could be checked. */
static bool check_program(const char *text, bool parameters) {
  sl__stan_model *model = try_model(text, NULL);
  sl_status status = model ? SL_OK : SL_BAD_ARGUMENT;
  if (model && parameters) {
    const double mu = 0.5;
    double value, gradient;
    status = density_at(model, &mu, true, &value, &gradient);
  }
  sl__stan_model_free(context, model);
  if (status == SL_OK) return true;
  const char *error = sl_error(context);
  const bool good = status != SL_NO_MEMORY && !strstr(error, "memory") &&
                    !strstr(error, "stands here") && !strstr(error, "a size of 0") &&
                    !strstr(error, "2^31");
  if (!CHECK(good)) printf("  %s\n", error), printf("  %s\n", strstr(text, "print"));
  return !strstr(error, "no signature") && !strstr(error, "takes");
}

static void check_signature(const sl__stan_builtin *builtin, const sl__stan_signature *signature,
                            int *count) {
  for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
    for (int parameters = 0; parameters < 2; parameters++) {
      char text[4096], call[256];
      if (!call_of(builtin, signature, parameters, call, sizeof call)) continue;
      if (parameters && (builtin->role == SL__STAN_RNG || !strstr(call, "mu"))) continue;
      declare_all(text, sizeof text, shapes[k]);
      const size_t used = strlen(text);
      snprintf(text + used, sizeof text - used,
               parameters ? "}\nparameters { real mu; }\nmodel { print(%s); }" : "print(%s); }",
               call);
      *count += check_program(text, parameters);
    }
  }
}

TEST(every_function) {
  int builtins, count = 0;
  const sl__stan_builtin *builtin = sl__stan_builtins(&builtins);
  for (int i = 0; i < builtins; i++) {
    sl__stan_signature signature;
    for (int k = 0; sl__stan_signature_at(&builtin[i], k, &signature); k++)
      if (strncmp(signature.text, "void", 4) != 0) check_signature(&builtin[i], &signature, &count);
  }
  CHECK(count > 2000);
}

/* ---- what they are worth ---- */

typedef struct worth {
  const char *expression;
  double value;
} worth;

TEST(values) {
  static const worth worths[] = {
      {"sum(v)", 0},
      {"sum(p)", 0},
      {"sum(w)", 0},
      {"prod(v)", 1},
      {"max(v)", -HUGE_VAL},
      {"min(v)", HUGE_VAL},
      {"log_sum_exp(v)", -HUGE_VAL},
      {"dot_product(v, p)", 0},
      {"dot_self(p)", 0},
      {"norm2(v)", 0},
      {"v' * p", 0},
      {"sum(exp(v))", 0},
      {"mean(append_row(v, 1.5))", 1.5},
      {"sum(m * rep_vector(mu, 3))", 0},
      {"sum(m' * v)", 0},
      {"sum(crossprod(m))", 0},
      {"sum(tcrossprod(m))", 0},
      {"num_elements(append_col(m, m))", 0},
      {"sum(v + p .* w)", 0},
      {"normal_lpdf(v | mu, 1)", 0},
      {"size(a)", 0},
      {"sum(a)", 0},
  };
  for (size_t i = 0; i < sizeof worths / sizeof *worths; i++) {
    char text[512];
    snprintf(text, sizeof text,
             "data { int N; vector[N] v; matrix[N, 3] m; array[N] int a; }\n"
             "parameters { real mu; vector[N] p; }\n"
             "transformed parameters { vector[N] w = v; for (i in 1:N) w[i] = mu; }\n"
             "model { real x = %s; target += x == positive_infinity() ? 2 : x < -1e300 ? 3 : x; }",
             worths[i].expression);
    sl__stan_model *model = make_model(text, "{\"N\": 0, \"v\": [], \"m\": [], \"a\": []}");
    const double mu = 0.5;
    double value = 0, gradient = 1;
    if (!model) return;
    const double expected = isfinite(worths[i].value) ? worths[i].value
                            : worths[i].value > 0     ? 2
                                                      : 3;
    if (!CHECK_OK(context, density_at(model, &mu, true, &value, &gradient)) ||
        !CHECK(value == expected) || !CHECK(gradient == 0))
      printf("  %s\n", worths[i].expression);
    sl__stan_model_free(context, model);
  }
}

/* ---- no parameters at all ---- */

TEST(no_parameters) {
  static const char *const programs[] = {
      "model { target += -1.25; }",
      "parameters { vector[0] b; } model { target += sum(b) - 1.25; }",
      ("transformed parameters { real z = 3; } model { target += -1.25; }\n"
       "generated quantities { real y = z + 1; }")};
  open_context();
  for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
    sl_target *target;
    if (!CHECK_OK(context, sl_target_from_stan(context, programs[i], NULL, 1, &target))) continue;
    double none = 0, value[3] = {0}, written[6] = {0};
    const sl_array_in q = {.data = &none, .dtype = SL_F64, .rows = 3, .columns = 0};
    const sl_array_out out = {
        .data = value, .dtype = SL_F64, .rows = 3, .columns = 1, .row_stride = 1};
    CHECK_INTEGER(sl_target_dim(target), 0);
    if (CHECK_OK(context, sl_target_log_density(context, target, 0, &q, &out, NULL)))
      for (int r = 0; r < 3; r++) CHECK_CLOSE(value[r], -1.25, 0);
    if (i == 2) {
      const sl_array_out rows = {.data = written,
                                 .dtype = SL_F64,
                                 .rows = 3,
                                 .columns = 2,
                                 .row_stride = 2,
                                 .column_stride = 1};
      if (CHECK_OK(context, sl_target_generate(context, target, 1, 0, &q, &rows)))
        for (int r = 0; r < 6; r++) CHECK_CLOSE(written[r], r % 2 ? 4 : 3, 0);
    }
    sl_target_free(target);
  }
  sl_context_free(context);
  context = NULL;
}

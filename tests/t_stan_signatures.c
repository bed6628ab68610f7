/* The tables of Stan's functions and distributions, and the language of their signatures. */
#include "check.h"
#include "stan/signatures.h"

TEST(names_are_unique) {
  int count;
  const sl__stan_builtin *rows = sl__stan_builtins(&count);
  CHECK(count > 500);
  for (int i = 0; i < count; i++) {
    bool first = sl__stan_builtin_find(rows[i].name) == &rows[i];
    if (!first) printf("  %s stands twice\n", rows[i].name);
    CHECK(first);
    CHECK(!sl__stan_removed_function(rows[i].name));
  }
  CHECK(sl__stan_builtin_find("no_such_function") == NULL);
}

TEST(every_text_is_a_signature) {
  int count;
  const sl__stan_builtin *rows = sl__stan_builtins(&count);
  for (int i = 0; i < count; i++) {
    const char *text = rows[i].signatures;
    for (;;) {
      sl__stan_signature signature, nested;
      const char *end = sl__stan_signature_read(text, &signature);
      if (!end) printf("  %s: %s\n", rows[i].name, text);
      REQUIRE(end != NULL);
      CHECK_INTEGER(signature.length, end - text);
      for (int k = 0; k < signature.count; k++)
        if (signature.argument[k].kind == SL__STAN_CALLBACK)
          CHECK(sl__stan_signature_read(signature.argument[k].nested, &nested) != NULL);
      if (*end == '\0') break;
      REQUIRE(*end == ';');
      text = end + 1;
    }
  }
}

TEST(bad_texts_are_refused) {
  static const char *const bad[] = {"",
                                    "real",
                                    "real(",
                                    "real(int",
                                    "real(int,",
                                    "rael(int)",
                                    "real(int real)",
                                    "real[(int)",
                                    "real(ints[)",
                                    "real(vector(real)",
                                    "data real(int)"};
  sl__stan_signature signature;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    CHECK(sl__stan_signature_read(bad[i], &signature) == NULL);
}

/* ---- distributions ---- */

static bool ends_in(const char *name, const char *ending) {
  size_t length = strlen(name), own = strlen(ending);
  return length > own && strcmp(name + length - own, ending) == 0;
}

/* The row with the last `own` bytes of the name exchanged for another ending. */
static const sl__stan_builtin *sibling(const char *name, size_t own, const char *ending) {
  char buffer[128];
  snprintf(buffer, sizeof buffer, "%.*s%s", (int)(strlen(name) - own), name, ending);
  return sl__stan_builtin_find(buffer);
}

static const sl__stan_builtin *density_of(const char *name, size_t own) {
  const sl__stan_builtin *density = sibling(name, own, "_lpdf");
  return density ? density : sibling(name, own, "_lpmf");
}

TEST(roles_agree_with_names) {
  int count;
  const sl__stan_builtin *rows = sl__stan_builtins(&count);
  for (int i = 0; i < count; i++) {
    if (rows[i].known) continue;
    const char *name = rows[i].name;
    bool density = ends_in(name, "_lpdf") || ends_in(name, "_lpmf");
    bool cdf = ends_in(name, "_cdf") || ends_in(name, "_lcdf") || ends_in(name, "_lccdf");
    sl__stan_role role = density                 ? SL__STAN_DENSITY
                         : cdf                   ? SL__STAN_CDF
                         : ends_in(name, "_rng") ? SL__STAN_RNG
                                                 : SL__STAN_PLAIN;
    CHECK_INTEGER(rows[i].role, role);
    CHECK_INTEGER(rows[i].discrete, ends_in(name, "_lpmf"));
    if (density) CHECK(strncmp(rows[i].signatures, "real(", 5) == 0);
    if (density) CHECK(strchr(rows[i].signatures, '|') != NULL);
  }
}

/* Distribution functions take what the density takes, and log and plain ones come together. */
TEST(distribution_functions_follow_densities) {
  int count;
  const sl__stan_builtin *rows = sl__stan_builtins(&count);
  for (int i = 0; i < count; i++) {
    const char *name = rows[i].name;
    if (rows[i].role != SL__STAN_CDF) continue;
    size_t own = ends_in(name, "_lccdf") ? 6 : ends_in(name, "_lcdf") ? 5 : 4;
    const sl__stan_builtin *density = density_of(name, own);
    if (!density) printf("  %s has no density\n", name);
    REQUIRE(density != NULL);
    CHECK_TEXT(rows[i].signatures, density->signatures);
    if (own >= 5) CHECK(sibling(name, own, own == 5 ? "_lccdf" : "_lcdf") != NULL);
    bool alone = strncmp(name, "loglogistic", 11) == 0;
    if (own == 4 && !alone) CHECK(sibling(name, own, "_lcdf") != NULL);
  }
}

static bool same_word(sl__stan_word a, sl__stan_word b) {
  return a.kind == b.kind && sl__stan_same(a.type, b.type) && a.star == b.star;
}

/* Of vectorised univariate distributions the generator takes the density's parameters. */
TEST(generators_follow_densities) {
  int count, compared = 0;
  const sl__stan_builtin *rows = sl__stan_builtins(&count);
  for (int i = 0; i < count; i++) {
    if (rows[i].role != SL__STAN_RNG || strcmp(rows[i].name, "std_normal_rng") == 0) continue;
    const sl__stan_builtin *density = density_of(rows[i].name, 4);
    if (!density) printf("  %s has no density\n", rows[i].name);
    REQUIRE(density != NULL);
    sl__stan_signature draws, values;
    REQUIRE(sl__stan_signature_at(&rows[i], 0, &draws));
    REQUIRE(sl__stan_signature_at(density, 0, &values));
    bool reals = draws.result.kind == SL__STAN_REALS || draws.result.kind == SL__STAN_INTS;
    if (!reals) continue;
    compared++;
    CHECK(same_word(draws.result, values.argument[0]));
    CHECK_INTEGER(draws.count, values.count - 1);
    for (int k = 0; k < draws.count; k++)
      CHECK(same_word(draws.argument[k], values.argument[k + 1]));
  }
  CHECK(compared > 35);
}

TEST(operators_have_functions) {
  for (int op = SL__STAN_ADD; op <= SL__STAN_TRANSPOSE; op++) {
    for (int which = 0; which < 2; which++) {
      const char *name = sl__stan_operator_function((sl__stan_operator)op, which);
      CHECK(name || which > 0);
      if (name) CHECK(sl__stan_builtin_find(name) != NULL);
    }
  }
}

/* ---- matching ---- */

/* A function, argument types as a signature writes them, and the result ("" if none fits). */
typedef struct match_case {
  const char *name, *arguments, *result;
  int cost;
} match_case;

static const match_case matches[] = {
    {"exp", "int", "real", 0},
    {"exp", "int[][]", "real[][]", 0},
    {"exp", "row_vector[]", "row_vector[]", 0},
    {"exp", "complex", "complex", 0},
    {"exp", "complex_vector", "", 0},
    {"abs", "int[]", "int[]", 0},
    {"abs", "vector", "vector", 0},
    {"abs", "complex_matrix[]", "matrix[]", 0},
    {"fmax", "int,vector", "vector", 0},
    {"fmax", "vector,row_vector", "", 0},
    {"fmax", "int[],real[]", "real[]", 1},
    {"fmax", "int,int", "real", 0},
    {"bessel_first_kind", "int[],vector", "vector", 0},
    {"bessel_first_kind", "int[],matrix", "", 0},
    {"bessel_first_kind", "int[][],matrix", "matrix", 0},
    {"bessel_first_kind", "int[],real", "real[]", 0},
    {"bessel_first_kind", "real,real", "", 0},
    {"choose", "int,int[]", "int[]", 0},
    {"choose", "int,real", "", 0},
    {"falling_factorial", "int,int", "int", 0},
    {"falling_factorial", "real,int", "real", 0},
    {"fma", "vector,real,vector", "vector", 0},
    {"fma", "vector,real,matrix", "", 0},
    {"fma", "real[],real,real", "", 0},
    {"normal_lpdf", "vector,int,real", "real", 1},
    {"normal_lpdf", "int[],real,real", "real", 1},
    {"normal_lpdf", "matrix,real,real", "", 0},
    {"normal_lpdf", "real,real", "", 0},
    {"normal_rng", "real,int", "real", 1},
    {"normal_rng", "vector,real", "real[]", 0},
    {"poisson_rng", "real", "int", 0},
    {"poisson_rng", "row_vector", "int[]", 0},
    {"poisson_lpmf", "real,real", "", 0},
    {"multi_normal_rng", "vector[],matrix", "vector[]", 0},
    {"multi_normal_rng", "row_vector,matrix", "vector", 0},
    {"bernoulli_logit_glm_lpmf", "int[],matrix,real,vector", "real", 0},
    {"bernoulli_logit_glm_lpmf", "int,row_vector,real,vector", "", 0},
    {"categorical_logit_lpmf", "int[],vector", "real", 0},
    {"std_normal_lpdf", "vector", "real", 0},
    {"add", "int,int", "int", 0},
    {"add", "int,real", "real", 1},
    {"add", "int,vector", "vector", 1},
    {"add", "vector,complex", "complex_vector", 1},
    {"add", "int[],int[]", "", 0},
    {"multiply", "row_vector,vector", "real", 0},
    {"multiply", "vector,row_vector", "matrix", 0},
    {"multiply", "vector,vector", "", 0},
    {"pow", "int,int", "real", 0},
    {"pow", "int[],int", "real[]", 0},
    {"minus", "int[]", "int[]", 0},
    {"divide", "int,int", "int", 0},
    {"rep_array", "vector[],int,int", "vector[][][]", 0},
    {"rep_array", "real,int[]", "", 0},
    {"append_array", "int[],real[]", "real[]", 1},
    {"append_array", "int[],int[][]", "", 0},
    {"head", "matrix[][],int", "matrix[][]", 0},
    {"size", "matrix", "int", 0},
    {"num_elements", "real", "", 0},
    {"num_elements", "int[][]", "int", 0},
    {"to_vector", "int[]", "vector", 1},
    {"to_array_1d", "int[][][]", "int[]", 0},
    {"to_array_1d", "real", "", 0},
    {"to_matrix", "int[],int,int", "matrix", 1},
    {"to_matrix", "vector[]", "", 0},
    {"max", "int[]", "int", 0},
    {"max", "real,real", "", 0},
    {"log_sum_exp", "vector", "real", 0},
    {"log_sum_exp", "vector,real", "vector", 0},
    {"student_t_qf", "real,real,real,real", "real", 0},
    {"student_t_qf", "real,row_vector,real,real", "vector", 0},
    {"simplex_constrain", "vector[][]", "vector[][]", 0},
    {"cholesky_factor_corr_constrain", "vector[],int", "matrix[]", 0},
    {"lower_bound_constrain", "vector,real", "vector", 0},
    {"lower_bound_constrain", "real,vector", "", 0},
    {"pi", "", "real", 0},
    {"laplace_marginal", "int,vector", "real", 0},
};

/* Types of "a,b" into types [SL__STAN_MAX_ARGUMENTS]; returns how many. */
static int read_types(const char *arguments, sl__stan_type *types) {
  char text[256];
  sl__stan_signature signature;
  snprintf(text, sizeof text, "real(%s)", arguments);
  if (!sl__stan_signature_read(text, &signature)) return -1;
  for (int i = 0; i < signature.count; i++) types[i] = signature.argument[i].type;
  return signature.count;
}

static void check_match(const match_case *t) {
  sl__stan_type types[SL__STAN_MAX_ARGUMENTS], wanted = {0};
  int count = read_types(t->arguments, types);
  const sl__stan_builtin *builtin = sl__stan_builtin_find(t->name);
  sl__stan_fit fit = {.cost = 0};
  REQUIRE(count >= 0 && builtin != NULL);
  int found = sl__stan_signature_match(builtin, types, count, NULL, &fit);
  bool good = (found >= 0) == (t->result[0] != '\0');
  if (good && found >= 0) {
    read_types(t->result, &wanted);
    good = sl__stan_same(fit.result, wanted) && fit.cost == t->cost;
  }
  char text[SL__STAN_TYPE_TEXT];
  if (!good)
    printf("  %s(%s): %s, %d promotions\n", t->name, t->arguments,
           found < 0 ? "none" : sl__stan_type_text(fit.result, text), fit.cost);
  CHECK(good);
}

TEST(matching) {
  for (size_t i = 0; i < sizeof matches / sizeof *matches; i++) check_match(&matches[i]);
}

TEST(data_arguments) {
  const sl__stan_builtin *builtin = sl__stan_builtin_find("linspaced_vector");
  const sl__stan_type types[3] = {
      {SL__STAN_INT_TYPE, 0}, {SL__STAN_REAL_TYPE, 0}, {SL__STAN_REAL_TYPE, 0}};
  const bool all[3] = {true, true, true}, some[3] = {true, true, false};
  sl__stan_signature signature;
  sl__stan_fit fit;
  REQUIRE(builtin && sl__stan_signature_at(builtin, 0, &signature));
  CHECK(sl__stan_signature_match(builtin, types, 3, all, &fit) == 0);
  CHECK(sl__stan_signature_match(builtin, types, 3, NULL, &fit) == 0);
  CHECK(sl__stan_signature_match(builtin, types, 3, some, &fit) < 0);
  fit = sl__stan_signature_fit(&signature, types, 3, some);
  CHECK(!fit.good && fit.data && fit.argument == 2);
}

/* ---- types ---- */

TEST(promotion) {
  const sl__stan_type integer = {SL__STAN_INT_TYPE, 0}, real = {SL__STAN_REAL_TYPE, 0},
                      number = {SL__STAN_COMPLEX_TYPE, 0}, vector = {SL__STAN_VECTOR_TYPE, 0},
                      integers = {SL__STAN_INT_TYPE, 2}, reals = {SL__STAN_REAL_TYPE, 2};
  sl__stan_type common;
  CHECK_INTEGER(sl__stan_promotion(integer, real), 1);
  CHECK_INTEGER(sl__stan_promotion(integer, number), 2);
  CHECK_INTEGER(sl__stan_promotion(integers, reals), 1);
  CHECK_INTEGER(sl__stan_promotion(real, integer), -1);
  CHECK_INTEGER(sl__stan_promotion(real, vector), -1);
  CHECK_INTEGER(sl__stan_promotion(integer, reals), -1);
  CHECK(sl__stan_common_type(reals, integers, &common) && sl__stan_same(common, reals));
  CHECK(!sl__stan_common_type(real, vector, &common));
}

TEST(type_texts) {
  char text[SL__STAN_TYPE_TEXT];
  CHECK_TEXT(sl__stan_type_text(sl__stan_type_of(SL__STAN_REAL_TYPE, 0), text), "real");
  CHECK_TEXT(sl__stan_type_text(sl__stan_type_of(SL__STAN_VECTOR_TYPE, 1), text), "array[] vector");
  CHECK_TEXT(sl__stan_type_text(sl__stan_type_of(SL__STAN_INT_TYPE, 3), text), "array[,,] int");
}

/* Stan's JSON data: what is read, and what is refused with which message. */
#include "stan_fixture.h"

TEST(all_types) {
  sl__stan_model *model = make_model(
      "data { int n; real x; vector[n] v; row_vector[2] w; matrix[2, n] A; array[2, 2] int k;"
      " array[2] matrix[1, 2] B; array[0] real none; matrix[0, 3] nothing; simplex[n] p; }"
      "generated quantities { array[12] real r = {x, v[1], v[2], v[3], w[2], A[2, 1], k[1, 2], "
      "k[2, 1],"
      " B[2, 1, 1], size(none), rows(nothing), p[3]}; }",
      "{\"ignored\": {\"a\": [1, \"text\"]}, \"n\": 3, \"x\": 2, \"v\": [\"NaN\", -Infinity, "
      "\"Inf\"],"
      " \"w\": [1, 2.5e0], \"A\": [[1, 2, 3], [4, 5, 6]], \"k\": [[1, 2147483647], [-7, 4]],"
      " \"B\": [[[1, 2]], [[3, 4]]], \"none\": [], \"nothing\": [], \"p\": [0.5, 0.25, 0.25]}");
  REQUIRE(model);
  static const double expected[12] = {
      2, 0, -(double)INFINITY, (double)INFINITY, 2.5, 4, 2147483647, -7, 3, 0, 0, 0.25};
  double r[12];
  REQUIRE_OK(context, sl__stan_model_generate(context, model, NULL, 1, 0, r));
  CHECK(isnan(r[1]));
  for (int i = 0; i < 12; i++)
    if (i != 1) CHECK_CLOSE(r[i], expected[i], 0);
  sl__stan_model_free(context, model);
}

typedef struct bad_case {
  const char *declaration, *data, *message;
} bad_case;

static const bad_case bad_cases[] = {
    {"int n;", "{}",
     "test.json: the variable 'n' (int) of the block data is missing; add \"n\": NUMBER to it"},
    {"vector[2] v;", "{}",
     "the variable 'v' (vector of sizes [2]) of the block data is missing; add \"v\": [NUMBER, "
     "...] "
     "of these sizes to it"},
    {"int n;", "{\"n\": 3.0}",
     "'n' is declared as int, and written with a decimal point or exponent; write 3"},
    {"int n;", "{\"n\": 3, \"n\": 4}", "test.json: the variable 'n' is given twice"},
    {"matrix[2, 2] A;", "{\"A\": [[1, 2], [3, 4, 5]]}",
     "'A' is declared as matrix of sizes [2,2], but its element [2] has 3 instead of 2 elements"},
    {"array[2] matrix[2, 1] A;", "{\"A\": [[[1], [2]], [[3], 4]]}",
     "but its element [2,2] is a single number instead of 1"},
    {"int n;", NULL, "'n'"},
    {"int n;", "{\"n\": 1.5}", "'n' is declared as int, and is 1.5, not an integer"},
    {"int n;", "{\"n\": 2147483648}", "not an integer of 32 bits"},
    {"int n;", "{\"n\": \"Inf\"}", "not an integer"},
    {"array[3] int n;", "{\"n\": [1, 2, \"x\"]}", "element [3] of 'n' is not a number"},
    {"real x;", "{\"x\": null}", "test.json: 'x' is not a number"},
    {"real x;", "{\"x\": [1]}",
     "test.json: 'x' is declared as real, and the data has [1]; give one number without brackets, "
     "or correct the declaration (test.stan:1:13)"},
    {"vector[3] v;", "{\"v\": [1, 2]}", "declared as vector of sizes [3], and the data has [2]"},
    {"vector[2] v;", "{\"v\": [1, 2, 3]}", "declared as vector of sizes [2], and the data has [3]"},
    {"vector[3] v;", "{\"v\": 1}", "and the data has a scalar"},
    {"vector[3] v;", "{\"v\": [1, 2, [3]]}", "'v'"},
    {"matrix[2, 3] A;", "{\"A\": [[1, 2], [3, 4], [5, 6]]}",
     "of sizes [2,3], and the data has [3,2]; give these sizes, a matrix row by row, or correct "
     "the "
     "declaration (test.stan:1:21)"},
    {"array[2] vector[2] A;", "{\"A\": [[1, 2], [3]]}", "declared as array[] vector"},
    {"array[0] int a;", "{\"a\": [1]}", "of sizes [0], and the data has [1]"},
    {"int<lower=1> n;", "{\"n\": 0}",
     "test.stan:1:21: 'n' is 0, but must be at least 1 (from test.json)"},
    {"vector<lower=0, upper=1>[2] p;", "{\"p\": [0.5, 1.5]}",
     "'p' (element 2) is 1.5, but must be at most 1"},
    {"vector[2] low; vector<lower=low>[2] p;", "{\"low\": [0, 1], \"p\": [0, 0.5]}", "(element 2)"},
    {"array[2, 2] int a;", "{\"a\": [[1, 2], [3, 4.5]]}",
     "element [2,2] of 'a' is declared as int, and is 4.5"},
    {"simplex[2] v;", "{\"v\": [0.5, 0.6]}", "with sum 1, and it is not; its sum is 1.1"},
    {"int n; int m;", "{\"z\": 1, \"m\": 2, \"a\": 3, \"n\": 4, \"m\": 5}", "'m' is given twice"},
    {"ordered[2] v;", "{\"v\": [2, 1]}", "strictly increasing"},
    {"array[2] simplex[2] v;", "{\"v\": [[0.5, 0.5], [0.5, 0.4]]}", "element 2 is not"},
    {"unit_vector[2] v;", "{\"v\": [1, 1]}", "of length 1"},
    {"corr_matrix[2] v;", "{\"v\": [[1, 0.2], [0.2, 1.1]]}", "diagonal 1"},
    {"cholesky_factor_cov[2] v;", "{\"v\": [[1, 1], [0, 1]]}", "lower triangular"},
    {"sum_to_zero_vector[2] v;", "{\"v\": [1, 1]}", "of sum 0"},
    {"int n; vector[n] v;", "{\"n\": -2, \"v\": []}", "size -2 of 'v' is negative"},
    {"int n; vector[n] v;", "{\"n\": 2000000000, \"v\": []}", "2^30"},
    {"int n;", "[1]", "expected a JSON object"},
    {"int n;", "{\"n\": 1", "test.json:1:8: not JSON"},
};

TEST(refusals) {
  for (size_t i = 0; i < sizeof bad_cases / sizeof *bad_cases; i++) {
    char text[256];
    snprintf(text, sizeof text, "data { %s }", bad_cases[i].declaration);
    sl__stan_model *model = try_model(text, bad_cases[i].data);
    if (!CHECK(model == NULL)) printf("  %s\n", text);
    sl__stan_model_free(context, model);
    check_error(bad_cases[i].message);
  }
}

/* NaN is a number to Stan, so it is read; what refuses it later tells the file and the element. */
TEST(nan_is_told_where_it_is_refused) {
  static const struct {
    const char *program, *data, *message;
  } cases[] = {
      {"data { matrix[2, 2] y; } transformed data { real z = normal_lpdf(to_vector(y) | 0, 1); }",
       "{\"y\": [[1, 2], [\"NaN\", 4]]}", "(test.json: 'y[2,1]' is nan; give a number)"},
      {"data { real y; vector[2] u; } transformed data { real z = normal_lpdf(y | 0, 1); }",
       "{\"y\": \"NaN\", \"u\": [\"NaN\", 1]}", "(test.json: 'y' is nan; give a number)"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    sl__stan_model *model = try_model(cases[i].program, cases[i].data);
    CHECK(model == NULL);
    sl__stan_model_free(context, model);
    check_error(cases[i].message);
  }
  /* a fault of the program, and an infinite number that nothing is said against */
  CHECK(try_model("data { vector[2] y; } transformed data { real z = dot_product(y, [1, 2, 3]'); }",
                  "{\"y\": [\"NaN\", 1]}") == NULL);
  CHECK(strstr(sl_error(context), "is nan") == NULL);
  CHECK(try_model("data { real y; } transformed data { real z = normal_lpdf(y | 0, -1); }",
                  "{\"y\": \"Inf\"}") == NULL);
  CHECK(strstr(sl_error(context), "'y'") == NULL);
}

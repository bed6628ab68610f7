/* Stan's functions: every one that has a builder, because it has one. The cases of
 * stan_functions.def are run with all arguments known; with each argument, and with all of them,
 * depending on parameters; and with containers in pieces, half of them known. Results are compared
 * in type, sizes and value, derivatives with differences of the values in 20 digits' worth of
 * steps: fourth order, in each result and parameter apart. */
#include <ctype.h>

#include "check.h"
#include "stan/trace.h"

enum { MOST_ARGUMENTS = 6, MOST_NUMBERS = 64, MOST_PARAMETERS = 128 };

typedef enum form { CASE_FORM, SYMM_FORM, EDGE_FORM, DATA_FORM } form;
typedef struct function_case {
  form form;
  const char *name, *arguments, *result;
} function_case;

static const function_case cases[] = {
#define CASE(name, arguments, result) {CASE_FORM, #name, arguments, result},
#define SYMM(name, arguments, result) {SYMM_FORM, #name, arguments, result},
#define EDGE(name, arguments, result) {EDGE_FORM, #name, arguments, result},
#define DATA(name, arguments, result) {DATA_FORM, #name, arguments, result},
#include "stan_functions.def"
};
enum { CASES = sizeof cases / sizeof *cases };

/* ---- values from their text ---- */

typedef struct literal {
  sl__stan_type type;
  int32_t dims, size[2];
  int count;
  double numbers[MOST_NUMBERS];
  int64_t integers[MOST_NUMBERS];
} literal;

static sl__stan_type type_of_letter(char letter, int32_t *dims) {
  static const struct {
    char letter;
    sl__stan_base base;
    int arrays, dims;
  } letters[] = {{'n', SL__STAN_INT_TYPE, 0, 0},       {'x', SL__STAN_REAL_TYPE, 0, 0},
                 {'v', SL__STAN_VECTOR_TYPE, 0, 1},    {'r', SL__STAN_ROW_VECTOR_TYPE, 0, 1},
                 {'m', SL__STAN_MATRIX_TYPE, 0, 2},    {'i', SL__STAN_INT_TYPE, 1, 1},
                 {'a', SL__STAN_REAL_TYPE, 1, 1},      {'I', SL__STAN_INT_TYPE, 2, 2},
                 {'B', SL__STAN_REAL_TYPE, 2, 2},      {'A', SL__STAN_VECTOR_TYPE, 1, 2},
                 {'R', SL__STAN_ROW_VECTOR_TYPE, 1, 2}};
  for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
    if (letters[i].letter != letter) continue;
    *dims = letters[i].dims;
    return sl__stan_type_of(letters[i].base, letters[i].arrays);
  }
  CHECK(false);
  return sl__stan_type_of(SL__STAN_VOID, 0);
}

/* "m 1 2 0.5 -1" up to ';' or the end; returns what follows. */
static const char *read_literal(const char *text, literal *out) {
  memset(out, 0, sizeof *out);
  while (*text == ' ') text++;
  out->type = type_of_letter(*text++, &out->dims);
  int read = 0;
  while (*text && *text != ';') {
    char *end;
    const double number = strtod(text, &end);
    if (end == text || read >= MOST_NUMBERS) break;
    text = end;
    while (*text == ' ') text++;
    if (out->dims == 2 && read < 2) {
      out->size[read++] = (int32_t)number;
      continue;
    }
    out->numbers[out->count] = number;
    out->integers[out->count] = fabs(number) < 1e18 ? (int64_t)number : 0;
    out->count++;
    read++;
  }
  if (out->dims == 1) out->size[0] = out->count;
  CHECK_INTEGER(out->count, out->dims == 2   ? out->size[0] * out->size[1]
                            : out->dims == 0 ? 1
                                             : out->size[0]);
  return *text == ';' ? text + 1 : text;
}

static int read_arguments(const char *text, literal *arguments) {
  int count = 0;
  while (*text && count < MOST_ARGUMENTS) text = read_literal(text, &arguments[count++]);
  return count;
}

static bool is_integer(const literal *a) {
  return a->type.base == SL__STAN_INT_TYPE;
}

static sl__stan_value known_value(const literal *a) {
  sl__stan_value value = {.type = a->type, .dims = a->dims, .count = a->count};
  memcpy(value.size, a->size, sizeof a->size);
  if (is_integer(a)) {
    value.form = SL__STAN_INTEGERS;
    value.integers = a->integers;
  } else {
    value.form = SL__STAN_NUMBERS;
    value.numbers = a->numbers;
  }
  return value;
}

/* ---- a tracer of an empty program ---- */

typedef struct fixture {
  sl_context *context;
  sl__stan_program *program;
  sl__stan_tracer tracer;
  sl__graph *graph;
} fixture;

/* Two functions of the user's, for functions of functions. */
static const char text[] =
    "functions { real part(array[] real x, int a, int b, real m) {"
    " return (b - a + 1) * m + sum(x) * m; }"
    " vector job(vector phi, vector theta, data array[] real x, data array[] int n) {"
    " return phi .* theta * x[1] + n[1]; } } model { }";

static bool open_fixture(fixture *f, bool nodes) {
  memset(f, 0, sizeof *f);
  if (!CHECK(sl_context_new(NULL, &f->context) == SL_OK)) return false;
  return CHECK_OK(f->context,
                  sl__stan_parse(f->context, "test", text, sizeof text - 1, &f->program)) &&
         CHECK_OK(f->context, sl__stan_check(f->context, f->program)) &&
         (!nodes || CHECK_OK(f->context, sl__graph_new(f->context, &f->graph))) &&
         CHECK_OK(f->context, sl__stan_tracer_open(&f->tracer, f->context, f->program, f->graph));
}

static void close_fixture(fixture *f) {
  sl__stan_tracer_close(&f->tracer);
  sl__graph_free(f->graph);
  sl__stan_program_free(f->context, f->program);
  sl_context_free(f->context);
}

static sl_status call(fixture *f, const sl__stan_builtin *builtin, int count,
                      const sl__stan_value *arguments, sl__stan_value *result) {
  sl__stan_type types[MOST_ARGUMENTS];
  sl__stan_fit fit;
  for (int i = 0; i < count; i++) types[i] = arguments[i].type;
  sl__stan_call c = {.tracer = &f->tracer,
                     .builtin = builtin,
                     .signature = sl__stan_signature_match(builtin, types, count, NULL, &fit),
                     .count = count,
                     .argument = arguments,
                     .result = result};
  if (!CHECK(c.signature >= 0)) return SL_BAD_ARGUMENT;
  c.type = fit.result;
  return sl__stan_call_builtin(&f->tracer, &c);
}

/* ---- comparing ---- */

static bool has_type(const sl__stan_value *value, const literal *expected) {
  bool same = sl__stan_same(value->type, expected->type) && value->dims == expected->dims &&
              value->count == expected->count;
  for (int d = 0; same && d < expected->dims; d++) same = value->size[d] == expected->size[d];
  if (!same) {
    char have[SL__STAN_TYPE_TEXT], want[SL__STAN_TYPE_TEXT], sizes[128];
    printf("  %s %s against %s\n", sl__stan_type_text(value->type, have),
           sl__stan_shape_text(value->dims, value->size, sizes),
           sl__stan_type_text(expected->type, want));
  }
  return CHECK(same);
}

/* Relative to each number; where matrices are multiplied, to the largest. 0 to a hundredth of the
 * tolerance. */
static bool compare(const double *numbers, const literal *expected, bool matrices,
                    double tolerance) {
  double largest = 0;
  bool good = true;
  for (int k = 0; k < expected->count; k++)
    if (isfinite(expected->numbers[k])) largest = fmax(largest, fabs(expected->numbers[k]));
  for (int k = 0; k < expected->count; k++) {
    const double a = numbers[k], b = expected->numbers[k];
    const double scale = matrices ? fmax(largest, 1) : b == 0 ? 1e-2 : fabs(b);
    const bool same = a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= tolerance * scale + 1e-320;
    if (!same) printf("  element %d: %.17g against %.17g\n", k + 1, a, b);
    good &= same;
  }
  return CHECK(good);
}

static bool any_matrix(const literal *a, int count) {
  for (int i = 0; i < count; i++)
    if (a[i].dims == 2) return true;
  return false;
}

/* ---- known arguments ---- */

static void run_known(const function_case *c, const sl__stan_builtin *builtin) {
  literal a[MOST_ARGUMENTS], expected;
  fixture f;
  const int count = read_arguments(c->arguments, a);
  read_literal(c->result, &expected);
  if (!open_fixture(&f, false)) return;
  sl__stan_value arguments[MOST_ARGUMENTS], result;
  for (int i = 0; i < count; i++) arguments[i] = known_value(&a[i]);
  if (CHECK_OK(f.context, call(&f, builtin, count, arguments, &result)) &&
      CHECK(sl__stan_is_known(&result)) && has_type(&result, &expected)) {
    double numbers[MOST_NUMBERS];
    for (int k = 0; k < expected.count; k++)
      numbers[k] = is_integer(&expected) ? (double)result.integers[k] : result.numbers[k];
    compare(numbers, &expected, any_matrix(a, count), 2e-13);
  }
  close_fixture(&f);
}

/* ---- arguments that depend on parameters ---- */

/* How an argument is given: bit i of `nodes`: argument i depends on parameters; in pieces, only
 * every second of its elements does. */
typedef struct variant {
  unsigned nodes;
  bool pieces;
} variant;

typedef struct traced {
  fixture f;
  int parameters;
  double at[MOST_PARAMETERS]; /* their values */
  sl_node p, result;
  sl__stan_piece piece[MOST_ARGUMENTS][MOST_NUMBERS];
} traced;

/* Which parameter element k of an argument is: the elements of a symmetric matrix come in pairs. */
static int32_t slot_of(const literal *a, int32_t first, int k, bool symmetric) {
  if (!symmetric) return first + k;
  const int n = a->size[1], i = k / n, j = k % n;
  return first + (i >= j ? i * n + j : j * n + i);
}

static sl__stan_value node_value(traced *t, const literal *a, int32_t first, bool symmetric) {
  int32_t index[MOST_NUMBERS];
  for (int k = 0; k < a->count; k++) {
    index[k] = slot_of(a, first, k, symmetric);
    t->at[index[k]] = a->numbers[k];
  }
  sl_node node = op_gather(t->f.graph, t->p, 0, a->count, index);
  if (a->dims == 0) node = op_reshape(t->f.graph, node, sl__scalar_shape());
  return sl__stan_value_of_node(a->type, a->dims, a->size, node);
}

/* Elements 0, 2, 4, ... are parameters, the others known. */
static sl__stan_value pieces_value(traced *t, const literal *a, int argument) {
  sl__stan_value value = known_value(a);
  const sl_node whole = node_value(t, a, t->parameters, false).node;
  for (int k = 0; k < a->count; k++) {
    const bool known = k % 2 == 1;
    t->piece[argument][k] =
        (sl__stan_piece){known ? 0 : whole, known ? -1 : k, known ? a->numbers[k] : 0};
  }
  value.form = SL__STAN_PIECES;
  value.pieces = t->piece[argument];
  return value;
}

static void make_arguments(traced *t, const function_case *c, variant how, const literal *a,
                           int count, sl__stan_value *arguments) {
  for (int i = 0; i < count; i++) {
    arguments[i] = known_value(&a[i]);
    if (!(how.nodes >> i & 1) || is_integer(&a[i]) || a[i].count == 0) continue;
    const bool symmetric = c->form == SYMM_FORM && a[i].dims == 2 && a[i].size[0] == a[i].size[1];
    arguments[i] = how.pieces && a[i].dims > 0 ? pieces_value(t, &a[i], i)
                                               : node_value(t, &a[i], t->parameters, symmetric);
    t->parameters += a[i].count;
  }
}

/* Opens t and calls the function; SL_OK: t->result is its flat node, and the type is right. */
static sl_status trace(traced *t, const function_case *c, const sl__stan_builtin *builtin,
                       variant how) {
  literal a[MOST_ARGUMENTS], expected;
  memset(t, 0, sizeof *t);
  const int count = read_arguments(c->arguments, a);
  read_literal(c->result, &expected);
  if (!open_fixture(&t->f, true)) return SL_NO_MEMORY;
  t->p = op_input(t->f.graph, SL_F64, sl__shape1(MOST_PARAMETERS));
  sl__stan_value arguments[MOST_ARGUMENTS], result;
  make_arguments(t, c, how, a, count, arguments);
  const sl_status status = call(&t->f, builtin, count, arguments, &result);
  if (status != SL_OK) return status;
  has_type(&result, &expected);
  if (result.count > 0) t->result = op_rows(t->f.graph, sl__stan_node(&t->f.tracer, &result));
  return sl__graph_status(t->f.graph);
}

/* Steps of the differences, relative to the parameter. */
enum { STEPS = 4 };
static const double step_of[STEPS] = {-2, -1, 1, 2};
static const double weight_of[STEPS] = {1.0 / 12, -2.0 / 3, 2.0 / 3, -1.0 / 12};

static double step_size(double x) {
  return x == 0 ? 1e-3 : 1e-4 * fabs(x);
}

/* How much result k counts in what is differentiated. */
static double weight(int k) {
  return 0.5 + (k * 7 % 5);
}

static bool run_rows(traced *t, int64_t rows, const double *points, double *results,
                     double *gradients, int results_count) {
  sl__graph *g = t->f.graph;
  double weights[MOST_NUMBERS];
  for (int k = 0; k < results_count; k++) weights[k] = weight(k);
  const sl_node flat = op_reshape(g, t->result, sl__shape1(results_count));
  const sl_node sum = op_sum(
      g, op_multiply(g, flat, op_constant(g, SL_F64, sl__shape1(results_count), weights)), 0);
  sl_node outputs[2] = {flat, 0};
  const int wanted = gradients ? 2 : 1;
  if (gradients && !CHECK_OK(t->f.context, sl__gradient(g, sum, 1, &t->p, &outputs[1])))
    return false;
  if (gradients) outputs[1] = op_rows(g, outputs[1]);
  sl__program *program = NULL;
  sl__workspace *workspace = NULL;
  bool good = CHECK_OK(t->f.context, sl__program_new(t->f.context, g, wanted, outputs, &program)) &&
              CHECK_OK(t->f.context, sl__workspace_new(t->f.context, program, rows, &workspace));
  if (good) {
    const sl__feed feed = {.data = points, .type = SL_F64};
    const sl__sink sinks[2] = {{results, SL_F64, 0, 0}, {gradients, SL_F64, 0, 0}};
    const sl__run run = {.rows = rows, .feeds = &feed, .sinks = sinks};
    good = CHECK_OK(t->f.context, sl__program_run(t->f.context, program, workspace, &run));
  }
  sl__workspace_free(workspace);
  sl__program_free(program);
  return good;
}

/* Row 0: the point; then STEPS rows for each parameter. */
static void check_derivatives(const traced *t, const double *results, const double *gradients,
                              int count) {
  for (int p = 0; p < t->parameters; p++) {
    double slope = 0, size = 0, rounding = 0;
    const double h = step_size(t->at[p]);
    for (int k = 0; k < count; k++) {
      double difference = 0;
      for (int s = 0; s < STEPS; s++)
        difference += weight_of[s] * results[(1 + p * STEPS + s) * count + k];
      slope += weight(k) * difference / h;
      size += fabs(weight(k) * difference / h);
      if (difference != 0) rounding += weight(k) * fabs(results[k]) * 2e-14 / h;
    }
    const double tolerance = 2e-7 * size + rounding + 1e-300;
    if (!(fabs(gradients[p] - slope) <= tolerance)) {
      printf("  derivative by parameter %d (at %g): %.12g against %.12g\n", p + 1, t->at[p],
             gradients[p], slope);
      CHECK(false);
    }
  }
}

static void run_nodes(const function_case *c, const sl__stan_builtin *builtin, variant how) {
  static traced t;
  static double points[(1 + MOST_PARAMETERS * STEPS) * MOST_PARAMETERS];
  static double results[(1 + MOST_PARAMETERS * STEPS) * MOST_NUMBERS];
  static double gradients[(1 + MOST_PARAMETERS * STEPS) * MOST_PARAMETERS];
  literal a[MOST_ARGUMENTS], expected;
  const int arguments = read_arguments(c->arguments, a);
  read_literal(c->result, &expected);
  const sl_status status = trace(&t, c, builtin, how);
  if (c->form == DATA_FORM) {
    CHECK(status != SL_OK);
  } else if (CHECK_OK(t.f.context, status) && t.result) {
    const int64_t rows = 1 + t.parameters * STEPS;
    for (int64_t r = 0; r < rows; r++) {
      double *row = points + r * MOST_PARAMETERS;
      memcpy(row, t.at, sizeof t.at);
      const int p = (int)(r - 1) / STEPS;
      if (r > 0) row[p] += step_of[(r - 1) % STEPS] * step_size(t.at[p]);
    }
    const bool smooth = c->form != EDGE_FORM;
    if (run_rows(&t, rows, points, results, smooth ? gradients : NULL, expected.count)) {
      compare(results, &expected, any_matrix(a, arguments), 1e-12);
      if (smooth) check_derivatives(&t, results, gradients, expected.count);
    }
  }
  close_fixture(&t.f);
}

/* ---- the walk ---- */

static void run_case(const function_case *c) {
  const sl__stan_builtin *builtin = sl__stan_builtin_find(c->name);
  const int failures = check_failures;
  if (!CHECK(builtin != NULL) || !CHECK(builtin->build != NULL)) {
    printf("  no builder: %s\n", c->name);
    return;
  }
  run_known(c, builtin);
  literal a[MOST_ARGUMENTS];
  const int count = read_arguments(c->arguments, a);
  unsigned real = 0, containers = 0;
  for (int i = 0; i < count; i++) {
    real |= (unsigned)(!is_integer(&a[i]) && a[i].count > 0) << i;
    containers |= (unsigned)(!is_integer(&a[i]) && a[i].count > 0 && a[i].dims > 0) << i;
  }
  if (real) run_nodes(c, builtin, (variant){real, false});
  if (containers && c->form != SYMM_FORM) run_nodes(c, builtin, (variant){real, true});
  for (int i = 0; i < count && (real & (real - 1)); i++)
    if (real >> i & 1) run_nodes(c, builtin, (variant){1u << i, false});
  if (check_failures > failures) printf("  in %s(%s)\n", c->name, c->arguments);
}

TEST(every_case) {
  for (int i = 0; i < CASES; i++) run_case(&cases[i]);
}

static bool takes_a_function(const sl__stan_builtin *builtin) {
  sl__stan_signature signature;
  if (!sl__stan_signature_at(builtin, 0, &signature)) return false;
  for (int i = 0; i < signature.count; i++)
    if (signature.argument[i].kind == SL__STAN_CALLBACK) return true;
  return false;
}

/* Functions of functions have tests of their own. */
TEST(every_builder_has_a_case) {
  int count, walked = 0;
  const sl__stan_builtin *rows = sl__stan_builtins(&count);
  for (int i = 0; i < count; i++) {
    if (rows[i].role != SL__STAN_PLAIN || !rows[i].build || takes_a_function(&rows[i])) continue;
    bool found = false;
    for (int k = 0; k < CASES && !found; k++) found = strcmp(cases[k].name, rows[i].name) == 0;
    if (!CHECK(found)) printf("  %s has no case in stan_functions.def\n", rows[i].name);
    walked++;
  }
  CHECK(walked > 200);
}

/* ---- refusals ---- */

typedef struct refusal {
  const char *name, *arguments, *message;
} refusal;

static const refusal refusals[] = {
    {"rep_vector", "x 1; n -1", "size is -1, but must be at least 0"},
    {"rep_matrix", "x 1; n 100000; n 100000", "more than"},
    {"identity_matrix", "n 2000000000", "at most"},
    {"head", "v 1 2; n 3", "3 elements of 2"},
    {"tail", "v 1 2; n -1", "-1"},
    {"segment", "v 1 2; n 2; n 2", "2 elements from number 2 on, of 2"},
    {"segment", "v 1 2; n 0; n 1", "first index is 0"},
    {"block", "m 2 2 1 2 3 4; n 1; n 2; n 1; n 2", "columns"},
    {"col", "m 2 2 1 2 3 4; n 3", "column is 3, but must be from 1 to 2"},
    {"row", "m 2 2 1 2 3 4; n 0", "row is 0"},
    {"sub_row", "m 2 2 1 2 3 4; n 1; n 2; n 2", "2 from number 2 on"},
    {"append_col", "m 2 2 1 2 3 4; v 1 2 3", "2 rows and 3 rows"},
    {"append_row", "m 2 2 1 2 3 4; r 1 2 3", "2 columns and 3 columns"},
    {"append_array", "A 1 2 1 2; A 1 3 1 2 3", "different sizes"},
    {"to_matrix", "v 1 2 3; n 2; n 2", "3 elements do not fill"},
    {"one_hot_vector", "n 3; n 4", "from 1 to 3"},
    {"uniform_simplex", "n 0", "at least 1"},
    {"linspaced_vector", "n 3; x 2; x 1", "ascending"},
    {"fmax", "v 1 2; v 1 2 3", "different sizes"},
    {"dot_product", "v 1 2; v 1 2 3", "2 and 3 elements"},
    {"columns_dot_product", "m 1 2 1 2; m 2 1 1 2", "[1,2] against [2,1]"},
    {"mean", "v", "without elements"},
    {"min", "i", "without elements"},
    {"quantile", "v 1 2; x 1.5", "probability of 1.5"},
    {"log_mix", "v 0.5 0.5; v 1 2 3", "2 mixing proportions for 3"},
    {"rank", "v 1 2; n 3", "from 1 to 2"},
    {"sort_asc", "v 1 nan", "not a number"},
    {"to_int", "x 1e10", "range of integers"},
    {"choose", "n 60; n 30", "range of integers"},
    {"falling_factorial", "x 2.5; n -1", "must not be negative"},
    {"sum", "i 2000000000 2000000000", "range of integers"},
    {"cholesky_decompose", "m 2 2 1 2 2 1", "not positive definite"},
    {"cholesky_decompose", "m 2 2 1 2 3 9", "not symmetric"},
    {"cholesky_decompose", "m 1 2 1 2", "a square matrix is needed"},
    {"inverse_spd", "m 2 2 -1 0 0 1", "not positive definite"},
    {"mdivide_left", "m 2 2 1 2 3 4; v 1 2 3", "3 rows"},
    {"mdivide_right", "r 1 2 3; m 2 2 1 2 3 4", "3 columns"},
    {"diag_pre_multiply", "v 1 2 3; m 2 2 1 2 3 4", "3 numbers for 2 rows"},
    {"quad_form", "m 2 2 1 2 3 4; v 1 2 3", "matrices of 3 rows"},
    {"quad_form_diag", "m 2 2 1 2 3 4; v 1 2 3", "3 numbers"},
    {"trace", "m 1 2 1 2", "square"},
    {"matrix_power", "m 1 1 2; n -1", "power is -1"},
    {"csr_to_dense_matrix", "n 2; n 2; v 1; i 3; i 1 2 2", "column 3 of 2"},
    {"csr_to_dense_matrix", "n 2; n 2; v 1; i 1; i 1 3 2", "ends before it begins"},
    {"csr_to_dense_matrix", "n 2; n 2; v 1; i 1; i 1 2", "starts of rows"},
    {"gp_exp_quad_cov", "a 1 2; x -1; x 1", "standard deviation must be positive"},
    {"gp_exp_quad_cov", "a 1 2; x 1; x 0", "length scale must be positive"},
    {"gp_matern32_cov", "A 1 2 1 2; x 1; a 1 2 3", "3 length scales"},
    {"gp_exponential_cov", "A 1 2 1 2; A 1 1 3; x 1; x 1", "2 and of 1 dimensions"},
};

TEST(wrong_arguments_are_refused) {
  for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
    const refusal *r = &refusals[i];
    literal a[MOST_ARGUMENTS];
    fixture f;
    sl__stan_value arguments[MOST_ARGUMENTS], result;
    const sl__stan_builtin *builtin = sl__stan_builtin_find(r->name);
    const int count = read_arguments(r->arguments, a);
    if (!CHECK(builtin && builtin->build) || !open_fixture(&f, false)) continue;
    for (int k = 0; k < count; k++) arguments[k] = known_value(&a[k]);
    const bool refused = CHECK(call(&f, builtin, count, arguments, &result) != SL_OK);
    if (!refused || !CHECK(strstr(sl_error(f.context), r->message) != NULL))
      printf("  %s(%s): \"%s\" without \"%s\"\n", r->name, r->arguments, sl_error(f.context),
             r->message);
    close_fixture(&f);
  }
}

/* ---- functions of functions ---- */

static sl__stan_value function_named(const fixture *f, const char *name) {
  sl__stan_value value = {.type = {SL__STAN_FUNCTION_TYPE, 0}, .form = SL__STAN_CALLABLE};
  for (const sl__stan_function *u = f->program->functions; u; u = u->next)
    if (strcmp(u->name, name) == 0) value.function = u;
  CHECK(value.function != NULL);
  return value;
}

/* Calls with a function as argument 0; the first `nodes` others depend on parameters. The result's
 * numbers and count of them; the derivative of their weighted sum by every parameter. */
static void run_with_function(const char *name, const char *user, const char *text_of_arguments,
                              unsigned nodes, const double *expected, int count) {
  static traced t;
  literal a[MOST_ARGUMENTS];
  memset(&t, 0, sizeof t);
  if (!open_fixture(&t.f, nodes != 0)) return;
  const sl__stan_builtin *builtin = sl__stan_builtin_find(name);
  const function_case c = {.form = CASE_FORM, .name = name, .arguments = text_of_arguments};
  const int others = read_arguments(text_of_arguments, a);
  sl__stan_value arguments[MOST_ARGUMENTS + 1] = {function_named(&t.f, user)}, result;
  if (nodes) t.p = op_input(t.f.graph, SL_F64, sl__shape1(MOST_PARAMETERS));
  make_arguments(&t, &c, (variant){nodes, false}, a, others, arguments + 1);
  sl__stan_call call = {
      .tracer = &t.f.tracer,
      .builtin = builtin,
      .type = sl__stan_type_of(count > 1 ? SL__STAN_VECTOR_TYPE : SL__STAN_REAL_TYPE, 0),
      .count = others + 1,
      .argument = arguments,
      .result = &result};
  if (CHECK(builtin && builtin->build) &&
      CHECK_OK(t.f.context, sl__stan_call_builtin(&t.f.tracer, &call)) &&
      CHECK_INTEGER(result.count, count)) {
    double points[MOST_PARAMETERS], results[MOST_NUMBERS];
    memcpy(points, t.at, sizeof points);
    if (nodes) {
      t.result = op_rows(t.f.graph, sl__stan_node(&t.f.tracer, &result));
      run_rows(&t, 1, points, results, NULL, count);
    } else {
      CHECK(result.form == SL__STAN_NUMBERS);
      memcpy(results, result.numbers, (size_t)count * sizeof *results);
    }
    for (int k = 0; k < count; k++) CHECK_CLOSE(results[k], expected[k], 1e-14);
  }
  close_fixture(&t.f);
}

TEST(functions_of_functions) {
  /* 3 * 0.5 + (1 + 2 + 4.5) * 0.5; phi .* theta * x + n, for both */
  const double sum = 5.25, joined[4] = {14.5, 37, 33, -12};
  for (unsigned nodes = 0; nodes < 8; nodes++) {
    run_with_function("reduce_sum", "part", "a 1 2 4.5; n 1; x 0.5", nodes, &sum, 1);
    run_with_function("reduce_sum_static", "part", "a 1 2 4.5; n 2; x 0.5", nodes, &sum, 1);
    if (nodes < 4)
      run_with_function("map_rect", "job", "v 2.5 2; A 2 2 1 5 2 -2; B 2 1 3 5; I 2 1 7 8", nodes,
                        joined, 4);
  }
  const double none = 0;
  run_with_function("reduce_sum", "part", "a; n 1; x 0.5", 0, &none, 1);
}

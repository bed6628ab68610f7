/* The checker of Stan programs: good programs of every rule, what the checker writes into the tree,
 * programs made to exhaust it, and programs of others. */
#include <dirent.h>
#include <sys/stat.h>
#include "base/context.h"
#include "base/os.h"
#include "check.h"
#include "short_memory.h"
#include "stan/signatures.h"
#include "stan/syntax.h"

/* ---- good programs ---- */

static const char *const good[] = {
    /* an empty program, and the smallest useful one */
    "",
    "data { int N; vector[N] y; } parameters { real mu; real<lower=0> sigma; }"
    "model { y ~ normal(mu, sigma); }",
    /* variables of a block are seen by the blocks behind it; the model's end with it */
    "data { int N; } transformed data { int M = N + 1; } parameters { vector[M] x; }"
    "transformed parameters { real s = sum(x); } model { real t = s; x ~ normal(t, 1); }"
    "generated quantities { real t = s; }",
    /* scopes: a name may be used again when its scope has ended, and may hide a function of Stan */
    "model { { real a; } { int a; } for (i in 1:3) { real b; } real b; real i; }",
    "model { real e = 1; real beta = e + 1; real y = exp(beta); target += y; }",
    /* promotion int -> real, in arrays too */
    "transformed data { real x = 1; array[2] real y = {1, 2}; vector[2] v = [1, 2.5]'; }",
    "functions { real f(array[] real x) { return x[1]; } }"
    "transformed data { real y = f({1, 2, 3}); }",
    /* arithmetic of every shape */
    "data { matrix[3, 3] A; vector[3] v; row_vector[3] r; real s; int n; } transformed data {"
    " vector[3] a = A * v + s - v .* v ./ v; row_vector[3] b = r * A / s; real c = r * v;"
    " matrix[3, 3] d = v * r + A' - A ^ 2; vector[3] f = A \\ v; row_vector[3] g = r / A;"
    " int h = n %/% 2 + n % 3 - n / 2; real k = n ^ 2; vector[3] l = -v + r'; int m = !n && n > s;"
    " matrix[3, 3] o = A .^ 2; array[3] int p; array[3] int q = -p; }",
    /* the common type of ? : */
    "transformed data { real x = 1 ? 2 : 3.5; int n = 0 ? 1 : 2; array[1] real y = 1 ? {1} : {2.0};"
    "}",
    /* indexing: an integer takes a dimension away, a range or an array keeps it */
    "data { int N; array[N] int ii; array[N, N] matrix[N, N] x; vector[N] v; } transformed data {"
    " array[N] matrix[N, N] a = x[1]; matrix[N, N] b = x[1, 2]; row_vector[N] c = x[1, 2, 3];"
    " real d = x[1, 2, 3, 4]; array[N] real f = x[ , 2, 3, 4]; array[N] matrix[N, N] g = x[ii, 1];"
    " vector[N] h = b[ , 1]; row_vector[N] k = b[1, ]; matrix[N, N] l = b[2:]; vector[N] m = v[ii];"
    " real o = v[ii][1]; matrix[N, N] p = b[1:2, ii]; array[N, N] vector[N] q = x[ , ii, : , 1];"
    " vector[N] r = v[:3]; real s = x[1][2][3][4]; }",
    /* assignment to parts */
    "data { int N; } transformed data { matrix[N, N] A; vector[N] v; array[N, N] real x; A[1] = v';"
    " A[ , 1] = v; A[1, 2] = 3; A[1:2, ] = A[2:3]; v[{1, 2}] = v[1:2]; x[1] = x[2]; x[1, 2] = 1;"
    " x[1][2] = 2; A[2][1] = 3; }",
    /* compound assignment */
    "transformed data { real x = 1; vector[2] v; matrix[2, 2] A; int n = 2; x += 1; x *= n; v /= 2;"
    " v += 1; v .*= v; A *= A; n += 1; v[1] -= 2; A *= 2; n /= 2; }",
    /* loops */
    "data { array[3] vector[2] x; vector[3] v; matrix[2, 2] A; } transformed data { int n = 0;"
    " for (i in 1:n) { n += i; } for (e in x) { vector[2] y = e; } for (e in v) { real y = e; }"
    " for (e in A) { real y = e; } while (n < 3) { n += 1; if (n == 2) continue; else break; } }",
    /* truncation, and ~ with an expression on its left */
    "parameters { real x; } model { x ~ normal(0, 1) T[0, ]; x ~ normal(0, 1) T[-1, 2];"
    " x ~ cauchy(0, 1) T[ , 3]; x + 1 ~ std_normal(); target += -x; }",
    "parameters { real x; } model { target += normal_lpdf(x | 0, 1) + std_normal_lpdf(x | );"
    " target += normal_lupdf(x | 0, 1) + normal_lccdf(0 | x, 1); target += target(); }",
    /* discrete before continuous, densities of vectors */
    "data { int N; array[N] int y; matrix[N, 2] X; } parameters { vector[2] b; real a; simplex[3] "
    "p;"
    " cholesky_factor_corr[2] L; } model { y ~ poisson_log(a + X * b); y ~ categorical(p);"
    " y ~ bernoulli_logit_glm(X, a, b); p ~ dirichlet(rep_vector(1, 3)); L ~ lkj_corr_cholesky(2);"
    " b ~ multi_normal_cholesky([0, 0]', L); }",
    /* functions: recursion, declaration before definition, overloads, results on all paths */
    "functions { real f(real x); real g(int n) { if (n > 0) return f(n); else return 0; }"
    " real f(real x) { return x > 1 ? g(1) : x; } int fac(int n) {"
    " if (n < 2) { return 1; } return n * fac(n - 1); } real f(vector x) { return x[1]; }"
    " void say(real x) { print(\"x\", x); return; } int first(array[] int x) {"
    " for (i in x) { return i; } } int w() { while (1) { if (1) return 2; } } real no() {"
    " reject(\"no\"); } } transformed data { real a = f(1) + f([1]') + fac(3); say(a); }",
    /* the ending of a function says what it may do */
    "functions { real foo_lpdf(real x, real m) { return normal_lpdf(x | m, 1); }"
    " real bar_lpmf(int n, real m) { return poisson_lupmf(n | m); } real foo_lcdf(real x, real m) {"
    " return x - m; } real foo_lccdf(real x, real m) { return m - x; } real draw_rng(real m) {"
    " return normal_rng(m, 1); } void add_lp(real x) { target += x; x ~ std_normal(); }"
    " real up_jacobian(real x) { jacobian += x; return exp(x); } }"
    "data { int n; } transformed data { real r = draw_rng(0); } parameters { real x; }"
    "transformed parameters { real y = up_jacobian(x); jacobian += x; } model { x ~ foo(1) T[0, ];"
    " n ~ bar(x); target += foo_lupdf(x | 2) + bar_lpmf(n | 1); add_lp(x); }"
    "generated quantities { real z = draw_rng(y) + foo_lpdf(x | 1); array[2] real w ="
    " normal_rng([x, y], 1); }",
    /* a user's density of the name of Stan's, for other types */
    "functions { real normal_lpdf(matrix y, real m) { return sum(y) - m; } }"
    "parameters { matrix[2, 2] A; real x; } model { A ~ normal(1); x ~ normal(0, 1); }",
    /* data arguments */
    "functions { real f(data real x, real y) { return x * y; } } data { real d; int n; }"
    "parameters { real p; } model { int k = 2; target += f(d, p) + f(n + 1.5, p) + f(k, p); }"
    "generated quantities { real q = f(p, p); }",
    /* differential equations, both kinds */
    "functions { vector rhs(real t, vector y, real k, data array[] real x) { return -k * y; } }"
    "data { array[3] real t; array[2] real x; } parameters { real k; vector[1] y0; } model {"
    " array[3] vector[1] y = ode_rk45(rhs, y0, 0, t, k, x);"
    " array[3] vector[1] z = ode_bdf_tol(rhs, y0, 0, t, 1e-6, 1e-6, 100, k, x); }",
    "functions { array[] real rhs(real t, array[] real y, array[] real p, array[] real x,"
    " array[] int n) { return y; } } data { array[3] real t; } transformed data { array[0] real x;"
    " array[0] int n; } parameters { array[2] real p; } model { array[3, 1] real y ="
    " integrate_ode_rk45(rhs, {1.0}, 0, t, p, x, n);"
    " y = integrate_ode_bdf(rhs, {p[1]}, 0, t, p, x, n, 1e-6, 1e-6, 1e3); }",
    /* bounds: expressions of data, of other parameters, one for each element */
    "data { int<lower=0> N; real a; vector[N] l; } parameters { real<lower=a> x; real<lower=x> y;"
    " vector<lower=l, upper=2>[N] v; vector<offset=x, multiplier=2>[N] w; ordered[N] o;"
    " array[N] simplex[3] p; corr_matrix[N] C; matrix<lower=0>[N, 2] M; }",
    /* old arrays, generated quantities with integers, local integers in the model */
    "data { int N; real y[N]; } parameters { real mu; } model { int n = 0; real z[N]; z[1] = mu;"
    " y ~ normal(mu, 1); } generated quantities { int k = 3; int d = poisson_rng(exp(mu)); }",
    "functions { real part(array[] real x, int a, int b, real m) { return sum(x) - m; } }"
    "data { array[9] real y; } parameters { real m; } model {"
    " target += reduce_sum(part, y, 1, m); }",
    /* a variable may not be called, but a function of Stan's whose name it hides may */
    "transformed data { real log = 1; real y = log(log); }",
};

/* What is known but not evaluated is accepted, and listed. */
typedef struct feature_case {
  const char *program, *feature;
  int uses;
} feature_case;

static const feature_case features[] = {
    {"data { complex z; } transformed data { complex w = z * 2i + 1; real x = abs(z); }",
     "complex numbers", 3},
    {"transformed data { tuple(int, real) t = (1, 2.5); real x = t.2; int n = t.1; }", "tuples", 4},
    {"functions { vector f(vector x, real a) { return x - a; } } transformed data {"
     " vector[1] x = solve_newton(f, [1]', 2.0); x = solve_newton(f, x, 1.0); }",
     "solve_newton", 2},
    {"parameters { real x; } model { target += norm(to_complex(x, 1)); }", "norm", 1},
    {"data { matrix[2, 2] A; } transformed data { matrix[2, 2] Q = qr(A).1; }", "qr", 1},
    {"parameters { real x; } model { x ~ von_mises(2, 3) T[0, ]; }", "von_mises_lcdf", 1},
    {"parameters { real x; } model { target += von_mises_lccdf(x | 2, 3); }", "von_mises_lccdf", 1},
    {"parameters { vector[3] x; } model { target += sort_asc(2 * x)[1]; }",
     "sort_asc of parameters", 1},
    {"parameters { real x; } model { target += hypergeometric_2F1(1, x, 1, 0.5); }",
     "hypergeometric_2F1 of parameters", 1},
};

/* ---- running them ---- */

typedef struct fixture {
  sl_context *context;
  sl__stan_program *program;
} fixture;

static sl_status check_source(fixture *f, const char *name, const char *text, size_t length) {
  f->program = NULL;
  sl_status status = sl__stan_parse(f->context, name, text, length, &f->program);
  return status == SL_OK ? sl__stan_check(f->context, f->program) : status;
}

static sl_status check_program(fixture *f, const char *text) {
  return check_source(f, "test.stan", text, strlen(text));
}

static void release(fixture *f) {
  sl__stan_program_free(f->context, f->program);
  f->program = NULL;
}

TEST(good_programs) {
  fixture f;
  REQUIRE(sl_context_new(NULL, &f.context) == SL_OK);
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    sl_status status = check_program(&f, good[i]);
    if (status != SL_OK) printf("  %s\n%s\n", good[i], f.context->error.excerpt);
    if (CHECK_OK(f.context, status)) CHECK(f.program->unsupported == NULL);
    release(&f);
  }
  sl_context_free(f.context);
}

TEST(features_outside_of_evaluation) {
  fixture f;
  REQUIRE(sl_context_new(NULL, &f.context) == SL_OK);
  for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
    bool ok = CHECK_OK(f.context, check_program(&f, features[i].program));
    const sl__stan_feature *feature = ok ? f.program->unsupported : NULL;
    while (feature && strcmp(feature->name, features[i].feature) != 0) feature = feature->next;
    if (!feature) printf("  %s is not listed\n", features[i].feature);
    if (CHECK(feature != NULL)) {
      CHECK_INTEGER(feature->uses, features[i].uses);
      CHECK_INTEGER(feature->line, 1);
      CHECK_INTEGER(feature->column, feature->place + 1);
    }
    release(&f);
  }
  sl_context_free(f.context);
}

/* ---- what stands in the tree afterwards ---- */

static const sl__stan_statement *statement_at(const fixture *f, sl__stan_block block, int number) {
  const sl__stan_statement *s = f->program->block[block];
  while (s && number-- > 0) s = s->next;
  return s;
}

TEST(meanings) {
  fixture f;
  REQUIRE(sl_context_new(NULL, &f.context) == SL_OK);
  REQUIRE_OK(f.context,
             check_program(&f, "functions { real f(int n) { return n; }"
                               " real f(real x) { return x; } }"
                               "data { int n; real d; } parameters { real p; }"
                               "model { real a = f(n); real b = f(2.5); p ~ normal(a, b);"
                               " real c = d * n + exp(p); real g = sqrt(d) + n; }"));
  const sl__stan_statement *a = statement_at(&f, SL__STAN_MODEL, 0);
  const sl__stan_statement *b = statement_at(&f, SL__STAN_MODEL, 1);
  const sl__stan_statement *tilde = statement_at(&f, SL__STAN_MODEL, 2);
  const sl__stan_statement *c = statement_at(&f, SL__STAN_MODEL, 3);
  const sl__stan_statement *g = statement_at(&f, SL__STAN_MODEL, 4);
  const sl__stan_function *first = f.program->functions;
  CHECK(a->variable->value->function == first);
  CHECK(b->variable->value->function == first->next);
  CHECK(a->variable->value->argument[0]->variable == statement_at(&f, SL__STAN_DATA, 0)->variable);
  REQUIRE(tilde->builtin != NULL);
  CHECK_TEXT(tilde->builtin->name, "normal_lpdf");
  const sl__stan_expression *sum = c->variable->value;
  CHECK_TEXT(sum->builtin->name, "add");
  CHECK(sl__stan_is(sum->type, SL__STAN_REAL_TYPE));
  CHECK(sum->argument[0]->data_only);
  CHECK(!sum->argument[1]->data_only);
  CHECK(!sum->data_only);
  CHECK(g->variable->value->data_only);
  release(&f);
  sl_context_free(f.context);
}

/* Every variable of a frame has a slot of its own; a function's arguments have the first. */
TEST(slots) {
  fixture f;
  REQUIRE(sl_context_new(NULL, &f.context) == SL_OK);
  REQUIRE_OK(f.context, check_program(&f, "functions { real f(real x, real y) {"
                                          " for (i in 1:2) { real z = x; } return y; } }"
                                          "data { int a; } parameters { real b; }"
                                          "model { { real c; } { real d; } for (e in 1:2) { } }"));
  const sl__stan_function *function = f.program->functions;
  CHECK_INTEGER(function->slot_count, 4);
  CHECK_INTEGER(function->argument[0]->slot, 0);
  CHECK_INTEGER(function->argument[1]->slot, 1);
  CHECK_INTEGER(f.program->slot_count, 5);
  CHECK_INTEGER(statement_at(&f, SL__STAN_DATA, 0)->variable->slot, 0);
  CHECK_INTEGER(statement_at(&f, SL__STAN_PARAMETERS, 0)->variable->slot, 1);
  CHECK_INTEGER(statement_at(&f, SL__STAN_MODEL, 2)->variable->slot, 4);
  release(&f);
  sl_context_free(f.context);
}

/* ---- hostile programs ---- */

/* begin, `count` times piece with %d its number, end. */
static char *repeat(const char *begin, const char *piece, int count, const char *end) {
  size_t room = strlen(begin) + strlen(end) + (size_t)count * (strlen(piece) + 16) + 1, used = 0;
  char *text = malloc(room);
  if (!text) return NULL;
  used += (size_t)snprintf(text, room, "%s", begin);
  for (int i = 0; i < count; i++)
    used += (size_t)snprintf(text + used, room - used, "%s%d;", piece, i);
  snprintf(text + used, room - used, "%s", end);
  return text;
}

static void check_soon(fixture *f, char *text, sl_status wanted) {
  REQUIRE(text != NULL);
  double begin = sl__os_seconds();
  CHECK_INTEGER(check_program(f, text), wanted);
  CHECK(sl__os_seconds() - begin < 5);
  release(f);
  free(text);
}

TEST(large_programs_end_soon) {
  fixture f;
  REQUIRE(sl_context_new(NULL, &f.context) == SL_OK);
  check_soon(&f, repeat("model { ", "real x", 20000, "}"), SL_OK);
  check_soon(&f, repeat("model { ", "real x", 20000, "target += y; }"), SL_SYNTAX);
  check_soon(&f, repeat("model { ", "target += lgamma(3) + normal_lpdf(1 | 0, 1) + ", 5000, "}"),
             SL_OK);
  check_soon(&f, repeat("model { complex z; ", "z = 2i * ", 20000, "}"), SL_OK);
  sl_context_free(f.context);
}

/* The n-th allocation and all behind it fail, for every n. */
TEST(out_of_memory) {
  static const char *const programs[] = {
      ("functions { real f(real x) { return x; } } parameters { real p; } model {"
       " p ~ normal(f(p), 1) T[0, ]; target += lgamma(p); }"),
      "parameters { real p; } model { p ~ norml(0, 1); }",
      "parameters { real p; } model { target += normal_lpdf(p | {{1}}, 2); }"};
  for (size_t k = 0; k < sizeof programs / sizeof *programs; k++) {
    sl_status wanted = k == 0 ? SL_OK : SL_SYNTAX;
    for (int64_t n = 0;; n++) {
      short_memory memory = {.left = -1};
      sl_context_options options = {
          .size = sizeof options, .threads = 1, .reallocate = reallocate_shortly, .user = &memory};
      fixture f;
      REQUIRE(sl_context_new(&options, &f.context) == SL_OK);
      int64_t before = memory.alive;
      memory.left = n;
      sl_status status = check_program(&f, programs[k]);
      memory.left = -1;
      CHECK(status == wanted || status == SL_NO_MEMORY);
      release(&f);
      CHECK_INTEGER(memory.alive, before);
      sl_context_free(f.context);
      if (status == wanted || n > 1000) break;
    }
  }
}

/* ---- programs of others ---- */

typedef struct tally {
  int accepted, refused, wrongly_refused, wrongly_accepted, outside;
} tally;

static char *read_file(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  char *text = malloc(1 << 20);
  *length = file && text ? fread(text, 1, 1 << 20, file) : 0;
  if (file) fclose(file);
  return text;
}

static void judge_program(fixture *f, const char *path, tally *t) {
  size_t length;
  char *text = read_file(path, &length);
  if (!text) return;
  bool bad = strstr(path, "/bad/") != NULL;
  sl_status status = check_source(f, path, text, length);
  bool outside = status == SL_OK && f->program->unsupported != NULL;
  if (status == SL_OK) t->accepted++;
  if (status != SL_OK) t->refused++;
  if (outside) t->outside++;
  if (status != SL_OK && !bad) {
    t->wrongly_refused++;
    printf("  refused: %s\n%s\n", sl_error(f->context), f->context->error.excerpt);
  }
  if (status == SL_OK && bad) {
    t->wrongly_accepted++;
    printf("  accepted: %s%s%s\n", path, outside ? ", which uses " : "",
           outside ? f->program->unsupported->name : "");
  }
  release(f);
  free(text);
}

static void walk(fixture *f, const char *folder, tally *t) {
  DIR *open = opendir(folder);
  if (!open) return;
  for (struct dirent *entry = readdir(open); entry; entry = readdir(open)) {
    char path[2048];
    struct stat about;
    size_t length = strlen(entry->d_name);
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    if (stat(path, &about) != 0) continue;
    if (S_ISDIR(about.st_mode)) walk(f, path, t);
    if (S_ISREG(about.st_mode) && length > 5 && !strcmp(entry->d_name + length - 5, ".stan"))
      judge_program(f, path, t);
  }
  closedir(open);
}

/* All programs below the folder are good, except those below a folder "bad". */
TEST(programs_of_others) {
  const char *folder = getenv("SLUICE_STAN_PROGRAMS");
  if (!folder) SKIP("SLUICE_STAN_PROGRAMS names no folder of Stan programs");
  fixture f;
  tally t = {0};
  REQUIRE(sl_context_new(NULL, &f.context) == SL_OK);
  walk(&f, folder, &t);
  printf("  %d accepted (%d use what is not evaluated), %d refused; %d good ones refused, %d bad "
         "ones accepted\n",
         t.accepted, t.outside, t.refused, t.wrongly_refused, t.wrongly_accepted);
  CHECK(t.accepted > 0);
  CHECK_INTEGER(t.wrongly_refused, 0);
  sl_context_free(f.context);
}

/* Bad Stan programs that the parser takes: where the checker points, and what it says. */
#include "base/context.h"
#include "check.h"
#include "stan/syntax.h"

typedef struct refusal {
  const char *program; /* @ stands where the caret must point and is taken out */
  const char *part;    /* of the message */
} refusal;

static const refusal names[] = {
    {"model { target += @alpha; }", "there is no variable 'alpha' here"},
    {"data { real alpha; } model { target += @alpah; }", "did you mean 'alpha'?"},
    {"model { real a; real @a; }", "'a' is declared already, at 1:14"},
    {"data { real a; } model { real @a; }", "declared already, at 1:13"},
    {"model { int i; for (@i in 1:2) { } }", "declared already"},
    {"model { { real a; } target += @a; }", "no variable 'a'"},
    {"model { for (i in 1:2) { } target += @i; }", "no variable 'i'"},
    {"model { real a = 1; } generated quantities { real b = @a; }", "no variable 'a'"},
    {"functions { real f(real x) { return @y; } } data { real y; }", "no variable 'y'"},
    {"functions { real f(real x, real @x) { return x; } }", "declared already"},
    {"functions { real f(real x) { real @x; return 1; } }", "declared already"},
    {"model { real @foo_lupdf; }", "ends in _lupdf or _lupmf"},
    {"transformed data { real x = @f(1); }", "there is no function 'f'"},
    {"transformed data { real x = @lgama(1); }", "did you mean 'lgamma'?"},
    {"transformed data { real x = @multiply_log(1, 2); }", "write lmultiply"},
    {"transformed data { real x = @fabs(1); }", "write abs"},
    {"parameters { real x; } model { target += @normal_log(x, 0, 1); }", "write normal_lpdf"},
    {"data { int n; } model { target += @poisson_log(n, 1); }", "write poisson_lpmf"},
    {"data { int n; } model { target += @poisson_lpdf(n | 1); }", "write poisson_lpmf"},
    {"data { real x; } model { target += @normal_ccdf_log(x, 0, 1); }", "write normal_lccdf"},
    {"data { real x; } transformed data { real y = @x(1); }", "is a variable and no function"},
    {"parameters { real x; } model { x ~ @norml(0, 1); }", "did you mean 'normal'?"},
    {"parameters { real x; } model { x ~ @wobble(0, 1); }", "define wobble_lpdf or wobble_lpmf"},
    {"parameters { real x; } model { x ~ @normal_lpdf(0, 1); }", "write normal"},
};

static const refusal expressions[] = {
    {"data { vector[2] v; } transformed data { real x = v @* v; }",
     "no operator vector * vector; .* multiplies"},
    {"data { vector[2] v; row_vector[2] r; } transformed data { vector[2] x = v @+ r; }",
     "no operator vector + row_vector"},
    {"data { array[2] real x; } transformed data { real y = sum(x @+ 1); }",
     "arrays take no arithmetic"},
    {"transformed data { int n = 1 @/ 2.0; }", "'n' is int; real cannot be assigned to it"},
    {"transformed data { real x = 1.5 @% 2; }", "no operator real % int"},
    {"transformed data { int x = @!1.5; }", "'!' does not apply to real"},
    {"data { real x; } transformed data { real y = @x'; }", "does not apply to real"},
    {"transformed data { int n = 1.5 @&& 1; }", "no operator real && int"},
    {"data { vector[2] v; } transformed data { int n = v @== v; }", "no operator vector == vector"},
    {"transformed data { real x = @1.5 ? 1 : 2; }",
     "the condition of ? : must be int, and is real"},
    {"data { vector[2] v; } transformed data { real x = 1 @? v : 2; }",
     "must be of one type, and are vector and int"},
    {"data { vector[2] v; } transformed data { array[2] real x = {1, @v}; }",
     "elements of an array must be of one type; expected int, found vector"},
    {"data { vector[2] v; } transformed data { row_vector[2] x = [1, @v]; }",
     "expected real, found vector"},
    {"data { row_vector[2] v; } transformed data { matrix[2, 2] x = [v, @1]; }",
     "expected row_vector, found int"},
    {"data { real x; } transformed data { real y = @x[1]; }", "real has no dimensions"},
    {"data { vector[2] x; } transformed data { real y = @x[1, 2]; }",
     "2 indices for vector, which has 1 dimension;"},
    {"data { array[2] matrix[2, 2] x; } transformed data { real y = @x[1, 2, 1, 2]; }",
     "4 indices for array[] matrix, which has 3 dimensions"},
    {"data { vector[2] x; } transformed data { real y = x[@1.5]; }",
     "an index must be int, array[] int or a range, and is real"},
    {"data { vector[2] x; } transformed data { vector[2] y = x[1:@1.5]; }",
     "the bound of a range must be int, and is real"},
    {"data { vector[2] x; } transformed data { real y = @x[1:2]; }",
     "'y' is real; vector cannot be assigned to it"},
    {"functions { real f(real x) { return x; } } transformed data { real y = f @+ 1; }",
     "no operator function + int"},
    {"transformed data { real x = @{1, 2}.1; }", "only a tuple has members"},
    {"transformed data { tuple(int, real) t; real x = @t.3; }", "there is no member 3"},
};

static const refusal calls[] = {
    {"data { vector[2] v; } transformed data { real x = @inv_logit(v, 1); }",
     "it takes 1, not 2. There is:\n  inv_logit(each) => each\n  where each: real"},
    {"data { matrix[2, 2] A; } model { A ~ @normal(0, 1); }",
     "'normal' does not take (matrix, int, int); argument 1 is matrix. There is:\n"
     "  normal_lpdf(reals | reals, reals) => real\n  where reals: real, vector"},
    {"data { real x; } model { x ~ @poisson(1); }",
     "argument 1 is real. There is:\n  poisson_lpmf(ints | reals) => real"},
    {"data { array[2, 2] int x; } transformed data { int n = @sum(x); }",
     "'sum' does not take (array[,] int)"},
    {"functions { real f(int n, vector x) { return x[n]; } }"
     "transformed data { real y = @f(1.5, [1]'); }",
     "argument 1 is real. There is:\n  f(int n, vector x) => real"},
    {"functions { real f(int n, vector x) { return x[n]; } }"
     "transformed data { real y = @f(1); }",
     "it takes 2, not 1"},
    {"functions { real f(real a, int b) { return a; } real f(int a, real b) { return b; } }"
     "transformed data { real y = @f(1, 2); }",
     "several functions 'f' take (int, int) after as few promotions"},
    {"functions { void f(real a) { } } transformed data { real y = @f(1); }",
     "'f' returns nothing"},
    {"functions { real f(real a) { return a; } } transformed data { @f(1); }",
     "nobody uses the result of 'f'"},
    {"data { real x; } model { target += @normal_lpdf(x, 0, 1); }",
     "'|' must stand behind the first argument of 'normal_lpdf'"},
    {"data { real x; } model { target += @fmax(x | 0); }", "write a comma"},
    {"functions { real f(data real x) { return x; } } parameters { real p; }"
     "model { target += @f(p); }",
     "argument 1 must be data, but depends on parameters"},
    {"functions { real f(data real x) { return x; } } model { real p = 1; target += @f(p); }",
     "argument 1 must be data"},
    {"functions { real f(data real x) { return x; } real g(real x) { return @f(x); } }",
     "argument 1 must be data"},
    {"functions { vector rhs(real t, vector y, real k) { return y; } } data { array[2] real t; }"
     "transformed data { array[2] vector[1] y = ode_rk45(@rhs, [1]', 0, t); }",
     "'ode_rk45' cannot call 'rhs': the number of its arguments is another"},
    {"functions { vector rhs(real t, vector y, vector k) { return y; } } data { array[2] real t; }"
     "transformed data { array[2] vector[1] y = ode_rk45(@rhs, [1]', 0, t, 1.0); }",
     "argument 3, 'k', does not take what is passed on to it"},
    {"functions { array[] real rhs(real t, vector y) { return {1.0}; } } data { array[2] real t; }"
     "transformed data { array[2] vector[1] y = ode_rk45(@rhs, [1]', 0, t); }",
     "its result is of another type.\n  wanted: rhs(real, vector, ...) => vector\n"
     "  found:  rhs(real t, vector y) => array[] real"},
    {"functions { vector rhs(vector y, real t) { return y; } } data { array[2] real t; }"
     "transformed data { array[2] vector[1] y = ode_rk45(@rhs, [1]', 0, t); }",
     "argument 1, 'y', has another type"},
    {"functions { vector rhs(data real t, vector y) { return y; } } data { array[2] real t; }"
     "transformed data { array[2] vector[1] y = ode_rk45(@rhs, [1]', 0, t); }",
     "argument 1, 't', is marked 'data'"},
    {"data { array[2] real t; } transformed data {"
     " array[2] vector[1] y = ode_rk45(@exp, [1]', 0, t); }",
     "calls a function of the block 'functions'; 'exp' is none"},
    {"transformed data { int n = to_int(1.5); } parameters { real p; }"
     "model { int k = @to_int(p); }",
     "argument 1 must be data"},
};

static const refusal blocks[] = {
    {"parameters { real x; vector[@x] v; }", "a size must be known from the data"},
    {"parameters { int @n; }", "parameters are real numbers"},
    {"transformed parameters { array[2] int @n; }", "parameters are real numbers"},
    {"data { vector[@1.5] v; }", "a size must be int, and is real"},
    {"data { int<lower=@0.5> n; }", "the lower bound of an int must be int, and is real"},
    {"data { vector[2] l; real<lower=@l> x; }",
     "the lower bound of real must be real, and is vector"},
    {"data { row_vector[2] l; vector<upper=@l>[2] x; }",
     "must be real or vector, and is row_vector"},
    {"data { complex<lower=0> @z; }", "complex variables have no bounds"},
    {"data { real x; } transformed data { @x = 1; }",
     "'x' is declared in data and cannot be assigned to in transformed data"},
    {"parameters { real x; } model { @x = 1; }",
     "is declared in parameters and cannot be assigned"},
    {"transformed data { vector[2] x; } model { @x[1] = 1; }", "declared in transformed data"},
    {"parameters { real x; } transformed parameters { x ~ @normal(0, 1); }",
     "'~' adds to the density"},
    {"transformed data { @target += 1; }", "target += adds to the density"},
    {"functions { void f(real x) { x ~ @normal(0, 1); } }", "functions that end in _lp"},
    {"functions { real f_rng() { return @target(); } }", "target() is known in model"},
    {"model { @jacobian += 1; }", "jacobian += stands in transformed parameters"},
    {"parameters { real x; } model { x ~ normal(@normal_rng(0, 1), 1); }",
     "random numbers are drawn in transformed data"},
    {"transformed parameters { real x = @normal_rng(0, 1); }", "random numbers are drawn"},
    {"functions { real f() { return @normal_rng(0, 1); } }", "functions that end in _rng"},
    {"generated quantities { vector[@poisson_rng(3)] x; }", "a size must be known from the data"},
    {"functions { void f_lp() { target += 1; } } transformed data { @f_lp(); }",
     "'f_lp' adds to the density"},
    {"functions { real f_jacobian(real x) { return x; } } model { real y = @f_jacobian(1); }",
     "'f_jacobian' adds to the Jacobian"},
    {"parameters { real x; } generated quantities { real y = @normal_lupdf(x | 0, 1); }",
     "leaves constants out"},
    {"data { vector[2] v; } model { target += @to_complex(1, 2); }", "not complex"},
};

static const refusal statements[] = {
    {"model { int n; n = @1.5; }", "real cannot be assigned to int"},
    {"model { vector[2] v; v = @[1, 2]; }", "row_vector cannot be assigned to vector"},
    {"model { int n = @1.5; }", "'n' is int; real cannot be assigned to it"},
    {"model { array[2] int n; n = @{1, 2.5}; }", "array[] real cannot be assigned to array[] int"},
    {"model { matrix[2, 2] A; A[1] = @[1, 2]'; }", "vector cannot be assigned to row_vector"},
    {"model { int n; @n += 1.5; }", "there is no assignment int += real"},
    {"model { real x; @x .*= 2; }", "there is no assignment real .*= int"},
    {"model { row_vector[2] r; matrix[2, 2] A; @r /= A; }", "no assignment row_vector /= matrix"},
    {"model { for (i in 1:3) @i = 2; }", "'i' is the variable of a loop"},
    {"functions { void f(real x) { @x = 2; } }", "'x' is an argument of the function"},
    {"model { vector[3] v; @v[1:2][1] = 2; }", "put all indices into one [ ]"},
    {"functions { real f() { return 1; } } model { @f = 2; }", "'f' is a function"},
    {"model { real x = @exp; }", "'x' is real; function cannot be assigned to it"},
    {"model { if (@1.5) { } }", "a condition must be int, and is real"},
    {"model { while (@1.5) { } }", "a condition must be int"},
    {"model { for (i in @1.5:2) { } }", "the first value of a loop must be int"},
    {"model { for (i in 1:@2.5) { } }", "the last value of a loop must be int"},
    {"model { for (i in @3) { } }", "a loop runs over a range, an array"},
    {"model { @break; }", "'break' stands in loops only"},
    {"model { for (i in 1:2) { } @continue; }", "'continue' stands in loops only"},
    {"model { @return; }", "'return' stands in functions only"},
    {"functions { void f() { @return 1; } }", "'f' is void and returns no value"},
    {"functions { real f() { @return; } }", "'f' returns real; write it behind 'return'"},
    {"functions { int f() { return @1.5; } }", "'f' returns int, and this is real"},
    {"model { print(@exp); }", "a function cannot be printed"},
    {"data { vector[2] x; } parameters { real m; } model { m ~ normal(0, 1) T[@x, ]; }",
     "a bound of T[ ] must be real, and is vector"},
    {"parameters { vector[2] x; } model { x ~ multi_normal_prec([0, 0]', diag_matrix(x)) T[@0, ]; "
     "}",
     "cannot be truncated: there is no multi_normal_prec_lcdf"},
    {"model { { real x; } @x = 1; }", "no variable 'x'"},
};

static const refusal functions[] = {
    {"functions { real @f(real x) { } }", "a path through its body ends without 'return'"},
    {"functions { real @f(real x) { if (x > 0) return 1; } }", "ends without 'return'"},
    {"functions { real @f(real x) { if (x > 0) { } else return 1; } }", "ends without 'return'"},
    {"functions { real @f(real x) { while (1) { if (x > 0) break; } } }", "ends without 'return'"},
    {"functions { real @f(real x); }", "declared, but nowhere defined"},
    {"functions { real f(real x) { return 1; } real @f(real y) { return 2; } }",
     "'f' of these arguments is defined already, at 1:18"},
    {"functions { real f(real x); real @f(real y); real f(real y) { return 2; } }",
     "declared already"},
    {"functions { real f(real x) { return 1; } int @f(real y) { return 2; } }",
     "declared with another result"},
    {"functions { real f(real x); real @f(data real x) { return x; } }",
     "other arguments marked 'data'"},
    {"functions { real @exp(real x) { return x; } }", "is a function of Stan's; rename yours"},
    {"functions { real @ode_rk45(real x) { return x; } }", "is a function of Stan's"},
    {"functions { int @f_lpdf(real x) { return 1; } }", "must return real, and returns int"},
    {"functions { void @f_lcdf(real x) { } }", "must return real, and returns void"},
    {"functions { real f_lpdf(int @n) { return 1; } }", "the ending for it is _lpmf"},
    {"functions { real f_lpmf(real @x) { return 1; } }", "the ending for it is _lpdf"},
    {"functions { real @f_lpdf() { return 1; } }", "needs a first argument of real numbers"},
    {"functions { real @f_lupdf(real x) { return 1; } }", "rename it to end in _lpdf"},
};

static void check_refusal(sl_context *context, const refusal *r) {
  char text[2048];
  const char *mark = strchr(r->program, '@');
  REQUIRE(mark != NULL);
  snprintf(text, sizeof text, "%.*s%s", (int)(mark - r->program), r->program, mark + 1);
  sl__stan_program *program = NULL;
  sl_status status = sl__stan_parse(context, "test.stan", text, strlen(text), &program);
  if (status == SL_OK) status = sl__stan_check(context, program);
  long column = mark - r->program + 1;
  bool as_wanted = status == SL_SYNTAX && program && context->error.line == 1 &&
                   context->error.column == column && strstr(sl_error(context), r->part) != NULL;
  if (!as_wanted) {
    printf("  %s\n  wanted 1:%ld %s\n  status %d, %s: %s\n", text, column, r->part, status,
           program ? "checker" : "parser", status == SL_OK ? "" : sl_error(context));
  }
  CHECK(as_wanted);
  sl__stan_program_free(context, program);
}

#define TEST_REFUSALS(list)                                                                   \
  TEST(refusals_of_##list) {                                                                  \
    sl_context *context = NULL;                                                               \
    REQUIRE(sl_context_new(NULL, &context) == SL_OK);                                         \
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) check_refusal(context, &list[i]); \
    sl_context_free(context);                                                                 \
  }
TEST_REFUSALS(names)
TEST_REFUSALS(expressions)
TEST_REFUSALS(calls)
TEST_REFUSALS(blocks)
TEST_REFUSALS(statements)
TEST_REFUSALS(functions)

/* The formula language: canonical texts, and refusals with message and place. */
#include "check.h"
#include "flow/formula.h"

/* Parses text into the context's error or into canonical text (which the caller frees with the
 * arena). */
static sl_status parse(sl_context *context, sl__arena *arena, const char *text, sl__formula *out) {
  context->error.line = context->error.column = 0;
  context->error.message[0] = 0;
  return sl__formula_parse(context, arena, text, out);
}

static const struct {
  const char *given, *canonical;
  int64_t layers;
} good[] = {
    {"loc", "loc", 1},
    {"scale-loc", "scale-loc", 2},
    {"  scale \n -\tloc ", "scale-loc", 2},
    {"LOC-Scale", "loc-scale", 2},
    {"loc*1", "loc", 1},
    {"loc*3", "loc*3", 3},
    {"loc * 003", "loc*3", 3},
    {"loc-loc", "loc*2", 2},
    {"loc-loc*2-scale-scale", "loc*3-scale*2", 5},
    {"(loc)", "loc", 1},
    {"((loc))*2", "loc*2", 2},
    {"(loc*2)*3", "loc*6", 6},
    {"(loc-loc)*3", "loc*6", 6},
    {"loc-(loc-scale)", "loc*2-scale", 3},
    {"(loc-scale)*2-(loc-scale)", "(loc-scale)*2-loc-scale", 6},
    {"(loc-scale)*2-(loc-scale)*3", "(loc-scale)*5", 10},
    {"(loc-(scale-lu)*2)*2", "(loc-(scale-lu)*2)*2", 10},
    {"scale()", "scale", 1},
    {"scale(softplus)", "scale", 1},
    {"scale(positive=softplus)", "scale", 1},
    {"scale(exp)", "scale(exp)", 1},
    {"scale ( positive = exp )", "scale(exp)", 1},
    {"lu(permute=no)", "lu(false)", 1},
    {"lu(true)", "lu", 1},
    {"permute(order=3:1:2)", "permute(3:1:2)", 1},
    {"permute(random)", "permute", 1},
    {"coupling", "coupling(affine)", 1},
    {"coupling(affine)*6", "coupling(affine)*6", 6},
    {"coupling(affine, alternate)", "coupling(affine)", 1},
    {"coupling(rqs,hidden=256x256,bins=16)", "coupling(rqs,hidden=256x256,bins=16)", 1},
    {"coupling(rqs,bins=16,hidden=256x256)", "coupling(rqs,hidden=256x256,bins=16)", 1},
    {"coupling(rqs,bins=8,bound=4.0)", "coupling(rqs)", 1},
    {"coupling(rqs,bound=3.50)", "coupling(rqs,bound=3.5)", 1},
    {"coupling(rqs,bound=1e1,tails=learned)", "coupling(rqs,bound=10,tails=learned)", 1},
    {"coupling(mask=10,scale=tanh)", "coupling(affine,mask=10,scale=tanh)", 1},
    {"coupling(affine,half,separate,32,2,relu)",
     "coupling(affine,mask=half,net=separate,hidden=32,blocks=2,activation=relu)", 1},
    {"maf-reverse-maf(rqs)-iaf", "maf(affine)-reverse-maf(rqs)-iaf(affine)", 4},
    {"maf(hidden=64x64,activation=silu)", "maf(affine)", 1},
    {"(loc*100)*100", "loc*10000", 10000},
    {"standardize", "standardize", 1},
    {"inverse(loc)", "inverse(loc)", 1},
    {"Inverse ( loc - (scale-lu)*2 ) * 3-loc", "inverse(loc-(scale-lu)*2)*3-loc", 16},
    {"inverse(formula=loc)", "inverse(loc)", 1},
    {"inverse( formula = (loc-loc) )", "inverse(loc*2)", 2},
    {"inverse(loc)-inverse(loc)", "inverse(loc)*2", 2},
    {"(inverse(loc))*2", "inverse(loc)*2", 2},
    {"(inverse(loc-lu)*2)*2", "inverse(loc-lu)*4", 8},
    {"inverse(inverse(loc-scale(exp)))", "inverse(inverse(loc-scale(exp)))", 2},
    {"student", "student", 0},
    {"student(df=3)", "student(3)", 0},
    {"student(5.0)-loc", "student-loc", 1},
    {"Student(learn=yes) -\n (loc)*2", "student(learn=true)-loc*2", 2},
    {"uniform(high=2,low=-1)-loc", "uniform(-1,high=2)-loc", 1},
    {"mixture(2,loc)", "mixture(2,loc)", 0},
    {"mixture(components=3,formula=loc-(scale)*2)-lu", "mixture(3,loc-scale*2)-lu", 1},
    {"mixture( 3 , inverse(loc-scale)*2, hidden=8 )", "mixture(3,inverse(loc-scale)*2,hidden=8)",
     0},
    {"mixture(formula=loc)", "mixture(formula=loc)", 0},
};

TEST(canonical_texts) {
  sl_context *context = NULL;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    sl__arena arena;
    sl__arena_open(&arena, context);
    sl__formula first, second;
    if (CHECK_OK(context, parse(context, &arena, good[i].given, &first))) {
      CHECK_TEXT(first.text, good[i].canonical);
      CHECK_INTEGER(first.layers, good[i].layers);
      if (CHECK_OK(context, parse(context, &arena, first.text, &second))) {
        CHECK_TEXT(second.text, first.text);
        CHECK_INTEGER(second.layers, first.layers);
      }
    }
    sl__arena_close(&arena);
  }
  sl_context_free(context);
}

static const struct {
  const char *given;
  int line, column;
  const char *message; /* part of it */
} bad[] = {
    {"", 1, 1, "the formula ends; expected the name of a layer or '('"},
    {"   ", 1, 4, "the formula ends"},
    {"-", 1, 1, "'-'; expected the name of a layer"},
    {"loc-", 1, 5, "the formula ends; expected the name of a layer"},
    {"loc--loc", 1, 5, "'-'; expected the name of a layer"},
    {"loc-\n  *2", 2, 3, "'*'; expected the name of a layer"},
    {"loc loc", 1, 5, "'l'; expected '-' and a layer"},
    {"loc*", 1, 5, "expected a count after '*', as in *4"},
    {"loc*x", 1, 5, "'x'; expected a count"},
    {"loc*0", 1, 5, "a count of 0"},
    {"loc*-1", 1, 5, "'-'; expected a count"},
    {"loc*2*3", 1, 6, "'*'; expected '-' and a layer"},
    {"loc*10001", 1, 5, "more than 10000 layers"},
    {"loc*99999999999999999999999", 1, 5, "more than 10000 layers"},
    {"(loc*100)*101", 1, 11, "more than 10000 layers"},
    {"loc*9999-loc-loc", 1, 14, "more than 10000 layers"},
    {"loc)", 1, 4, "')' without '('"},
    {"(loc", 1, 5, "the formula ends; expected '-' and a layer, '*' and a count, or ')'"},
    {"()", 1, 2, "')'; expected the name of a layer"},
    {"(loc))", 1, 6, "')' without '('"},
    {"lox", 1, 1, "there is no layer 'lox'; did you mean 'loc'?"},
    {"loc-RQS", 1, 5, "write coupling(RQS), maf(RQS) or elementwise(RQS)"},
    {"loc-naf(8)", 1, 5, "'naf' is a transformer"},
    {"scale-couplng(rqs)", 1, 7, "did you mean 'coupling'?"},
    {"loc-zzzzzzzz", 1, 5, "`sluice flows` lists them"},
    {"9loc", 1, 1, "'9'; expected the name of a layer"},
    {"reverse(3)", 1, 9, "reverse takes 0 arguments; leave '3' out"},
    {"permute(random,exp)", 1, 16, "permute takes 1 argument; leave 'exp' out"},
    {"scale(exq)", 1, 7, "'exq' is not valid; did you mean exp? give softplus|exp"},
    {"scale(positive=exq)", 1, 16, "'exq' is not valid"},
    {"scale(postive=exp)", 1, 7, "did you mean positive?"},
    {"scale(positive=)", 1, 16, "')'; expected a value after '='"},
    {"scale(=exp)", 1, 7, "'='; expected an argument"},
    {"scale(exp", 1, 10, "the formula ends; expected ',' or ')'"},
    {"scale(exp,)", 1, 11, "')'; expected an argument"},
    {"scale(,exp)", 1, 7, "','; expected an argument"},
    {"scale(exp exp)", 1, 11, "'e'; expected ',' or ')'"},
    {"scale(positive=exp,exp)", 1, 20, "'exp' follows key=value"},
    {"scale(exp,positive=exp)", 1, 20, "argument 'positive' is given twice"},
    {"coupling(cubic)", 1, 10, "'cubic' is not valid; give affine|rqs"},
    {"coupling(rqs,bins=1)", 1, 19, "give a whole number from 2 to 256"},
    {"coupling(rqs,bins=8.5)", 1, 19, "'8.5' is not valid"},
    {"coupling(rqs,bound=-1)", 1, 20, "'-1' is not valid"},
    {"coupling(rqs,bound=nan)", 1, 20, "'nan' is not valid"},
    {"coupling(rqs,hidden=256x)", 1, 21, "a size or sizes such as 256x256"},
    {"coupling(rqs,hidden=0)", 1, 21, "a size or sizes"},
    {"coupling(rqs,hidden=1x2x3x4x5x6x7x8x9)", 1, 21, "a size or sizes"},
    {"inverse", 1, 1, "inverse needs its argument 'formula', as in inverse(scale-loc)"},
    {"loc-inverse()", 1, 5, "inverse needs its argument 'formula'"},
    {"inverse(3)", 1, 9, "'3'; expected the name of a layer or '('"},
    {"inverse(loc,lu)", 1, 13, "inverse takes 1 argument; leave 'lu' out"},
    {"inverse(loc", 1, 12,
     "the formula ends; expected '-' and a layer, '*' and a count, ',' or ')'"},
    {"inverse(loc-)", 1, 13, "')'; expected the name of a layer"},
    {"inverse(loc*0)", 1, 13, "a count of 0"},
    {"inverse(loc-\n (scael))", 2, 3, "there is no layer 'scael'; did you mean 'scale'?"},
    {"inverse(loc-scale(exq))", 1, 19, "'exq' is not valid"},
    {"inverse(loc*9999)*2", 1, 19, "more than 10000 layers"},
    {"inverse(formula=loc,formula=lu)", 1, 29, "argument 'formula' is given twice"},
    {"inverse(loc,formula=lu)", 1, 21, "argument 'formula' is given twice"},
    {"inverse(formla=(loc))", 1, 9, "did you mean formula?"},
    {"inverse(formula=)", 1, 17, "')'; expected the name of a layer"},
    {"loc-student", 1, 5, "'student' is a base density; it may only stand first"},
    {"student-loc-laplace", 1, 13, "'laplace' is a base density; it may only stand first"},
    {"student-laplace", 1, 9, "it may only stand first"},
    {"(student-loc)", 1, 2, "it may only stand first"},
    {"inverse(student)", 1, 9, "it may only stand first"},
    {"mixture(2,student-loc)", 1, 11, "it may only stand first"},
    {"student*2-loc", 1, 8, "'student' is a base density and stands once; remove the count"},
    {"student-", 1, 9, "the formula ends; expected the name of a layer"},
    {"studnet-loc", 1, 1, "did you mean 'student'?"},
    {"student(df=0.5)", 1, 12, "give a number from 1 to 1000000"},
    {"mixture(loc)", 1, 9, "'loc' is not valid; give a whole number from 2 to 256"},
    {"mixture(2)", 1, 1, "mixture needs its argument 'formula', as in mixture(3,scale-loc)"},
    {"mixture(2,loc-(lu)", 1, 19, "the formula ends"},
    {"mixture(components=2,loc)", 1, 22, "'loc' follows key=value"},
    {"loc-\xc3\xa9", 1, 5, "byte 0xc3"},
    {"loc-\x01", 1, 5, "byte 0x01"},
    {"((((((((((((((((((((((((((((((((((loc", 1, 33, "nested more than 32 deep"},
};

TEST(refusals_say_what_and_where) {
  sl_context *context = NULL;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    sl__arena arena;
    sl__arena_open(&arena, context);
    sl__formula formula;
    sl_status status = parse(context, &arena, bad[i].given, &formula);
    bool refused = CHECK(status == SL_SYNTAX);
    bool says = CHECK(strstr(context->error.message, bad[i].message) != NULL);
    bool here = CHECK(context->error.line == bad[i].line && context->error.column == bad[i].column);
    if (!refused || !says || !here)
      printf("  \"%s\": %d:%d %s\n", bad[i].given, context->error.line, context->error.column,
             context->error.message);
    sl__arena_close(&arena);
  }
  sl_context_free(context);
}

/* Formulas that parse but do not fit the flow: the place is the layer's. */
static const struct {
  const char *given;
  int32_t dim;
  int line, column;
  const char *message;
} unfit[] = {
    {"loc-coupling(mask=10)", 3, 1, 5, "has 2 digits for 3 features"},
    {"coupling(mask=12)", 2, 1, 1, "mask=12 is none"},
    {"coupling(mask=11)", 2, 1, 1, "maps no feature"},
    {"(loc-\n scale)*3-coupling(affine,bins=4)", 2, 2, 11, "'bins' belongs to the transformer rqs"},
    {"(loc-coupling(rqs,scale=tanh))*2", 2, 1, 6, "layer 2, coupling(rqs,scale=tanh)"},
    {"loc-permute(1:2)", 3, 1, 5, "order=1:2 is no permutation of the 3 features"},
    {"permute(1:1:2)", 3, 1, 1, "no permutation"},
    {"permute(0:1:2)", 3, 1, 1, "no permutation"},
    {"permute(1:2:3:4)", 3, 1, 1, "no permutation"},
    {"permute(1:2:4)", 3, 1, 1, "no permutation"},
    {"permute(1:2:3:)", 3, 1, 1, "no permutation"},
    {"coupling(hidden=32x64,blocks=2)", 2, 1, 1, "residual blocks have one width"},
    {"coupling(hidden=9999999)", 2, 1, 1, "a hidden layer of 9999999 units"},
    {"maf(hidden=1000000x1000000)", 2, 1, 1, "2^31"},
    {"inverse(loc-coupling(mask=10))", 3, 1, 13, "layer 1, coupling(affine,mask=10)"},
    {"inverse(loc-\n(lu-permute(1:1))*2)*3", 2, 2, 5, "layer 1, permute(1:1)"},
    {"mixture(2,loc-permute(1:1))-lu", 2, 1, 15,
     "base, mixture(2,loc-permute(1:1)): layer 2, permute(1:1): order=1:1"},
    {"mixture(formula=loc)-lu", 2, 1, 1, "the number of components is missing"},
    {"mixture(256,loc*100)", 2, 1, 1, "more than 10000 layers together"},
    {"uniform(low=2,high=2)-loc", 2, 1, 1, "'low' must be less than 'high'"},
    {"gaussian-loc", 5000, 1, 1, "a full covariance of 5000 features"},
};

TEST(unfit_layers_are_named) {
  sl_context *context = NULL;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  for (size_t i = 0; i < sizeof unfit / sizeof unfit[0]; i++) {
    sl__flow *flow = NULL;
    context->error.message[0] = 0;
    sl_status status = sl__flow_new(
        context,
        &(sl__flow_plan){.formula = unfit[i].given, .dim = unfit[i].dim, .type = SL_F64, .seed = 1},
        &flow);
    bool refused = CHECK(status == SL_BAD_ARGUMENT && flow == NULL);
    bool says = CHECK(strstr(context->error.message, unfit[i].message) != NULL);
    bool here =
        CHECK(context->error.line == unfit[i].line && context->error.column == unfit[i].column);
    if (!refused || !says || !here)
      printf("  \"%s\": %d:%d %s\n", unfit[i].given, context->error.line, context->error.column,
             context->error.message);
  }
  sl__flow *flow = NULL;
  CHECK(sl__flow_new(context,
                     &(sl__flow_plan){.formula = "loc", .dim = 0, .type = SL_F64, .seed = 1},
                     &flow) == SL_BAD_ARGUMENT);
  CHECK(sl__flow_new(context,
                     &(sl__flow_plan){
                         .formula = "loc", .dim = 2, .context_dim = -1, .type = SL_F64, .seed = 1},
                     &flow) == SL_BAD_ARGUMENT);
  sl_context_free(context);
}

/* A base that is given apart has its places in the message: a place by itself is one of the
 * formula. */
static const struct {
  const char *formula, *base;
  sl_status status;
  int line, column;
  const char *message;
} bases[] = {
    {"loc", "normall", SL_SYNTAX, 0, 0,
     "there is no base density 'normall'; did you mean 'normal'"},
    {"loc", "locistic", SL_SYNTAX, 0, 0, "did you mean 'logistic'"},
    {"loc", "zzz(1)", SL_SYNTAX, 0, 0, "no base density 'zzz'; `sluice flows` lists them"},
    {"loc", "mixture(2,loc-scael)", SL_SYNTAX, 0, 0, "at 1:15: there is no layer 'scael'"},
    {"loc", "mixture(2,loc-permute(1:1))", SL_BAD_ARGUMENT, 0, 0, "at 1:15: base, mixture"},
    {"loc", "uniform(2,1)", SL_BAD_ARGUMENT, 0, 0, "'low' must be less than 'high'"},
    {"loc", "lu", SL_BAD_ARGUMENT, 0, 0, "'lu' is not one base density"},
    {"loc", "student-lu", SL_BAD_ARGUMENT, 0, 0, "'student-lu' is not one base density"},
    {"loc", "", SL_SYNTAX, 0, 0, "at 1:1: the formula ends"},
    {"laplace-loc", "student", SL_BAD_ARGUMENT, 1, 1, "leave one of them out"},
    {"  laplace", "student", SL_BAD_ARGUMENT, 1, 3, "leave one of them out"},
    {"", NULL, SL_SYNTAX, 1, 1, "the formula ends"},
};

TEST(bases_given_apart) {
  sl_context *context = NULL;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
    sl__flow *flow = NULL;
    const sl__flow_plan plan = {
        .formula = bases[i].formula, .base = bases[i].base, .dim = 2, .type = SL_F64, .seed = 1};
    bool refused = CHECK(sl__flow_new(context, &plan, &flow) == bases[i].status && !flow);
    bool says = CHECK(strstr(context->error.message, bases[i].message) != NULL);
    bool here =
        CHECK(context->error.line == bases[i].line && context->error.column == bases[i].column);
    if (!refused || !says || !here)
      printf("  \"%s\" on \"%s\": %d:%d %s\n", bases[i].formula,
             bases[i].base ? bases[i].base : "(null)", context->error.line, context->error.column,
             context->error.message);
  }
  sl_context_free(context);
}

TEST(deep_nesting_is_refused) {
  sl_context *context = NULL;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  for (int depth = SL__FORMULA_MAX_DEPTH; depth <= SL__FORMULA_MAX_DEPTH + 1; depth++) {
    char text[512] = "";
    for (int i = 0; i < depth; i++) strcat(text, "inverse(");
    strcat(text, "loc");
    for (int i = 0; i < depth; i++) strcat(text, ")");
    sl__arena arena;
    sl__arena_open(&arena, context);
    sl__formula formula;
    sl_status status = parse(context, &arena, text, &formula);
    if (depth == SL__FORMULA_MAX_DEPTH) {
      if (CHECK(status == SL_OK)) CHECK_TEXT(formula.text, text);
    } else {
      CHECK(status == SL_SYNTAX && context->error.column == 8 * depth + 1);
      CHECK(strstr(context->error.message, "nested more than 32 deep") != NULL);
    }
    sl__arena_close(&arena);
  }
  sl_context_free(context);
}

TEST(a_long_formula_is_refused) {
  sl_context *context = NULL;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  size_t length = SL__FORMULA_MAX_LENGTH + 1;
  char *text = malloc(length + 1);
  REQUIRE(text != NULL);
  memset(text, ' ', length);
  text[length] = 0;
  sl__arena arena;
  sl__arena_open(&arena, context);
  sl__formula formula;
  CHECK(parse(context, &arena, text, &formula) == SL_SYNTAX);
  CHECK(strstr(context->error.message, "longer than") != NULL);
  sl__arena_close(&arena);
  free(text);
  sl_context_free(context);
}

/* A flow of the first number of features that suits the formula. */
static sl__flow *open_example(sl_context *context, const char *formula, const char *base) {
  sl__flow *flow = NULL;
  for (int32_t dim = 4; dim >= 1 && !flow; dim--) {
    const sl__flow_plan plan = {
        .formula = formula, .base = base, .dim = dim, .type = SL_F32, .seed = 7};
    sl__flow_new(context, &plan, &flow);
  }
  return flow;
}

/* Every kind's examples make flows, whose texts, base apart from chain, make the same again. */
TEST(every_example_of_every_kind) {
  sl_context *context = NULL;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  int count = 0;
  const sl__kind *const *kinds = sl__kinds(&count);
  CHECK(count > 0);
  for (int i = 0; i < count; i++) {
    CHECK(kinds[i]->summary && kinds[i]->source);
    for (int k = 0; k < kinds[i]->argument_count; k++) CHECK(kinds[i]->arguments[k].help != NULL);
    REQUIRE(kinds[i]->examples && kinds[i]->examples[0]);
    for (int k = 0; kinds[i]->examples[k]; k++) {
      sl__flow *flow = open_example(context, kinds[i]->examples[k], NULL);
      if (!CHECK(flow != NULL)) {
        printf("  %s: %s\n", kinds[i]->examples[k], sl_error(context));
        continue;
      }
      sl__flow *again = open_example(context, flow->formula, flow->base_formula);
      REQUIRE(again != NULL);
      CHECK_TEXT(again->formula, flow->formula);
      CHECK_TEXT(again->base_formula, flow->base_formula);
      CHECK_INTEGER(again->size, flow->size);
      sl__flow_free(context, flow);
      sl__flow_free(context, again);
    }
  }
  sl_context_free(context);
}

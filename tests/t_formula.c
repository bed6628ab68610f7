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
    {"scale-couplng(rqs)", 1, 7, "did you mean 'coupling'?"},
    {"loc-zzzzzzzz", 1, 5, "`sluice flows` lists them"},
    {"9loc", 1, 1, "'9'; expected the name of a layer"},
    {"loc(3)", 1, 5, "loc takes 0 arguments; leave '3' out"},
    {"scale(exp,exp)", 1, 11, "scale takes 1 argument; leave 'exp' out"},
    {"scale(exq)", 1, 7, "'exq' is not valid; give softplus|exp"},
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
                     &(sl__flow_plan){
                         .formula = "loc", .base = "normall", .dim = 2, .type = SL_F64, .seed = 1},
                     &flow) == SL_SYNTAX);
  CHECK(strstr(context->error.message, "no layer 'normall'; did you mean 'normal'") != NULL);
  CHECK(sl__flow_new(context,
                     &(sl__flow_plan){.formula = "loc", .dim = 0, .type = SL_F64, .seed = 1},
                     &flow) == SL_BAD_ARGUMENT);
  CHECK(sl__flow_new(context,
                     &(sl__flow_plan){
                         .formula = "loc", .dim = 2, .context_dim = -1, .type = SL_F64, .seed = 1},
                     &flow) == SL_BAD_ARGUMENT);
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

/* Every kind parses by its bare name, and its canonical text is stable. */
TEST(every_kind_by_name) {
  sl_context *context = NULL;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  int count = 0;
  const sl__kind *const *kinds = sl__kinds(&count);
  CHECK(count > 0);
  for (int i = 0; i < count; i++) {
    if (sl__kind_is_base(kinds[i])) continue;
    sl__flow *flow = NULL, *again = NULL;
    REQUIRE_OK(context,
               sl__flow_new(
                   context,
                   &(sl__flow_plan){.formula = kinds[i]->name, .dim = 4, .type = SL_F32, .seed = 7},
                   &flow));
    REQUIRE_OK(context,
               sl__flow_new(
                   context,
                   &(sl__flow_plan){.formula = flow->formula, .dim = 4, .type = SL_F32, .seed = 7},
                   &again));
    CHECK_TEXT(again->formula, flow->formula);
    CHECK(kinds[i]->summary && kinds[i]->source);
    for (int k = 0; k < kinds[i]->argument_count; k++) CHECK(kinds[i]->arguments[k].help != NULL);
    sl__flow_free(context, flow);
    sl__flow_free(context, again);
  }
  sl_context_free(context);
}

/* Formulas: whatever the bytes, either a chain whose canonical text parses to the same text, or a
 * message with a place. Small flows must be buildable or refused. */
#include "flow/formula.h"
#include "fuzz.h"
#include <stdlib.h>
#include <string.h>

/* Numbers of three digits and more: of many units or components, whose flow would take long. */
static bool has_long_number(const char *text) {
  int digits = 0;
  for (; *text && digits < 3; text++) digits = *text >= '0' && *text <= '9' ? digits + 1 : 0;
  return digits == 3;
}

static void check_parsed(sl_context *context, sl__arena *arena, const char *text,
                         const sl__formula *formula) {
  sl__formula again;
  if (sl__formula_parse(context, arena, formula->text, &again) != SL_OK) abort();
  if (strcmp(formula->text, again.text) != 0 || formula->layers != again.layers) abort();
  if (formula->layers < !formula->base || formula->layers > SL__FORMULA_MAX_LAYERS) abort();
  sl__flow *flow = NULL;
  if (formula->layers > 16 || has_long_number(text)) return;
  sl_status status = sl__flow_new(
      context, &(sl__flow_plan){.formula = text, .dim = 3, .type = SL_F32, .seed = 1}, &flow);
  if (status == SL_OK && strcmp(flow->formula, formula->chain) != 0) abort();
  if (status != SL_OK && status != SL_BAD_ARGUMENT && status != SL_NO_MEMORY) abort();
  sl__flow_free(context, flow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sl_context_options options = {.size = sizeof options, .threads = 1};
  sl_context *context = NULL;
  if (sl_context_new(&options, &context) != SL_OK) return 0;
  sl__arena arena;
  sl__arena_open(&arena, context);
  char *text = sl__arena_text(&arena, (const char *)data, size);
  if (!text) abort();
  sl__formula formula;
  sl_status status = sl__formula_parse(context, &arena, text, &formula);
  if (status == SL_OK) {
    check_parsed(context, &arena, text, &formula);
  } else {
    int32_t line = 0, column = 0;
    if (status != SL_SYNTAX || !*sl_error(context)) abort();
    if (!sl_error_place(context, &line, &column) || line < 1 || column < 1) abort();
  }
  sl__arena_close(&arena);
  sl_context_free(context);
  return 0;
}

const fuzz_seed fuzz_seeds[] = {
    FUZZ_SEED("coupling(affine,hidden=16x16)*6"),
    FUZZ_SEED("(lu - maf(rqs, bins=4, bound=3.5, tails=learned))*3 - standardize"),
    FUZZ_SEED("scale(exp)-loc*2\n-permute(order=3:1:2)-(reverse-(loc))*4"),
    FUZZ_SEED("iaf(affine,8,1,relu)-coupling(mask=101,net=separate,scale=tanh)"),
    FUZZ_SEED("permute-lu(permute=no)*10000"),
    FUZZ_SEED("((((loc*2)*2)*2)*2)"),
    FUZZ_SEED("student(df=3.5,learn=true)-inverse(lu-inverse(scale-loc)*2)-loc"),
    FUZZ_SEED("mixture(3, inverse(formula=(loc-lu)*2)-scale, hidden=8x8)-maf(hidden=8)"),
    FUZZ_SEED("gaussian_mixture(5,covariance=diagonal)"),
    {0},
};

/* Everything that is registered, because it is registered: each kind's examples, and each
 * transformer in every layer that takes one. */
#ifndef SL_TESTS_CATALOGUE_H
#define SL_TESTS_CATALOGUE_H
#include "flow/transformer/transformer.h"
#include "flow_checks.h"

/* Where the circular transformer may stand. */
#define CIRCLE "uniform(low=-3.141592653589793,high=3.141592653589793)"

typedef void (*visit_formula)(const char *formula, const sl__kind *kind);

/* Calls visit for every formula that the registries give. */
static inline int for_every_formula(visit_formula visit) {
  int count = 0, visited = 0;
  const sl__kind *const *kinds = sl__kinds(&count);
  for (int i = 0; i < count; i++) {
    if (!CHECK(kinds[i]->examples != NULL)) printf("  %s has no examples\n", kinds[i]->name);
    for (int k = 0; kinds[i]->examples && kinds[i]->examples[k]; k++, visited++)
      visit(kinds[i]->examples[k], kinds[i]);
  }
  static const char *const uses[] = {"elementwise(%.*s)", "coupling(%.*s,hidden=8)*2",
                                     "maf(%.*s,hidden=8)", "iaf(%.*s,hidden=8)"};
  for (const char *name = sl__transformer_names; *name; name += *name == '|') {
    int length = (int)strcspn(name, "|");
    for (size_t k = 0; k < sizeof uses / sizeof uses[0]; k++, visited++) {
      char formula[160];
      bool circle = strncmp(name, "circular", (size_t)length) == 0;
      int begin = snprintf(formula, sizeof formula, "%s", circle ? CIRCLE "-" : "");
      snprintf(formula + begin, sizeof formula - (size_t)begin, uses[k], length, name);
      visit(formula, NULL);
    }
    name += length;
  }
  return visited;
}

/* Whether a flow of the formula can be made; what it says if it cannot. */
static inline bool fits_with_context(const char *formula, int32_t dim, int32_t context_dim,
                                     char *message, size_t size) {
  sl_context *context = NULL;
  sl__flow *flow = NULL;
  if (sl_context_new(NULL, &context) != SL_OK) return false;
  const sl__flow_plan plan = {
      .formula = formula, .dim = dim, .context_dim = context_dim, .type = SL_F64, .seed = 11};
  bool good = sl__flow_new(context, &plan, &flow) == SL_OK;
  snprintf(message, size, "%s", good ? "" : sl_error(context));
  sl__flow_free(context, flow);
  sl_context_free(context);
  return good;
}

static inline bool fits(const char *formula, int32_t dim, char *message, size_t size) {
  return fits_with_context(formula, dim, 0, message, size);
}

#endif

/* The entries of `sluice flows`: what there is to make a flow of, from the registries. */
#ifndef SL_CLI_FLOW_ENTRIES_H
#define SL_CLI_FLOW_ENTRIES_H
#include "flow/transformer/transformer.h"

/* A layer, a base density or a transformer. */
typedef struct sl__flow_entry {
  const char *name, *summary, *source;
  const char *role; /* "layer", "base", "transformer" */
  const char *const *examples;
  const sl__option_row *arguments;
  int argument_count;
  const sl__kind *kind;               /* of a layer or base density, or NULL */
  const sl__transformer *transformer; /* whose arguments alone count, or NULL */
  sl__how sample_how, log_prob_how;
} sl__flow_entry;

enum { SL__MOST_FLOW_ENTRIES = 256 };
/* Fills out[SL__MOST_FLOW_ENTRIES], layers first; returns how many. */
int sl__flow_entries(sl__flow_entry *out);
/* Whether argument number `argument` is one of the entry's. */
bool sl__flow_entry_takes(const sl__flow_entry *e, int argument);
/* Whether it is one that a layer such as coupling only hands on to its transformer. */
bool sl__flow_entry_hands_on(const sl__flow_entry *e, int argument);
/* The first example of an entry as a flow of its own. */
void sl__flow_entry_formula(const sl__flow_entry *e, char *formula, size_t size);

typedef struct sl__flow_cost {
  int64_t parameters;   /* trained; -1: the flow cannot be made at this dim */
  double score, sample; /* nanoseconds a row on one core */
} sl__flow_cost;
sl__flow_cost sl__flow_cost_of(sl_context *context, const char *formula, int32_t dim);
#endif

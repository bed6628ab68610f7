/* What the rules against a certificate share (rules.c). src/infer/robust only. */
#ifndef SL_INFER_ROBUST_RULES_H
#define SL_INFER_ROBUST_RULES_H
#include "infer/robust/attempt.h"

typedef struct sl__sentence {
  char *text;
  size_t size;
} sl__sentence;
/* Writes what is against the fit and returns true, or false. */
typedef bool sl__rule(const sl__robust_report *r, sl__sentence out);
/* True: so that a rule ends with what it says. */
bool sl__robust_say(sl__sentence out, const char *format, ...);

/* What to try: the usual, unless a base was asked for, which may be what is wrong. */
const char *sl__robust_flow_to_try(const sl__robust_report *r, const char *usual);

/* Standard errors by which chance explains a difference; what exceeds it is wrong. */
#define SL__ERRORS 3.0
/* The tempered population is to be believed where its moves are good: in few dimensions, and where
 * so many are accepted. */
enum { SL__MOST_TEMPERING_ASKED = 10 }; /* dimensions */
#define SL__LEAST_ACCEPT 0.5
/* Of the log evidence by the population: more, and half of the mass may be missing unseen. */
#define SL__MOST_TEMPERED_SE 0.2

/* rules_evidence.c */
sl__rule sl__rule_bounds_crossed, sl__rule_bridge_disagrees, sl__rule_tails_missed, sl__rule_tempering_vague,
    sl__rule_tempering_disagrees;
#endif

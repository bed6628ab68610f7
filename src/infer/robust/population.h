/* The tempered population of an exploration. src/infer/robust only. */
#ifndef SL_INFER_ROBUST_POPULATION_H
#define SL_INFER_ROBUST_POPULATION_H
#include "infer/robust/limits.h"

/* Dimensions in which chains that disagree are a group of what is known each. */
enum { SL__MOST_GROUPED = 8 };

/* population.c. From far away to the target, past what the chains saw: e->particles, e->wide. */
sl_status sl__explore_temper(sl_context *context, const sl__target *target, sl__limits *l,
                             sl__arena *arena, sl__exploration *e);
/* It and copies of it that are moved on become the buffer. */
sl_status sl__explore_take_population(sl_context *context, const sl__target *target, sl__limits *l,
                                      sl__arena *arena, sl__exploration *e);
#endif

/* What the search for modes and the points it strews share: where chains have been. */
#ifndef SL_INFER_ROBUST_SEARCH_H
#define SL_INFER_ROBUST_SEARCH_H
#include "infer/robust/explore.h"

enum { SL__MOST_SUMMITS = 16 }; /* that are kept in mind */
typedef struct sl__been {
  const sl__exploration *e;
  double *means;     /* [chain_count][dim] */
  double *mean, *sd; /* [dim] of all chains; within them */
  double *summits;   /* [SL__MOST_SUMMITS][dim], `count` of it: found by climbs, but no chain was */
  int32_t count;
} sl__been;

/* search.c. The largest difference of a coordinate, in sd; as soon as it exceeds `enough`, that. */
double sl__been_distance(const sl__been *been, const double *a, const double *b, double enough);
/* Whether a chain had a draw near the place. */
bool sl__been_near(const sl__been *been, const double *place);
/* Whether the place is as near to one of `first` [count][dim] as two ends of climbs to one summit
 * are. */
bool sl__been_same(const sl__been *been, const double *place, int32_t count, const double *first);

/* strew.c. Places to climb from, far and wide: those from which the density rises outwards, then
 * those that stand out among all as far out, and from which the way up does not lead back. Each
 * round strews other points. */
enum {
  SL__MOST_STREWN_DIM = 12, /* where so many points still come about; in more none are strewn */
  SL__MOST_RISING = 48,
  SL__MOST_ASTRAY = 24,
  SL__MOST_STREWN = SL__MOST_RISING + SL__MOST_ASTRAY
};
typedef struct sl__strewn_places {
  double *first; /* [SL__MOST_STREWN][dim], the caller's: [rising + astray] of it */
  int32_t rising, astray;
} sl__strewn_places;
/* SL_STOPPED: the watch said no. */
sl_status sl__been_strew(sl_context *context, sl__density *density, uint64_t seed, int round,
                         const sl__search_watch *watch, const sl__been *been,
                         sl__strewn_places *out);
#endif

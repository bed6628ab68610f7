/* What a target's public handle is made of. */
#ifndef SL_API_TARGET_H
#define SL_API_TARGET_H
#include "target/target.h"

struct sl_target {
  sl__allocator allocator; /* so that freeing needs no context */
  sl__target *target;
};
#endif

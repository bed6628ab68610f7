/* The operation list as a table. */
#include "graph/operations.h"

#define LEAF SL__KIND_LEAF
#define VIEW SL__KIND_VIEW
#define STEP SL__KIND_STEP
const sl__operation_row sl__operations[SL__OP_COUNT] = {
#define OPERATION(NAME, name, kind, gradient, units, run) {name, kind, gradient, units, run},
#include "graph/operations.def"
};

/* The inside of a program: values with places, steps with levels, and the memory of a run.
 * src/graph only.
 *
 * A program has three stages: 0 shared (from parameters alone), 1 batched (once per block of rows;
 * sums over rows are added to accumulators), 2 shared (from the accumulators). What depends on
 * constants alone is computed when the program is made. Inside a stage, a step's level is one more
 * than its deepest operand's: steps of a level are independent, and memory is reused only between
 * levels, so that a level's steps may run on different threads. */
#ifndef SL_GRAPH_PROGRAM_H
#define SL_GRAPH_PROGRAM_H
#include <stdatomic.h>
#include "graph/node.h"

typedef enum sl__area {
  SL__AREA_CONSTANT,   /* offset in bytes of the program's constants */
  SL__AREA_PARAMETER,  /* offset in bytes of the run's parameter vector */
  SL__AREA_SHARED,     /* offset in bytes of the workspace's shared memory */
  SL__AREA_BLOCK,      /* offset in units of 4 bytes x lead of the worker's block memory */
  SL__AREA_ACCUMULATOR /* offset: which accumulator */
} sl__area;

typedef struct sl__value {
  uint8_t area, type;
  bool batched;
  sl_shape shape;
  uint32_t root;                             /* the value whose numbers it shows, or itself */
  int64_t count;                             /* numbers (per row) */
  int64_t offset;                            /* of its root, see sl__area */
  int64_t view_offset, stride[SL__MAX_DIMS]; /* in numbers (runs, when batched) from there */
} sl__value;

/* A fused step is a short list of operations that are run strip by strip, a strip being as many
 * features as make about SL__STRIP numbers: all that passes between them stays in the first-level
 * cache. Beside elementwise operations it can hold the reading of operands that do not lie as a
 * strip does, and sums over all features. */
enum { SL__MAX_STRIPS = 96, SL__STRIP = 512 /* numbers */ };

typedef enum sl__strip_kind {
  SL__STRIP_ELEMENTWISE,
  SL__STRIP_REPEAT, /* a run for every feature alike; done once, before the first strip */
  SL__STRIP_SPREAD, /* a shared number for each feature */
  SL__STRIP_GATHER, /* runs by index */
  SL__STRIP_SUM,    /* adds to a run; */
  SL__STRIP_SCATTER /* or to runs by index */
} sl__strip_kind;

#define SL__NO_VALUE UINT32_MAX

typedef struct sl__strip_op {
  uint8_t kind, elementwise, operands;
  bool from_strip[3]; /* operand k is a strip, else a value */
  int32_t strip;      /* where the result goes; of a sum: its number; -1: to `value` */
  uint32_t value;     /* what is written to memory, or SL__NO_VALUE */
  uint32_t operand[3];
  double attribute;
  const int32_t *index; /* [features] of gather and scatter */
} sl__strip_op;

typedef struct sl__strips {
  sl__strip_op *op;
  int32_t count, first; /* of operations; the first that is done for every strip */
  int32_t strips, sums;
  int64_t features;
  uint8_t type;
  bool flat;     /* lanes do not matter: features x lead numbers as they lie */
  bool by_lanes; /* the work can be cut by lanes only, since all features are added up */
  bool whole;    /* ... and not even so: strips must be whole runs */
} sl__strips;

/* What a root or an ODE repeats. */
typedef struct sl__loop {
  uint32_t variable, value, slope; /* values */
  int32_t outsides;
  uint32_t *outside; /* [outsides] of an ODE: the values of a block that the steps read */
  int32_t steps;
  struct sl__step *step; /* [steps], in order of computation */
} sl__loop;

typedef struct sl__step {
  uint8_t operation, elementwise;
  uint16_t operands, label;
  uint32_t value, operand[3]; /* indices of values */
  double attribute;
  int32_t integer[4];
  const void *data; /* concatenate: uint32_t parts to copy; gather, scatter: index */
  int64_t data_count;
  const sl__strips *strips;               /* of a fused step, else NULL */
  const sl__loop *loop;                   /* of a root or an ODE, else NULL */
  const int32_t *k_begin, *k_end, *n_end; /* structure of a product */
  int32_t level;
  float cost; /* about nanoseconds at 128 rows */
} sl__step;

typedef struct sl__stage {
  int32_t steps, levels;
  sl__step *step;       /* [steps], sorted by level */
  int32_t *level_begin; /* [levels + 1] */
} sl__stage;

typedef struct sl__accumulator {
  int64_t offset, count; /* in a shard's memory: bytes, numbers */
  uint8_t type;
  int32_t output; /* which output it is, so that it can be added up in the caller's memory; or -1 */
} sl__accumulator;

typedef struct sl__input {
  uint32_t value;
  bool batched, used;
} sl__input;

enum { SL__MAX_SHARDS = 8 };

struct sl__program {
  sl__arena arena;
  const struct sl__kernels *kernels[2]; /* by sl_dtype */
  sl__value *values;
  uint32_t value_count;
  sl__stage stage[3];
  uint32_t *outputs; /* values */
  int32_t output_count, batched_outputs;
  sl__input *inputs;
  int32_t input_count;
  sl__accumulator *accumulators;
  int32_t accumulator_count;
  int64_t accumulator_bytes; /* of one shard */
  int64_t shared_bytes, block_units;
  char *constants;
  int32_t block_rows; /* the most rows of a block */
  bool can_be_narrow; /* a single row needs no lanes beside it: lead may be 1 */
  const char **labels;
};

/* One thread's part of the work of a level (team mode). */
typedef struct sl__assignment {
  int32_t step, part, parts;
} sl__assignment;
typedef struct sl__division {
  bool alone; /* all is too small to share: the first thread does it */
  sl__assignment *assignment;
  int32_t *begin; /* [(levels * workers) + 1] */
  bool *barrier;  /* [levels]: wait for the others before this level */
} sl__division;

/* What a list holds (run_list.c): calls of kernels with all that they are called with. */
typedef enum sl__call_kind {
  SL__CALL_STEP,     /* with: the step, which finds its operands itself */
  SL__CALL_FEW,      /* sl__few [count] */
  SL__CALL_PRODUCT,  /* sl__product, all its units */
  SL__CALL_MATRICES, /* sl__matrices */
  SL__CALL_SUM,      /* sl__sums, as the three below */
  SL__CALL_SUM_LOG,
  SL__CALL_SUM_ROWS,
  SL__CALL_DOT_ROWS,
  SL__CALL_GATHER, /* sl__index_call */
  SL__CALL_SCATTER
} sl__call_kind;
typedef struct sl__sums {
  int64_t outer, axis, inner; /* over rows: features, rows, lead */
  void *y;
  const void *x, *z;
} sl__sums;
typedef struct sl__index_call {
  int64_t features, lanes; /* of the index; numbers that each moves */
  void *y;
  const void *x;
  const int32_t *index;
  size_t bytes; /* of y */
} sl__index_call;
typedef struct sl__call {
  uint8_t kind, type;
  int32_t count; /* FEW: of calls; PRODUCT: of its units */
  const void *with;
} sl__call;

/* An elementwise step that must be cut into more pieces than this is no longer listed; nor is a
 * concatenation of more parts. */
enum { SL__LIST_OUTER = 16, SL__LIST_PARTS = 32 };

typedef struct sl__lists {
  const void *parameters; /* what the last run had ... */
  void **accumulators;    /* [accumulators of the program] */
  int64_t rows, lead;
  bool made, listed[3]; /* ... and whether the lists are for it; by stage */
  int32_t stage_begin[3], stage_end[3];
  sl__call *call; /* [call_room] */
  int32_t calls, call_room, begin;
  char *memory; /* [bytes] of what is called with */
  size_t bytes, used;
} sl__lists;

struct sl__workspace {
  sl__arena arena;
  const sl__program *program;
  int32_t threads;
  int64_t max_rows; /* of a run with accumulators */
  int32_t max_lead;
  char *shared;
  char *shard_memory;         /* [SL__MAX_SHARDS - 1 or fewer][accumulator_bytes] */
  char *own_accumulators;     /* shard 0 where no sink takes it */
  void **accumulator_pointer; /* [shards][accumulators] */
  int32_t shards;
  char **block;   /* [threads] */
  char **scratch; /* [threads] */
  sl__division division[3];
  sl__lists lists; /* of the first thread */
};

/* What a step sees while it runs. */
typedef struct sl__frame {
  const sl__program *program;
  const sl__run *run;
  const char *parameters;
  char *shared, *block;
  void **accumulators; /* of this shard */
  void *scratch;
  int64_t rows, lead, first_row; /* of this block; first_row counts from the run's row 0 */
  bool accumulate;               /* not the first block of the shard */
  _Atomic int *failure;          /* the status of a function from outside, or NULL: nobody asks */
} sl__frame;

static inline int64_t sl__type_size(int type) {
  return type == SL_F32 ? 4 : 8;
}

/* Start of a value's numbers. */
static inline void *sl__address(const sl__frame *f, const sl__value *v) {
  const int64_t size = sl__type_size(v->type);
  switch ((sl__area)v->area) {
    case SL__AREA_CONSTANT: return f->program->constants + v->offset + v->view_offset * size;
    case SL__AREA_PARAMETER:
      return (char *)(uintptr_t)f->parameters + v->offset + v->view_offset * size;
    case SL__AREA_SHARED: return f->shared + v->offset + v->view_offset * size;
    case SL__AREA_BLOCK: return f->block + (v->offset * 4 + v->view_offset * size) * f->lead;
    case SL__AREA_ACCUMULATOR: return (char *)f->accumulators[v->offset] + v->view_offset * size;
  }
  return NULL;
}
static inline const sl__value *sl__output_value(const sl__frame *f, const sl__step *s) {
  return &f->program->values[s->value];
}
static inline const sl__value *sl__operand_value(const sl__frame *f, const sl__step *s, int i) {
  return &f->program->values[s->operand[i]];
}
static inline const struct sl__kernels *sl__frame_kernels(const sl__frame *f, const sl__step *s) {
  return f->program->kernels[sl__output_value(f, s)->type];
}
/* Numbers from one element of a value to the next: lead when batched. */
static inline int64_t sl__lanes(const sl__frame *f, const sl__value *v) {
  return v->batched ? f->lead : 1;
}

/* Bytes that a thread needs to run it. */
size_t sl__step_scratch(const sl__frame *frame, const sl__step *step);
size_t sl__eigen_scratch(const sl__frame *frame, const sl__step *step);
size_t sl__root_scratch(const sl__frame *frame, const sl__step *step);
size_t sl__outside_scratch(const sl__frame *frame, const sl__step *step);
size_t sl__ode_scratch(const sl__frame *frame, const sl__step *step);
size_t sl__strips_scratch(const sl__frame *frame, const sl__step *step);
/* Lists of calls. Room for what a call is made with, at the end of the list; several FEW one after
 * another are one call. */
sl_status sl__lists_new(sl__workspace *workspace);
void *sl__list_call(sl__lists *lists, sl__call_kind kind, int type);
/* A step as calls; false: it stays a step. */
bool sl__list_elementwise(sl__lists *lists, const sl__frame *frame, const sl__step *step);
bool sl__list_strips(sl__lists *lists, const sl__frame *frame, const sl__step *step);
bool sl__list_product(sl__lists *lists, const sl__frame *frame, const sl__step *step);
bool sl__list_matmul(sl__lists *lists, const sl__frame *frame, const sl__step *step);
bool sl__list_rows(sl__lists *lists, const sl__frame *frame, const sl__step *step);
bool sl__list_concatenate(sl__lists *lists, const sl__frame *frame, const sl__step *step);
bool sl__list_gather(sl__lists *lists, const sl__frame *frame, const sl__step *step);
bool sl__list_sum(sl__lists *lists, const sl__frame *frame, const sl__step *step);
/* Whether there are lists for these frames (of shared stages, of the only block), made now or kept;
 * then those of stages that are `listed` can be run. */
bool sl__lists_ready(sl__workspace *workspace, const sl__frame *shared, const sl__frame *block);
void sl__run_list(const sl__lists *lists, int stage, const sl__frame *frame);
void sl__run_step(const sl__frame *frame, const sl__step *step, int64_t part, int64_t parts);
sl_status sl__division_make(sl_context *context, sl__arena *arena, const sl__program *program,
                            const sl__stage *stage, int workers, sl__division *out);
#endif

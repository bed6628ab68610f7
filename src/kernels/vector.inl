/* One register of LANES T's, as the compilers' vector extension gives it: arithmetic is lane by
 * lane, no intrinsics. */
typedef T NAME(vector) __attribute__((vector_size(LANES * sizeof(T))));
/* The same in memory at any address of a T. */
typedef T NAME(vector_in_memory)
    __attribute__((vector_size(LANES * sizeof(T)), aligned(sizeof(T)), may_alias));
#define vector NAME(vector)

INLINE vector NAME(load)(const T *from) { return *(const NAME(vector_in_memory) *)from; }

INLINE void NAME(store)(T *to, vector value) { *(NAME(vector_in_memory) *)to = value; }

INLINE vector NAME(all)(T value) {
  vector register_of = {0};
  UNROLL for (int i = 0; i < LANES; i++) register_of[i] = value;
  return register_of;
}

/* What a comparison of two registers gives: all bits of a lane are set, or none. */
typedef WORD NAME(mask) __attribute__((vector_size(LANES * sizeof(T))));

/* mask ? a : b, lane by lane. */
INLINE vector NAME(choose)(NAME(mask) mask, vector a, vector b) {
  return (vector)((mask & (NAME(mask))a) | (~mask & (NAME(mask))b));
}

/* Half of one. */
typedef T NAME(half_vector) __attribute__((vector_size(LANES / 2 * sizeof(T))));
typedef T NAME(half_vector_in_memory)
    __attribute__((vector_size(LANES / 2 * sizeof(T)), aligned(sizeof(T)), may_alias));
#define half_vector NAME(half_vector)

INLINE half_vector NAME(load_half)(const T *from) {
  return *(const NAME(half_vector_in_memory) *)from;
}

INLINE void NAME(store_half)(T *to, half_vector value) {
  *(NAME(half_vector_in_memory) *)to = value;
}

/* One register of LANES T's, as the compilers' vector extension gives it: arithmetic is lane by
 * lane, no intrinsics. */
typedef T NAME(vector) __attribute__((vector_size(LANES * sizeof(T))));
/* The same in memory at any address of a T. */
typedef T NAME(vector_in_memory)
    __attribute__((vector_size(LANES * sizeof(T)), aligned(sizeof(T)), may_alias));
#define vector NAME(vector)

INLINE vector NAME(load)(const T *from) { return *(const NAME(vector_in_memory) *)from; }

INLINE void NAME(store)(T *to, vector value) { *(NAME(vector_in_memory) *)to = value; }

/* Without 0 every number stays what it is, minus zero too; lanes set one by one stay single steps,
 * eight of them one after another. */
INLINE vector NAME(all)(T value) { return value - (vector){0}; }

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

data {
  int N; /* how many
}

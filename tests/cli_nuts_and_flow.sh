#!/bin/sh
# The example that holds NUTS beside flows, made short.
. "$(dirname "$0")/shell.sh"
left_out "t_robust and t_chain_nuts do the same work, shorter"

check "it runs" "$build/example_06_nuts_and_flow" 100 . >out
check "it says what NUTS thinks" test "$(grep -c 'NUTS.*: .* gradients' out)" = 4
run 1 summary pot1_nuts.npy --chains 4
finish

#!/bin/sh
# sluice nuts and mix --precondition auto: Ctrl-C while the flow is sought, in runs and in fits.
. "$(dirname "$0")/shell.sh"

cat >slow.stan <<'STAN'
data { int n; }
parameters { vector[100] x; }
model { for (i in 1:n) x ~ normal(0, 10); }
STAN
echo '{"n": 300}' >slow.json

# stopped TEXT ARGUMENTS...: Ctrl-C comes when TEXT has been said; the file of an older run stays.
stopped() {
  text=$1
  shift
  echo old >old.csv
  interrupted_at "$text" "$@" --precondition auto -o old.csv
  check "sluice $* at '$text': it says so" \
    grep -q '^sluice: interrupted while fitting the flow; nothing is saved$' err
  check "sluice $* at '$text': no results" test ! -s out
  check "sluice $* at '$text': the older file" test "$(cat old.csv)" = old
}
stopped 'fitting a flow' nuts slow.stan --data slow.json
stopped 'fitting a flow' mix slow.stan --data slow.json
stopped 'round 1:' nuts --target funnel
stopped 'round 1:' mix --target funnel
stopped 'round 2:' mix --target funnel --threads 1
finish

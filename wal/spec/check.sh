#!/usr/bin/env bash
# Checks the model, then that each of its mutations is found: seconds. The argument is the number of frames (1; 2 takes a
# minute and a gigabyte). Needs spin and a C compiler; writes to a temporary folder.
set -euo pipefail
model="$(cd "$(dirname "$0")" && pwd)/sealing.pml"
frames="${1:-1}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
cp "$model" sealing.pml

run() {
    spin -a "$@" sealing.pml > spin.out
    cc -w -O2 -DSAFETY -DCOLLAPSE -DMEMLIM=4000 -o pan pan.c
    ./pan -m100000 > pan.out || true
    if grep -q 'Search not completed' pan.out && ! grep -q 'assertion violated' pan.out; then
        echo unfinished
    elif grep -q 'errors: 0' pan.out; then
        echo holds
    else
        echo broken
    fi
}

[ "$(run -DN="$frames")" = holds ] || { cat pan.out; echo "the model breaks an invariant, or was not searched to the end"; exit 1; }
grep -E 'states, stored|errors:' pan.out
for mutation in ACK_ONE_LESS FORGET_FENCE SHORTEST FEWER_ANSWERS; do
    [ "$(run -DN=1 -D$mutation)" = broken ] || { echo "$mutation was not noticed"; exit 1; }
    echo "$mutation noticed"
done

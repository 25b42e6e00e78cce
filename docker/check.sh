#!/bin/bash
# Plays the Dockerfile's steps without a daemon: packs the package, installs the tarball in an empty folder with an empty HOME, and runs the
# command lines of compose.yaml from there on this machine's loopback: coordinator, worker with its health check, command line; then as
# process 1 of a namespace, ended by SIGTERM. Leaves nothing behind.
#   docker/check.sh [tarball]      packs one where none is given
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/daf-image-XXXXXX")
pids=()
cleanup() { for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; wait 2>/dev/null || true; rm -rf "$work"; }
trap cleanup EXIT
said() { echo "── $*"; }

tarball=${1:-}
if [ -z "$tarball" ]; then
  said 'npm pack'
  (cd "$top" && npm pack --silent --pack-destination "$work" >/dev/null)
  tarball=$(echo "$work"/daf-*.tgz)
fi
said 'npm install of the tarball, empty folder, empty HOME'
mkdir -p "$work/home" "$work/opt/daf" "$work/var/north" "$work/var/state"
run() { (background "$@"); }
# In a process of its own, so that its id is the command's: for &.
background() { exec env -i PATH="$work/opt/daf/node_modules/.bin:$PATH" HOME="$work/home" NODE_ENV=production MALLOC_ARENA_MAX=2 "$@"; }
(cd "$work/opt/daf" && run npm init -y >/dev/null && run npm install --omit=dev --no-audit --no-fund --silent "$(realpath "$tarball")")
cd "$work/var"

said 'secrets'
run DAF=daf sh "$top/docker/new-secrets.sh" "$work/secrets" >/dev/null
[ "$(stat -c %a "$work/secrets")" = 700 ] && [ "$(stat -c %a "$work/secrets/worker.key")" = 600 ]
common=(DAF_TOKEN_FILE="$work/secrets/token" DAF_SERVER_KEY="$work/secrets/coordinator.pub")

said 'coordinator'
background "${common[@]}" DAF_KEY="$work/secrets/coordinator.key" DAF_ALLOW="$work/secrets/allowed" \
  daf coordinator --listen tcp://127.0.0.1:17788 --state "$work/var/state" 2>"$work/coordinator.log" & pids+=($!)
healthy() { run "${common[@]}" DAF_KEY="$work/secrets/coordinator.key" daf jobs --connect tcp://127.0.0.1:17788 --timeout 2000 >/dev/null 2>&1; }
for _ in $(seq 30); do healthy && break; sleep 0.2; done
healthy

said 'worker'
background "${common[@]}" DAF_KEY="$work/secrets/worker.key" \
  daf worker --connect tcp://127.0.0.1:17788 --data "$work/var/north" --memory 400MB --threads 1 2>"$work/worker.log" & pids+=($!)
present() { run "${common[@]}" DAF_KEY="$work/secrets/worker.key" daf jobs --workers --connect tcp://127.0.0.1:17788 | grep -q "^$(hostname | tr -c 'A-Za-z0-9.\n-' -)-"; }
for _ in $(seq 30); do present && break; sleep 0.2; done
present

said 'command line'
printf 'to be or not to be\n' > "$work/words.txt"
run "${common[@]}" DAF_KEY="$work/secrets/client.key" \
  daf submit wordcount --connect tcp://127.0.0.1:17788 --input "$work/words.txt" --output "$work/counts" >/dev/null
run daf verify "$work/counts" >/dev/null
[ "$(cat "$work"/counts/part-r-* | sort | tr '\t\n' '= ')" = 'be=2 not=1 or=1 to=2 ' ]
run daf doctor >/dev/null

said 'SIGTERM ends them'
for pid in "${pids[@]}"; do kill -TERM "$pid"; done
for pid in "${pids[@]}"; do wait "$pid"; done
pids=()
if unshare --pid --fork --mount-proc true 2>/dev/null; then
  said 'SIGTERM ends process 1'
  background unshare --pid --fork --mount-proc --kill-child daf coordinator --listen tcp://127.0.0.1:17788 --state "$work/var/state" 2>"$work/first.log" & pids+=($!)
  for _ in $(seq 50); do grep -q 'listening on' "$work/first.log" && break; sleep 0.1; done
  first=$(pgrep -P "${pids[0]}")
  grep -q 'NSpid.*[[:space:]]1$' "/proc/$first/status"
  kill -TERM "$first"
  wait "${pids[0]}"
  pids=()
fi
echo "ok: the image's steps and command lines work from $(basename "$tarball")"

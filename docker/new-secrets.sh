#!/bin/sh
# new-secrets.sh [DIRECTORY]: makes keys, token and passwords of a new cluster, below docker/secrets by default. Nothing is overwritten. The
# command `daf` (DAF='npx daf' for another) makes the keys; nothing is printed or passed as an argument.
set -eu
dir=${1:-$(dirname "$0")/secrets}
daf=${DAF:-npx daf}
[ ! -e "$dir" ] || { echo "$dir is there already" >&2; exit 1; }
umask 077
mkdir -p "$dir"
for name in coordinator worker client; do $daf keys new "$name" --dir "$dir" >/dev/null; done
# The coordinator asks itself for its health.
cat "$dir/coordinator.pub" "$dir/worker.pub" "$dir/client.pub" > "$dir/allowed"
random() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
random > "$dir/token"
password=$(random)
printf 'redis://:%s@valkey:6379' "$password" > "$dir/state"
printf 'dir /data\nappendonly yes\nappendfsync always\nmaxmemory-policy noeviction\nrequirepass %s\n' "$password" > "$dir/valkey.conf"
id=$(random) secret=$(random)
printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$id" "$secret" > "$dir/aws"
printf '{"identities":[{"name":"daf","credentials":[{"accessKey":"%s","secretKey":"%s"}],"actions":["Admin","Read","Write","List"]}]}\n' \
  "$id" "$secret" > "$dir/s3.json"
# The images of the stores read theirs as users of their own; the directory itself lets only its owner in.
chmod 644 "$dir/valkey.conf" "$dir/s3.json"
echo "$dir: keys, token and passwords of a new cluster"

import { type Description, mebibytes } from '../description.js';

/** What the coordinator takes beside the worker of its node, bytes. */
const COORDINATOR_BYTES = 512 * 2 ** 20;

/**
 * A batch script for sbatch: a worker on each node, the coordinator beside the first. It ends with its allocation. Secrets are files that
 * only their owner may read, on a file system of all nodes; none stands in an argument.
 */
export function slurmScript({ name, workers, threads, memory, budget, port }: Description): string {
  return `#!/bin/bash
# Printed by \`daf launch print slurm\`. Submit with:  DAF_SECRETS=$HOME/daf-secrets DAF_STATE=$HOME/daf-state sbatch daf.sh
# DAF_SECRETS has coordinator.key, coordinator.pub, worker.key, allowed and token, as docker/new-secrets.sh writes them.
#SBATCH --job-name=${name}
#SBATCH --nodes=${workers}
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=${threads + 1}
#SBATCH --mem=${mebibytes(memory + COORDINATOR_BYTES)}M
#SBATCH --signal=B:TERM@30
set -euo pipefail
: "\${DAF_SECRETS:?the directory with the keys}" "\${DAF_STATE:?where the coordinator keeps its state}"
export DAF_TOKEN_FILE="$DAF_SECRETS/token" DAF_SERVER_KEY="$DAF_SECRETS/coordinator.pub"
host=$(hostname -f)

daf coordinator --listen "tcp://*:${port}" --key "$DAF_SECRETS/coordinator.key" --allow "$DAF_SECRETS/allowed" &
coordinator=$!
# Workers try until the coordinator is there, so that nothing has to wait for it.
env -u DAF_STATE srun --kill-on-bad-exit=0 daf worker --connect "tcp://$host:${port}" --key "$DAF_SECRETS/worker.key" \\
  --data "\${SLURM_TMPDIR:-\${TMPDIR:-/tmp}}/${name}-$SLURM_JOB_ID" --memory ${mebibytes(budget)}MB --threads ${threads} &
workers=$!
echo "daf: tcp://$host:${port}"

stop() { kill -TERM "$workers" "$coordinator" 2>/dev/null || true; }
trap stop TERM INT
wait "$coordinator" || true
stop
wait
`;
}

import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { simulate } from './run.js';

/** Every so many seeds a run is compared with the same job in a calm world, which costs as much again. */
const COMPARE_EVERY = 8;

export interface SeedTotals {
  seeds: number;
  done: number;
  cancelled: number;
  crashes: number;
  kills: number;
  messages: number;
  /** Outputs of earlier steps that tasks of later ones found where they ran, and elsewhere. */
  near: number;
  far: number;
  hangs: number;
  skips: number;
  pieces: number;
  /** What went wrong, the seed first. */
  failures: string[];
}

const COUNTS = ['seeds', 'done', 'cancelled', 'crashes', 'kills', 'messages', 'near', 'far', 'hangs', 'skips', 'pieces'] as const;

interface Share {
  readonly seeds: readonly number[];
  readonly compare: boolean;
}

/** Runs seeds on all cores, each seed within one thread. Stops at a thread's first failure. */
export async function runSeeds(seeds: readonly number[], options: { readonly compare?: boolean } = {}): Promise<SeedTotals> {
  const threads = Math.min(availableParallelism(), Math.ceil(seeds.length / 50));
  const shares = Array.from({ length: threads }, (_, i) => seeds.filter((_, at) => at % threads === i));
  const totals = await Promise.all(shares.map((share) => inThread({ seeds: share, compare: options.compare ?? false })));
  return totals.reduce(add, empty());
}

function inThread(share: Share): Promise<SeedTotals> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: share, execArgv: [] });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`a thread of the simulation ended with ${code}`)));
  });
}

async function runShare({ seeds, compare }: Share): Promise<SeedTotals> {
  const totals = empty();
  for (const seed of seeds) {
    const result = await simulate(seed);
    const { phase } = result.status ?? {};
    add(totals, {
      seeds: 1,
      done: phase === 'done' ? 1 : 0,
      cancelled: phase === 'cancelled' ? 1 : 0,
      crashes: result.crashes,
      kills: result.kills,
      messages: result.messages,
      ...result.happened,
      ...result.reads,
      failures: result.violation === null ? [] : [`seed ${seed}: ${result.violation.message}`],
    });
    if (phase === 'done' && result.deterministic && (compare || seed % COMPARE_EVERY === 0)) {
      const calm = await simulate(seed, { faults: false });
      if (calm.manifest !== result.manifest)
        totals.failures.push(
          `seed ${seed}: another manifest than in a calm world: ${result.manifest} instead of ${calm.manifest}`,
        );
    }
    if (totals.failures.length > 0) break;
  }
  return totals;
}

function empty(): SeedTotals {
  return {
    seeds: 0,
    done: 0,
    cancelled: 0,
    crashes: 0,
    kills: 0,
    messages: 0,
    near: 0,
    far: 0,
    hangs: 0,
    skips: 0,
    pieces: 0,
    failures: [],
  };
}

function add(to: SeedTotals, more: SeedTotals): SeedTotals {
  for (const name of COUNTS) to[name] += more[name];
  to.failures.push(...more.failures);
  return to;
}

if (!isMainThread && parentPort !== null && (workerData as Share | null)?.seeds !== undefined) {
  parentPort.postMessage(await runShare(workerData as Share));
}

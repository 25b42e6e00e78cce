import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { DafError, fromWire, type WireError } from '../../../core/contracts/errors.js';
import type { TaskInput } from '../../../core/contracts/task.js';

const PROBE = new URL('./probe.js', import.meta.url);
const POLL_MS = 50;
const START_MS = 60_000;
/** Nothing is sorted or kept in a probe: its JavaScript heap may be small. */
const NODE_FLAGS = ['--max-old-space-size=96', '--max-semi-space-size=4'];

/** What a probe is asked to map into nothing: records `from … to − 1` of the input. */
export interface ProbeRequest {
  readonly input: Omit<TaskInput, 'control'>;
  readonly from: number;
  readonly to: number;
  /** A file of 8 bytes: which record is being mapped, plus 1. */
  readonly notes: string;
}

export type ProbeAnswer = { readonly error: WireError | null };

/** The end of a probe: null error when all went well, else the record it was at. */
interface ProbeEnd {
  readonly at: number;
  readonly error: DafError | null;
}

/**
 * Finds the records that kill what maps them, whatever that takes down: each try is a process of its own. One that throws, ends its process
 * or hangs is tried once more alone, so that none is blamed for bad luck.
 * @param patienceMs a record that takes longer hangs; null: none does
 * @throws the error of the record that is one too many, or that the attempt was cancelled
 */
export async function findKillersApart(
  input: TaskInput,
  scratch: string,
  patienceMs: number | null,
  maxSkipped: number,
): Promise<ReadonlyMap<number, DafError>> {
  const found = new Map<number, DafError>();
  const notes = join(scratch, 'probe');
  for (let from = 0; ; ) {
    const { at, error } = await probe(input, notes, from, Number.MAX_SAFE_INTEGER, patienceMs);
    if (error === null) return found;
    if (at < from) throw error; // before any record: not one of them is to blame
    const again = await probe(input, notes, at, at + 1, patienceMs);
    if (again.error !== null) {
      if (found.size === maxSkipped) throw again.error;
      found.set(at, again.error);
    }
    from = at + 1;
  }
}

async function probe(input: TaskInput, notes: string, from: number, to: number, patienceMs: number | null): Promise<ProbeEnd> {
  const { control, ...rest } = input;
  const fd = openSync(notes, 'w+');
  const at = (): number => {
    const word = new Float64Array(1);
    return readSync(fd, word, 0, 8, 0) === 8 ? word[0]! - 1 : -1;
  };
  const child = fork(PROBE, { execArgv: NODE_FLAGS, serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  try {
    child.send({ input: rest, from, to, notes } satisfies ProbeRequest);
    const error = await ended(child, at, patienceMs, () => Atomics.load(control, 0) !== 0);
    return { at: at(), error };
  } finally {
    child.kill('SIGKILL');
    closeSync(fd);
  }
}

/** Waits for a probe's answer or its end, and ends one that is at the same record for too long. */
function ended(
  child: ChildProcess,
  at: () => number,
  patienceMs: number | null,
  isCancelled: () => boolean,
): Promise<DafError | null> {
  return new Promise((resolve, reject) => {
    let last = -1;
    let since = performance.now();
    const watch = setInterval(() => {
      if (isCancelled()) return settle(() => reject(new DafError('ERR_DAF_CANCELLED', 'the attempt was cancelled')));
      const now = at();
      if (now !== last) {
        last = now;
        since = performance.now();
      }
      const limit = last < 0 ? START_MS : patienceMs;
      if (limit === null || performance.now() - since < limit) return;
      const why = `it took longer than ${limit} ms`;
      settle(() => resolve(new DafError('ERR_DAF_TIMEOUT', why, { hint: 'raise --task-timeout if that is right' })));
    }, POLL_MS);
    const settle = (tell: () => void): void => {
      clearInterval(watch);
      tell();
    };
    child.once('message', (answer) => {
      const { error } = answer as ProbeAnswer;
      settle(() => resolve(error === null ? null : fromWire(error)));
    });
    child.once('error', (error) => settle(() => reject(DafError.from(error, 'ERR_DAF_IO'))));
    child.once('exit', (code, signal) =>
      settle(() => resolve(new DafError('ERR_DAF_USER_CODE', `it ended its process (${signal ?? code})`))),
    );
  });
}

import { toWire } from '../core/contracts/errors.js';
import type { CommittedOutput, Emit, FinalizeContext, MapRecord, TaskContext } from '../core/contracts/stage.js';
import type { RefusedInput } from '../core/contracts/task.js';
import type { InputRecord } from './input.js';
import { combinePerson, finalizeAvatars, mapPhoto, reducePerson } from './stages.js';

/** What a run of the stages in this very process left. */
export interface LocalRun {
  readonly files: Map<string, Uint8Array>;
  readonly volatile: Set<string>;
  readonly refused: RefusedInput[];
  readonly counters: Map<string, number>;
}

/** The job's stages one after the other, as the engine would call them, without the engine. */
export async function runStages(photos: readonly InputRecord[], params: Record<string, string> = {}): Promise<LocalRun> {
  const run: LocalRun = { files: new Map(), volatile: new Set(), refused: [], counters: new Map() };
  const groups = new Map<string, Uint8Array[]>();
  const collect =
    (into: Map<string, Uint8Array[]>): Emit =>
    (key, value) => {
      const name = Buffer.from(key).toString('hex');
      const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value.slice();
      into.set(name, [...(into.get(name) ?? []), bytes]);
    };
  for (const [i, photo] of photos.entries()) {
    const record: MapRecord = {
      key: new Uint8Array(0),
      value: new TextEncoder().encode(JSON.stringify(photo)),
      source: 'memory',
      offset: i,
    };
    await mapPhoto(record, collect(groups), contextOf(run, 'map', params));
  }
  for (const name of [...groups.keys()].sort()) {
    const key = Buffer.from(name, 'hex');
    const combined = new Map<string, Uint8Array[]>();
    combinePerson(key, groups.get(name)!, collect(combined), contextOf(run, 'combine', params));
    await reducePerson(key, combined.get(name)!, () => {}, contextOf(run, 'reduce', params));
  }
  const outputs: CommittedOutput[] = [...run.files]
    .map(([name, bytes]) => ({ name, bytes: bytes.length, records: null }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const finalize: FinalizeContext = {
    ...contextOf(run, 'finalize', params),
    outputs,
    read: async (name) => run.files.get(name)!,
    refusals: run.refused,
    usage: [],
  };
  await finalizeAvatars(finalize);
  return run;
}

function contextOf(run: LocalRun, stage: TaskContext['stage'], params: Record<string, string>): TaskContext {
  return {
    job: 'local',
    jobName: 'avatars',
    step: 'main',
    stage,
    index: 0,
    attempt: `${stage}-0-g0-a0`,
    params,
    counters: { add: (name, amount = 1) => void run.counters.set(name, (run.counters.get(name) ?? 0) + amount) },
    files: {
      async put(name, bytes, options) {
        if (run.files.has(name)) throw new Error(`${name} is written twice`);
        run.files.set(name, typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes.slice());
        if (options?.volatile) run.volatile.add(name);
      },
      async putFile() {
        throw new Error('not used');
      },
    },
    scratchDir: '/nonexistent',
    memoryBytes: 320 << 20,
    control: new Int32Array(new SharedArrayBuffer(12)),
    async *given() {},
    checkCancelled() {},
    progress() {},
    refuse(input, error, options) {
      const { code, message, hint } = toWire(error);
      run.refused.push({ input, code, message, hint, refused: options?.refused ?? true });
    },
    log() {},
  };
}

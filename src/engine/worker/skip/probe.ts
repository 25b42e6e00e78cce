import { openSync, writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { toWire } from '../../../core/contracts/errors.js';
import type { MapInput, RecordBlock } from '../../../core/contracts/stage.js';
import type { TaskInput } from '../../../core/contracts/task.js';
import { openBlobStore } from '../../stores/open-blob.js';
import { ControlWords } from '../control-words.js';
import { GivenRecords } from '../input/given.js';
import { openRecords } from '../input/open-records.js';
import { NO_FILES, nowhere } from '../output/nowhere.js';
import { RunnerCache } from '../runner-cache.js';
import { AttemptContext } from '../task-context.js';
import type { ProbeAnswer, ProbeRequest } from './apart.js';
import { blockRange } from './block-range.js';

// A process that maps records into nothing, one by one, and may die of them (see apart.ts).

(globalThis as Record<symbol, unknown>)[Symbol.for('daf.in-worker')] = true;

// Code that never returns keeps this thread from noticing that its worker is gone; another one looks.
new Worker(`setInterval(() => { if (process.ppid !== ${process.ppid}) process.kill(process.pid, 'SIGKILL'); }, 500);`, {
  eval: true,
  execArgv: [],
}).unref();

process.once('message', (request) => {
  run(request as ProbeRequest).then(
    () => answer({ error: null }),
    (error: unknown) => answer({ error: toWire(error) }),
  );
});

async function run({ input: given, from, to, notes }: ProbeRequest): Promise<void> {
  const input: TaskInput = { ...given, control: new ControlWords().next() };
  const store = openBlobStore(input.spec.output);
  const context = new AttemptContext(input, NO_FILES, new GivenRecords(input, store));
  const runner = await new RunnerCache(1).get(input);
  const records = await openRecords(input, store, context);
  const ordered = input.spec.steps[input.assignment.task.step]!.cuts !== null;
  await runner.map(noted(records, from, to, openSync(notes, 'r+')), nowhere(ordered), context);
}

/** The records `from … to − 1` as blocks of one, each noted in a file before it is handed out: what is written survives this process. */
function noted(input: MapInput, from: number, to: number, notes: number): MapInput {
  async function* blocks(): AsyncGenerator<RecordBlock> {
    let before = 0;
    for await (const block of input.blocks()) {
      if (before >= to) return;
      for (let i = Math.max(0, from - before); i < Math.min(block.count, to - before); i++) {
        writeSync(notes, Float64Array.of(before + i + 1), 0, 8, 0);
        yield blockRange(block, i, i + 1);
      }
      before += block.count;
    }
  }
  return { blocks };
}

function answer(message: ProbeAnswer): void {
  process.send?.(message, () => process.exit(0));
}

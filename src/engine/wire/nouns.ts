import { MOST_COUNT } from '../../core/contracts/context.js';
import { INTERMEDIATES, MAX_REPLICAS } from '../../core/contracts/job.js';
import { MAX_STEPS } from '../../core/contracts/step.js';
import {
  type Check,
  dictionary,
  finite,
  flag,
  list,
  literal,
  nullable,
  oneOf,
  pair,
  record,
  text,
  variant,
  whole,
} from './check.js';

// Shapes of the nouns (core/contracts/job.ts, task.ts, errors.ts) as they cross the wire, with their bounds.

export const MAX_NAME = 4096;
export const jobId = text(64, /^[a-z0-9-]{1,64}$/);
export const attemptName = text(128, /^[A-Za-z0-9._-]{1,128}$/);
export const workerName = text(128, /^[A-Za-z0-9._:@-]{1,128}$/);
export const bytes = whole();

export const step = whole(0, MAX_STEPS - 1);
export const stage = oneOf('map', 'reduce', 'finalize');
export const MAX_INDEX = 2 ** 31;
export const index = whole(0, MAX_INDEX);
export const taskId = record({ step, stage, index });
export const range = { step, stage, from: index, count: index };
export const generations = list(pair(whole(), whole(1)), 1 << 20);
export const epoch = record({ term: whole(), counter: whole() });

/** Five causes deep at most, as toWire writes them. */
function errorAtDepth(depth: number): Check {
  return record({
    code: text(64, /^ERR_DAF_[A-Z_]{1,48}$/),
    message: text(MAX_NAME),
    hint: nullable(text(MAX_NAME)),
    retryable: flag,
    stack: nullable(text(MAX_NAME)),
    cause: depth === 0 ? literalNull : nullable(errorAtDepth(depth - 1)),
  });
}
const literalNull: Check = nullable(literal('\u0000never'));
export const wireError = errorAtDepth(5);

export const assignment = record({
  job: jobId,
  task: taskId,
  generation: whole(),
  attempt: attemptName,
  epoch,
  try: whole(1),
  backup: flag,
});

const heldCopy = record({
  worker: workerName,
  host: text(256),
  path: text(MAX_NAME),
  endpoint: nullable(text(256)),
});

export const heldOutput = record({
  index,
  generation: whole(),
  attempt: attemptName,
  copies: list(heldCopy, MAX_REPLICAS),
  key: nullable(text(1024)),
  bytes,
  crc32c: nullable(whole(0, 2 ** 32 - 1)),
  digest: whole(0, 2 ** 32 - 1),
});

const outputFile = record({
  name: text(1024),
  key: text(1024),
  bytes,
  records: nullable(whole()),
  crc32c: whole(0, 2 ** 32 - 1),
  volatile: flag,
});

const refusedInput = record({
  input: text(MAX_NAME),
  code: text(64),
  message: text(MAX_NAME),
  hint: nullable(text(MAX_NAME)),
  refused: flag,
});

const usage = record({
  worker: workerName,
  milliseconds: finite(0),
  reservedBytes: bytes,
  nativePeakBytes: bytes,
  processPeakBytes: bytes,
});

export const coverage = record({ bytes, seams: whole(0, 2 ** 32 - 1) });

const doneOutcome = record({
  kind: literal('done'),
  held: nullable(heldOutput),
  outputs: list(outputFile, 1 << 16),
  counters: dictionary(finite(-MOST_COUNT, MOST_COUNT), 4096, 256),
  recordsIn: whole(),
  skipped: whole(),
  intake: nullable(record({ records: whole(), coverage })),
  recordsOut: whole(),
  refused: list(refusedInput, 1 << 16),
  reads: list(record({ ...range, generations }), MAX_STEPS + 1),
});

export const lostOutputs = list(record({ task: taskId, generation: whole() }), 1 << 16);

const failedOutcome = record({
  kind: literal('failed'),
  error: wireError,
  lost: lostOutputs,
});

export const report = record({
  job: jobId,
  task: taskId,
  generation: whole(),
  attempt: attemptName,
  epoch,
  outcome: variant('kind', { done: doneOutcome, failed: failedOutcome }),
  usage,
});

export const commit = record({ task: taskId, generation: whole(), attempt: attemptName, epoch, outcome: doneOutcome, usage });

const sha256 = text(64, /^[0-9a-f]{64}$/);
const stepIndices = list(step, MAX_STEPS);
const stepSpec = record({
  name: text(64, /^[A-Za-z0-9._-]{1,64}$/),
  from: stepIndices,
  given: stepIndices,
  cuts: nullable(step),
  input: variant('kind', {
    lines: record({}),
    json: record({}),
    files: record({}),
    fixed: record({ bytes: whole(1, 2 ** 31) }),
    packed: record({}),
  }),
  splits: whole(0, 10_000_000),
  firstSplit: whole(0, 20_000_000),
  reducers: whole(0, 1_000_000),
  hasCombine: flag,
  groupPrefix: whole(0, 1 << 20),
  memory: record({ sortBuffer: bytes, task: bytes }),
});

export const jobSpec = record({
  id: jobId,
  name: text(64, /^[A-Za-z0-9._-]{1,64}$/),
  code: variant('kind', {
    module: record({ kind: literal('module'), sha256 }),
    plugin: record({ kind: literal('plugin'), sha256, trusted: flag }),
  }),
  output: text(MAX_NAME, /^(file|s3|memory):/),
  steps: list(stepSpec, MAX_STEPS),
  hasFinalize: flag,
  deterministic: flag,
  input: coverage,
  format: variant('kind', {
    text: record({ separator: text(1024) }),
    json: record({}),
    packed: record({}),
    raw: record({}),
    joined: record({}),
  }),
  params: dictionary(text(32768), 1024, 256),
  maxAttempts: whole(1, 1000),
  replicas: whole(1, MAX_REPLICAS),
  intermediate: oneOf(...INTERMEDIATES),
  backups: flag,
  taskTimeoutMs: nullable(whole(1)),
  maxSkipped: whole(),
  priority: finite(),
  isa: text(64),
});

const stageProgress = record({ total: whole(), running: whole(), committed: whole(), progress: finite(0) });
export const jobStatus = record({
  id: jobId,
  name: text(64),
  phase: oneOf('running', 'publishing', 'done', 'failed', 'cancelled'),
  output: text(MAX_NAME),
  map: stageProgress,
  reduce: stageProgress,
  finalize: stageProgress,
  counters: dictionary(finite(), 4096, 256),
  refused: whole(),
  failedAttempts: whole(),
  workers: whole(),
  elapsedMs: finite(0),
  error: nullable(wireError),
  waiting: nullable(wireError),
});

export const jobEvent = variant('kind', {
  progress: record({ status: jobStatus }),
  'attempt-failed': record({
    job: jobId,
    task: text(64),
    attempt: attemptName,
    worker: workerName,
    error: wireError,
    lost: lostOutputs,
  }),
  'worker-lost': record({ job: jobId, worker: workerName }),
  ended: record({ status: jobStatus }),
});

export const workerStatus = record({
  worker: workerName,
  host: text(256),
  pid: whole(),
  threads: whole(),
  running: list(text(256), 4096),
  peakBytes: bytes,
  aside: flag,
  silentMs: finite(0),
});
export const member = record({ worker: workerName, host: text(256), endpoint: nullable(text(256)) });

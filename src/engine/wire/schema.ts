import { INTERMEDIATES, MAX_REPLICAS } from '../../core/contracts/job.js';
import { MAX_BATCH } from '../../core/contracts/messages.js';
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

const MAX_NAME = 4096;
export const jobId = text(64, /^[a-z0-9-]{1,64}$/);
const attemptName = text(128, /^[A-Za-z0-9._-]{1,128}$/);
const workerName = text(128, /^[A-Za-z0-9._:@-]{1,128}$/);
const bytes = whole();

const step = whole(0, MAX_STEPS - 1);
const stage = oneOf('map', 'reduce', 'finalize');
const index = whole(0, 2 ** 31);
const taskId = record({ step, stage, index });
const range = { step, stage, from: index, count: index };
const generations = list(pair(whole(), whole(1)), 1 << 20);
const epoch = record({ term: whole(), counter: whole() });

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

const coverage = record({ bytes, seams: whole(0, 2 ** 32 - 1) });

const doneOutcome = record({
  kind: literal('done'),
  held: nullable(heldOutput),
  outputs: list(outputFile, 1 << 16),
  counters: dictionary(finite(), 4096, 256),
  recordsIn: whole(),
  skipped: whole(),
  intake: nullable(record({ records: whole(), coverage })),
  recordsOut: whole(),
  refused: list(refusedInput, 1 << 16),
  reads: list(record({ ...range, generations }), MAX_STEPS + 1),
});

const lostOutputs = list(record({ task: taskId, generation: whole() }), 1 << 16);

const failedOutcome = record({
  kind: literal('failed'),
  error: wireError,
  lost: lostOutputs,
});

const report = record({
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
});

const jobEvent = variant('kind', {
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

const worker = workerName;
export const member = record({ worker: workerName, host: text(256), endpoint: nullable(text(256)) });

const request = whole();
const token = nullable(text(256));
const attemptRef = record({ job: jobId, attempt: attemptName });
const clientRequest = { request, token };

interface MessageShape {
  readonly from: 'worker' | 'client' | 'coordinator' | 'reader' | 'holder';
  readonly header: Check;
  /** Absent: the message has no body; `any`: whoever asked knows the shape; `raw`: bytes as they are. */
  readonly body?: Check | 'any' | 'raw';
}

/** Every message of core/contracts/messages.ts. */
export const MESSAGES: Readonly<Record<string, MessageShape>> = {
  'worker-hello': {
    from: 'worker',
    header: record({
      protocol: whole(),
      worker,
      host: text(256),
      pid: whole(),
      threads: whole(1, 4096),
      budgetBytes: bytes,
      endpoint: nullable(text(256)),
      running: list(assignment, MAX_BATCH),
      token,
    }),
  },
  heartbeat: {
    from: 'worker',
    header: record({
      worker,
      seq: whole(),
      running: list(record({ job: jobId, attempt: attemptName, progress: finite(0, 1) }), MAX_BATCH),
      peakBytes: bytes,
    }),
  },
  credit: { from: 'worker', header: record({ worker, seq: whole(), capacity: whole(0, 4096) }) },
  reports: { from: 'worker', header: record({ worker }), body: list(report, MAX_BATCH) },
  'worker-bye': { from: 'worker', header: record({ worker }) },
  outputs: { from: 'worker', header: record({ worker, request, job: jobId, ...range }) },
  commits: { from: 'worker', header: record({ worker, request, job: jobId, from: whole() }) },
  members: { from: 'worker', header: record({ worker, request }) },
  'copy-held': {
    from: 'worker',
    header: record({ worker, job: jobId, attempt: attemptName, path: nullable(text(MAX_NAME)) }),
  },
  'copy-lost': { from: 'worker', header: record({ worker, job: jobId, attempt: attemptName, holder: workerName }) },
  spec: { from: 'worker', header: record({ worker, request, job: jobId }) },

  welcome: {
    from: 'coordinator',
    header: record({ protocol: whole(), term: whole(), heartbeatMs: finite(1), leaseMs: finite(1) }),
  },
  assign: { from: 'coordinator', header: record({ term: whole() }), body: list(assignment, MAX_BATCH) },
  verdicts: {
    from: 'coordinator',
    header: record({
      verdicts: list(
        record({ job: jobId, attempt: attemptName, verdict: oneOf('committed', 'discarded', 'failure-noted') }),
        MAX_BATCH,
      ),
    }),
  },
  revoke: { from: 'coordinator', header: record({ attempts: list(attemptRef, MAX_BATCH) }) },
  'drop-job': { from: 'coordinator', header: record({ job: jobId }) },
  'drop-outputs': { from: 'coordinator', header: record({ job: jobId, ...range, generations }) },
  'hold-copy': {
    from: 'coordinator',
    header: record({ job: jobId, attempt: attemptName, kind: oneOf('seg', 'rec'), from: list(text(256), MAX_REPLICAS) }),
  },
  'unknown-worker': { from: 'coordinator', header: record({ term: whole() }) },
  shutdown: { from: 'coordinator', header: record({}) },
  page: { from: 'coordinator', header: record({ request, next: nullable(whole()) }), body: 'any' },
  reply: { from: 'coordinator', header: record({ request }), body: 'any' },
  refused: { from: 'coordinator', header: record({ request, error: wireError }) },
  event: { from: 'coordinator', header: record({}), body: jobEvent },

  fetch: {
    from: 'reader',
    header: record({
      request,
      token,
      job: jobId,
      attempt: attemptName,
      kind: oneOf('seg', 'rec'),
      partition: nullable(index),
      at: bytes,
      credit: whole(1, 1 << 26),
    }),
  },
  copy: {
    from: 'reader',
    header: record({ request, token, job: jobId, attempt: attemptName, kind: oneOf('seg', 'rec'), from: text(256) }),
  },
  copied: { from: 'holder', header: record({ request, path: text(MAX_NAME) }) },
  chunk: {
    from: 'holder',
    header: record({ request, at: bytes, total: bytes, crc32c: nullable(whole(0, 2 ** 32 - 1)) }),
    body: 'raw',
  },

  'client-hello': { from: 'client', header: record({ ...clientRequest, protocol: whole() }) },
  submit: { from: 'client', header: record(clientRequest), body: jobSpec },
  status: { from: 'client', header: record({ ...clientRequest, job: jobId }) },
  jobs: { from: 'client', header: record(clientRequest) },
  cancel: { from: 'client', header: record({ ...clientRequest, job: jobId }) },
  watch: {
    from: 'client',
    header: record({ ...clientRequest, job: jobId, host: text(255), pid: whole(), peakBytes: whole() }),
  },
  workers: { from: 'client', header: record(clientRequest) },
};

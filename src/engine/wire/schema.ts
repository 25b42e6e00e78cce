import { MAX_REPLICAS } from '../../core/contracts/job.js';
import { MAX_BATCH, type Verdicts } from '../../core/contracts/messages.js';
import { packAssignments, packReportList, packVerdicts, unpackAssignments, unpackReports, unpackVerdicts } from './batches.js';
import { type Check, finite, list, nullable, oneOf, record, text, whole } from './check.js';
import {
  assignment,
  attemptName,
  bytes,
  generations,
  index,
  jobEvent,
  jobId,
  jobSpec,
  MAX_NAME,
  range,
  wireError,
  workerName,
} from './nouns.js';

const worker = workerName;

const request = whole();
const token = nullable(text(256));
const attemptRef = record({ job: jobId, attempt: attemptName });
const clientRequest = { request, token };

interface MessageShape {
  readonly from: 'worker' | 'client' | 'coordinator' | 'reader' | 'holder';
  readonly header: Check;
  /** The header as it is sent, where that is not as it is used. What comes is unpacked, and what the form makes checked by it, before all else. */
  readonly headerForm?: Form;
  /** Absent: the message has no body; `any`: whoever asked knows the shape; `raw`: bytes as they are; `formed`: its form checks it. */
  readonly body?: Check | 'any' | 'raw' | 'formed';
  /** The body likewise. */
  readonly form?: Form;
}

interface Form {
  pack(body: never): unknown;
  /** @throws DafError ERR_DAF_PROTOCOL */
  unpack(packed: unknown): unknown;
}

const verdicts: Form = {
  pack: ({ type, verdicts: all }: Verdicts) => ({ type, verdicts: packVerdicts(all) }),
  unpack: (packed) => ({ ...(packed as object), verdicts: unpackVerdicts((packed as { readonly verdicts?: unknown }).verdicts) }),
} as Form;

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
  reports: { from: 'worker', header: record({ worker }), body: 'formed', form: { pack: packReportList, unpack: unpackReports } },
  'worker-bye': { from: 'worker', header: record({ worker }) },
  outputs: { from: 'worker', header: record({ worker, request, job: jobId, ...range }) },
  commits: { from: 'worker', header: record({ worker, request, job: jobId, from: whole() }) },
  members: { from: 'worker', header: record({ worker, request }) },
  'copy-held': {
    from: 'worker',
    header: record({ worker, job: jobId, attempt: attemptName, path: nullable(text(MAX_NAME)) }),
  },
  'copy-lost': { from: 'worker', header: record({ worker, job: jobId, attempt: attemptName, holder: workerName }) },
  stray: { from: 'worker', header: record({ worker, request, job: jobId, error: wireError }) },
  spec: { from: 'worker', header: record({ worker, request, job: jobId }) },

  welcome: {
    from: 'coordinator',
    header: record({ protocol: whole(), term: whole(), heartbeatMs: finite(1), leaseMs: finite(1) }),
  },
  assign: {
    from: 'coordinator',
    header: record({ term: whole() }),
    body: 'formed',
    form: { pack: packAssignments, unpack: unpackAssignments },
  },
  verdicts: {
    from: 'coordinator',
    headerForm: verdicts,
    header: record({}),
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

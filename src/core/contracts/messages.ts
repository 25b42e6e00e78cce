/**
 * The wire. The coordinator is a ROUTER; workers and clients are DEALERs. A message is one header frame (msgpack of one of the objects
 * below, ≤ 64 KB) and, where listed, one body frame (≤ 1 MB). Each entry says direction, when it is legal, and what makes a
 * second copy harmless (its idempotency key). Illegal or oversized messages are answered `refused` and change nothing.
 */
import type { WireError } from './errors.js';
import type { JobSpec, JobStatus } from './job.js';
import type { TaskRange } from './step.js';
import type { Assignment, LostOutput, Report, TaskRead } from './task.js';

export const PROTOCOL = 3;
export const MAX_HEADER_BYTES = 64 << 10;
export const MAX_BODY_BYTES = 1 << 20;
export const MAX_BATCH = 64;

// ── worker → coordinator ───────────────────────────────────────────────────────────────────────────────────────────

/** First message of a worker, and again whenever the coordinator's term changed or `unknown-worker` came. Key: worker. */
export interface WorkerHello {
  readonly type: 'worker-hello';
  readonly protocol: number;
  readonly worker: string;
  /** Machine identity: same host, same file system for intermediate data. */
  readonly host: string;
  readonly pid: number;
  readonly threads: number;
  readonly budgetBytes: number;
  /** Its data socket; null when it has none. */
  readonly endpoint: string | null;
  /** Attempts still running here, or reported and not answered, for re-adoption after a coordinator restart. */
  readonly running: readonly Assignment[];
  readonly token: string | null;
}

/**
 * Every `heartbeatMs` once welcomed, or every quarter of a lease while nothing runs; renews the leases of the attempts named, which are
 * those running and those reported but not yet answered. More than MAX_BATCH of them go in several messages. Key: (worker, seq).
 */
export interface Heartbeat {
  readonly type: 'heartbeat';
  readonly worker: string;
  readonly seq: number;
  /** attempt → progress 0…1; at most MAX_BATCH. */
  readonly running: readonly { readonly job: string; readonly attempt: string; readonly progress: number }[];
  /** Peak anonymous + shared memory since start, bytes. */
  readonly peakBytes: number;
}

/**
 * How many assignments the worker wants to hold at once: those that run, wait to run, or have not reported yet. Absolute, so that a lost
 * or doubled message, or one that crosses an assignment, does no harm: the coordinator subtracts what it has given. Sent once welcomed
 * and whenever it changes. Key: (worker, seq).
 */
export interface Credit {
  readonly type: 'credit';
  readonly worker: string;
  readonly seq: number;
  readonly capacity: number;
}

/** Body frame: msgpack of Report[] in groups and lists (engine/wire/batches.ts; ≤ MAX_BATCH; a report over the limit of a body fails its attempt).
 *  Sent again every half lease until each is answered. Key: attempt. */
export interface Reports {
  readonly type: 'reports';
  readonly worker: string;
}
export type ReportsBody = readonly Report[];

/** A leaving worker; its running attempts are given to others at once. Key: worker. */
export interface WorkerBye {
  readonly type: 'worker-bye';
  readonly worker: string;
}

/** Asks for what the tasks of a range hold, once all of them have committed. Legal while a task that reads them is assigned. Key: none needed (read only). */
export interface OutputsRequest extends TaskRange {
  readonly type: 'outputs';
  readonly worker: string;
  readonly request: number;
  readonly job: string;
}

/** Asks for the committed outputs, refusals and usage of a job from task `from` on (counted in task order), for finalize. Key: as above. */
export interface CommitsRequest {
  readonly type: 'commits';
  readonly worker: string;
  readonly request: number;
  readonly job: string;
  readonly from: number;
}

/** Asks who else is there. Body of the answer: Member[]. */
export interface MembersRequest {
  readonly type: 'members';
  readonly worker: string;
  readonly request: number;
}

export interface Member {
  readonly worker: string;
  readonly host: string;
  readonly endpoint: string | null;
}

/** The answer to `hold-copy`: where the copy lies here, or null when no holder gave it. Key: (worker, job, attempt). */
export interface CopyHeld {
  readonly type: 'copy-held';
  readonly worker: string;
  readonly job: string;
  readonly attempt: string;
  readonly path: string | null;
}

/** What an attempt left is gone or damaged with one of its holders, and was read elsewhere. Key: (job, attempt, holder). */
export interface CopyLost {
  readonly type: 'copy-lost';
  readonly worker: string;
  readonly job: string;
  readonly attempt: string;
  readonly holder: string;
}

/**
 * Code of a job did something outside its tasks that leaves its results in doubt: the job fails, unless it has ended. Answered with an empty
 * page once the job has ended; sent again until then. Key: (worker, request).
 */
export interface StrayReport {
  readonly type: 'stray';
  readonly worker: string;
  readonly request: number;
  readonly job: string;
  readonly error: WireError;
}

/** Asks for a job's spec. */
export interface SpecRequest {
  readonly type: 'spec';
  readonly worker: string;
  readonly request: number;
  readonly job: string;
}

// ── coordinator → worker ───────────────────────────────────────────────────────────────────────────────────────────

export interface Welcome {
  readonly type: 'welcome';
  readonly protocol: number;
  readonly term: number;
  readonly heartbeatMs: number;
  readonly leaseMs: number;
}

/** Body frame: msgpack of Assignment[] in groups and lists (engine/wire/batches.ts; ≤ MAX_BATCH). What is held never exceeds the last credit. Key: attempt. */
export interface Assign {
  readonly type: 'assign';
  readonly term: number;
}
export type AssignBody = readonly Assignment[];

/** Verdicts go in groups (engine/wire/batches.ts). Answer to reports, after the commits are on stable storage. `discarded` attempts' files are the worker's to remove. Key: attempt. */
export interface Verdicts {
  readonly type: 'verdicts';
  readonly verdicts: readonly {
    readonly job: string;
    readonly attempt: string;
    readonly verdict: 'committed' | 'discarded' | 'failure-noted';
  }[];
}

/** Stop these attempts; no report is expected. Key: attempt. */
export interface Revoke {
  readonly type: 'revoke';
  readonly attempts: readonly { readonly job: string; readonly attempt: string }[];
}

/** The job has ended: its code, spec and intermediate data may go. Key: job. */
export interface DropJob {
  readonly type: 'drop-job';
  readonly job: string;
}

/** All readers of these outputs have committed: they may go, in these generations and earlier ones. Key: (job, range). */
export interface DropOutputs extends TaskRead {
  readonly type: 'drop-outputs';
  readonly job: string;
}

/**
 * Hold this too: one of its holders is gone. Fetch it whole from the first of `from` that gives it, answer `copy-held`; sent again until
 * answered. Key: (job, attempt).
 */
export interface HoldCopy {
  readonly type: 'hold-copy';
  readonly job: string;
  readonly attempt: string;
  readonly kind: 'seg' | 'rec';
  readonly from: readonly string[];
}

/** Who are you? Say hello again. Sent for anything from a worker that this term has not welcomed. */
export interface UnknownWorker {
  readonly type: 'unknown-worker';
  readonly term: number;
}

/** End in an orderly way: finish nothing, leave data files. */
export interface Shutdown {
  readonly type: 'shutdown';
}

/** Body frame: msgpack of HeldOutput[] (reply to outputs; `next` counts within the stage), Commit[] (to commits), or JobSpec (to spec). `next` is null at the end. */
export interface Page {
  readonly type: 'page';
  readonly request: number;
  readonly next: number | null;
}

// ── worker → worker: the holder's data socket is a ROUTER, readers are DEALERs ─────────────────────────────────────

/**
 * Asks for bytes of what a worker holds, from `at` on; `credit` bytes at most are sent before the next request. Key: none needed (read
 * only); a reader that hears nothing asks again from where it is.
 */
export interface FetchRequest {
  readonly type: 'fetch';
  readonly request: number;
  readonly token: string | null;
  readonly job: string;
  readonly attempt: string;
  /** seg: a map's segment file; rec: the records of a step. */
  readonly kind: 'seg' | 'rec';
  /** Null: the whole file, as a copy needs it. */
  readonly partition: number | null;
  readonly at: number;
  readonly credit: number;
}

/** Asks a worker to fetch a whole file from another one and to hold it too. Answered `copied` or `refused`. Key: (job, attempt, kind). */
export interface CopyRequest {
  readonly type: 'copy';
  readonly request: number;
  readonly token: string | null;
  readonly job: string;
  readonly attempt: string;
  readonly kind: 'seg' | 'rec';
  readonly from: string;
}

/** The copy is complete and lies at `path`. */
export interface Copied {
  readonly type: 'copied';
  readonly request: number;
  readonly path: string;
}

/** Body frame: the raw bytes from `at` on (≤ 1 MB). `total`: of all that was asked for; `crc32c` of all of it, null where the reader knows it. */
export interface Chunk {
  readonly type: 'chunk';
  readonly request: number;
  readonly at: number;
  readonly total: number;
  readonly crc32c: number | null;
}

// ── client → coordinator ───────────────────────────────────────────────────────────────────────────────────────────

interface ClientRequest {
  /** Chosen by the client; the reply carries it back. */
  readonly request: number;
  readonly token: string | null;
}
export interface ClientHello extends ClientRequest {
  readonly type: 'client-hello';
  readonly protocol: number;
}
/** Body frame: msgpack of JobSpec. Key: spec.id. */
export interface SubmitJob extends ClientRequest {
  readonly type: 'submit';
}
export type SubmitBody = JobSpec;
export interface StatusRequest extends ClientRequest {
  readonly type: 'status';
  readonly job: string;
}
export interface ListRequest extends ClientRequest {
  readonly type: 'jobs';
}
export interface CancelRequest extends ClientRequest {
  readonly type: 'cancel';
  readonly job: string;
}
/** Subscribes to a job's events for as long as the client keeps asking (renewed every few seconds). */
export interface WatchRequest extends ClientRequest {
  readonly type: 'watch';
  readonly job: string;
  /** Of the client's process; for the job's report. */
  readonly host: string;
  readonly pid: number;
  /** Peak anonymous + shared memory since start, bytes. */
  readonly peakBytes: number;
}
export interface WorkersRequest extends ClientRequest {
  readonly type: 'workers';
}

// ── coordinator → client ───────────────────────────────────────────────────────────────────────────────────────────

/** Body frame: msgpack of the answer (ClientHelloAnswer, JobStatus, JobStatus[], WorkerStatus[]) . */
export interface Reply {
  readonly type: 'reply';
  readonly request: number;
}
export interface ClientHelloAnswer {
  readonly protocol: number;
  readonly term: number;
  readonly workers: number;
  readonly threads: number;
}
export interface WorkerStatus {
  readonly worker: string;
  readonly host: string;
  readonly pid: number;
  readonly threads: number;
  readonly running: readonly string[];
  readonly peakBytes: number;
  /** Gets no tasks for a while, because too many failed there in a row. */
  readonly aside: boolean;
  readonly silentMs: number;
}
/** Any request that could not be served. */
export interface Refused {
  readonly type: 'refused';
  readonly request: number;
  readonly error: WireError;
}
/** Body frame: msgpack of JobEvent. Best effort; a client that missed one sees it in the next status. */
export interface EventMessage {
  readonly type: 'event';
}
export type JobEvent =
  | { readonly kind: 'progress'; readonly status: JobStatus }
  | {
      readonly kind: 'attempt-failed';
      readonly job: string;
      readonly task: string;
      readonly attempt: string;
      readonly worker: string;
      readonly error: WireError;
      readonly lost: readonly LostOutput[];
    }
  | { readonly kind: 'worker-lost'; readonly job: string; readonly worker: string }
  | { readonly kind: 'ended'; readonly status: JobStatus };

export type FromWorker =
  | WorkerHello
  | Heartbeat
  | Credit
  | Reports
  | WorkerBye
  | OutputsRequest
  | CommitsRequest
  | MembersRequest
  | CopyHeld
  | CopyLost
  | StrayReport
  | SpecRequest;
export type ToWorker =
  | Welcome
  | Assign
  | Verdicts
  | Revoke
  | DropJob
  | DropOutputs
  | HoldCopy
  | UnknownWorker
  | Shutdown
  | Page
  | Refused;
export type FromClient = ClientHello | SubmitJob | StatusRequest | ListRequest | CancelRequest | WatchRequest | WorkersRequest;
export type ToClient = Reply | Refused | EventMessage;
export type ToHolder = FetchRequest | CopyRequest;
export type FromHolder = Chunk | Copied | Refused;
export type Message = FromWorker | ToWorker | FromClient | ToClient | ToHolder | FromHolder;

import type { WireError } from '../../core/contracts/errors.js';
import type { JobPhase, TaskId } from '../../core/contracts/job.js';
import type { AssignBody, JobEvent, ToWorker } from '../../core/contracts/messages.js';
import type { Commit } from '../../core/contracts/task.js';

/** What the core asks the shell to do. Effects of one event are carried out in order; stores answer by a further event. */
export type Effect =
  | { readonly kind: 'send'; readonly worker: string; readonly message: ToWorker; readonly body: AssignBody | undefined }
  /** Answered by commitDecided. */
  | { readonly kind: 'commit'; readonly job: string; readonly commit: Commit }
  /** Answered by failureCounted. */
  | {
      readonly kind: 'count-failure';
      readonly job: string;
      readonly task: TaskId;
      readonly generation: number;
      readonly attempt: string;
      readonly worker: string;
    }
  /** Answered by reopened. */
  | { readonly kind: 'reopen'; readonly job: string; readonly task: TaskId; readonly generation: number }
  /** Answered by phaseSet. */
  | {
      readonly kind: 'set-phase';
      readonly job: string;
      readonly from: JobPhase;
      readonly to: JobPhase;
      readonly error: WireError | null;
    }
  /** Answered by published or publishFailed. */
  | { readonly kind: 'publish'; readonly job: string }
  /** Remove `_daf/<job>/`; once more later when attempts may still be writing there. */
  | { readonly kind: 'clean'; readonly job: string; readonly again: boolean }
  /** To watching clients. */
  | { readonly kind: 'event'; readonly job: string; readonly event: JobEvent }
  | { readonly kind: 'ended'; readonly job: string }
  /** A job begins to wait for what others have to see to, or (null) goes on. */
  | { readonly kind: 'waiting'; readonly job: string; readonly error: WireError | null };

export interface CoreOptions {
  readonly term: number;
  /** A worker silent for this long, or an attempt not named for this long, has lost its lease. */
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  /**
   * After a restart, loaded jobs give out no new attempts for this long, so that running ones are re-adopted first, and complete ones are not
   * published, so that workers first tell what speaks against them.
   */
  readonly graceMs: number;
  /** Attempts younger than this are never thought to be slow. */
  readonly backupAfterMs: number;
}

/** What the core keeps of a worker. */
export interface WorkerInfo {
  readonly worker: string;
  readonly host: string;
  readonly pid: number;
  readonly threads: number;
  readonly budgetBytes: number;
  /** Where others fetch what it holds. */
  readonly endpoint: string | null;
}

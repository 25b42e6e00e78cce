import { DafError, toWire } from '../../core/contracts/errors.js';
import { MAX_BATCH, MAX_BODY_BYTES } from '../../core/contracts/messages.js';
import type { Assignment, Report } from '../../core/contracts/task.js';
import { type PackedReport, packReports, reportShape, SHORT_REPORT_BYTES } from '../wire/index.js';

/** Room for the frame of a batch. */
const MAX_REPORT = MAX_BODY_BYTES - 4096;

/** Packed once, however often it is sent. */
export type Waiting = PackedReport;

const NEVER_AGAIN = Number.POSITIVE_INFINITY;

interface Entry extends Waiting {
  readonly bytes: number;
  /** When it was sent last; −∞ before the first time. */
  sentAt: number;
}

/** Reports that have no verdict yet. Each is sent again until it gets one. Pure: time is given. */
export class ReportBox {
  /** By job, then by attempt: a key of both would be put together and hashed for every verdict. */
  readonly #waiting = new Map<string, Map<string, Entry>>();
  /** Those that were never sent, some of them answered meanwhile: others need not be looked at until the oldest is due again. */
  #fresh: Entry[] = [];
  /** Of those sent and not answered the earliest time, or earlier. */
  #oldest = Number.POSITIVE_INFINITY;

  add(report: Report): void {
    const packed = packReports.one(report);
    const wrong = packed === null ? null : problemOf(report, packed.length);
    const added = wrong === null ? entry(report, packed) : failed(report, wrong);
    const ofJob = this.#waiting.get(report.job);
    if (ofJob === undefined) this.#waiting.set(report.job, new Map([[report.attempt, added]]));
    else ofJob.set(report.attempt, added);
    this.#fresh.push(added);
  }

  /** The report that the verdict was about; undefined when it had been answered before. */
  answered({ job, attempt }: { readonly job: string; readonly attempt: string }): Report | undefined {
    const ofJob = this.#waiting.get(job);
    const found = ofJob?.get(attempt);
    if (ofJob === undefined || found === undefined) return undefined;
    ofJob.delete(attempt);
    if (ofJob.size === 0) this.#waiting.delete(job);
    found.sentAt = NEVER_AGAIN;
    return found.report;
  }

  /** Everything is sent anew: to another coordinator, or over another connection. */
  resendAll(): void {
    for (const each of this.#all()) each.sentAt = Number.NEGATIVE_INFINITY;
    this.#oldest = Number.NEGATIVE_INFINITY;
  }

  forgetJob(job: string): void {
    for (const { report } of [...(this.#waiting.get(job)?.values() ?? [])]) this.answered(report);
  }

  /** Batches that are due, within the bounds of a message; marks them as sent. */
  due(now: number, againMs: number): Waiting[][] {
    const batches: Waiting[][] = [];
    let bytes = 0;
    const all = now - this.#oldest >= againMs;
    if (all) this.#oldest = Number.POSITIVE_INFINITY;
    for (const each of all ? this.#all() : this.#fresh) {
      const isDue = now - each.sentAt >= againMs;
      if (isDue) each.sentAt = now;
      this.#oldest = Math.min(this.#oldest, each.sentAt);
      if (!isDue) continue;
      const last = batches[batches.length - 1];
      if (last === undefined || last.length === MAX_BATCH || bytes + each.bytes > MAX_REPORT) {
        batches.push([each]);
        bytes = each.bytes;
      } else {
        last.push(each);
        bytes += each.bytes;
      }
    }
    this.#fresh = [];
    return batches;
  }

  list(): Report[] {
    return [...this.#all()].map(({ report }) => report);
  }

  *#all(): Iterable<Entry> {
    for (const ofJob of this.#waiting.values()) yield* ofJob.values();
  }

  /** The attempts that were reported, for a coordinator that does not know them. */
  assignments(): Assignment[] {
    return this.list().map(({ job, task, generation, attempt, epoch }) => ({
      ...{ job, task, generation, attempt, epoch },
      ...{ try: 1, backup: false },
    }));
  }
}

function entry(report: Report, packed: Uint8Array | null): Entry {
  return { report, packed, bytes: packed?.length ?? SHORT_REPORT_BYTES, sentAt: Number.NEGATIVE_INFINITY };
}

/** Why the coordinator would not take a report: it would be sent again for ever. */
function problemOf(report: Report, bytes: number): DafError | null {
  if (bytes > MAX_REPORT) {
    return new DafError('ERR_DAF_TASK_FAILED', `the attempt's report takes ${bytes} bytes, the limit is ${MAX_REPORT}`, {
      hint: 'smaller splits list fewer files, counters and refusals a task',
    });
  }
  const wrong = reportShape(report);
  if (wrong === null) return null;
  return new DafError('ERR_DAF_USER_CODE', `the attempt has told what cannot be reported: report${wrong}`, {
    hint: 'counters are numbers below 2^53, up to 4096 of them with names of up to 256 characters; names of files have up to 1024',
  });
}

function failed(report: Report, error: DafError): Entry {
  const told: Report = { ...report, outcome: { kind: 'failed', error: toWire(error), lost: [] } };
  return entry(told, packReports.one(told));
}

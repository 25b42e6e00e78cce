import { type Heartbeat, MAX_BATCH, type Welcome } from '../../core/contracts/messages.js';
import { failpoint } from '../../core/failpoint.js';
import type { AttemptTable } from './attempts.js';
import type { CoordinatorLink } from './link.js';
import type { ReportBox } from './report-box.js';

/** Heartbeats after which the capacity is said again though it has not changed; at rest they come more seldom. */
const BEATS_A_CREDIT = 4;
const RESTING_BEATS_A_CREDIT = 2;

/** What a welcomed worker says by itself: heartbeats that keep its leases, how much it wants to hold, reports until they are answered. */
export class Pulse {
  readonly #worker: string;
  readonly #link: CoordinatorLink;
  readonly #attempts: AttemptTable;
  readonly #reports: ReportBox;
  /** Null while no coordinator has welcomed this worker. */
  #welcome: Welcome | null = null;
  #heart: NodeJS.Timeout | null = null;
  #seq = 0;
  #beats = 0;
  #lastCapacity = -1;
  #newsScheduled = false;
  #closed = false;
  /** What has nothing to do beats only as often as its own lease asks for: waking is most of what an idle cluster costs. */
  #resting = false;

  constructor(worker: string, link: CoordinatorLink, attempts: AttemptTable, reports: ReportBox) {
    this.#worker = worker;
    this.#link = link;
    this.#attempts = attempts;
    this.#reports = reports;
  }

  get welcomed(): boolean {
    return this.#welcome !== null;
  }

  /** A coordinator has welcomed this worker, for the first time or again. */
  begin(welcome: Welcome): void {
    const first = this.#welcome === null;
    this.#welcome = welcome;
    this.#resting = false;
    this.#wind(welcome.heartbeatMs);
    if (first) this.#reports.resendAll();
    this.#lastCapacity = -1;
    this.#sendCredit();
    this.news();
  }

  /** The coordinator is gone, or does not know this worker: what was sent may be lost. */
  pause(): void {
    this.#welcome = null;
    this.#reports.resendAll();
  }

  /** Reports of one turn of the loop travel together, and what it has made of the capacity is said once. */
  news(): void {
    if (this.#newsScheduled) return;
    this.#newsScheduled = true;
    setImmediate(() => {
      this.#newsScheduled = false;
      this.#sendReports();
      this.#sendCredit();
    });
  }

  /** Attempts have come: their leases need a beat sooner than a worker at rest has one. */
  work(): void {
    if (!this.#resting || this.#welcome === null) return;
    this.#resting = false;
    this.#wind(this.#welcome.heartbeatMs);
  }

  close(): void {
    this.#closed = true;
    if (this.#heart !== null) clearTimeout(this.#heart);
  }

  #wind(ms: number): void {
    if (this.#heart !== null) clearTimeout(this.#heart);
    if (!this.#closed) this.#heart = setTimeout(() => this.#beat(), ms);
  }

  /** Winds itself up again while this worker is welcome. */
  #beat(): void {
    this.#heart = null;
    if (this.#welcome === null) return;
    failpoint('worker.heartbeat');
    const running = [
      ...this.#attempts
        .running()
        .map(({ assignment, progress }) => ({ job: assignment.job, attempt: assignment.attempt, progress })),
      ...this.#reports.list().map(({ job, attempt }) => ({ job, attempt, progress: 1 })),
    ];
    const { heartbeatMs, leaseMs } = this.#welcome;
    this.#resting = running.length === 0;
    this.#wind(this.#resting ? Math.max(heartbeatMs, leaseMs / 4) : heartbeatMs);
    this.#sendHeartbeat(running);
    this.#beats += 1;
    // A lost credit would starve this worker.
    if (this.#beats % (this.#resting ? RESTING_BEATS_A_CREDIT : BEATS_A_CREDIT) === 0) this.#lastCapacity = -1;
    this.#sendCredit();
    this.#sendReports();
  }

  #sendHeartbeat(running: Heartbeat['running']): void {
    const { peak } = this.#attempts.sampler;
    for (let from = 0; from === 0 || from < running.length; from += MAX_BATCH) {
      const part = running.slice(from, from + MAX_BATCH);
      void this.#link.send({ type: 'heartbeat', worker: this.#worker, seq: ++this.#seq, running: part, peakBytes: peak });
    }
  }

  #sendCredit(): void {
    if (this.#welcome === null || this.#closed) return;
    const { capacity } = this.#attempts;
    if (capacity === this.#lastCapacity) return;
    this.#lastCapacity = capacity;
    void this.#link.send({ type: 'credit', worker: this.#worker, seq: ++this.#seq, capacity }).then((sent) => {
      if (!sent) this.#lastCapacity = -1;
    });
  }

  #sendReports(): void {
    if (this.#welcome === null || this.#closed) return;
    for (const batch of this.#reports.due(performance.now(), this.#welcome.leaseMs / 2)) {
      void this.#link.sendReports(batch).then((sent) => {
        if (sent) failpoint('worker.after-report');
      });
    }
  }
}

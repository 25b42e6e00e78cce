import { mkdir } from 'node:fs/promises';
import { DafError } from '../../core/contracts/errors.js';
import { attemptPrefix } from '../../core/contracts/job.js';
import { type HoldCopy, MAX_BATCH, PROTOCOL, type ToWorker, type Verdicts, type Welcome } from '../../core/contracts/messages.js';
import type { Assignment } from '../../core/contracts/task.js';
import { failpoint } from '../../core/failpoint.js';
import { openBlobStore } from '../stores/open-blob.js';
import { AllowList, type Received } from '../wire/index.js';
import { attemptKey } from './attempt.js';
import { removeAttemptData } from './attempt-data.js';
import { AttemptTable } from './attempts.js';
import { Fetcher } from './data/fetcher.js';
import { DataHolder } from './data/holder.js';
import { JobCache } from './job-files.js';
import { CoordinatorLink } from './link.js';
import type { WorkerOptions } from './options.js';
import { Pulse } from './pulse.js';
import { ReportBox } from './report-box.js';
import type { Stray } from './strays.js';

const HELLO_AGAIN_MS = 1000;

export interface ShellEvents {
  onWelcome(term: number, endpoint: string): void;
  /** The coordinator told this worker to end. */
  onShutdown(): void;
  log(level: 'info' | 'warn' | 'error', message: string): void;
}

/** The worker's main thread: says hello and takes what the coordinator answers; what it says by itself from then on is the {@link Pulse}'s. */
export class WorkerShell {
  readonly #options: WorkerOptions;
  readonly #events: ShellEvents;
  readonly #link: CoordinatorLink;
  readonly #jobs: JobCache;
  readonly #holder: DataHolder;
  readonly #fetcher: Fetcher;
  readonly #attempts: AttemptTable;
  readonly #reports = new ReportBox();
  readonly #pulse: Pulse;
  /** Null while welcomed: a timer that only looks is a part of what an idle worker costs. */
  #hello: NodeJS.Timeout | null = null;
  #sweptOld = false;
  #closed = false;

  private constructor(options: WorkerOptions, events: ShellEvents, holder: DataHolder, fetcher: Fetcher) {
    this.#options = options;
    this.#events = events;
    this.#holder = holder;
    this.#fetcher = fetcher;
    this.#link = new CoordinatorLink(options.endpoint, options.keys, options.name, {
      onConnected: () => this.#sayHello(),
      onDisconnected: () => this.#unwelcomed(),
      onRefused: () => this.#refused(),
      onMessage: (received) => this.#receive(received),
      onBroken: (error) => events.log('warn', error.message),
    });
    this.#jobs = new JobCache(options.dataDir, options.name, (job) => this.#link.spec(job));
    this.#attempts = new AttemptTable(
      options,
      {
        jobs: this.#jobs,
        outputs: (job, range) => this.#link.outputs(job, range),
        commits: (job) => this.#link.commits(job),
        fetcher: this.#fetcher,
        dataEndpoint: holder.endpoint,
        members: () => this.#link.members(),
        copyLost: (job, attempt, holder) =>
          void this.#link.send({ type: 'copy-lost', worker: options.name, job, attempt, holder }),
        log: (message) => events.log('warn', message),
      },
      {
        onEnded: (report) => {
          failpoint('worker.before-report');
          this.#reports.add(report);
          this.#pulse.news();
        },
        onCapacity: () => this.#pulse.news(),
        onStray: (stray) => void this.#strayed(stray),
      },
    );
    this.#pulse = new Pulse(options.name, this.#link, this.#attempts, this.#reports);
    this.#unwelcomed();
  }

  static async start(options: WorkerOptions, events: ShellEvents): Promise<WorkerShell> {
    await mkdir(options.dataDir, { recursive: true });
    const { dataDir, name: worker, token, keys, allow, dataEndpoint, endpoint: beside } = options;
    const fetcher = new Fetcher(token, keys);
    const security = keys && { keys, allowed: new AllowList(allow, [keys.publicKey]) };
    const log = (message: string): void => events.log('warn', message);
    const holder = await DataHolder.open({ dataDir, worker, token, beside, security, endpoint: dataEndpoint, fetcher, log });
    return new WorkerShell(options, events, holder, fetcher);
  }

  /** Leaves in an orderly way: running attempts are given to others, data files stay. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#hello !== null) clearInterval(this.#hello);
    this.#pulse.close();
    await this.#link.send({ type: 'worker-bye', worker: this.#options.name });
    await this.#attempts.close();
    await Promise.all([this.#link.close(), this.#holder.close(), this.#fetcher.close()]);
  }

  /** The job fails for it, unless it is over. */
  async #strayed({ job, error }: Stray): Promise<void> {
    this.#events.log('error', `${error.code}: ${error.message}`);
    if (job !== null) await this.#link.stray(job, error).catch((reason: unknown) => this.#warn(reason));
  }

  /** No coordinator knows this worker: says hello until one does. */
  #unwelcomed(): void {
    this.#pulse.pause();
    if (!this.#closed) this.#hello ??= setInterval(() => this.#sayHello(), HELLO_AGAIN_MS);
  }

  #saidRefused = false;

  /** Said once: the socket tries again several times a second. */
  #refused(): void {
    if (this.#saidRefused) return;
    this.#saidRefused = true;
    this.#events.log('error', 'the coordinator does not allow the key of this worker: is its .pub file on the list of --allow?');
  }

  #sayHello(): void {
    if (this.#closed) return;
    failpoint('worker.hello');
    const { name, host, threads, budgetBytes, token } = this.#options;
    // What has ended but has no verdict is still held: its lease must live until the report is answered.
    const held = [...this.#attempts.running().map(({ assignment }) => assignment), ...this.#reports.assignments()];
    void this.#link.send({
      type: 'worker-hello',
      protocol: PROTOCOL,
      worker: name,
      host,
      pid: process.pid,
      threads,
      budgetBytes,
      endpoint: this.#holder.endpoint,
      running: held.slice(0, MAX_BATCH),
      token,
    });
  }

  #receive({ message, body }: Received<ToWorker>): void {
    switch (message.type) {
      case 'welcome':
        this.#welcomed(message);
        break;
      case 'unknown-worker':
        this.#unwelcomed();
        this.#sayHello();
        break;
      case 'assign':
        failpoint('worker.assigned');
        this.#attempts.start(body as readonly Assignment[]);
        this.#pulse.work();
        break;
      case 'verdicts':
        this.#verdicts(message);
        break;
      case 'revoke':
        for (const attempt of message.attempts) this.#attempts.revoke(attemptKey(attempt));
        break;
      case 'drop-job':
        this.#reports.forgetJob(message.job);
        this.#attempts.dropJob(message.job).catch((error: unknown) => this.#warn(error));
        break;
      case 'drop-outputs':
        this.#jobs.dropOutputs(message.job, message).catch((error: unknown) => this.#warn(error));
        break;
      case 'hold-copy':
        this.#hold(message).catch((error: unknown) => this.#warn(error));
        break;
      case 'shutdown':
        this.#events.onShutdown();
        break;
      case 'refused':
        this.#events.log('error', `refused: ${message.error.code}: ${message.error.message}`);
        break;
      case 'page':
        break; // an answer that came twice
    }
  }

  #welcomed(welcome: Welcome): void {
    if (welcome.protocol !== PROTOCOL) {
      throw new DafError('ERR_DAF_PROTOCOL', `the coordinator speaks protocol ${welcome.protocol}, this worker ${PROTOCOL}`);
    }
    if (this.#hello !== null) clearInterval(this.#hello);
    this.#hello = null;
    this.#pulse.begin(welcome);
    this.#link.askAgain();
    this.#events.onWelcome(welcome.term, this.#link.endpoint);
    if (!this.#sweptOld) {
      this.#sweptOld = true;
      void this.#sweepOldJobs();
    }
  }

  #verdicts({ verdicts }: Verdicts): void {
    failpoint('worker.verdict');
    for (const verdict of verdicts) {
      const report = this.#reports.answered(verdict);
      if (report === undefined || verdict.verdict === 'committed') continue;
      this.#removeFiles(report.job, report).catch((error: unknown) => this.#warn(error));
    }
  }

  /** Takes a copy of what others hold. A job that this worker does not know yet is looked up, so that the copy goes with it. */
  async #hold({ job, attempt, kind, from }: HoldCopy): Promise<void> {
    let path: string | null = null;
    try {
      await this.#jobs.get(job);
      path = await this.#holder.hold({ job, attempt, kind }, from);
    } catch (error) {
      this.#events.log('warn', `no copy of ${attempt}: ${error instanceof Error ? error.message : error}`);
    }
    await this.#link.send({ type: 'copy-held', worker: this.#options.name, job, attempt, path });
  }

  /** What an attempt that does not count wrote: here and below its prefix in the output store. */
  async #removeFiles(job: string, { task, attempt }: Pick<Assignment, 'task' | 'attempt'>): Promise<void> {
    const { spec, dataDir } = await this.#jobs.get(job);
    await removeAttemptData(dataDir, attempt);
    await openBlobStore(spec.output).deletePrefix(attemptPrefix(job, task, attempt));
  }

  /** Data of earlier lives goes unless its job still runs: then reducers may be reading it. */
  async #sweepOldJobs(): Promise<void> {
    for (const job of await this.#jobs.list()) {
      try {
        await this.#link.spec(job);
      } catch (error) {
        if (DafError.is(error) && error.code === 'ERR_DAF_NO_SUCH_JOB')
          await this.#jobs.drop(job).catch((reason) => this.#warn(reason));
      }
    }
  }

  #warn(error: unknown): void {
    this.#events.log('warn', error instanceof Error ? error.message : String(error));
  }
}

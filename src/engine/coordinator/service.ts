import { hostname } from 'node:os';
import { DafError, toWire, type WireError } from '../../core/contracts/errors.js';
import { type JobSpec, jobPrefix } from '../../core/contracts/job.js';
import { type Message, PROTOCOL } from '../../core/contracts/messages.js';
import type { BlobStore, StateStore, StoredTask } from '../../core/contracts/stores.js';
import type { Commit } from '../../core/contracts/task.js';
import { failpoint } from '../../core/failpoint.js';
import { type BodyOf, decodeAtCoordinator, encode, type Peer, tokenMatches } from '../wire/index.js';
import { Clients } from './clients.js';
import { Core } from './core.js';
import type { CoreOptions, Effect } from './effects.js';
import { Pages } from './pages.js';
import { publishJob } from './publish.js';
import { type ProcessPeak, reportJson } from './report.js';
import { STAGES } from './stages.js';

/** The world around the service; a simulation puts its own in. */
export interface ServicePorts {
  readonly state: StateStore;
  openOutput(url: string): BlobStore;
  /** Never throws; what a peer does not get is its loss. */
  send(peer: Peer, frames: readonly Uint8Array[]): void;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  sleep(ms: number): Promise<void>;
  /** Own peak of anonymous + shared memory, bytes. */
  ownPeak(): number;
  log(level: 'info' | 'warn' | 'error', message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** This coordinator cannot go on: fenced, or its state cannot be written. */
  fatal(error: DafError): void;
}

export interface ServiceOptions extends Omit<CoreOptions, 'term'> {
  readonly token: string | null;
}

const RETRY_MS = 200;
const MAX_RETRY_MS = 5000;
/** A state that cannot be written for this long ends the coordinator; its workers wait for the next one. */
const STATE_PATIENCE_MS = 120_000;
const PUBLISH_TRIES = 8;
const MAX_PROCESSES = 10_000;
const TASK_PAGE = 500;

/** Carries out what the core decides. All that must survive goes through the StateStore before anybody is told. */
export class Service {
  readonly core: Core;
  readonly term: number;
  readonly ports: ServicePorts;
  readonly #options: ServiceOptions;
  readonly #clients: Clients;
  readonly #pages: Pages;
  readonly #peers = new Map<string, Peer>();
  readonly #processes = new Map<string, ProcessPeak>();
  readonly #cleaning = new Set<Promise<void>>();
  #cleanTurn: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(term: number, ports: ServicePorts, options: ServiceOptions) {
    this.term = term;
    this.ports = ports;
    this.#options = options;
    this.core = new Core({ ...options, term });
    this.#clients = new Clients(this);
    this.#pages = new Pages(this);
  }

  /** Begins a term, which fences every earlier coordinator of this state, and takes up where the last one stopped. */
  static async start(ports: ServicePorts, options: ServiceOptions): Promise<Service> {
    const term = await ports.state.beginTerm(`${hostname()}:${process.pid}`);
    failpoint('coordinator.start');
    const service = new Service(term, ports, options);
    for (const stored of await ports.state.listJobs()) {
      const ended = stored.phase !== 'running' && stored.phase !== 'publishing';
      service.core.loadJob(stored, ended ? [] : await ports.state.loadTasks(stored.spec.id), ports.now());
    }
    failpoint('coordinator.loaded');
    return service;
  }

  /** Frames from a peer. Whatever is wrong with them is answered or ignored; nothing throws. */
  receive(peer: Peer, frames: readonly Uint8Array[]): void {
    if (this.#closed) return;
    try {
      this.#dispatch(peer, frames);
    } catch (error) {
      const daf = DafError.from(error);
      if (daf.code === 'ERR_DAF_PROTOCOL') {
        this.ports.log('warn', 'a malformed message was refused', { error: daf.message });
        this.refuse(peer, 0, daf);
      } else this.#stop(daf);
    }
    this.#settle();
  }

  /** Called about ten times a second. */
  tick(): void {
    if (this.#closed) return;
    this.core.tick(this.ports.now());
    this.#settle();
    this.#clients.tick();
  }

  /** Ends with ERR_DAF_FENCED once a later term has begun; asked about once a second. */
  async checkLeadership(): Promise<void> {
    if (this.#closed) return;
    const current = await this.ports.state.currentTerm().catch(() => this.term);
    if (current !== this.term)
      this.#stop(new DafError('ERR_DAF_FENCED', `a coordinator with term ${current} has taken over from term ${this.term}`));
  }

  /** Tells nobody anything any more. Removals under way are waited for. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#cleaning);
  }

  get closed(): boolean {
    return this.#closed;
  }

  send<M extends Message>(peer: Peer, message: M, ...body: BodyOf<M> extends undefined ? [] : [BodyOf<M>]): void {
    if (!this.#closed) this.ports.send(peer, encode(message, ...body));
  }

  refuse(peer: Peer, request: number, error: unknown): void {
    const wire = toWire(error);
    try {
      this.send(peer, { type: 'refused', request, error: { ...wire, stack: null } });
    } catch {
      this.send(peer, { type: 'refused', request, error: { ...wire, stack: null, cause: null } });
    }
  }

  /** Carries out what the core has decided since. */
  settle(): void {
    this.#settle();
  }

  /**
   * A step on the StateStore, tried again until it succeeds: a full disk stops progress, it loses nothing. Never resolves once this
   * coordinator has ended.
   */
  async persist<T>(what: string, step: () => Promise<T>): Promise<T> {
    const begun = this.ports.now();
    for (let pause = RETRY_MS; ; pause = Math.min(MAX_RETRY_MS, pause * 2)) {
      if (this.#closed) return new Promise<T>(() => {});
      try {
        return await step();
      } catch (error) {
        const daf = DafError.from(error, 'ERR_DAF_IO');
        if (daf.code === 'ERR_DAF_FENCED' || this.ports.now() - begun > STATE_PATIENCE_MS) {
          this.#stop(daf);
          return new Promise<T>(() => {});
        }
        this.ports.log('error', `${what} could not be written; trying again`, { error: daf.message });
        await this.ports.sleep(pause);
      }
    }
  }

  #dispatch(peer: Peer, frames: readonly Uint8Array[]): void {
    const received = decodeAtCoordinator(frames);
    const { message } = received;
    const now = this.ports.now();
    switch (message.type) {
      case 'worker-hello': {
        if (!tokenMatches(this.#options.token, message.token)) {
          this.refuse(peer, 0, new DafError('ERR_DAF_PERMISSION', 'wrong or missing session token'));
          return;
        }
        if (message.protocol !== PROTOCOL) {
          this.refuse(
            peer,
            0,
            new DafError('ERR_DAF_PROTOCOL', `protocol ${message.protocol}; this coordinator speaks ${PROTOCOL}`),
          );
          return;
        }
        this.#peers.set(message.worker, peer);
        this.core.workerHello(message, message.running, now);
        this.#notePeak(message.worker);
        return;
      }
      case 'heartbeat':
        if (this.#known(peer, message.worker) && this.core.heartbeat(message.worker, message, now))
          this.#notePeak(message.worker);
        return;
      case 'credit':
        if (this.#known(peer, message.worker)) this.core.credit(message.worker, message.seq, message.capacity, now);
        return;
      case 'reports':
        if (!this.#known(peer, message.worker)) return;
        failpoint('coordinator.before-commit');
        for (const report of received.body as Extract<typeof received, { message: { type: 'reports' } }>['body']) {
          this.core.report(message.worker, report, now);
        }
        return;
      case 'worker-bye':
        if (this.#peers.get(message.worker) !== peer) return;
        this.core.workerBye(message.worker, now);
        this.#peers.delete(message.worker);
        return;
      case 'map-outputs':
      case 'commits':
      case 'spec':
        if (this.#known(peer, message.worker)) this.#pages.request(peer, message);
        return;
      default:
        if (!tokenMatches(this.#options.token, message.token)) {
          this.refuse(peer, message.request, new DafError('ERR_DAF_PERMISSION', 'wrong or missing session token'));
          return;
        }
        this.#clients.request(peer, received as Parameters<Clients['request']>[1]);
    }
  }

  /** A worker is known by the connection that said hello: nobody else may speak in its name. */
  #known(peer: Peer, worker: string): boolean {
    if (this.#peers.get(worker) === peer) {
      if (this.core.knows(worker)) return true;
      this.#peers.delete(worker);
    }
    this.send(peer, { type: 'unknown-worker', term: this.term });
    return false;
  }

  #settle(): void {
    for (let more = true; more && !this.#closed; ) {
      const effects = this.core.drain(this.ports.now());
      more = effects.length > 0;
      const commits: { job: string; commit: Commit }[] = [];
      for (const effect of effects) {
        if (effect.kind === 'commit') commits.push({ job: effect.job, commit: effect.commit });
        else this.#carryOut(effect);
      }
      if (commits.length > 0) this.#background(this.#commit(commits));
    }
    this.#pages.retry();
  }

  #carryOut(effect: Exclude<Effect, { kind: 'commit' }>): void {
    switch (effect.kind) {
      case 'send': {
        const peer = this.#peers.get(effect.worker);
        if (peer === undefined) return;
        if (effect.message.type === 'assign') this.send(peer, effect.message, effect.body!);
        else this.ports.send(peer, encode(effect.message as Exclude<typeof effect.message, { type: 'assign' | 'page' }>));
        return;
      }
      case 'count-failure':
        this.#background(
          this.#then(
            this.persist('a failure', () =>
              this.ports.state.countFailure(this.term, effect.job, effect.task, effect.generation, effect.attempt, effect.worker),
            ),
            (count, now) => this.core.failureCounted(effect.job, effect.attempt, count, now),
          ),
        );
        return;
      case 'reopen':
        this.#background(this.#reopen(effect));
        return;
      case 'set-phase':
        this.#background(this.#setPhase(effect));
        return;
      case 'publish':
        this.#background(this.#publish(effect.job));
        return;
      case 'clean':
        this.#clean(effect.job, effect.again);
        return;
      case 'event':
        this.#clients.event(effect.job, effect.event);
        return;
      case 'ended':
        this.#clients.ended(effect.job);
        return;
    }
  }

  /** Work that nobody waits for; its failure ends this coordinator. */
  #background(work: Promise<void>): void {
    work.catch((error: unknown) => this.#stop(DafError.from(error)));
  }

  /** Runs `next` with the answer as a further event. */
  async #then<T>(answer: Promise<T>, next: (value: T, now: number) => void): Promise<void> {
    const value = await answer;
    if (this.#closed) return;
    try {
      next(value, this.ports.now());
    } catch (error) {
      this.#stop(DafError.from(error));
    }
    this.#settle();
  }

  async #commit(commits: readonly { readonly job: string; readonly commit: Commit }[]): Promise<void> {
    const verdicts = await this.persist('commits', () => this.ports.state.commitTasks(this.term, commits));
    failpoint('coordinator.after-commit');
    const winners: (Commit | null)[] = [];
    for (const [i, { job, commit }] of commits.entries()) {
      // Discarded may mean that an earlier try of this very call was written after all: what stands decides.
      winners.push(verdicts[i] === 'committed' ? commit : await this.#standing(job, commit));
    }
    // All of them before anything is sent: verdicts and new assignments travel in batches.
    await this.#then(Promise.resolve(), (_, now) => {
      for (const [i, { job, commit }] of commits.entries()) this.core.commitDecided(job, commit, winners[i]!, now);
    });
  }

  async #standing(job: string, commit: Commit): Promise<Commit | null> {
    const stored = await this.#stored(job, commit.task);
    return stored !== null && stored.generation === commit.generation ? stored.commit : null;
  }

  async #stored(job: string, task: Commit['task']): Promise<StoredTask | null> {
    const [stored] = await this.persist('a task', () =>
      this.ports.state.loadTasks(job, { stage: task.stage, from: task.index, limit: 1 }),
    );
    return stored?.task.index === task.index ? stored : null;
  }

  async #reopen({ job, task, generation }: Extract<Effect, { kind: 'reopen' }>): Promise<void> {
    const before = await this.#stored(job, task);
    await this.persist('a new generation', () => this.ports.state.reopenTask(this.term, job, task, generation));
    const outcome = before?.generation === generation ? (before.commit?.outcome ?? null) : null;
    await this.#then(Promise.resolve(), (_, now) => this.core.reopened(job, task, generation, outcome, now));
  }

  async #setPhase({ job, from, to, error }: Extract<Effect, { kind: 'set-phase' }>): Promise<void> {
    if (to === 'publishing') failpoint('coordinator.before-publishing');
    await this.persist('a phase', async () => {
      if (await this.ports.state.setPhase(this.term, job, from, to, error)) return;
      const phase = (await this.ports.state.getJob(job))?.phase;
      if (phase !== to) throw new DafError('ERR_DAF_INTERNAL', `job ${job} is ${phase}, expected ${from}`);
    });
    failpoint(to === 'publishing' ? 'coordinator.publishing' : to === 'cancelled' ? 'coordinator.cancel' : 'coordinator.done');
    await this.#then(Promise.resolve(), (_, now) => this.core.phaseSet(job, to, now));
  }

  async #publish(job: string): Promise<void> {
    let failure: WireError | null = null;
    for (let tries = 1, pause = RETRY_MS; ; tries++, pause = Math.min(MAX_RETRY_MS, pause * 2)) {
      try {
        await this.#publishOnce(job);
        failure = null;
        break;
      } catch (error) {
        if (this.#closed) return;
        const daf = DafError.from(error, 'ERR_DAF_IO');
        failure = toWire(new DafError('ERR_DAF_JOB_FAILED', `job ${job} could not be published`, { hint: daf.hint, cause: daf }));
        if (daf.code === 'ERR_DAF_OUTPUT_CONFLICT') failure = toWire(daf);
        if ((daf.code !== 'ERR_DAF_IO' && !daf.retryable) || tries >= PUBLISH_TRIES) break;
        this.ports.log('warn', 'publishing failed; trying again', { job, error: daf.message });
        await this.ports.sleep(pause);
      }
    }
    const error = failure;
    await this.#then(Promise.resolve(), (_, now) =>
      error === null ? this.core.published(job, now) : this.core.publishFailed(job, error, now),
    );
  }

  async #publishOnce(job: string): Promise<void> {
    const stored = await this.persist('a job', () => this.ports.state.getJob(job));
    const status = this.core.status(job, this.ports.now());
    if (stored === null || status === null) throw new DafError('ERR_DAF_NO_SUCH_JOB', `no job ${job}`);
    const own = {
      role: 'coordinator',
      name: 'coordinator',
      host: hostname(),
      pid: process.pid,
      peakBytes: this.ports.ownPeak(),
    } as const;
    const report = reportJson(
      stored.spec,
      status,
      [own, ...this.#clients.processes(stored.spec.id), ...this.#processes.values()],
      this.#tasks(stored.spec),
    );
    await publishJob(stored.spec, this.#tasks(stored.spec), this.ports.openOutput(stored.spec.output), report, async () => {
      if (this.#closed) throw new DafError('ERR_DAF_CLOSED', 'the coordinator has ended');
      const current = await this.persist('the term', () => this.ports.state.currentTerm());
      if (current !== this.term) throw new DafError('ERR_DAF_FENCED', `term ${this.term} is over`);
    });
  }

  /** All recorded tasks of a job in order, a page at a time: a large job need not fit in memory. */
  async *#tasks({ id }: JobSpec): AsyncIterable<StoredTask> {
    for (const stage of STAGES) {
      for (let from = 0, more = true; more; ) {
        const range = { stage, from, limit: TASK_PAGE };
        const page = await this.persist('tasks', () => this.ports.state.loadTasks(id, range));
        yield* page;
        more = page.length === TASK_PAGE;
        from = (page.at(-1)?.task.index ?? 0) + 1;
      }
    }
  }

  #clean(job: string, again: boolean): void {
    const spec = this.core.jobs.get(job)?.spec;
    if (spec === undefined) return;
    const work = (async () => {
      const output = this.ports.openOutput(spec.output);
      // One after the other: a restarted coordinator looks after all its ended jobs at once.
      const turn = this.#cleanTurn.then(() => output.deletePrefix(jobPrefix(job)));
      this.#cleanTurn = turn.catch(() => {});
      await turn;
      if (!again) return;
      // Attempts that were told to stop may have written after that.
      await this.ports.sleep(2 * this.#options.heartbeatMs);
      await output.deletePrefix(jobPrefix(job));
    })().catch((error: unknown) => {
      this.ports.log('warn', 'temporary files of a job were left behind', { job, error: DafError.from(error).message });
    });
    this.#cleaning.add(work);
    void work.then(() => this.#cleaning.delete(work));
  }

  #notePeak(id: string): void {
    const worker = this.core.worker(id);
    if (worker === null || (!this.#processes.has(id) && this.#processes.size >= MAX_PROCESSES)) return;
    this.#processes.set(id, { role: 'worker', name: id, host: worker.host, pid: worker.pid, peakBytes: worker.peakBytes });
  }

  #stop(error: DafError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.ports.fatal(error);
  }
}

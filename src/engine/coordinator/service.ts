import { hostname } from 'node:os';
import { DafError, toWire } from '../../core/contracts/errors.js';
import type { Message, ToWorker } from '../../core/contracts/messages.js';
import type { Commit } from '../../core/contracts/task.js';
import { failpoint } from '../../core/failpoint.js';
import { type BodyOf, encode, type Peer } from '../wire/index.js';
import { Cleaner } from './cleaner.js';
import { Clients } from './clients.js';
import { Core } from './core.js';
import { Dispatch } from './dispatch.js';
import type { Effect } from './effects.js';
import { Pages } from './pages.js';
import { ProcessPeaks } from './process-peaks.js';
import { Publisher } from './publisher.js';
import { Repairs } from './repairs.js';
import type { ServiceOptions, ServicePorts } from './service-ports.js';
import { StateSteps } from './state-steps.js';

/** Carries out what the core decides; what comes in is taken by {@link Dispatch}. All that must survive goes through the StateStore before anybody is told. */
export class Service {
  readonly core: Core;
  readonly term: number;
  readonly ports: ServicePorts;
  /** Steps on the StateStore. */
  readonly steps: StateSteps;
  readonly #dispatch: Dispatch;
  readonly #clients: Clients;
  readonly #pages: Pages;
  readonly #repairs: Repairs;
  readonly #processes = new ProcessPeaks();
  readonly #publisher: Publisher;
  readonly #cleaner: Cleaner;
  #closed = false;

  private constructor(term: number, ports: ServicePorts, options: ServiceOptions) {
    this.term = term;
    this.ports = ports;
    this.core = new Core({ ...options, term });
    const isClosed = (): boolean => this.#closed;
    this.steps = new StateSteps(term, ports, isClosed, (error) => this.#stop(error));
    this.#cleaner = new Cleaner(ports, 2 * options.heartbeatMs);
    this.#publisher = new Publisher(this.steps, {
      openOutput: (url) => ports.openOutput(url),
      sleep: (ms) => ports.sleep(ms),
      ownPeak: () => ports.ownPeak(),
      log: (level, message, fields) => ports.log(level, message, fields),
      status: (job) => this.core.status(job, ports.now()),
      processes: (job) => [...this.#clients.processes(job), ...this.#processes.all()],
      stray: (job) => this.core.jobs.get(job)?.stray ?? null,
      isClosed,
    });
    this.#clients = new Clients(this);
    this.#pages = new Pages(this);
    this.#repairs = new Repairs(this);
    const parts = { clients: this.#clients, pages: this.#pages, repairs: this.#repairs, processes: this.#processes };
    this.#dispatch = new Dispatch(this, parts, options.token);
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
      this.#dispatch.receive(peer, frames);
    } catch (error) {
      const daf = DafError.from(error);
      if (daf.code === 'ERR_DAF_PROTOCOL') {
        this.ports.log('warn', 'a malformed message was refused', { error: daf.message });
        this.refuse(peer, 0, daf);
      } else this.#stop(daf);
    }
    this.#settleSoon();
  }

  /** To be called about ten times a second while a job runs, and often enough to see workers go otherwise. */
  tick(): void {
    if (this.#closed) return;
    this.core.tick(this.ports.now());
    this.#settle();
    this.#clients.tick();
    this.#repairs.tick();
  }

  /** Ends with ERR_DAF_FENCED once a later term has begun or the state has lost writes; asked about once a second. */
  async checkLeadership(): Promise<void> {
    if (this.#closed) return;
    let current: number;
    try {
      current = await this.ports.state.currentTerm();
    } catch (error) {
      // A state that cannot be read for a while is the business of the next write.
      if (DafError.is(error) && error.code === 'ERR_DAF_FENCED') this.#stop(error);
      return;
    }
    if (current !== this.term)
      this.#stop(new DafError('ERR_DAF_FENCED', `a coordinator with term ${current} has taken over from term ${this.term}`));
  }

  /** Tells nobody anything any more. Removals under way are waited for. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#cleaner.close();
  }

  get closed(): boolean {
    return this.#closed;
  }

  send<M extends Message>(peer: Peer, message: M, ...body: BodyOf<M> extends undefined ? [] : [BodyOf<M>]): void {
    if (!this.#closed) this.ports.send(peer, encode(message, ...body));
  }

  sendToWorker(worker: string, message: Exclude<ToWorker, { type: 'assign' | 'page' }>): void {
    const peer = this.#dispatch.peerOf(worker);
    if (peer !== undefined) this.ports.send(peer, encode(message));
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

  #settling = false;

  /** What arrives together is committed together and answered together: a thousand workers' messages take a transaction, not a thousand. */
  #settleSoon(): void {
    if (this.ports.afterArrivals === undefined) this.#settle();
    else if (!this.#settling) {
      this.#settling = true;
      this.ports.afterArrivals(() => {
        this.#settling = false;
        this.#settle();
      });
    }
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
      if (commits.length > 0) this.#commit(commits);
    }
    this.#pages.retry();
  }

  /** All of them before anything is sent: verdicts and new assignments travel in batches. */
  #commit(commits: readonly { readonly job: string; readonly commit: Commit }[]): void {
    this.#then(this.steps.commit(commits), (winners, now) => {
      for (const [i, { job, commit }] of commits.entries()) {
        this.core.commitDecided(job, commit, winners[i]!, now);
        if (winners[i] !== null) this.#repairs.committed(job, winners[i]!);
      }
    });
  }

  #carryOut(effect: Exclude<Effect, { kind: 'commit' }>): void {
    switch (effect.kind) {
      case 'send': {
        const { worker, message, body } = effect;
        const peer = this.#dispatch.peerOf(worker);
        if (message.type !== 'assign') this.sendToWorker(worker, message as Exclude<typeof message, { type: 'assign' | 'page' }>);
        else if (peer !== undefined) this.send(peer, message, body!);
        return;
      }
      case 'count-failure':
        this.#then(this.steps.countFailure(effect), (count, now) =>
          this.core.failureCounted(effect.job, effect.attempt, count, now),
        );
        return;
      case 'reopen':
        this.#then(this.steps.reopen(effect), (outcome, now) =>
          this.core.reopened(effect.job, effect.task, effect.generation, outcome, now),
        );
        return;
      case 'set-phase':
        this.#then(this.steps.setPhase(effect), (_, now) => this.core.phaseSet(effect.job, effect.to, now));
        return;
      case 'publish':
        this.#then(this.#publisher.publish(effect.job), (error, now) => {
          if (error === null) this.core.published(effect.job, now);
          else this.core.publishFailed(effect.job, error, now);
        });
        return;
      case 'clean': {
        const spec = this.core.jobs.get(effect.job)?.spec;
        if (spec !== undefined) this.#cleaner.clean(spec, effect.again);
        return;
      }
      case 'event':
        this.#clients.event(effect.job, effect.event);
        return;
      case 'ended':
        this.#clients.ended(effect.job);
        return;
      case 'waiting': {
        const { job, error } = effect;
        if (error === null) this.ports.log('info', 'a job that waited for room goes on', { job });
        else this.ports.log('warn', 'a job waits', { job, code: error.code, error: error.message, hint: error.hint });
        return;
      }
    }
  }

  /** Takes the answer of a step as a further event; its failure ends this coordinator. */
  #then<T>(answer: Promise<T>, next: (value: T, now: number) => void): void {
    answer
      .then((value) => {
        if (this.#closed) return;
        next(value, this.ports.now());
        this.#settle();
      })
      .catch((error: unknown) => this.#stop(DafError.from(error)));
  }

  #stop(error: DafError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.ports.fatal(error);
  }
}

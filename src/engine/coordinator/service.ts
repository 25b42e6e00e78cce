import { hostname } from 'node:os';
import { DafError, toWire } from '../../core/contracts/errors.js';
import { type Message, PROTOCOL, type ToWorker } from '../../core/contracts/messages.js';
import type { Commit } from '../../core/contracts/task.js';
import { failpoint } from '../../core/failpoint.js';
import { type BodyOf, decodeAtCoordinator, encode, type Peer, tokenMatches } from '../wire/index.js';
import { Cleaner } from './cleaner.js';
import { Clients } from './clients.js';
import { Core } from './core.js';
import type { Effect } from './effects.js';
import { Pages } from './pages.js';
import { ProcessPeaks } from './process-peaks.js';
import { Publisher } from './publisher.js';
import { Repairs } from './repairs.js';
import type { ServiceOptions, ServicePorts } from './service-ports.js';
import { StateSteps } from './state-steps.js';

/** Carries out what the core decides. All that must survive goes through the StateStore before anybody is told. */
export class Service {
  readonly core: Core;
  readonly term: number;
  readonly ports: ServicePorts;
  /** Steps on the StateStore. */
  readonly steps: StateSteps;
  readonly #token: string | null;
  readonly #clients: Clients;
  readonly #pages: Pages;
  readonly #repairs: Repairs;
  readonly #peers = new Map<string, Peer>();
  readonly #processes = new ProcessPeaks();
  readonly #publisher: Publisher;
  readonly #cleaner: Cleaner;
  #closed = false;

  private constructor(term: number, ports: ServicePorts, options: ServiceOptions) {
    this.term = term;
    this.ports = ports;
    this.#token = options.token;
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
      isClosed,
    });
    this.#clients = new Clients(this);
    this.#pages = new Pages(this);
    this.#repairs = new Repairs(this);
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
    const peer = this.#peers.get(worker);
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

  #dispatch(peer: Peer, frames: readonly Uint8Array[]): void {
    const received = decodeAtCoordinator(frames);
    const { message } = received;
    const now = this.ports.now();
    switch (message.type) {
      case 'worker-hello': {
        if (!this.#isTrusted(peer, 0, message.token)) return;
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
      case 'members':
        if (this.#known(peer, message.worker))
          this.send(peer, { type: 'page', request: message.request, next: null }, this.core.members());
        return;
      case 'copy-held':
        if (this.#known(peer, message.worker)) this.#repairs.answered(message.worker, message);
        return;
      case 'copy-lost':
        if (this.#known(peer, message.worker)) this.#repairs.lost(message);
        return;
      case 'outputs':
      case 'commits':
      case 'spec':
        if (this.#known(peer, message.worker)) this.#pages.request(peer, message);
        return;
      default:
        if (!this.#isTrusted(peer, message.request, message.token)) return;
        this.#clients.request(peer, received as Parameters<Clients['request']>[1]);
    }
  }

  #isTrusted(peer: Peer, request: number, token: string | null): boolean {
    if (tokenMatches(this.#token, token)) return true;
    const error = new DafError('ERR_DAF_PERMISSION', 'wrong or missing session token');
    this.ports.log('warn', 'a peer was refused', { error: error.message });
    this.refuse(peer, request, error);
    return false;
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
        const peer = this.#peers.get(worker);
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

  #notePeak(id: string): void {
    const worker = this.core.worker(id);
    if (worker !== null) this.#processes.note(worker);
  }

  #stop(error: DafError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.ports.fatal(error);
  }
}

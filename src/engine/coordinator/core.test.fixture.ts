import { DafError, toWire } from '../../core/contracts/errors.js';
import { type JobSpec, taskName } from '../../core/contracts/job.js';
import type { StepSpec } from '../../core/contracts/step.js';
import type { Assignment, Commit, Outcome } from '../../core/contracts/task.js';
import { sampleCommit, sampleSpec } from '../stores/state-conformance.js';
import { MemoryStateStore } from '../stores/state-memory.js';
import { Core } from './core.js';
import type { Effect } from './effects.js';

export const LEASE = 1000;

/** A core with a store behind it that answers at once. */
export class Bench {
  now = 1;
  readonly store = new MemoryStateStore();
  readonly sent: Extract<Effect, { kind: 'send' }>[] = [];
  readonly effects: Effect[] = [];
  core!: Core;

  static async start(graceMs = 0): Promise<Bench> {
    const bench = new Bench();
    await bench.restart(graceMs);
    return bench;
  }

  async restart(graceMs: number): Promise<void> {
    const term = await this.store.beginTerm('bench');
    this.core = new Core({ term, leaseMs: LEASE, heartbeatMs: 100, graceMs, backupAfterMs: 500 });
    for (const job of await this.store.listJobs()) this.core.loadJob(job, await this.store.loadTasks(job.spec.id), this.now);
    await this.settle();
  }

  async submit(id: string, step: Partial<StepSpec>, changes: Partial<JobSpec> = {}): Promise<void> {
    const spec = sampleSpec(id, changes, step);
    await this.store.createJob(this.core.options.term, spec);
    this.core.jobCreated(spec, this.now);
    await this.settle();
  }

  async worker(id: string, capacity: number, running: Assignment[] = [], host = 'h'): Promise<void> {
    this.core.workerHello({ worker: id, host, pid: 1, threads: 1, budgetBytes: 256 << 20, endpoint: null }, running, this.now);
    this.core.credit(id, 0, capacity, this.now);
    await this.settle();
  }

  async report(worker: string, assignment: Assignment, outcome: Outcome): Promise<void> {
    const { job, task, generation, attempt, epoch } = assignment;
    const usage = { worker, milliseconds: 1, reservedBytes: 1, nativePeakBytes: 1, processPeakBytes: 1 };
    this.core.report(worker, { job, task, generation, attempt, epoch, outcome, usage }, this.now);
    await this.settle();
  }

  async wait(ms: number): Promise<void> {
    for (const end = this.now + ms; this.now < end; ) {
      this.now += Math.min(100, end - this.now);
      this.core.tick(this.now);
      await this.settle();
    }
  }

  /** What a worker was given and has not reported, oldest first. */
  given(worker: string): Assignment[] {
    return this.sent.flatMap(({ worker: to, body }) => (to === worker ? [...(body ?? [])] : []));
  }

  /** What a worker holds as the core sees it. */
  held(worker: string): Assignment[] {
    const held = new Set(this.core.workers(this.now).find((each) => each.worker === worker)?.running);
    return this.given(worker).filter(({ job, attempt }) => held.has(`${job}/${attempt}`));
  }

  verdicts(worker: string): string[] {
    return this.sent.flatMap(({ worker: to, message }) =>
      to === worker && message.type === 'verdicts' ? message.verdicts.map(({ attempt, verdict }) => `${attempt} ${verdict}`) : [],
    );
  }

  revoked(worker: string): string[] {
    return this.sent.flatMap(({ worker: to, message }) =>
      to === worker && message.type === 'revoke' ? message.attempts.map(({ attempt }) => attempt) : [],
    );
  }

  async settle(): Promise<void> {
    for (let effects = this.core.drain(this.now); effects.length > 0; effects = this.core.drain(this.now)) {
      for (const effect of effects) await this.#carryOut(effect);
    }
  }

  async #carryOut(effect: Effect): Promise<void> {
    const { term } = this.core.options;
    this.effects.push(effect);
    if (effect.kind === 'send') this.sent.push(effect);
    if (effect.kind === 'commit') {
      const [verdict] = await this.store.commitTasks(term, [effect]);
      this.core.commitDecided(effect.job, effect.commit, verdict === 'committed' ? effect.commit : null, this.now);
    } else if (effect.kind === 'count-failure') {
      const { job, task, generation, attempt, worker } = effect;
      const count = await this.store.countFailure(term, job, task, generation, attempt, worker);
      this.core.failureCounted(job, attempt, count, this.now);
    } else if (effect.kind === 'reopen') {
      const { job, task, generation } = effect;
      await this.store.reopenTask(term, job, task, generation);
      this.core.reopened(job, task, generation, null, this.now);
    } else if (effect.kind === 'set-phase') {
      await this.store.setPhase(term, effect.job, effect.from, effect.to, effect.error);
      this.core.phaseSet(effect.job, effect.to, this.now);
    } else if (effect.kind === 'publish') {
      const stray = this.core.jobs.get(effect.job)?.stray;
      if (stray) this.core.publishFailed(effect.job, stray, this.now);
      else this.core.published(effect.job, this.now);
    }
  }
}

export const done = (changes: Partial<Commit['outcome']> = {}): Outcome =>
  sampleCommit({ step: 0, stage: 'map', index: 0 }, 0, 'x', { counters: {}, ...changes }).outcome;
export const read = (maps: number): Outcome =>
  done({ reads: [{ step: 0, stage: 'map', from: 0, count: maps, generations: [[0, maps]] }] });
export const boom: Outcome = { kind: 'failed', error: toWire(new DafError('ERR_DAF_USER_CODE', 'boom')), lost: [] };
export const names = (assignments: Assignment[]): string[] => assignments.map(({ task }) => taskName(task));

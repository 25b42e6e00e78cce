import { type JobSpec, MAX_REPLICAS, taskName } from '../../core/contracts/job.js';
import type { CopyHeld, CopyLost, Member } from '../../core/contracts/messages.js';
import type { Commit, HeldCopy } from '../../core/contracts/task.js';
import { Ring } from '../wire/index.js';
import { planCopies } from './copy-plan.js';
import { type JobState, parseAttempt } from './job-state.js';
import type { Service } from './service.js';

/** Copies under way at a time, over all workers. */
const MAX_ORDERS = 64;
const AGAIN_MS = 5000;
/** Workers that come or go together cost one look. */
const SETTLE_MS = 250;
/** Looking through a job's outputs takes at most this part of the time. */
const LOOK_SHARE = 0.1;
/** Who could not take a copy is passed over for this long. */
const PASSED_OVER_MS = 30_000;

interface Order {
  readonly job: string;
  readonly attempt: string;
  readonly worker: string;
  readonly kind: 'seg' | 'rec';
  readonly from: readonly string[];
  sentAt: number;
}

const orderKey = (job: string, attempt: string, worker: string): string => `${job}/${attempt}/${worker}`;

/** Keeps the number of copies of what jobs with replicas hold: those of workers that are gone are made again by others. */
export class Repairs {
  readonly #service: Service;
  readonly #orders = new Map<string, Order>();
  readonly #passedOver = new Map<string, number>();
  /** Jobs to look through, and not before when. */
  readonly #due = new Map<string, number>();
  readonly #rest = new Map<string, number>();
  /** The last change of each output's record: the next one waits for it. */
  readonly #changes = new Map<string, Promise<void>>();
  #membership = 0;
  #looking = false;
  #wake: () => void = () => {};

  constructor(service: Service) {
    this.#service = service;
  }

  tick(): void {
    const now = this.#service.ports.now();
    const { core } = this.#service;
    if (core.membership !== this.#membership) this.#membersChanged(now);
    for (const order of this.#orders.values()) if (now - order.sentAt >= AGAIN_MS) this.#send(order);
    for (const [key, until] of this.#passedOver) if (until <= now) this.#passedOver.delete(key);
    if (this.#looking) return;
    for (const [id, at] of this.#due) {
      if (at > now) continue;
      this.#due.delete(id);
      const job = core.jobs.get(id);
      if (job === undefined || job.phase !== 'running') continue;
      this.#looking = true;
      void this.#look(job).finally(() => {
        this.#looking = false;
      });
      return;
    }
  }

  /** An output may have been committed with fewer copies than it should have, or with one of a worker that has gone meanwhile. */
  committed(id: string, { outcome: { held } }: Commit): void {
    const { core } = this.#service;
    const replicas = core.jobs.get(id)?.spec.replicas ?? 1;
    if (held === null || held.key !== null || replicas < 2) return;
    const there = held.copies.filter(({ worker }) => core.knows(worker)).length;
    if (there < Math.min(replicas, core.memberCount)) this.#dueAt(id, this.#service.ports.now());
  }

  /** A worker holds the copy that it was asked for, or could not take it. */
  answered(worker: string, { job, attempt, path }: CopyHeld): void {
    const key = orderKey(job, attempt, worker);
    if (!this.#orders.delete(key)) return;
    this.#wake();
    const now = this.#service.ports.now();
    const member = this.#service.core.worker(worker);
    if (path === null || member === null) {
      this.#passedOver.set(key, now + PASSED_OVER_MS);
      this.#dueAt(job, now);
      return;
    }
    const { host, endpoint } = member;
    this.#change(job, attempt, (copies) => [
      ...copies.filter((each) => each.worker !== worker),
      { worker, host, path, endpoint },
    ]);
  }

  /** A reader found a copy gone. The last one stays listed: whoever cannot read it says so in its report. */
  lost({ job, attempt, holder }: CopyLost): void {
    this.#passedOver.set(orderKey(job, attempt, holder), this.#service.ports.now() + PASSED_OVER_MS);
    this.#change(job, attempt, (copies) => {
      const rest = copies.filter(({ worker }) => worker !== holder);
      return rest.length === 0 ? copies : rest;
    });
    this.#dueAt(job, this.#service.ports.now());
  }

  #membersChanged(now: number): void {
    const { core } = this.#service;
    this.#membership = core.membership;
    for (const [key, { worker }] of this.#orders) if (!core.knows(worker)) this.#orders.delete(key);
    this.#wake();
    for (const [id, job] of core.jobs) if (job.phase === 'running' && job.spec.replicas > 1) this.#dueAt(id, now);
  }

  #dueAt(id: string, now: number): void {
    if (!this.#due.has(id)) this.#due.set(id, Math.max(now + SETTLE_MS, this.#rest.get(id) ?? 0));
  }

  /** Looks through what a job holds and orders what is missing, a bounded number at a time. */
  async #look(job: JobState): Promise<void> {
    const { core, steps, ports } = this.#service;
    const { spec } = job;
    const membership = core.membership;
    const members = new Map(core.members().map((member) => [member.worker, member]));
    const ring = new Ring([...members.keys()]);
    const begun = ports.now();
    let waited = 0;
    for await (const page of steps.tasks(spec)) {
      for (const { task, commit } of page) {
        if (job.phase !== 'running' || this.#service.closed) return;
        if (core.membership !== membership) {
          this.#dueAt(spec.id, ports.now());
          return;
        }
        if (commit?.outcome.held == null || job.table(task).dropped) continue;
        this.#order(spec, commit, ring, members);
        const full = ports.now();
        while (this.#orders.size >= MAX_ORDERS && !this.#service.closed) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
        waited += ports.now() - full;
      }
    }
    const took = ports.now() - begun - waited;
    this.#rest.set(spec.id, ports.now() + took / LOOK_SHARE);
  }

  #order(spec: JobSpec, { task, attempt, outcome }: Commit, ring: Ring, members: ReadonlyMap<string, Member>): void {
    const held = outcome.held!;
    if (held.key !== null) return;
    const coming = [...this.#orders.values()].filter((each) => each.job === spec.id && each.attempt === attempt);
    const { from, to } = planCopies(
      held.copies,
      `${spec.id}/${taskName(task)}`,
      ring,
      members,
      spec.replicas,
      coming.map(({ worker }) => worker),
      (worker) => this.#passedOver.has(orderKey(spec.id, attempt, worker)),
    );
    for (const worker of to) {
      const kind = held.crc32c === null ? 'seg' : 'rec';
      const order = { job: spec.id, attempt, worker, kind, from: from.slice(0, MAX_REPLICAS), sentAt: 0 } as const;
      this.#orders.set(orderKey(spec.id, attempt, worker), { ...order });
      this.#send(this.#orders.get(orderKey(spec.id, attempt, worker))!);
    }
  }

  #send(order: Order): void {
    order.sentAt = this.#service.ports.now();
    const { job, attempt, worker, kind, from } = order;
    this.#service.sendToWorker(worker, { type: 'hold-copy', job, attempt, kind, from });
  }

  /** Changes where an output is said to lie, one change of it after the other. */
  #change(job: string, attempt: string, change: (copies: readonly HeldCopy[]) => readonly HeldCopy[]): void {
    const key = `${job}/${attempt}`;
    const after = this.#changes.get(key) ?? Promise.resolve();
    const next = after.then(() => this.#record(job, attempt, change));
    this.#changes.set(key, next);
    void next.then(() => {
      if (this.#changes.get(key) === next) this.#changes.delete(key);
    });
  }

  async #record(job: string, attempt: string, change: (copies: readonly HeldCopy[]) => readonly HeldCopy[]): Promise<void> {
    const named = parseAttempt(attempt);
    if (named === null || this.#service.core.jobs.get(job)?.phase !== 'running') return;
    const { task, generation } = named;
    const held = (await this.#service.steps.stored(job, task))?.commit?.outcome.held ?? null;
    if (held === null || held.key !== null || held.attempt !== attempt) return;
    const changed = change(held.copies);
    // Copies of workers that are gone can still be read on their hosts: they stay, after the others, while there is room.
    const there = (copy: HeldCopy): boolean => this.#service.core.knows(copy.worker);
    const copies = [...changed.filter(there), ...changed.filter((copy) => !there(copy))].slice(0, MAX_REPLICAS);
    await this.#service.steps.moveCopies(job, task, generation, attempt, copies);
    const isNew = ({ host }: HeldCopy): boolean => !held.copies.some((each) => each.host === host);
    this.#service.core.copiesMade(job, task, copies.filter(isNew));
  }
}

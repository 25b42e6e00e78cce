import { DafError, fromWire } from '../core/contracts/errors.js';
import { attemptPrefix, type JobSpec, type JobStatus, mapPartName, partName, type TaskId } from '../core/contracts/job.js';
import {
  type FromClient,
  type JobEvent,
  PROTOCOL,
  type ToClient,
  type ToWorker,
  type Verdicts,
} from '../core/contracts/messages.js';
import { readsOf } from '../core/contracts/step.js';
import type { Assignment, HeldOutput, Outcome, Report } from '../core/contracts/task.js';
import { DealerSocket, decodeFromCoordinator, encode, type Received } from '../engine/wire/index.js';

type Done = Extract<Outcome, { kind: 'done' }>;

export function doneOutcome(changes: Partial<Done> = {}): Done {
  return {
    kind: 'done',
    held: null,
    outputs: [],
    counters: {},
    recordsIn: 0,
    skipped: 0,
    intake: null,
    recordsOut: 0,
    refused: [],
    reads: [],
    ...changes,
  };
}

/** What a map or reduce attempt of a test would answer; `put` stores an output of the attempt. */
export type Script = (assignment: Assignment, worker: ScriptedWorker) => Promise<Outcome>;

/** The worker's side of the wire without any work behind it: says hello, heartbeats, runs a script for every assignment. */
export class ScriptedWorker {
  readonly id: string;
  readonly verdicts: Verdicts['verdicts'][number][] = [];
  readonly assigned: Assignment[] = [];
  readonly dropped: string[] = [];
  /** Attempts of whose outputs it was asked to hold a copy. */
  readonly copied: string[] = [];
  readonly #socket: DealerSocket;
  readonly #script: Script;
  readonly #capacity: number;
  readonly #unanswered = new Map<string, { readonly assignment: Assignment; report: Report | null; sentAt: number }>();
  #againMs = 0;
  readonly #pages = new Map<number, (page: { next: number | null; body: unknown } | DafError) => void>();
  #seq = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #request = 0;

  constructor(
    id: string,
    endpoint: string,
    script: Script,
    options: {
      readonly capacity?: number;
      readonly token?: string | null;
      readonly endpoint?: string | null;
      readonly pid?: number;
    } = {},
  ) {
    this.id = id;
    this.#script = script;
    this.#capacity = options.capacity ?? 2;
    const hello = (): void => {
      const running = [...this.#unanswered.values()].map(({ assignment }) => assignment).slice(0, 64);
      const token = options.token ?? null;
      const endpoint = options.endpoint ?? null;
      const about = { worker: id, host: 'test', pid: options.pid ?? process.pid, threads: 1, budgetBytes: 256 << 20, endpoint };
      void this.#socket.send(encode({ type: 'worker-hello', protocol: PROTOCOL, ...about, running, token }));
    };
    this.#socket = new DealerSocket(endpoint, {
      onConnected: hello,
      onMessage: (frames) => {
        const received = decodeFromCoordinator(frames) as Received<ToWorker>;
        if (received.message.type === 'unknown-worker') hello();
        else this.#receive(received);
      },
    });
  }

  async close(): Promise<void> {
    // What is on its way comes all the same: a welcome would begin to beat again, for ever.
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#socket.close();
  }

  async bye(): Promise<void> {
    await this.#socket.send(encode({ type: 'worker-bye', worker: this.id }));
  }

  async spec(job: string): Promise<JobSpec> {
    const page = await this.#page((request) => encode({ type: 'spec', worker: this.id, request, job }));
    return page.body as JobSpec;
  }

  /** What the tasks hold that a task reads first. */
  async inputs(spec: JobSpec, task: TaskId): Promise<HeldOutput[]> {
    const [range] = readsOf(spec, task);
    const all: HeldOutput[] = [];
    if (range === undefined) return all;
    const end = range.from + range.count;
    for (let from: number | null = range.from; from !== null; ) {
      const part = { ...range, from, count: end - from };
      const page = await this.#page((request) => encode({ type: 'outputs', worker: this.id, request, job: spec.id, ...part }));
      all.push(...(page.body as HeldOutput[]));
      from = page.next;
    }
    return all;
  }

  #page(message: (request: number) => Buffer[]): Promise<{ next: number | null; body: unknown }> {
    const request = this.#request++;
    return new Promise((resolve, reject) => {
      this.#pages.set(request, (page) => (DafError.is(page) ? reject(page) : resolve(page)));
      void this.#socket.send(message(request));
    });
  }

  #receive(received: Received<ToWorker>): void {
    if (this.#closed) return;
    const { message } = received;
    if (message.type === 'welcome') {
      this.#againMs = message.leaseMs / 2;
      clearInterval(this.#timer);
      this.#timer = setInterval(() => this.#beat(), message.heartbeatMs);
      void this.#socket.send(encode({ type: 'credit', worker: this.id, seq: this.#seq++, capacity: this.#capacity }));
      this.#resend();
    } else if (message.type === 'assign') {
      for (const assignment of received.body as readonly Assignment[]) void this.#run(assignment);
    } else if (message.type === 'verdicts') {
      for (const verdict of message.verdicts) {
        this.verdicts.push(verdict);
        this.#unanswered.delete(`${verdict.job}/${verdict.attempt}`);
      }
    } else if (message.type === 'revoke') {
      for (const { job, attempt } of message.attempts) this.#unanswered.delete(`${job}/${attempt}`);
    } else if (message.type === 'drop-job') this.dropped.push(message.job);
    else if (message.type === 'hold-copy') {
      this.copied.push(message.attempt);
      const { job, attempt } = message;
      void this.#socket.send(encode({ type: 'copy-held', worker: this.id, job, attempt, path: '/x' }));
    } else if (message.type === 'page') {
      this.#pages.get(message.request)?.({ next: message.next, body: received.body });
      this.#pages.delete(message.request);
    } else if (message.type === 'refused') this.#pages.get(message.request)?.(fromWire(message.error));
  }

  async #run(assignment: Assignment): Promise<void> {
    const key = `${assignment.job}/${assignment.attempt}`;
    this.assigned.push(assignment);
    this.#unanswered.set(key, { assignment, report: null, sentAt: 0 });
    const outcome = await this.#script(assignment, this);
    const entry = this.#unanswered.get(key);
    if (entry === undefined) return;
    const { job, task, generation, attempt, epoch } = assignment;
    const usage = { worker: this.id, milliseconds: 1, reservedBytes: 1, nativePeakBytes: 1, processPeakBytes: 1 };
    entry.report = { job, task, generation, attempt, epoch, outcome, usage };
    entry.sentAt = performance.now();
    void this.#socket.send(encode({ type: 'reports', worker: this.id }, [entry.report]));
  }

  #beat(): void {
    const running = [...this.#unanswered.values()].slice(0, 64).map(({ assignment }) => ({
      job: assignment.job,
      attempt: assignment.attempt,
      progress: 0.5,
    }));
    void this.#socket.send(encode({ type: 'heartbeat', worker: this.id, seq: this.#seq++, running, peakBytes: 1000 }));
    this.#resend(this.#againMs);
  }

  /** @param unlessSince sent within so many milliseconds; a report that is on its way need not go again */
  #resend(unlessSince = 0): void {
    const before = performance.now() - unlessSince;
    const due = [...this.#unanswered.values()].filter(({ report, sentAt }) => report !== null && sentAt <= before).slice(0, 64);
    for (const each of due) each.sentAt = performance.now();
    const reports = due.map(({ report }) => report!);
    if (reports.length > 0) void this.#socket.send(encode({ type: 'reports', worker: this.id }, reports));
  }
}

/** A client's side of the wire: requests by promise, events collected. */
export class ScriptedClient {
  readonly events: JobEvent[] = [];
  readonly #socket: DealerSocket;
  readonly #waiting = new Map<number, { resolve(body: unknown): void; reject(error: DafError): void; again(): void }>();
  readonly #token: string | null;
  #next = 1;

  constructor(endpoint: string, token: string | null = null) {
    this.#token = token;
    this.#socket = new DealerSocket(endpoint, {
      onConnected: () => {
        for (const { again } of this.#waiting.values()) again();
      },
      onMessage: (frames) => {
        const received = decodeFromCoordinator(frames) as Received<ToClient>;
        const { message } = received;
        if (message.type === 'event') this.events.push(received.body as JobEvent);
        if (message.type === 'reply') this.#waiting.get(message.request)?.resolve(received.body);
        if (message.type === 'refused') this.#waiting.get(message.request)?.reject(fromWire(message.error));
        if (message.type !== 'event') this.#waiting.delete(message.request);
      },
    });
  }

  /** Asks; asks again after every reconnect until there is an answer. */
  ask<T>(make: (head: { request: number; token: string | null }) => FromClient, body?: JobSpec): Promise<T> {
    const request = this.#next++;
    const message = make({ request, token: this.#token });
    const frames = (): Buffer[] => (message.type === 'submit' ? encode(message, body!) : encode(message));
    return new Promise<T>((resolve, reject) => {
      const again = (): void => void this.#socket.send(frames());
      this.#waiting.set(request, { resolve: resolve as (body: unknown) => void, reject, again });
      again();
    });
  }

  submit(spec: JobSpec): Promise<JobStatus> {
    return this.ask((head) => ({ ...head, type: 'submit' }), spec);
  }

  status(job: string): Promise<JobStatus> {
    return this.ask((head) => ({ ...head, type: 'status', job }));
  }

  async ended(job: string, limitMs = 20_000): Promise<JobStatus> {
    const until = performance.now() + limitMs;
    for (;;) {
      const status = await this.status(job);
      if (status.phase !== 'running' && status.phase !== 'publishing') return status;
      if (performance.now() > until)
        throw new DafError('ERR_DAF_TIMEOUT', `job ${job} is still ${status.phase}: ${JSON.stringify(status)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  close(): Promise<void> {
    return this.#socket.close();
  }
}

/** The part file's name and key that a task of a job would write. */
export function partOf(spec: JobSpec, assignment: Assignment): { readonly name: string; readonly key: string } {
  const { task, attempt } = assignment;
  const name = task.stage === 'map' ? mapPartName(task.index) : partName(task.index);
  return { name, key: `${attemptPrefix(spec.id, task, attempt)}${name}` };
}

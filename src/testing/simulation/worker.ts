import { DafError, toWire } from '../../core/contracts/errors.js';
import { attemptPrefix, type JobSpec, mapPartName, partName, taskName } from '../../core/contracts/job.js';
import { type FromWorker, MAX_BATCH, PROTOCOL, type ToWorker } from '../../core/contracts/messages.js';
import type { Assignment, MapOutput, Outcome, Report } from '../../core/contracts/task.js';
import type { MemoryBlobStore } from '../../engine/stores/blob-memory.js';
import { decodeFromCoordinator, encode, type Received } from '../../engine/wire/index.js';
import type { VirtualClock } from './clock.js';
import { mapContent, type Watch } from './invariants.js';
import type { Random } from './random.js';

/** What workers of one run share. */
export interface World {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly spec: JobSpec;
  readonly output: MemoryBlobStore;
  readonly watch: Watch;
  /** worker → path → content: intermediate data lies with the worker that made it. */
  readonly disks: Map<string, Map<string, string>>;
  /** How often each task has failed by itself so far. */
  readonly failures: Map<string, number>;
  faulty(): boolean;
  toCoordinator(worker: SimWorker, frames: Buffer[]): void;
}

interface Held {
  readonly assignment: Assignment;
  report: Report | null;
}

const CAPACITY = 2;

/** A worker as the protocol sees it; its work is a wait and a few strings. */
export class SimWorker {
  readonly id: string;
  readonly #world: World;
  readonly #held = new Map<string, Held>();
  readonly #pages = new Map<number, (outputs: MapOutput[]) => void>();
  readonly #disk: Map<string, string>;
  /** Acts that came due while the process was stopped. */
  #stalled: (() => void)[] | null = null;
  #seq = 0;
  #request = 0;
  #welcomed = false;
  #heartbeatMs = 200;
  /** Changes with every connection, so that messages to an old one are lost. */
  connection = 0;
  alive = true;

  constructor(id: string, world: World) {
    this.id = id;
    this.#world = world;
    this.#disk = new Map();
    world.disks.set(id, this.#disk);
    this.#every(
      () => this.#heartbeatMs,
      () => this.#beat(),
    );
    this.hello();
  }

  get peer(): string {
    return `${this.id}#${this.connection}`;
  }

  /** SIGKILL. Data on disk stays unless `disk` goes too. */
  kill(disk: boolean): void {
    this.alive = false;
    if (disk) this.#world.disks.delete(this.id);
  }

  /** SIGSTOP, and SIGCONT after `ms`. */
  pause(ms: number): void {
    if (this.#stalled !== null) return;
    this.#stalled = [];
    this.#world.clock.after(ms, () => {
      const stalled = this.#stalled ?? [];
      this.#stalled = null;
      for (const act of stalled) if (this.alive) act();
    });
  }

  reconnect(): void {
    this.connection += 1;
    this.#welcomed = false;
    this.#act(() => this.hello());
  }

  hello(): void {
    const running = [...this.#held.values()].map(({ assignment }) => assignment).slice(0, MAX_BATCH);
    const about = { worker: this.id, host: this.id, pid: 1, threads: 1, budgetBytes: 1, token: null };
    this.#send(encode({ type: 'worker-hello', protocol: PROTOCOL, running, ...about }));
  }

  receive(frames: Buffer[]): void {
    this.#act(() => this.#handle(decodeFromCoordinator(frames) as Received<ToWorker>));
  }

  #handle({ message, body }: Received<ToWorker>): void {
    switch (message.type) {
      case 'welcome':
        this.#welcomed = true;
        this.#heartbeatMs = message.heartbeatMs;
        this.#send(encode({ type: 'credit', worker: this.id, seq: this.#seq++, capacity: CAPACITY }));
        this.#resend();
        return;
      case 'unknown-worker':
        this.#welcomed = false;
        this.hello();
        return;
      case 'assign':
        for (const assignment of body as readonly Assignment[]) this.#start(assignment);
        return;
      case 'verdicts':
        for (const { job, attempt, verdict } of message.verdicts) {
          const held = this.#held.get(`${job}/${attempt}`);
          if (held === undefined) continue;
          const { task, generation } = held.assignment;
          if (verdict === 'committed') this.#world.watch.acknowledged(job, task, generation, attempt);
          else this.#discard(held);
          this.#held.delete(`${job}/${attempt}`);
        }
        return;
      case 'revoke':
        for (const { job, attempt } of message.attempts) {
          const held = this.#held.get(`${job}/${attempt}`);
          if (held !== undefined) this.#discard(held);
          this.#held.delete(`${job}/${attempt}`);
        }
        return;
      case 'drop-job':
        for (const key of [...this.#held.keys()]) if (key.startsWith(`${message.job}/`)) this.#held.delete(key);
        return;
      case 'page':
        this.#pages.get(message.request)?.(body as MapOutput[]);
        this.#pages.delete(message.request);
        return;
      default:
        return;
    }
  }

  #start(assignment: Assignment): void {
    const key = `${assignment.job}/${assignment.attempt}`;
    if (this.#held.has(key)) return; // a second copy
    this.#held.set(key, { assignment, report: null });
    const { random, clock } = this.#world;
    clock.after(random.whole(5, 400), () => this.#act(() => void this.#finish(key)));
  }

  async #finish(key: string): Promise<void> {
    const held = this.#held.get(key);
    if (held === undefined) return;
    const { job, task, generation, attempt, epoch } = held.assignment;
    const outcome = await this.#work(held.assignment);
    if (!this.alive || !this.#held.has(key)) return;
    const usage = { worker: this.id, milliseconds: 1, reservedBytes: 1, nativePeakBytes: 1, processPeakBytes: 1 };
    held.report = { job, task, generation, attempt, epoch, outcome, usage };
    this.#act(() => this.#send(encode({ type: 'reports', worker: this.id }, [held.report!])));
  }

  async #work(assignment: Assignment): Promise<Outcome> {
    const { random, spec, failures, output } = this.#world;
    const { task, generation, attempt } = assignment;
    const failed = failures.get(taskName(task)) ?? 0;
    if (this.#world.faulty() && failed < 2 && random.chance(0.06)) {
      failures.set(taskName(task), failed + 1);
      return { kind: 'failed', error: toWire(new DafError('ERR_DAF_USER_CODE', 'simulated')), lostMaps: [] };
    }
    const done = {
      kind: 'done',
      mapOutput: null,
      outputs: [],
      counters: { [task.stage]: 1 },
      recordsIn: 0,
      recordsOut: 0,
      refused: [],
      readGenerations: [],
    } as const;
    const write = async (name: string, text: string): Promise<Outcome> => {
      const key = `${attemptPrefix(spec.id, task, attempt)}${name}`;
      await output.put(key, Buffer.from(text));
      const file = { name, key, bytes: text.length, records: 1, crc32c: 1, volatile: false };
      return { ...done, recordsIn: task.stage === 'map' ? 10 : 0, outputs: [file] };
    };
    if (task.stage === 'finalize') return write('index.html', 'contents');
    if (task.stage === 'map') {
      if (spec.reducers === 0) return write(mapPartName(task.index), `m${task.index}`);
      const path = `${taskName(task)}/${attempt}`;
      this.#disk.set(path, mapContent(spec, task.index, attempt));
      const mapOutput: MapOutput = { map: task.index, generation, worker: this.id, host: this.id, path, bytes: 1 };
      return { ...done, recordsIn: 10, mapOutput };
    }
    const outputs = await this.#mapOutputs();
    const lostMaps: { map: number; generation: number }[] = [];
    const contents: string[] = [];
    for (const each of outputs) {
      const content = this.#world.disks.get(each.worker)?.get(each.path);
      if (content === undefined || (this.#world.faulty() && random.chance(0.01)))
        lostMaps.push({ map: each.map, generation: each.generation });
      else contents.push(content);
    }
    if (lostMaps.length > 0)
      return { kind: 'failed', error: toWire(new DafError('ERR_DAF_SEGMENT_LOST', 'simulated')), lostMaps };
    const outcome = await write(partName(task.index), contents.map((line) => `${line}\n`).join(''));
    const readGenerations = outputs.map((each): readonly [number, number] => [each.generation, 1]);
    return { ...(outcome as Extract<Outcome, { kind: 'done' }>), readGenerations };
  }

  /** Asks until there is an answer, as messages get lost. */
  #mapOutputs(): Promise<MapOutput[]> {
    return new Promise((resolve) => {
      let answered = false;
      const ask = (): void => {
        if (answered || !this.alive) return;
        const request = this.#request++;
        this.#pages.set(request, (outputs) => {
          answered = true;
          resolve(outputs);
        });
        this.#send(encode({ type: 'map-outputs', worker: this.id, request, job: this.#world.spec.id, from: 0 }));
        this.#world.clock.after(500, () => this.#act(ask));
      };
      ask();
    });
  }

  #beat(): void {
    if (!this.#welcomed) {
      this.hello();
      return;
    }
    const running = [...this.#held.values()].map(({ assignment: { job, attempt } }) => ({ job, attempt, progress: 0.5 }));
    this.#send(
      encode({ type: 'heartbeat', worker: this.id, seq: this.#seq++, running: running.slice(0, MAX_BATCH), peakBytes: 1 }),
    );
    if (this.#seq % 3 === 0) this.#send(encode({ type: 'credit', worker: this.id, seq: this.#seq++, capacity: CAPACITY }));
    if (this.#seq % 2 === 0) this.#resend();
  }

  #resend(): void {
    const reports = [...this.#held.values()].flatMap(({ report }) => (report === null ? [] : [report])).slice(0, MAX_BATCH);
    if (reports.length > 0) this.#send(encode({ type: 'reports', worker: this.id }, reports));
  }

  #discard({ assignment: { task, attempt } }: Held): void {
    this.#disk.delete(`${taskName(task)}/${attempt}`);
  }

  #send(frames: Buffer[]): void {
    if (this.alive) this.#world.toCoordinator(this, frames);
  }

  /** Now, or when the process runs again; never after its death. */
  #act(what: () => void): void {
    if (!this.alive) return;
    if (this.#stalled !== null) this.#stalled.push(what);
    else what();
  }

  #every(period: () => number, act: () => void): void {
    this.#world.clock.after(period(), () => {
      if (!this.alive) return;
      if (this.#stalled === null) act(); // a stopped process misses its beats
      this.#every(period, act);
    });
  }
}

export type { FromWorker };

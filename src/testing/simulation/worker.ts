import { DafError, toWire } from '../../core/contracts/errors.js';
import { attemptPrefix, type JobSpec, mapPartName, partName, type TaskId, taskName } from '../../core/contracts/job.js';
import { type FromWorker, type HoldCopy, MAX_BATCH, PROTOCOL, type ToWorker } from '../../core/contracts/messages.js';
import { placeOf, readsOf, type TaskRange } from '../../core/contracts/step.js';
import {
  type Assignment,
  FIRST_SKIPPING_TRY,
  type HeldOutput,
  type LostOutput,
  type Outcome,
  type OutputFile,
  type Report,
  type TaskRead,
} from '../../core/contracts/task.js';
import type { MemoryBlobStore } from '../../engine/stores/blob-memory.js';
import { decodeFromCoordinator, encode, type Received } from '../../engine/wire/index.js';
import type { VirtualClock } from './clock.js';
import { badRecords, coverageOf, inPieces, RECORDS_A_SPLIT, readsInput, taskContent } from './content.js';
import type { Watch } from './invariants.js';
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
  /** What happened in attempts, so that a test can tell that it did. */
  readonly happened: { hangs: number; skips: number; pieces: number };
  /** Outputs of earlier steps that map tasks read from their own disk, and from those of others. */
  readonly reads: { near: number; far: number };
  faulty(): boolean;
  toCoordinator(worker: SimWorker, frames: Buffer[]): void;
}

interface Held {
  readonly assignment: Assignment;
  report: Report | null;
}

const CAPACITY = 2;

const endpointOf = (worker: string): string => `sim:${worker}`;
const workerOf = (endpoint: string): string => endpoint.slice('sim:'.length);

/** A worker as the protocol sees it; its work is a wait and a few strings. */
export class SimWorker {
  readonly id: string;
  readonly #world: World;
  readonly #held = new Map<string, Held>();
  readonly #pages = new Map<number, (outputs: HeldOutput[]) => void>();
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
    const about = {
      worker: this.id,
      host: this.id,
      pid: 1,
      threads: 1,
      budgetBytes: 256 << 20,
      endpoint: endpointOf(this.id),
      token: null,
    };
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
          if (verdict === 'committed') this.#world.watch.acknowledged(task, generation, attempt);
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
      case 'drop-outputs':
        this.#drop(message);
        return;
      case 'hold-copy':
        this.#holdCopy(message);
        return;
      case 'page':
        this.#pages.get(message.request)?.(body as HeldOutput[]);
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
    if (outcome === 'hangs') {
      this.#world.happened.hangs += 1;
      return; // named in every heartbeat, until somebody ends it
    }
    if (!this.alive || !this.#held.has(key)) return;
    const usage = { worker: this.id, milliseconds: 1, reservedBytes: 1, nativePeakBytes: 1, processPeakBytes: 1 };
    held.report = { job, task, generation, attempt, epoch, outcome, usage };
    this.#act(() => this.#send(encode({ type: 'reports', worker: this.id }, [held.report!])));
  }

  /** How an attempt ends that does not get to its end; null for one that does. */
  #mishap({ task, try: tries }: Assignment, bad: number): Outcome | 'hangs' | null {
    const { random, spec, failures } = this.#world;
    const failed: Outcome = { kind: 'failed', error: toWire(new DafError('ERR_DAF_USER_CODE', 'simulated')), lost: [] };
    const hangs = spec.taskTimeoutMs !== null && random.chance(0.6);
    if (bad > 0) {
      if (tries < FIRST_SKIPPING_TRY || spec.maxSkipped === 0) return hangs ? 'hangs' : failed;
      return bad > spec.maxSkipped ? failed : null;
    }
    const before = failures.get(taskName(task)) ?? 0;
    if (!this.#world.faulty() || before >= 2 || !random.chance(0.06)) return null;
    failures.set(taskName(task), before + 1);
    return hangs ? 'hangs' : failed;
  }

  async #work(assignment: Assignment): Promise<Outcome | 'hangs'> {
    const { random, spec } = this.#world;
    const { task, attempt } = assignment;
    const bad = readsInput(spec, task) ? badRecords(spec, task.index) : 0;
    const mishap = this.#mishap(assignment, bad);
    if (mishap !== null) return mishap;
    const done = {
      kind: 'done',
      held: null,
      outputs: [],
      counters: { [task.stage]: 1 },
      recordsIn: 0,
      skipped: 0,
      intake: null,
      recordsOut: 0,
      refused: [],
      reads: [],
    } as const;
    if (task.stage === 'finalize') return { ...done, outputs: [await this.#publishable(assignment, 'index.html', 'contents')] };
    const listed = bad > 0 ? [await this.#publishable(assignment, `quarantine/${taskName(task)}.jsonl`, `${bad} records`)] : [];
    const lost: LostOutput[] = [];
    const contents: string[] = [];
    const reads: TaskRead[] = [];
    for (const range of readsOf(spec, task)) {
      const outputs = await this.#outputs(range);
      for (const held of outputs) {
        if (task.stage === 'map' && spec.steps[task.step]!.from.includes(range.step)) this.#countRead(held);
        const content = await this.#read(held);
        if (content !== undefined) contents.push(content);
        else lost.push({ task: { step: range.step, stage: range.stage, index: held.index }, generation: held.generation });
      }
      reads.push({ ...range, generations: outputs.map(({ generation }) => [generation, 1] as const) });
    }
    if (lost.length > 0) return { kind: 'failed', error: toWire(new DafError('ERR_DAF_SEGMENT_LOST', 'simulated')), lost };
    const whole = taskContent(spec, task, attempt, contents);
    this.#world.watch.made(attempt, whole);
    const step = spec.steps[task.step]!;
    const content = step.hasCombine && random.chance(0.5) ? inPieces(whole, random.whole(1, 9)) : whole;
    if (content !== whole) this.#world.happened.pieces += 1;
    if (bad > 0) this.#world.happened.skips += 1;
    const counts = { ...this.#intake(task), skipped: bad, reads };
    const isShuffled = task.stage === 'map' && step.reducers > 0;
    const shuffled = spec.intermediate === 'blob' ? 'store' : 'worker';
    switch (isShuffled ? shuffled : placeOf(spec, task.step)) {
      case 'results': {
        const name = task.stage === 'map' ? mapPartName(task.index) : partName(task.index);
        return { ...done, ...counts, outputs: [...listed, await this.#publishable(assignment, name, whole)] };
      }
      case 'store': {
        const { key } = await this.#publishable(assignment, 'records', isShuffled ? content : whole);
        return { ...done, ...counts, outputs: listed, held: { ...this.#identity(assignment), copies: [], key } };
      }
      case 'worker':
        return { ...done, ...counts, outputs: listed, held: this.#hold(assignment, isShuffled ? content : whole) };
    }
  }

  /** What it says of the input's records: those that kill are cut, and not mapped. */
  #intake(task: TaskId): Pick<Extract<Outcome, { kind: 'done' }>, 'recordsIn' | 'intake'> {
    const { spec } = this.#world;
    if (!readsInput(spec, task)) return { recordsIn: 0, intake: null };
    const coverage = coverageOf(task.index, task.index + 1);
    return { recordsIn: RECORDS_A_SPLIT - badRecords(spec, task.index), intake: { records: RECORDS_A_SPLIT, coverage } };
  }

  async #publishable({ task, attempt }: Assignment, name: string, content: string): Promise<OutputFile> {
    const key = `${attemptPrefix(this.#world.spec.id, task, attempt)}${name}`;
    await this.#world.output.put(key, Buffer.from(content));
    return { name, key, bytes: content.length, records: 1, crc32c: 1, volatile: false };
  }

  /** Keeps a content on this worker's own disk. */
  #hold(assignment: Assignment, content: string): HeldOutput {
    const path = `${taskName(assignment.task)}/${assignment.attempt}`;
    const others = [...this.#world.disks.keys()].filter((worker) => worker !== this.id);
    const holders = [this.id, ...others.slice(0, this.#world.spec.replicas - 1)];
    for (const holder of holders) this.#world.disks.get(holder)?.set(path, content);
    const copies = holders.map((worker) => ({ worker, host: worker, path, endpoint: endpointOf(worker) }));
    return { ...this.#identity(assignment), copies, key: null };
  }

  /** Takes what another disk has, when it still has it. */
  #holdCopy({ job, attempt, from }: HoldCopy): void {
    const { random, clock, disks } = this.#world;
    clock.after(random.whole(1, 50), () =>
      this.#act(() => {
        const path = `${attempt.replace(/-g\d+-a[\d.]+$/, '')}/${attempt}`;
        const content = from.map((endpoint) => disks.get(workerOf(endpoint))?.get(path)).find((each) => each !== undefined);
        if (content !== undefined) this.#disk.set(path, content);
        this.#send(encode({ type: 'copy-held', worker: this.id, job, attempt, path: content === undefined ? null : path }));
      }),
    );
  }

  #identity({ task, generation, attempt }: Assignment): Omit<HeldOutput, 'copies' | 'key'> {
    return { index: task.index, generation, attempt, bytes: 1, crc32c: null, digest: 1 };
  }

  #countRead({ key, copies }: HeldOutput): void {
    if (key === null) this.#world.reads[copies.some(({ worker }) => worker === this.id) ? 'near' : 'far'] += 1;
  }

  /** Undefined when it is lost. */
  async #read({ key, copies }: HeldOutput): Promise<string | undefined> {
    const { random, output, disks } = this.#world;
    if (key !== null) {
      const bytes = await output.get(key).catch(() => undefined); // the job has ended meanwhile
      return bytes && Buffer.from(bytes).toString();
    }
    if (this.#world.faulty() && random.chance(0.01)) return undefined;
    for (const { worker, path } of copies) {
      const content = disks.get(worker)?.get(path);
      if (content !== undefined) return content;
    }
    return undefined;
  }

  /** What the tasks of a range hold; asks until there is an answer, as messages get lost. */
  #outputs(range: TaskRange): Promise<HeldOutput[]> {
    return new Promise((resolve) => {
      let answered = false;
      const ask = (): void => {
        if (answered || !this.alive) return;
        const request = this.#request++;
        this.#pages.set(request, (outputs) => {
          answered = true;
          resolve(outputs);
        });
        this.#send(encode({ type: 'outputs', worker: this.id, request, job: this.#world.spec.id, ...range }));
        this.#world.clock.after(500, () => this.#act(ask));
      };
      ask();
    });
  }

  /** Nobody will read these any more. */
  #drop({ step, stage, from, generations }: TaskRead): void {
    let index = from;
    for (const [generation, count] of generations) {
      for (const end = index + count; index < end; index++) {
        const prefix = taskName({ step, stage, index });
        for (const path of this.#disk.keys()) {
          const made = path.startsWith(`${prefix}/`) ? /-g(\d+)-a/.exec(path)?.[1] : undefined;
          if (made !== undefined && Number(made) <= generation) this.#disk.delete(path);
        }
      }
    }
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

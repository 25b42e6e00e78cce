import { DafError } from '../../core/contracts/errors.js';
import { type JobSpec, type JobStatus, MANIFEST } from '../../core/contracts/job.js';
import type { StateStore } from '../../core/contracts/stores.js';
import { Service } from '../../engine/coordinator/service.js';
import type { MemoryBlobStore } from '../../engine/stores/blob-memory.js';
import { MemoryStateStore } from '../../engine/stores/state-memory.js';
import { decodeFromCoordinator, encode } from '../../engine/wire/index.js';
import { VirtualClock } from './clock.js';
import { badRecordsOf } from './content.js';
import { drawSpec } from './draw.js';
import { checkPublished, type Violation, Watch } from './invariants.js';
import { Network } from './network.js';
import { Random } from './random.js';
import { type Life, throughLife } from './stores.js';
import { SimWorker, type World } from './worker.js';

const HEARTBEAT_MS = 200;
const LEASE_MS = 900;
const FAULTS_UNTIL = 6000;
const CLIENT = 'client#0';
const PATIENCE_MS = 60_000;

/** Until a task that hangs twice is ended, ms: one taken up after restarts may count as looking for records, which gives it far longer. */
function longestHang({ taskTimeoutMs, maxSkipped }: JobSpec): number {
  return 2 * (taskTimeoutMs ?? 0) * (2 * maxSkipped + 4);
}

export interface SimulationResult {
  readonly seed: number;
  readonly violation: Violation | null;
  readonly status: JobStatus | null;
  readonly manifest: string | null;
  /** False: another run may rightly give other bytes. */
  readonly deterministic: boolean;
  readonly crashes: number;
  readonly kills: number;
  readonly messages: number;
  /** Attempts that hung, that went on without records, that left a split's records uncombined. */
  readonly happened: Readonly<Record<'hangs' | 'skips' | 'pieces', number>>;
  /** How often a map task of a later step ran where its input lay, and how often elsewhere. */
  readonly reads: { readonly near: number; readonly far: number };
  readonly virtualMs: number;
}

export interface SimulationOptions {
  /** False: the same job in a calm world, the reference. Default true. */
  readonly faults?: boolean;
  /** The durable state; a test puts a broken one in to see that it is caught. */
  readonly state?: () => StateStore;
  /** After the faults stop a job has this long, virtual ms, to end. Default 60,000, and as long as an attempt may hang. */
  readonly patienceMs?: number;
}

/** One cluster, one job, one seed: everything that happens follows from the seed. */
export async function simulate(seed: number, options: SimulationOptions = {}): Promise<SimulationResult> {
  // The many errors of a faulty world are told by their codes; to trace where each came from would take most of the time.
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return await new Simulation(seed, options).run();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

class Simulation {
  readonly #seed: number;
  readonly #random: Random;
  readonly #clock = new VirtualClock();
  readonly #watch: Watch;
  readonly #network: Network;
  readonly #spec: JobSpec;
  readonly #state: StateStore;
  readonly #output: MemoryBlobStore;
  readonly #world: World;
  readonly #workers: SimWorker[] = [];
  readonly #patienceMs: number;
  readonly #happened = { hangs: 0, skips: 0, pieces: 0 };
  #faulty: boolean;
  #service: Service | null = null;
  #life: Life | null = null;
  #starting = false;
  #crashes = 0;
  #kills = 0;
  #names = 0;
  #status: JobStatus | null = null;
  #cancelled = false;

  constructor(seed: number, options: SimulationOptions) {
    this.#seed = seed;
    this.#spec = drawSpec(new Random(seed));
    this.#watch = new Watch(this.#spec);
    this.#random = new Random(seed + 0.5 * 2 ** 31);
    this.#faulty = options.faults ?? true;
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS + longestHang(this.#spec);
    this.#network = new Network(this.#clock, this.#random, {
      drop: this.#random.pick([0, 0.02, 0.1]),
      duplicate: this.#random.pick([0, 0.05, 0.2]),
      delay: this.#random.pick([3, 30, 250]),
      cut: this.#random.pick([0, 0.004, 0.02]),
    });
    if (!this.#faulty) this.#network.calm();
    this.#state = this.#watch.state(options.state?.() ?? new MemoryStateStore());
    this.#output = this.#watch.output();
    this.#world = {
      clock: this.#clock,
      random: this.#random,
      spec: this.#spec,
      output: this.#output,
      watch: this.#watch,
      disks: new Map(),
      failures: new Map(),
      happened: this.#happened,
      reads: { near: 0, far: 0 },
      faulty: () => this.#faulty,
      toCoordinator: (worker, frames) => this.#toCoordinator(worker.peer, worker.id, frames),
    };
  }

  async run(): Promise<SimulationResult> {
    this.#startCoordinator();
    for (let i = this.#random.whole(2, 4); i > 0; i--) this.#addWorker();
    this.#client();
    if (this.#faulty) {
      this.#chaos();
      this.#clock.after(FAULTS_UNTIL, () => this.#stopFaults());
    }
    const limit = FAULTS_UNTIL + this.#patienceMs;
    const ended = await this.#clock.run(
      () => this.#isOver(),
      limit,
      () => this.#checkCoordinator(),
    );
    if (!ended && this.#watch.violation === null) {
      this.#watch.fail('progress', `the job is ${JSON.stringify(this.#status)} at ${this.#clock.now} ms`);
    }
    if (this.#watch.violation === null) await this.#checkEnd();
    const manifest = await this.#output.get(MANIFEST).catch(() => null);
    return {
      seed: this.#seed,
      violation: this.#watch.violation,
      status: this.#status,
      manifest: manifest === null ? null : Buffer.from(manifest).toString(),
      deterministic: this.#spec.deterministic,
      crashes: this.#crashes,
      kills: this.#kills,
      messages: this.#network.delivered,
      happened: this.#happened,
      reads: this.#world.reads,
      virtualMs: this.#clock.now,
    };
  }

  #isOver(): boolean {
    if (this.#watch.violation !== null) return true;
    return this.#status !== null && this.#status.phase !== 'running' && this.#status.phase !== 'publishing';
  }

  async #checkEnd(): Promise<void> {
    const { phase, error } = this.#status!;
    const manifests = this.#watch.manifests;
    const mayFail = this.#badRecords > this.#spec.maxSkipped;
    if (phase === 'done') {
      await checkPublished(this.#watch, this.#spec, this.#output);
      if (mayFail) this.#watch.fail('no-under-count', `it is done without ${this.#badRecords} records`);
    } else if (phase === 'failed' ? !mayFail : !this.#cancelled)
      this.#watch.fail('progress', `the job is ${phase}: ${error?.message} ${error?.cause?.message}`);
    if (manifests !== (phase === 'done' ? 1 : 0)) this.#watch.fail('publish-once', `${manifests} manifests, the job is ${phase}`);
  }

  /** Records that kill their tasks. */
  get #badRecords(): number {
    const steps = this.#spec.steps.map(({ from }, step) => (from.length === 0 ? badRecordsOf(this.#spec, step) : 0));
    return steps.reduce((sum, bad) => sum + bad, 0);
  }

  #checkCoordinator(): void {
    const job = this.#service?.core.jobs.get(this.#spec.id);
    if (job !== undefined) this.#watch.coordinator(job);
  }

  // ── the coordinator process ────────────────────────────────────────────────────────────────────────────────────

  #startCoordinator(): void {
    this.#starting = true;
    const calm = { fail: 0, crash: 0 };
    const faults = { fail: this.#random.pick([0, 0.03, 0.15]), crash: this.#random.pick([0, 0.01, 0.04]) };
    const life: Life = {
      dead: false,
      faults: () => (this.#faulty ? faults : calm),
      crash: () => this.#crash(life, this.#random.whole(20, 1500)),
    };
    this.#life = life;
    const output = throughLife(this.#output, life, this.#clock, this.#random);
    const begin = async (): Promise<void> => {
      const service = await Service.start(
        {
          state: throughLife(this.#state, life, this.#clock, this.#random),
          openOutput: () => output,
          send: (peer, frames) => this.#fromCoordinator(life, peer, frames),
          now: () => this.#clock.now,
          sleep: (ms) => (life.dead ? new Promise(() => {}) : this.#clock.sleep(ms)),
          ownPeak: () => 1,
          log: () => {},
          fatal: (error) => this.#fatal(life, error),
        },
        { token: null, heartbeatMs: HEARTBEAT_MS, leaseMs: LEASE_MS, graceMs: 2 * HEARTBEAT_MS, backupAfterMs: 300 },
      );
      if (life.dead) return;
      // One that another has overtaken while it started holds no address: it goes on until it learns that it is fenced.
      if (life === this.#life) {
        this.#starting = false;
        this.#service = service;
      }
      service.settle();
      if (life === this.#life) for (const worker of this.#workers) if (worker.alive) worker.reconnect();
      this.#tick(life, service, 0);
    };
    begin().catch((error: unknown) => this.#fatal(life, DafError.from(error)));
  }

  #tick(life: Life, service: Service, count: number): void {
    this.#clock.after(100, () => {
      if (life.dead || service.closed) return;
      service.tick();
      if (count % 10 === 9) void service.checkLeadership();
      this.#tick(life, service, count + 1);
    });
  }

  #crash(life: Life, downFor: number): void {
    if (life.dead) return;
    life.dead = true;
    if (life !== this.#life) return;
    this.#crashes += 1;
    this.#service = null;
    this.#clock.after(downFor, () => this.#startCoordinator());
  }

  /** A start that failed, or a fenced or frustrated coordinator: its supervisor starts another. */
  #fatal(life: Life, error: DafError): void {
    if (life.dead) return;
    const expected = error.code === 'ERR_DAF_FENCED' || error.code === 'ERR_DAF_IO';
    if (!expected) this.#watch.fail('no-crash', `${error.code}: ${error.message} ${error.stack}`);
    this.#crash(life, 100);
  }

  // ── messages ───────────────────────────────────────────────────────────────────────────────────────────────────

  #toCoordinator(peer: string, link: string, frames: Buffer[]): void {
    const life = this.#life;
    this.#network.send(link, () => {
      if (this.#life === life && this.#service !== null) this.#service.receive(peer, frames);
    });
  }

  #fromCoordinator(life: Life, peer: string, frames: readonly Uint8Array[]): void {
    if (life.dead || life !== this.#life) return;
    const buffers = frames as Buffer[]; // as encode() made them
    if (peer === CLIENT) {
      this.#network.send(CLIENT, () => this.#answered(buffers));
      return;
    }
    const worker = this.#workers.find((each) => each.peer === peer);
    if (worker !== undefined) {
      this.#network.send(worker.id, () => {
        if (worker.peer === peer) worker.receive(buffers);
      });
    }
  }

  // ── the client ─────────────────────────────────────────────────────────────────────────────────────────────────

  #client(): void {
    const head = { request: 1, token: null };
    const known = this.#status !== null;
    this.#toCoordinator(
      CLIENT,
      CLIENT,
      known ? encode({ ...head, type: 'status', job: 'job' }) : encode({ ...head, type: 'submit' }, this.#spec),
    );
    if (this.#cancelled && known)
      this.#toCoordinator(CLIENT, CLIENT, encode({ ...head, request: 2, type: 'cancel', job: 'job' }));
    this.#clock.after(300, () => this.#client());
  }

  #answered(frames: Buffer[]): void {
    const { message, body } = decodeFromCoordinator(frames);
    if (message.type === 'reply' && message.request === 1) this.#status = body as JobStatus;
    else if (message.type === 'refused' && !message.error.retryable) {
      this.#watch.fail('no-crash', `the client was refused: ${message.error.code} ${message.error.message}`);
    }
  }

  // ── faults ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #addWorker(): void {
    this.#workers.push(new SimWorker(`w${this.#names++}`, this.#world));
  }

  #chaos(): void {
    if (!this.#faulty) return;
    const random = this.#random;
    this.#clock.after(random.whole(50, 700), () => {
      if (!this.#faulty) return;
      const alive = this.#workers.filter((each) => each.alive);
      const worker = alive.length === 0 ? undefined : random.pick(alive);
      const what = random.next();
      if (worker === undefined) {
        // All are dead; successors are on their way.
      } else if (what < 0.25 && this.#kills < 5) {
        this.#kills += 1;
        worker.kill(random.chance(0.5));
        this.#clock.after(random.whole(10, 1000), () => this.#addWorker());
      } else if (what < 0.5) worker.pause(random.whole(100, 3 * LEASE_MS));
      else if (what < 0.58 && this.#life !== null && !this.#starting) this.#crash(this.#life, random.whole(20, 2000));
      else if (what < 0.62 && !this.#starting) this.#usurp();
      else if (what < 0.64) this.#cancelled = random.chance(0.3) || this.#cancelled;
      else if (what < 0.7) worker.reconnect();
      this.#chaos();
    });
  }

  /** A second coordinator starts while the first still lives, which is then fenced by the store, whatever it is about to write. */
  #usurp(): void {
    this.#service = null;
    this.#crashes += 1;
    this.#startCoordinator();
  }

  #stopFaults(): void {
    this.#faulty = false;
    this.#network.calm();
    if (!this.#workers.some((each) => each.alive)) this.#addWorker();
  }
}

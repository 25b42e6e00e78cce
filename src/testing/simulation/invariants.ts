import { type JobPhase, type JobSpec, MANIFEST, type TaskId, taskName } from '../../core/contracts/job.js';
import type { Manifest } from '../../core/contracts/manifest.js';
import { intakeOf, outputsOf } from '../../core/contracts/step.js';
import type { StateStore } from '../../core/contracts/stores.js';
import type { Commit } from '../../core/contracts/task.js';
import type { JobState } from '../../engine/coordinator/job-state.js';
import { StageGraph } from '../../engine/coordinator/stage-graph.js';
import { TASK } from '../../engine/coordinator/task-table.js';
import { MemoryBlobStore } from '../../engine/stores/blob-memory.js';
import { attemptsIn, badRecords, badRecordsOf, expectedContent, RECORDS_A_SPLIT, readsInput, stripAttempts } from './content.js';

/** What must hold in every run. The model of the commit protocol (commit.pml) uses the same names. */
export const INVARIANTS = [
  'one-commit-per-generation',
  'acknowledged-is-durable',
  'no-under-count',
  'publish-once',
  'same-manifest',
  'progress',
  'no-crash',
] as const;

export type Invariant = (typeof INVARIANTS)[number];

export class Violation extends Error {
  readonly invariant: Invariant;
  constructor(invariant: Invariant, why: string) {
    super(`${invariant}: ${why}`);
    this.invariant = invariant;
  }
}

/** Watches the durable stores themselves, whoever writes to them, and after every step what they hold. */
export class Watch {
  readonly #spec: JobSpec;
  readonly #graph: StageGraph;
  /** task/generation → the attempt that committed it. */
  readonly #commits = new Map<string, string>();
  /** The commits that stand, by task. */
  readonly #standing = new Map<string, Commit>();
  /** What attempts have made: before a combiner, and wherever it lies. */
  readonly #made = new Map<string, string>();
  #seen: { readonly job: JobState | null; readonly sums: string } = { job: null, sums: '' };
  #manifests = 0;
  violation: Violation | null = null;

  constructor(spec: JobSpec) {
    this.#spec = spec;
    this.#graph = new StageGraph(spec);
  }

  fail(invariant: Invariant, why: string): void {
    this.violation ??= new Violation(invariant, why);
  }

  made(attempt: string, content: string): void {
    this.#made.set(attempt, content);
  }

  /** Sees every answer that the state store itself gives, before any of it can get lost. */
  state<S extends StateStore>(store: S): S {
    const seen: Partial<StateStore> = {
      commitTasks: async (term, commits) => {
        const verdicts = await store.commitTasks(term, commits);
        for (const [i, { commit }] of commits.entries()) if (verdicts[i] === 'committed') this.#committed(commit);
        await this.#checkStored(store);
        return verdicts;
      },
      reopenTask: async (term, job, task, generation) => {
        const reopened = await store.reopenTask(term, job, task, generation);
        if (reopened) this.#standing.delete(taskName(task));
        await this.#checkStored(store);
        return reopened;
      },
      setPhase: async (term, job, from, to, error) => {
        const set = await store.setPhase(term, job, from, to, error);
        if (set) this.#phase(to);
        await this.#checkStored(store);
        return set;
      },
    };
    return new Proxy(store, {
      get: (target, name) => {
        const member = Reflect.get(seen, name) ?? (Reflect.get(target, name, target) as unknown);
        return typeof member === 'function' ? (member as CallableFunction).bind(target) : member;
      },
    });
  }

  /** A worker is told that its attempt stands: then it must stand on disk. */
  acknowledged(task: TaskId, generation: number, attempt: string): void {
    const winner = this.#commits.get(`${taskName(task)}/${generation}`);
    if (winner !== attempt)
      this.fail('acknowledged-is-durable', `${attempt} was acknowledged, the store has ${winner ?? 'nothing'}`);
  }

  #committed(commit: Commit): void {
    const name = taskName(commit.task);
    const key = `${name}/${commit.generation}`;
    const before = this.#commits.get(key);
    if (before !== undefined)
      this.fail('one-commit-per-generation', `${key} was committed by ${before} and by ${commit.attempt}`);
    this.#commits.set(key, commit.attempt);
    this.#standing.set(name, commit);
    const { outcome, task, attempt } = commit;
    if (task.stage === 'finalize') return;
    const made = this.#made.get(attempt);
    const wanted = expectedContent(this.#spec, task);
    if (made === undefined || stripAttempts(made) !== wanted)
      this.fail('no-under-count', `${attempt} was committed with ${made} instead of ${wanted}`);
    if (!readsInput(this.#spec, task)) return;
    const bad = badRecords(this.#spec, task.index);
    if (outcome.skipped !== bad || outcome.recordsIn + outcome.skipped !== RECORDS_A_SPLIT)
      this.fail(
        'no-under-count',
        `${attempt} mapped ${outcome.recordsIn} records and skipped ${outcome.skipped}, ${bad} are bad`,
      );
  }

  /** What was committed and not taken back is what the store holds. */
  async #checkStored(store: StateStore): Promise<void> {
    const stored = await store.loadTasks(this.#spec.id);
    let commits = 0;
    for (const { task, commit } of stored) {
      if (commit === null) continue;
      commits += 1;
      if (this.#standing.get(taskName(task))?.attempt !== commit.attempt)
        this.fail('one-commit-per-generation', `the store holds ${commit.attempt}, which it has not said`);
    }
    if (commits !== this.#standing.size)
      this.fail('acknowledged-is-durable', `${this.#standing.size} commits stand, the store holds ${commits}`);
  }

  /** Before anything is published everything has to be there. */
  #phase(to: JobPhase): void {
    if (to !== 'publishing') return;
    for (const table of this.#graph.tables) {
      for (let index = 0; index < table.total; index++) {
        const name = taskName(table.id(index));
        if (!this.#standing.has(name)) this.fail('no-under-count', `the job is publishing without ${name}`);
      }
    }
  }

  /** A coordinator believes of no task that it stands when it never did, and has counted each that does once. */
  coordinator(job: JobState): void {
    if (job.phase === 'done') return; // found done, its tasks were not loaded
    const sums = [...job.counters.values(), job.skipped, ...job.graph.tables.map(({ committed }) => committed)].join();
    if (job === this.#seen.job && sums === this.#seen.sums) return; // most steps change none of them
    this.#seen = { job, sums };
    const counted: Record<string, number> = {};
    let skipped = 0;
    for (const table of job.graph.tables) {
      for (let index = 0; index < table.total; index++) {
        const state = table.state[index];
        if (state !== TASK.committed && state !== TASK.reopening) continue;
        counted[table.stage] = (counted[table.stage] ?? 0) + 1;
        const task = table.id(index);
        if (readsInput(this.#spec, task)) skipped += badRecords(this.#spec, index);
        if (!this.#commits.has(`${taskName(task)}/${table.generation[index]}`))
          this.fail(
            'no-under-count',
            `a coordinator takes generation ${table.generation[index]} of ${taskName(task)} for committed`,
          );
      }
    }
    for (const stage of ['map', 'reduce', 'finalize']) {
      const [told, right] = [job.counters.get(stage) ?? 0, counted[stage] ?? 0];
      if (told !== right) this.fail('no-under-count', `the counter of ${stage} tasks is ${told}, ${right} are committed`);
    }
    if (job.skipped !== skipped) this.fail('no-under-count', `${job.skipped} records count as skipped, ${skipped} were`);
  }

  get manifests(): number {
    return this.#manifests;
  }

  /** Whoever sees the manifest must find all that it lists. */
  async #checkListed(output: MemoryBlobStore, manifest: Uint8Array): Promise<void> {
    for (const { name } of (JSON.parse(Buffer.from(manifest).toString()) as Manifest).outputs)
      if ((await output.stat(name)) === null) this.fail('no-under-count', `the manifest is there before ${name}`);
  }

  /** An output store that counts how often a manifest comes into being. */
  output(): MemoryBlobStore {
    const watch = this;
    return new (class extends MemoryBlobStore {
      override async putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
        const created = await super.putIfAbsent(key, bytes);
        if (created && key === MANIFEST) {
          await watch.#checkListed(this, bytes);
          watch.#manifests += 1;
          if (watch.#manifests > 1) watch.fail('publish-once', 'a second manifest was written');
        }
        return created;
      }
    })();
  }
}

/** The published results: every record once in every part, and for jobs that may vary the same ones everywhere. */
export async function checkPublished(watch: Watch, spec: JobSpec, output: MemoryBlobStore): Promise<void> {
  const manifest = JSON.parse(Buffer.from(await output.get(MANIFEST)).toString()) as Manifest;
  const { splits } = spec.steps[intakeOf(spec)]!;
  const bad = badRecordsOf(spec, intakeOf(spec));
  const { mapped, skipped } = manifest.inputs;
  if (skipped !== bad || mapped + skipped !== manifest.inputs.records)
    watch.fail('no-under-count', `${mapped} records mapped, ${skipped} skipped of ${manifest.inputs.records}, ${bad} are bad`);
  for (const stage of ['map', 'reduce', 'finalize'] as const) {
    const tables = new StageGraph(spec).tables.filter((table) => table.stage === stage);
    const tasks = tables.reduce((sum, { total }) => sum + total, 0);
    const counted = manifest.counters[stage] ?? 0;
    if (counted !== tasks) watch.fail('no-under-count', `${counted} ${stage} tasks were counted of ${tasks}`);
  }
  if (manifest.inputs.records !== RECORDS_A_SPLIT * splits)
    watch.fail('no-under-count', `${manifest.inputs.records} records for ${splits} splits`);
  const { given, read } = manifest.inputs;
  if (read.bytes !== given.bytes || read.seams !== given.seams)
    watch.fail('no-under-count', `${read.bytes} bytes were read of ${given.bytes}, seams ${read.seams} and ${given.seams}`);
  const last = outputsOf(spec, spec.steps.length - 1);
  const parts = manifest.outputs.filter(({ name }) => name.startsWith('part-'));
  if (parts.length !== last.count) watch.fail('no-under-count', `${parts.length} parts`);
  const attempts = new Map<string, string>();
  for (const [index, { name, bytes }] of parts.entries()) {
    const text = Buffer.from(await output.get(name)).toString();
    if (text.length !== bytes) watch.fail('no-under-count', `${name} has ${text.length} bytes, the manifest says ${bytes}`);
    const wanted = expectedContent(spec, { ...last, index });
    if (stripAttempts(text) !== wanted) watch.fail('no-under-count', `${name} holds ${text} instead of ${wanted}`);
    for (const [task, attempt] of attemptsIn(text)) {
      if ((attempts.get(task) ?? attempt) !== attempt) watch.fail('no-under-count', `${name} read another attempt of ${task}`);
      attempts.set(task, attempt);
    }
  }
}

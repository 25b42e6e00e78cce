import { type JobSpec, MANIFEST, type TaskId, taskName } from '../../core/contracts/job.js';
import type { Manifest } from '../../core/contracts/manifest.js';
import { intakeOf, outputsOf } from '../../core/contracts/step.js';
import type { StateStore } from '../../core/contracts/stores.js';
import type { Commit } from '../../core/contracts/task.js';
import { MemoryBlobStore } from '../../engine/stores/blob-memory.js';
import { attemptsIn, expectedContent, RECORDS_A_SPLIT, stripAttempts } from './content.js';

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

/** Watches the durable stores themselves, whoever writes to them. */
export class Watch {
  /** job/task/generation → the attempt that committed it. */
  readonly #commits = new Map<string, string>();
  #manifests = 0;
  violation: Violation | null = null;

  fail(invariant: Invariant, why: string): void {
    this.violation ??= new Violation(invariant, why);
  }

  /** Sees every answer that the state store itself gives, before any of it can get lost. */
  state<S extends StateStore>(store: S): S {
    return new Proxy(store, {
      get: (target, name) => {
        const member = Reflect.get(target, name, target) as unknown;
        if (typeof member !== 'function') return member;
        if (name !== 'commitTasks') return (member as CallableFunction).bind(target);
        return async (term: number, commits: readonly { readonly job: string; readonly commit: Commit }[]) => {
          const verdicts = await target.commitTasks(term, commits);
          for (const [i, { job, commit }] of commits.entries()) if (verdicts[i] === 'committed') this.#committed(job, commit);
          return verdicts;
        };
      },
    });
  }

  /** A worker is told that its attempt stands: then it must stand on disk. */
  acknowledged(job: string, task: TaskId, generation: number, attempt: string): void {
    const winner = this.#commits.get(`${job}/${taskName(task)}/${generation}`);
    if (winner !== attempt)
      this.fail('acknowledged-is-durable', `${attempt} was acknowledged, the store has ${winner ?? 'nothing'}`);
  }

  #committed(job: string, commit: Commit): void {
    const key = `${job}/${taskName(commit.task)}/${commit.generation}`;
    const before = this.#commits.get(key);
    if (before !== undefined)
      this.fail('one-commit-per-generation', `${key} was committed by ${before} and by ${commit.attempt}`);
    this.#commits.set(key, commit.attempt);
  }

  get manifests(): number {
    return this.#manifests;
  }

  /** An output store that counts how often a manifest comes into being. */
  output(): MemoryBlobStore {
    const watch = this;
    return new (class extends MemoryBlobStore {
      override async putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
        const created = await super.putIfAbsent(key, bytes);
        if (created && key === MANIFEST) {
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

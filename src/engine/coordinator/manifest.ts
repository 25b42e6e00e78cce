import { DafError } from '../../core/contracts/errors.js';
import { attemptPrefix, type JobSpec, MANIFEST, REPORT } from '../../core/contracts/job.js';
import type { Manifest, ManifestOutput } from '../../core/contracts/manifest.js';
import { intakeOf } from '../../core/contracts/step.js';
import type { StoredTask } from '../../core/contracts/stores.js';
import type { Commit, OutputFile, RefusedInput } from '../../core/contracts/task.js';
import { CoverageSum } from '../../core/coverage.js';
import { compareBytes, sealedJson } from '../../core/sealed-json.js';

/** Committed outputs of a job by final name, in byte order of the names. */
export interface PublishPlan {
  readonly manifest: Uint8Array;
  readonly files: readonly OutputFile[];
}

/**
 * What publishing will do, from all committed tasks in task order, page by page: it depends on nothing else, so that a restarted coordinator
 * plans the same.
 */
export class PublishPlanner {
  readonly #spec: JobSpec;
  readonly #intake: number;
  readonly #files: OutputFile[] = [];
  readonly #refused: RefusedInput[] = [];
  readonly #counters = new Map<string, number>();
  readonly #read = new CoverageSum();
  #records = 0;
  #mapped = 0;
  #skipped = 0;

  constructor(spec: JobSpec) {
    this.#spec = spec;
    this.#intake = intakeOf(spec);
  }

  /** @throws DafError ERR_DAF_PROTOCOL for an output outside its attempt */
  add(page: readonly StoredTask[]): void {
    for (const { task, commit } of page) if (commit !== null) this.#add(task, commit);
  }

  #add(task: StoredTask['task'], { attempt, outcome }: Commit): void {
    for (const file of outcome.outputs) {
      const prefix = attemptPrefix(this.#spec.id, task, attempt);
      if (!file.key.startsWith(prefix))
        throw new DafError('ERR_DAF_PROTOCOL', `output ${file.name} lies at ${file.key}, outside ${prefix}`);
      this.#files.push(file);
    }
    this.#refused.push(...outcome.refused);
    // Task order, so that sums of fractions come out alike every time.
    for (const [name, amount] of Object.entries(outcome.counters))
      this.#counters.set(name, (this.#counters.get(name) ?? 0) + amount);
    if (task.step !== this.#intake || task.stage !== 'map') return;
    this.#mapped += outcome.recordsIn;
    this.#skipped += outcome.skipped;
    this.#records += outcome.intake?.records ?? 0;
    if (outcome.intake !== null) this.#read.add(outcome.intake.coverage);
  }

  /** @throws DafError ERR_DAF_OUTPUT_CONFLICT when two outputs cannot both have their names */
  plan(): PublishPlan {
    const spec = this.#spec;
    const files = this.#files.sort((a, b) => compareBytes(a.name, b.name));
    checkNames(files);
    const outputs: ManifestOutput[] = files.map(({ name, bytes, records, crc32c, volatile }) =>
      volatile
        ? { name, bytes: null, records: null, crc32c: null }
        : { name, bytes, records, crc32c: crc32c.toString(16).padStart(8, '0') },
    );
    outputs.push({ name: REPORT, bytes: null, records: null, crc32c: null });
    const manifest: Omit<Manifest, 'sha256'> = {
      daf: 1,
      job: spec.name,
      code: spec.code.sha256,
      params: spec.params,
      inputs: {
        splits: spec.steps[this.#intake]!.splits,
        given: spec.input,
        read: this.#read.total,
        records: this.#records,
        mapped: this.#mapped,
        skipped: this.#skipped,
        refused: this.#refused.filter((each) => each.refused).length,
      },
      format: spec.format,
      outputs: outputs.sort((a, b) => compareBytes(a.name, b.name)),
      counters: Object.fromEntries([...this.#counters].sort(([a], [b]) => compareBytes(a, b))),
      refused: this.#refused
        .map(({ input, code, message, hint, refused: whole }) => ({ input, code, message, hint, refused: whole }))
        .sort((a, b) => compareBytes(a.input, b.input) || compareBytes(a.code, b.code) || compareBytes(a.message, b.message)),
    };
    return { manifest: Buffer.from(sealedJson(manifest)), files };
  }
}

const RESERVED = [MANIFEST, REPORT, '_daf', '_replay'];

/** No name twice, none that is a folder of another, none that belongs to the job itself. */
function checkNames(files: readonly OutputFile[]): void {
  const names = new Set<string>();
  for (const { name } of files) {
    if (RESERVED.includes(name.split('/', 1)[0]!)) throw conflict(`"${name}" belongs to the job itself`);
    if (names.has(name)) throw conflict(`two tasks wrote "${name}"`);
    names.add(name);
  }
  for (const name of names) {
    for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
      if (names.has(name.slice(0, at))) throw conflict(`"${name.slice(0, at)}" is a file and the folder of "${name}"`);
    }
  }
}

function conflict(why: string): DafError {
  return new DafError('ERR_DAF_OUTPUT_CONFLICT', `outputs collide: ${why}`, {
    hint: 'give every output of the job its own name',
  });
}

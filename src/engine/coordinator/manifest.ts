import { DafError } from '../../core/contracts/errors.js';
import { attemptPrefix, type JobSpec, MANIFEST, REPORT } from '../../core/contracts/job.js';
import type { Manifest, ManifestOutput } from '../../core/contracts/manifest.js';
import { intakeOf } from '../../core/contracts/step.js';
import type { StoredTask } from '../../core/contracts/stores.js';
import type { OutputFile, RefusedInput } from '../../core/contracts/task.js';
import { CoverageSum } from '../../core/coverage.js';
import { compareBytes, sealedJson } from '../../core/sealed-json.js';

/** Committed outputs of a job by final name, in byte order of the names. */
export interface PublishPlan {
  readonly manifest: Uint8Array;
  readonly files: readonly OutputFile[];
}

/**
 * What publishing will do, from all committed tasks in task order, page by page: a pure function, so that a restarted coordinator plans the same.
 * @throws DafError ERR_DAF_OUTPUT_CONFLICT when two outputs cannot both have their names; ERR_DAF_PROTOCOL for one outside its attempt.
 */
export async function planPublish(spec: JobSpec, pages: AsyncIterable<readonly StoredTask[]>): Promise<PublishPlan> {
  const files: OutputFile[] = [];
  const refused: RefusedInput[] = [];
  const counters = new Map<string, number>();
  const intake = intakeOf(spec);
  const read = new CoverageSum();
  let records = 0;
  let mapped = 0;
  let skipped = 0;
  const add = ({ task, commit }: StoredTask): void => {
    if (commit === null) return;
    for (const file of commit.outcome.outputs) {
      const prefix = attemptPrefix(spec.id, task, commit.attempt);
      if (!file.key.startsWith(prefix))
        throw new DafError('ERR_DAF_PROTOCOL', `output ${file.name} lies at ${file.key}, outside ${prefix}`);
      files.push(file);
    }
    refused.push(...commit.outcome.refused);
    // Task order, so that sums of fractions come out alike every time.
    for (const [name, amount] of Object.entries(commit.outcome.counters)) counters.set(name, (counters.get(name) ?? 0) + amount);
    if (task.step !== intake || task.stage !== 'map') return;
    mapped += commit.outcome.recordsIn;
    skipped += commit.outcome.skipped;
    records += commit.outcome.intake?.records ?? 0;
    if (commit.outcome.intake !== null) read.add(commit.outcome.intake.coverage);
  };
  for await (const page of pages) for (const task of page) add(task);
  files.sort((a, b) => compareBytes(a.name, b.name));
  checkNames(files);
  const outputs: ManifestOutput[] = files.map(({ name, bytes, records: count, crc32c, volatile }) =>
    volatile
      ? { name, bytes: null, records: null, crc32c: null }
      : { name, bytes, records: count, crc32c: crc32c.toString(16).padStart(8, '0') },
  );
  outputs.push({ name: REPORT, bytes: null, records: null, crc32c: null });
  const manifest: Omit<Manifest, 'sha256'> = {
    daf: 1,
    job: spec.name,
    code: spec.code.sha256,
    params: spec.params,
    inputs: {
      splits: spec.steps[intake]!.splits,
      given: spec.input,
      read: read.total,
      records,
      mapped,
      skipped,
      refused: refused.filter((each) => each.refused).length,
    },
    format: spec.format,
    outputs: outputs.sort((a, b) => compareBytes(a.name, b.name)),
    counters: Object.fromEntries([...counters].sort(([a], [b]) => compareBytes(a, b))),
    refused: refused
      .map(({ input, code, message, hint, refused: whole }) => ({ input, code, message, hint, refused: whole }))
      .sort((a, b) => compareBytes(a.input, b.input) || compareBytes(a.code, b.code) || compareBytes(a.message, b.message)),
  };
  return { manifest: Buffer.from(sealedJson(manifest)), files };
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

import type { DafError } from '../../../core/contracts/errors.js';
import { attemptPrefix, mapPartName, partName } from '../../../core/contracts/job.js';
import { placeOf } from '../../../core/contracts/step.js';
import type { BlobStore } from '../../../core/contracts/stores.js';
import type { HeldOutput, OutputFile, TaskInput } from '../../../core/contracts/task.js';
import { failpoint } from '../../../core/failpoint.js';
import { recordsPath } from '../attempt-data.js';
import { stagingPath } from './local-file.js';
import { PartWriter } from './part-writer.js';

export interface Finished {
  /** The part file; none of a map-only task without records. */
  readonly outputs: readonly OutputFile[];
  readonly held: HeldOutput | null;
  readonly records: number;
}

/** The records that a task puts out: a part of the results, or what later steps read. */
export class StepOutput {
  readonly writer: PartWriter;
  readonly #input: TaskInput;
  readonly #store: BlobStore;
  readonly #place: ReturnType<typeof placeOf>;

  constructor(input: TaskInput, store: BlobStore, scratch: () => string) {
    const { spec, assignment, dataDir } = input;
    const { task, attempt } = assignment;
    this.#input = input;
    this.#store = store;
    this.#place = placeOf(spec, task.step);
    const path = (): string => {
      if (this.#place === 'worker') return recordsPath(dataDir, attempt);
      const local = store.localPath(this.#key);
      return stagingPath(local, local === null ? scratch() : '', this.#name);
    };
    this.writer = new PartWriter(this.#place === 'results' ? spec.format : { kind: 'packed' }, path);
  }

  get #name(): string {
    const { stage, index } = this.#input.assignment.task;
    return stage === 'map' ? mapPartName(index) : partName(index);
  }

  get #key(): string {
    const { spec, assignment } = this.#input;
    return attemptPrefix(spec.id, assignment.task, assignment.attempt) + this.#name;
  }

  /** @param late what is thrown to those who emit after this */
  async finish(late: () => DafError): Promise<Finished> {
    failpoint('task.before-output');
    this.writer.end(late);
    // Thousands of tasks that only write files of their own leave no empty parts behind.
    if (this.#place === 'results' && this.#input.assignment.task.stage === 'map' && this.writer.records === 0) {
      return { outputs: [], held: null, records: 0 };
    }
    const { path, bytes, crc32c, records } = this.writer.close();
    if (this.#place === 'worker') {
      return { outputs: [], held: heldHere(this.#input, path, bytes, crc32c, crc32c), records };
    }
    await this.#store.putFile(this.#key, path);
    if (this.#place === 'store') {
      const held = { ...heldHere(this.#input, path, bytes, crc32c, crc32c), copies: [], key: this.#key };
      return { outputs: [], held, records };
    }
    return { outputs: [{ name: this.#name, key: this.#key, bytes, records, crc32c, volatile: false }], held: null, records };
  }

  discard(late: () => DafError): void {
    this.writer.discard(late);
  }
}

/** An output that lies with this worker. */
export function heldHere(input: TaskInput, path: string, bytes: number, crc32c: number | null, digest: number): HeldOutput {
  const { assignment, worker, host, dataEndpoint: endpoint } = input;
  const { task, generation, attempt } = assignment;
  return { index: task.index, generation, attempt, copies: [{ worker, host, path, endpoint }], key: null, bytes, crc32c, digest };
}

import { DafError } from '../../../core/contracts/errors.js';
import type { RawRecord } from '../../../core/contracts/record.js';
import { readsOf } from '../../../core/contracts/step.js';
import type { BlobStore } from '../../../core/contracts/stores.js';
import type { TaskInput } from '../../../core/contracts/task.js';
import { unpackRecords } from '../../../core/packed.js';
import { readHeld } from './held-source.js';

/** The records of steps that a task is given whole. */
export class GivenRecords {
  readonly #input: TaskInput;
  readonly #store: BlobStore;

  constructor(input: TaskInput, store: BlobStore) {
    this.#input = input;
    this.#store = store;
  }

  /** @throws DafError ERR_DAF_BAD_ARGUMENT for a step that is not given */
  records(name: string): AsyncIterable<RawRecord> {
    const step = this.#input.spec.steps.findIndex((each) => each.name === name);
    return unpackRecords(this.#chunks(step, name), `step ${name}`);
  }

  /** All records of a step, packed. */
  async bytes(step: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.#chunks(step, String(step))) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  #chunks(step: number, name: string): AsyncGenerator<Uint8Array> {
    const { spec, assignment, inputs } = this.#input;
    const { given } = spec.steps[assignment.task.step]!;
    const at = given.indexOf(step);
    if (at < 0) {
      throw new DafError('ERR_DAF_BAD_ARGUMENT', `step ${JSON.stringify(name)} is not given to this one`, {
        hint: `given: [${JSON.stringify(name)}] in its definition`,
      });
    }
    // The given ones come last among what a task reads.
    const read = inputs.length - given.length + at;
    return readHeld(readsOf(spec, assignment.task)[read]!, inputs[read]!, this.#store);
  }
}

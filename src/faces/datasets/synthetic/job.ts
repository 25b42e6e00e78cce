import { DafError } from '../../../core/contracts/errors.js';
import type { Emit, MapRecord, TaskContext } from '../../../core/contracts/stage.js';
import { dafVersion } from '../../../core/version.js';
import { defineJob } from '../../../engine/jobs/define.js';
import { peopleOf, type SetOptions } from './mix.js';
import { setOptions } from './options.js';
import { makePerson, personFiles, photoFiles } from './person.js';
import { setFiles } from './set_files.js';

/** The record whose task writes what says of the set as a whole. */
const WHOLE = 'set';

/**
 * Photos of people who do not exist, with all that is true of them. Maps only: a record is a person, a task makes one, and nothing but the
 * parameters decides its bytes. Parameters: {@link SetOptions} and `daf`.
 */
export default defineJob({
  name: 'synthetic-photos',
  module: import.meta.url,
  text: false,
  check: (params) => void setOptions(params),
  map: makeRecord,
  // A photo of 2048² with its skin is 81 MB of native memory; what is kept, varied and encoded comes to it. Measured: workers of 265 MB.
  memory: { sortBuffer: 1 << 20, task: 216 << 20 },
});

/** The records of a set, to be given one a task. */
export function* setRecords(set: SetOptions): Generator<string> {
  yield WHOLE;
  for (let person = 0; person < peopleOf(set); person++) yield String(person);
}

async function makeRecord({ value }: MapRecord, _emit: Emit, context: TaskContext): Promise<void> {
  const record = Buffer.from(value).toString('latin1');
  const set = setOptions(context.params);
  const here = dafVersion();
  if (set.daf !== here) {
    throw new DafError(
      'ERR_DAF_UNSUPPORTED',
      `the set is of DAF ${set.daf}, this worker is ${here}: it would render other bytes`,
      {
        hint: 'workers of the version that the job was given with',
        retryable: true,
      },
    );
  }
  if (record === WHOLE) {
    for (const [name, path] of await setFiles(set, context.scratchDir, context)) await context.files.putFile(name, path);
    return;
  }
  const person = makePerson(set, Number(record));
  for (const [name, content] of personFiles(set, person)) await context.files.put(name, content);
  for await (const { category, index, planned, files } of photoFiles(set, person, context)) {
    for (const [name, content] of files) await context.files.put(name, content);
    context.counters.add(`photos.${category}`);
    context.progress((index + 1) / planned);
    context.checkCancelled();
  }
  context.counters.add('people');
}

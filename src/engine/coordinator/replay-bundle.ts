import { codeKey, type JobSpec, jobPrefix, replayPrefix, specKey, splitsIndexKey, splitsKey } from '../../core/contracts/job.js';
import type { BlobStore } from '../../core/contracts/stores.js';

/** In-memory input that is kept with the results: more would be a second copy of the input rather than a note of it. */
const MAX_INPUT_BYTES = 16 << 20;

/**
 * Keeps what `daf replay` needs beside the results, where temporary files are not removed: spec, code, splits, and in-memory input if it
 * is small. It goes with the output: the next job that replaces the results removes it. May be done again by a restarted coordinator.
 */
export async function keepForReplay(spec: JobSpec, output: BlobStore): Promise<void> {
  const { id, code } = spec;
  const keys = [specKey(id), codeKey(id, code), splitsKey(id), splitsIndexKey(id)];
  let bytes = 0;
  const inputs: string[] = [];
  for await (const each of output.list(`${jobPrefix(id)}input/`)) {
    bytes += each.bytes;
    inputs.push(each.key);
  }
  for (const key of bytes <= MAX_INPUT_BYTES ? [...keys, ...inputs] : keys) {
    if ((await output.stat(key)) !== null) await output.publish(key, replayPrefix(id) + key.slice(jobPrefix(id).length));
  }
}

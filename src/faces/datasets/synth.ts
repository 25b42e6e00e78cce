import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addon, type SynthesizeFacesOptions } from '../../core/addon/index.js';

export interface SynthOptions {
  /** Folder; made where it is missing. */
  readonly out: string;
  readonly count: number;
  readonly form: SynthesizeFacesOptions['form'];
  /** Pixels a side, 64…512. */
  readonly side: number;
  readonly seed: number;
  /** A head.safetensors; null is the embedded head. */
  readonly head: string | null;
  readonly signal?: AbortSignal | undefined;
  /** Called after every file with the pictures there are. */
  readonly progress?: ((pictures: number) => void) | undefined;
}

/** Pictures a file. */
const SHARD = 250;

/**
 * Renders pictures of faces with their truth as raw arrays, to train on: `<form>-<seed>-<number>.rgb` (uint8 [n][side][side][3]),
 * `.faces` (uint8 [n]) and `.truth` (float32 [n][4][245], see SyntheticFaces), the last one written last. Files that are there
 * already are kept, so that a cut run goes on; the same options give the same bytes.
 * @returns pictures rendered now.
 * @throws DafError ERR_DAF_BAD_ARGUMENT, ERR_DAF_IO, ERR_DAF_BAD_DATA (head); the signal's reason.
 */
export async function synthesizeShards(options: SynthOptions): Promise<number> {
  const { out, count, form, side, seed, signal } = options;
  await mkdir(out, { recursive: true });
  const native = addon();
  const head = native.headLoad(options.head);
  let made = 0;
  for (let first = 0; first < count; first += SHARD) {
    signal?.throwIfAborted();
    const stem = join(out, `${form}-${seed}-${String(first / SHARD).padStart(4, '0')}`);
    const some = Math.min(SHARD, count - first);
    if (!(await exists(`${stem}.truth`))) {
      const { rgb, faces, truth } = native.synthesizeFaces(head, { seed, first, count: some, form, side }, null);
      await writeFile(`${stem}.rgb`, rgb);
      await writeFile(`${stem}.faces`, faces);
      await writeFile(`${stem}.part`, truth);
      await rename(`${stem}.part`, `${stem}.truth`);
      made += some;
    }
    options.progress?.(first + some);
    // Ctrl-C is heard between files.
    await new Promise(setImmediate);
  }
  return made;
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

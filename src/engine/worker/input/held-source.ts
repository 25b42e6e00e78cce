import { addon } from '../../../core/addon/index.js';
import { DafError } from '../../../core/contracts/errors.js';
import type { SplitPiece } from '../../../core/contracts/job.js';
import type { TaskRange } from '../../../core/contracts/step.js';
import type { BlobStore } from '../../../core/contracts/stores.js';
import type { TaskSource } from '../../../core/contracts/task.js';
import { isLoss, LostInputs } from '../lost-inputs.js';
import { type ByteSource, openSource } from './source.js';

const CHUNK = 1 << 20;

/** What a task of a step holds, as an input file of packed records. `split`: which split of the step that maps it. */
export function heldPiece({ step, stage }: TaskRange, { index, place }: TaskSource, split: number): SplitPiece {
  const common = {
    name: `step ${step} ${stage} ${index}`,
    length: place.bytes,
    split,
    at: 0,
    compression: null,
    version: null,
    unpackedOffset: 0,
    unpackedLength: null,
  };
  switch (place.kind) {
    case 'file':
      return { ...common, path: place.path, stored: false, offset: 0, fileLength: place.bytes };
    case 'part':
      return { ...common, path: place.path, stored: false, offset: place.offset, fileLength: place.fileBytes };
    case 'store':
      return { ...common, path: place.key, stored: true, offset: 0, fileLength: place.bytes };
  }
}

/**
 * Opens what a task holds for reading from front to end; its checksum is compared at the end, so what was made of damaged bytes never
 * commits. Every error of reading is a {@link LostInputs}.
 */
export async function openHeld(range: TaskRange, held: TaskSource, piece: SplitPiece, store: BlobStore): Promise<ByteSource> {
  const lost = (error: unknown): Error => {
    const cause = DafError.from(error, 'ERR_DAF_IO');
    return isLoss(cause) ? LostInputs.of(range, [held], cause) : cause;
  };
  let source: ByteSource;
  try {
    source = await openSource(piece, store);
  } catch (error) {
    throw lost(error);
  }
  let crc = 0;
  return {
    async read(target, at, length, position) {
      try {
        const got = await source.read(target, at, length, position);
        crc = addon().crc32c(crc, target.subarray(at, at + got));
        if (position + got === piece.offset + piece.length && held.crc32c !== null && crc !== held.crc32c) {
          throw new DafError('ERR_DAF_BAD_DATA', `${piece.name} does not have its checksum`);
        }
        return got;
      } catch (error) {
        throw lost(error);
      }
    },
    close: () => source.close(),
  };
}

/** The bytes of what all tasks of a range hold, chunk by chunk. @throws LostInputs */
export async function* readHeld(range: TaskRange, outputs: readonly TaskSource[], store: BlobStore): AsyncGenerator<Uint8Array> {
  for (const held of outputs) {
    const piece = heldPiece(range, held, 0);
    const source = await openHeld(range, held, piece, store);
    try {
      for (let at = 0; at < piece.length; ) {
        const chunk = Buffer.allocUnsafe(Math.min(CHUNK, piece.length - at));
        const got = await source.read(chunk, 0, chunk.length, piece.offset + at);
        if (got === 0) throw LostInputs.of(range, [held]);
        at += got;
        yield chunk.subarray(0, got);
      }
    } finally {
      source.close();
    }
  }
}

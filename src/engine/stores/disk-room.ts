import { statfsSync } from 'node:fs';
import { DafError } from '../../core/contracts/errors.js';

const RESERVE_BYTES = 1 << 20;
/** On a very small disk the reserve is this part of it. */
const RESERVE_PART = 1 / 8;
/** Room that was there is believed to be there for so long. */
const BELIEVED_MS = 50;

/**
 * Refuses writes to a disk that is about to be full. For libraries that do not take the kernel's own refusal well: lmdb 3.5 now and then
 * aborts the process when a page cannot be written.
 */
export class DiskRoom {
  readonly #directory: string;
  #seenAt = Number.NEGATIVE_INFINITY;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** @throws DafError ERR_DAF_IO (retryable) when less than a reserve is free. */
  check(): void {
    const now = performance.now();
    if (now - this.#seenAt < BELIEVED_MS) return;
    const { bavail, bsize, blocks } = statfsSync(this.#directory);
    if (bavail * bsize < Math.min(RESERVE_BYTES, RESERVE_PART * blocks * bsize)) {
      throw new DafError('ERR_DAF_IO', `no space left on the device of ${this.#directory}: ${bavail * bsize} bytes`, {
        hint: 'the disk is full: free some space',
        retryable: true,
      });
    }
    this.#seenAt = now;
  }
}

import type { InputFormat, Split, SplitPiece } from '../../core/contracts/job.js';

/** Bytes of a run, about. Short ones: records that lie together are often alike. */
const RUN_BYTES = 8 << 10;
const RUNS_PER_SPLIT = 256;

/**
 * Chooses short runs spread evenly over an input while its splits go by: one every `stride` bytes, which doubles whenever there are too
 * many. Depends on sizes and order alone.
 */
export class InputSample {
  readonly #record: number;
  readonly #most: number;
  #stride = RUN_BYTES;
  /** By their ordinal: the run begins `ordinal × stride` bytes into the input. */
  #runs: { readonly at: number; readonly piece: SplitPiece }[] = [];
  #bytes = 0;

  /** @param most runs at most, at least 2 */
  constructor(format: InputFormat, most: number) {
    this.#record = format.kind === 'fixed' ? format.bytes : 1;
    this.#most = most;
  }

  add(split: Split): void {
    for (const piece of split.pieces) {
      const end = this.#bytes + piece.length;
      if (piece.compression !== null) {
        // It can only be read from its beginning: all of it counts.
        this.#runs.push({ at: this.#bytes, piece });
        this.#bytes = end;
        continue;
      }
      for (let at = this.#next(); at < end; at = this.#next()) {
        this.#runs.push({ at, piece: this.#cut(piece, at - this.#bytes) });
        if (this.#runs.length > this.#most) this.#thin();
      }
      this.#bytes = end;
    }
  }

  /** The runs as splits, numbered from `first`, in the order of the input. */
  *splits(first: number): Generator<Split> {
    for (let i = 0; i < this.#runs.length; i += RUNS_PER_SPLIT) {
      const pieces = this.#runs.slice(i, i + RUNS_PER_SPLIT).map(({ piece }) => piece);
      yield { index: first + i / RUNS_PER_SPLIT, pieces };
    }
  }

  /** Where the next run begins, in bytes of the input. */
  #next(): number {
    const last = this.#runs[this.#runs.length - 1];
    return last === undefined ? 0 : (Math.floor(last.at / this.#stride) + 1) * this.#stride;
  }

  #thin(): void {
    this.#stride *= 2;
    this.#runs = this.#runs.filter(({ at, piece }) => piece.compression !== null || at % this.#stride === 0);
  }

  #cut(piece: SplitPiece, into: number): SplitPiece {
    const skip = into - (into % this.#record);
    const wanted = Math.max(1, Math.floor(RUN_BYTES / this.#record)) * this.#record;
    return { ...piece, offset: piece.offset + skip, length: Math.min(wanted, piece.length - skip), at: piece.at + skip };
  }
}

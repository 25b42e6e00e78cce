import { DafError } from '../contracts/errors.js';

// The outer structure of zstd files: RFC 8878, section 3.1. What lies inside of blocks is the decoder's.

const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50; // … 0x184d2a5f
/** The longest header: magic, descriptor, window, dictionary, content size. */
export const MAX_HEADER_BYTES = 18;
export const BLOCK_HEADER_BYTES = 3;
export const CHECKSUM_BYTES = 4;
const RLE = 1;
const RESERVED = 3;

/** What stands at the beginning of a frame. */
export type FrameHeader =
  | {
      readonly kind: 'frame';
      /** Of this header, bytes. */
      readonly bytes: number;
      /** Memory that unpacking takes, bytes. */
      readonly window: number;
      /** Unpacked bytes; null when it does not say. */
      readonly content: number | null;
      readonly checksum: boolean;
    }
  | { readonly kind: 'skippable'; readonly bytes: number /** That follow the header. */; readonly length: number };

/** Parses a header from its first bytes; null when there are too few. @throws DafError ERR_DAF_BAD_DATA naming `what` */
export function frameHeader(bytes: Uint8Array, what: string): FrameHeader | null {
  if (bytes.length < 5) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0, true);
  if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
    return bytes.length < 8 ? null : { kind: 'skippable', bytes: 8, length: view.getUint32(4, true) };
  }
  if (magic !== FRAME_MAGIC) throw badZstd(what, 'no zstd frame begins here');
  const descriptor = bytes[4]!;
  const single = (descriptor & 0x20) !== 0;
  if ((descriptor & 8) !== 0) throw badZstd(what, 'its header has a reserved bit set');
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const contentBytes = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  const dictionaryAt = single ? 5 : 6;
  const contentAt = dictionaryAt + dictionaryBytes;
  const size = contentAt + contentBytes;
  if (bytes.length < size) return null;
  if (bytes.subarray(dictionaryAt, contentAt).some((byte) => byte !== 0)) {
    throw new DafError('ERR_DAF_UNSUPPORTED', `${what} needs a dictionary`, { hint: 'compress it without one' });
  }
  const content = contentSize(view, contentAt, contentBytes);
  const window = single ? content! : windowSize(bytes[5]!);
  return { kind: 'frame', bytes: size, window, content, checksum: (descriptor & 4) !== 0 };
}

function contentSize(view: DataView, at: number, bytes: number): number | null {
  switch (bytes) {
    case 1:
      return view.getUint8(at);
    case 2:
      return view.getUint16(at, true) + 256;
    case 4:
      return view.getUint32(at, true);
    case 8:
      return Number(view.getBigUint64(at, true)); // above 2^53 no exact number, and no file either
    default:
      return null;
  }
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

export function badZstd(what: string, why: string, cause?: unknown): DafError {
  return new DafError('ERR_DAF_BAD_DATA', `${what}: ${why}`, { hint: '`zstd -t` tests a file', cause });
}

/**
 * Follows the frames of a stream of bytes without unpacking them, so that every structural fault is found where it is, and no frame is
 * begun that needs more memory than there is.
 */
export class FrameWalker {
  readonly #what: string;
  readonly #maxWindow: number;
  readonly #header = new Uint8Array(MAX_HEADER_BYTES);
  /** Bytes of a header so far. */
  #held = 0;
  /** Bytes to pass over before the next header. */
  #skip = 0;
  #inFrame = false;
  #checksum = false;
  #position: number;
  #frames = 0;

  /**
   * @param what named in errors
   * @param position of the first byte in its file
   * @param maxWindow bytes that unpacking may take
   */
  constructor(what: string, position: number, maxWindow: number) {
    this.#what = what;
    this.#position = position;
    this.#maxWindow = maxWindow;
  }

  /** Frames whose last block has begun, and skippable ones. */
  get frames(): number {
    return this.#frames;
  }

  /** Takes the next bytes. @throws DafError ERR_DAF_BAD_DATA, ERR_DAF_MEMORY_LIMIT, ERR_DAF_UNSUPPORTED */
  take(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, bytes.length - at);
        this.#skip -= skipped;
        this.#position += skipped;
        at += skipped;
        continue;
      }
      this.#header[this.#held++] = bytes[at++]!;
      this.#position += 1;
      if (this.#inFrame) this.#block();
      else this.#begin();
    }
  }

  /** A frame is said to end here. @throws DafError ERR_DAF_BAD_DATA where none does */
  checkBorder(): void {
    if (!this.#inFrame && this.#held === 0 && this.#skip === 0) return;
    throw badZstd(
      this.#what,
      `no frame ends at byte ${this.#position}, where one was said to: its seek table lies, or it was changed`,
    );
  }

  /** The bytes end here. @throws DafError ERR_DAF_BAD_DATA within a frame */
  end(): void {
    if (!this.#inFrame && this.#held === 0 && this.#skip === 0) return;
    throw badZstd(this.#what, `it ends at byte ${this.#position}, within a frame: it was cut off`);
  }

  #begin(): void {
    const start = this.#position - this.#held;
    const header = frameHeader(this.#header.subarray(0, this.#held), `${this.#what} at byte ${start}`);
    if (header === null) return;
    this.#held = 0;
    if (header.kind === 'skippable') {
      this.#frames += 1;
      this.#skip = header.length;
      return;
    }
    if (header.window > this.#maxWindow) {
      const why = `${this.#what} at byte ${start}: unpacking takes ${header.window} bytes, this task has ${this.#maxWindow} for it`;
      throw new DafError('ERR_DAF_MEMORY_LIMIT', why, { hint: "raise the job's memory.task, or compress with a smaller window" });
    }
    this.#checksum = header.checksum;
    this.#inFrame = true;
  }

  #block(): void {
    if (this.#held < BLOCK_HEADER_BYTES) return;
    this.#held = 0;
    const { bytes, last } = blockHeader(this.#header, `${this.#what} at byte ${this.#position - BLOCK_HEADER_BYTES}`);
    this.#skip = bytes + (last && this.#checksum ? CHECKSUM_BYTES : 0);
    if (!last) return;
    this.#frames += 1;
    this.#inFrame = false;
  }
}

/** The three bytes before a block: how many follow, and whether it is the frame's last. */
export function blockHeader(bytes: Uint8Array, what: string): { readonly bytes: number; readonly last: boolean } {
  const word = bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16);
  const type = (word >> 1) & 3;
  const size = word >>> 3;
  if (type === RESERVED) throw badZstd(what, 'a block of a reserved type');
  if (size > 128 << 10) throw badZstd(what, `a block of ${size} bytes`);
  return { bytes: type === RLE ? 1 : size, last: (word & 1) !== 0 };
}

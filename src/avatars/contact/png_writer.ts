import { once } from 'node:events';
import { crc32, createDeflate } from 'node:zlib';
import { DafError } from '../../core/contracts/errors.js';

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/**
 * Writes an RGB PNG row by row, so that a contact sheet of 200 people never lies in memory uncompressed.
 * Call {@link PngWriter.rows} until the height is reached, then {@link PngWriter.end}.
 */
export class PngWriter {
  readonly #width: number;
  readonly #height: number;
  readonly #deflate = createDeflate({ level: 6 });
  readonly #chunks: Buffer[] = [];
  #written = 0;

  constructor(width: number, height: number) {
    this.#width = width;
    this.#height = height;
    this.#deflate.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
  }

  /** @param rgb whole rows. */
  async rows(rgb: Uint8Array): Promise<void> {
    const stride = 3 * this.#width;
    const count = rgb.length / stride;
    if (!Number.isInteger(count) || this.#written + count > this.#height) {
      throw new DafError('ERR_DAF_INTERNAL', 'rows that do not fit the picture');
    }
    const filtered = Buffer.alloc(count * (stride + 1));
    for (let y = 0; y < count; y++) {
      const from = y * stride;
      const to = y * (stride + 1);
      // Filter 1: the difference to the pixel on the left.
      filtered[to] = 1;
      for (let x = 0; x < stride; x++) filtered[to + 1 + x] = rgb[from + x]! - (x < 3 ? 0 : rgb[from + x - 3]!);
    }
    this.#written += count;
    if (!this.#deflate.write(filtered)) await once(this.#deflate, 'drain');
  }

  async end(): Promise<Uint8Array> {
    if (this.#written !== this.#height) throw new DafError('ERR_DAF_INTERNAL', 'rows of the picture are missing');
    const ended = once(this.#deflate, 'end');
    this.#deflate.end();
    await ended;
    const header = new DataView(new ArrayBuffer(13));
    header.setUint32(0, this.#width);
    header.setUint32(4, this.#height);
    header.setUint32(8, 0x08020000); // 8 bits, RGB, deflate, filters of the standard
    return Buffer.concat([
      SIGNATURE,
      chunk('IHDR', new Uint8Array(header.buffer)),
      ...this.#chunks.map((piece) => chunk('IDAT', piece)),
      chunk('IEND', new Uint8Array(0)),
    ]);
  }
}

function chunk(type: string, body: Uint8Array): Buffer {
  const out = Buffer.alloc(12 + body.length);
  out.writeUInt32BE(body.length, 0);
  out.write(type, 4, 'latin1');
  out.set(body, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + body.length)), 8 + body.length);
  return out;
}

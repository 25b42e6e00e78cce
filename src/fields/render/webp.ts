import { DafError } from '../../core/contracts/errors.js';

const CHUNK_HEADER = 8;
const ALPHA_FLAG = 0x10;
const ANIMATION_FLAG = 0x02;
/** The frame replaces what was there: it is not blended over the last one. */
const REPLACE_FLAG = 0x02;

interface Chunk {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Still WebP pictures of one size → an animation, without decoding them: frames can be encoded anywhere, in any order, and memory holds
 * only what is encoded. Format: "WebP Container Specification", sections VP8X, ANIM and ANMF.
 * @param delayMs of each frame, 1–16777215
 * @param loops 0: forever
 * @throws DafError ERR_DAF_BAD_DATA where a picture is no still WebP; ERR_DAF_BAD_ARGUMENT
 */
export function animateWebp(
  frames: readonly Uint8Array[],
  size: { width: number; height: number },
  delayMs: number,
  loops = 0,
): Uint8Array {
  const delay = Math.round(delayMs);
  if (frames.length === 0 || !(delay >= 1 && delay < 2 ** 24)) {
    throw new DafError('ERR_DAF_BAD_ARGUMENT', `an animation of ${frames.length} frames, each ${delayMs} ms`);
  }
  const stills = frames.map(pictureChunks);
  const alpha = stills.some((chunks) => chunks.some(({ name }) => name === 'ALPH' || name === 'VP8L'));
  const header = new Uint8Array(10);
  header[0] = ANIMATION_FLAG | (alpha ? ALPHA_FLAG : 0);
  put24(header, 4, size.width - 1);
  put24(header, 7, size.height - 1);
  const animation = new Uint8Array(6);
  animation[4] = loops & 0xff;
  animation[5] = loops >> 8;
  const parts = [chunk('VP8X', header), chunk('ANIM', animation)];
  for (const still of stills) {
    const place = new Uint8Array(16);
    put24(place, 6, size.width - 1);
    put24(place, 9, size.height - 1);
    put24(place, 12, delay);
    place[15] = REPLACE_FLAG;
    parts.push(chunk('ANMF', Buffer.concat([place, ...still.map(({ name, bytes }) => chunk(name, bytes))])));
  }
  const body = Buffer.concat([Buffer.from('WEBP'), ...parts]);
  return Buffer.concat([Buffer.from('RIFF'), length32(body.length), body]);
}

/** The chunks of a still picture that hold pixels: VP8L, or VP8 with its ALPH before it. */
function pictureChunks(file: Uint8Array): Chunk[] {
  const view = Buffer.from(file.buffer, file.byteOffset, file.length);
  if (view.toString('latin1', 0, 4) !== 'RIFF' || view.toString('latin1', 8, 12) !== 'WEBP') throw damaged();
  const found: Chunk[] = [];
  for (let at = 12; at + CHUNK_HEADER <= view.length; ) {
    const name = view.toString('latin1', at, at + 4);
    const length = view.readUInt32LE(at + 4);
    const end = at + CHUNK_HEADER + length;
    if (end > view.length) throw damaged();
    if (name === 'ALPH' || name === 'VP8 ' || name === 'VP8L') found.push({ name, bytes: view.subarray(at + CHUNK_HEADER, end) });
    at = end + (length & 1);
  }
  if (!found.some(({ name }) => name.startsWith('VP8'))) throw damaged();
  return found;
}

function damaged(): DafError {
  return new DafError('ERR_DAF_BAD_DATA', 'a frame of the animation is not a still WebP picture');
}

/** Chunks start at even offsets. */
function chunk(name: string, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(name, 'latin1'), length32(bytes.length), bytes, Buffer.alloc(bytes.length & 1)]);
}

function length32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
}

function put24(out: Uint8Array, at: number, value: number): void {
  out[at] = value & 0xff;
  out[at + 1] = (value >> 8) & 0xff;
  out[at + 2] = value >> 16;
}

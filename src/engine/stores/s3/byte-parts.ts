import type { FileHandle } from 'node:fs/promises';

export interface BytePart {
  readonly part: Uint8Array;
  readonly isLast: boolean;
}

/** The same bytes in parts of exactly `size`, the last one shorter or empty; every part has memory of its own unless `bytes` is one array. */
export async function* parts(bytes: Uint8Array | AsyncIterable<Uint8Array>, size: number): AsyncGenerator<BytePart> {
  if (bytes instanceof Uint8Array) {
    let at = 0;
    for (; bytes.length - at > size; at += size) yield { part: bytes.subarray(at, at + size), isLast: false };
    yield { part: bytes.subarray(at), isLast: true };
    return;
  }
  let filling = new Uint8Array(0);
  let filled = 0;
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; ) {
      if (filled === size) {
        yield { part: filling, isLast: false };
        filling = new Uint8Array(size);
        filled = 0;
      }
      const taken = Math.min(size - filled, chunk.length - at);
      filling = withRoom(filling, filled, filled + taken, size);
      filling.set(chunk.subarray(at, at + taken), filled);
      filled += taken;
      at += taken;
    }
  }
  yield { part: filling.subarray(0, filled), isLast: true };
}

/** Grows by doubling: most objects are far smaller than a part. */
function withRoom(bytes: Uint8Array<ArrayBuffer>, keep: number, needed: number, most: number): Uint8Array<ArrayBuffer> {
  if (needed <= bytes.length) return bytes;
  const larger = new Uint8Array(Math.min(most, Math.max(needed, 2 * bytes.length, 64 << 10)));
  larger.set(bytes.subarray(0, keep));
  return larger;
}

/** A file from its beginning, in chunks that are valid until the next one is asked for. */
export async function* readParts(handle: FileHandle, size: number): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(Math.min(size, 1 << 20));
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

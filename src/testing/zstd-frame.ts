/** A zstd frame of stored blocks, which tells its size. */
export function zstdFrame(text: string, blockBytes = 1000): Buffer {
  const bytes = Buffer.from(text);
  const header = Buffer.alloc(9);
  header.writeUInt32LE(0xfd2fb528, 0);
  header[4] = 0xa0; // one segment, four bytes of size
  header.writeUInt32LE(bytes.length, 5);
  const parts = [header];
  for (let at = 0; at === 0 || at < bytes.length; at += blockBytes) {
    const block = bytes.subarray(at, at + blockBytes);
    const word = Buffer.alloc(3);
    word.writeUIntLE((block.length << 3) | (at + blockBytes >= bytes.length ? 1 : 0), 0, 3);
    parts.push(word, block);
  }
  return Buffer.concat(parts);
}

/** A frame that tells its window and not its size, of blocks as they are given: their type (0 stored, 1 repeated), bytes, and how many of them it unpacks to. */
export function zstdStream(blocks: readonly { readonly type: 0 | 1; readonly bytes: Buffer; readonly size: number }[]): Buffer {
  const header = Buffer.alloc(6);
  header.writeUInt32LE(0xfd2fb528, 0);
  header[5] = 56; // a window of 128 KB
  const parts: Buffer[] = [header];
  for (const [i, { type, bytes, size }] of blocks.entries()) {
    const word = Buffer.alloc(3);
    word.writeUIntLE((size << 3) | (type << 1) | (i === blocks.length - 1 ? 1 : 0), 0, 3);
    parts.push(word, bytes);
  }
  return Buffer.concat(parts);
}

/** What stands at the end of a file of the seekable format: packed and unpacked bytes of each frame. */
export function seekTable(frames: readonly (readonly [bytes: number, content: number])[], count = frames.length): Buffer {
  const table = Buffer.alloc(8 + 8 * frames.length + 9);
  table.writeUInt32LE(0x184d2a5e, 0);
  table.writeUInt32LE(table.length - 8, 4);
  for (const [i, [bytes, content]] of frames.entries()) {
    table.writeUInt32LE(bytes, 8 + 8 * i);
    table.writeUInt32LE(content, 12 + 8 * i);
  }
  table.writeUInt32LE(count, table.length - 9);
  table.writeUInt32LE(0x8f92eab1, table.length - 4);
  return table;
}

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

import { readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';

/** Numeric matrices of a MATLAB 5 file by name, column by column. */
export function readMatrices(file: string): Map<string, number[]> {
  const elements = (bytes: Buffer): { type: number; body: Buffer }[] => {
    const found: { type: number; body: Buffer }[] = [];
    for (let p = 0; p + 8 <= bytes.length; ) {
      const [word, long] = [bytes.readUInt32LE(p), bytes.readUInt32LE(p + 4)];
      const small = word >>> 16;
      const [type, length, start] = small === 0 ? [word, long, p + 8] : [word & 0xffff, small, p + 4];
      found.push({ type, body: bytes.subarray(start, start + length) });
      p = small !== 0 ? p + 8 : start + (type === 15 ? length : Math.ceil(length / 8) * 8);
    }
    return found;
  };
  const matrices = new Map<string, number[]>();
  for (const { type, body } of elements(readFileSync(file).subarray(128))) {
    for (const matrix of type === 15 ? elements(inflateSync(body)) : [{ type, body }]) {
      const [, , name, values] = elements(matrix.body);
      if (values === undefined || (values.type !== 7 && values.type !== 9)) continue;
      const wide = values.type === 9 ? 8 : 4;
      const read = (i: number): number => (wide === 8 ? values.body.readDoubleLE(8 * i) : values.body.readFloatLE(4 * i));
      matrices.set(
        name!.body.toString(),
        Array.from({ length: Math.floor(values.body.length / wide) }, (_, i) => read(i)),
      );
    }
  }
  return matrices;
}

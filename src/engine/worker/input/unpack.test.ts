import { gzipSync } from 'node:zlib';
import t from 'tap';
import { DafError } from '../../../core/contracts/errors.js';
import { sampleText } from '../../../testing/engine-fixture.js';
import { BlockBuffer } from './blocks.js';
import type { ByteSource } from './source.js';
import { unpackedLines } from './unpack.js';

async function linesOf(packed: Buffer): Promise<string[]> {
  const where = {
    name: 'in.gz',
    path: '',
    stored: false,
    offset: 0,
    length: packed.length,
    fileLength: packed.length,
    version: null,
  };
  const piece = { ...where, compression: 'gzip', unpackedOffset: 0, unpackedLength: null, split: 0, at: 0 } as const;
  const source: ByteSource = {
    read: (target, at, length, position) => packed.copy(target, at, position, position + length),
    close() {},
  };
  const lines: string[] = [];
  for await (const { data, count, values } of unpackedLines(piece, source, BlockBuffer.take(1 << 20), 1 << 20)) {
    for (let i = 0; i < count; i++) lines.push(data.toString('utf8', values[2 * i]!, values[2 * i]! + values[2 * i + 1]!));
  }
  return lines;
}

function expected(text: string): string[] {
  const lines = text.split(/\r?\n/);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

t.test('lines of what a file unpacks to, in several blocks and members', async (t) => {
  const text = sampleText(40_000, 3);
  t.same(await linesOf(gzipSync(text)), expected(text));
  t.same(await linesOf(Buffer.concat([gzipSync('a\nb'), gzipSync('c\n')])), ['a', 'bc']);
  t.same(await linesOf(gzipSync('')), []);
});

t.test('a damaged or cut file fails the task', async (t) => {
  const packed = gzipSync(sampleText(1000, 3));
  const fails = async (bytes: Buffer): Promise<void> => {
    const error = await linesOf(bytes).catch((reason: unknown) => reason);
    t.ok(DafError.is(error) && error.code === 'ERR_DAF_BAD_DATA', String(error));
  };
  await fails(packed.subarray(0, packed.length - 10));
  await fails(Buffer.concat([packed.subarray(0, 500), Buffer.alloc(20), packed.subarray(520)]));
  await fails(Buffer.from('no gzip at all'));
});

import t from 'tap';
import type { SplitPiece } from '../../../core/contracts/job.js';
import type { RecordBlock } from '../../../core/contracts/stage.js';
import { CoverageSum } from '../../../core/coverage.js';
import { BlockBuffer, fixedBlocks, lineBlocks, packedBlocks, type Run } from './blocks.js';
import type { ByteSource } from './source.js';

function sourceOf(bytes: Buffer): ByteSource {
  return {
    // At most 7 bytes short of what was asked for would be a broken source; the end of the file is the only reason for less.
    read: (target, at, length, position) => bytes.copy(target, at, position, Math.min(bytes.length, position + length)),
    close() {},
  };
}

function piece(bytes: Buffer, offset: number, length: number): SplitPiece {
  return {
    name: 'file',
    path: '/file',
    stored: false,
    compression: null,
    unpackedOffset: 0,
    unpackedLength: null,
    split: 0,
    at: 0,
    offset,
    length,
    fileLength: bytes.length,
    version: null,
  };
}

interface Seen {
  readonly key: string;
  readonly value: string;
  readonly at: number;
}

async function all(blocks: AsyncIterable<RecordBlock>): Promise<Seen[]> {
  const seen: Seen[] = [];
  for await (const { data, count, values, keys, key, offset } of blocks) {
    for (let i = 0; i < count; i++) {
      const from = values[2 * i]!;
      const keyFrom = keys?.[2 * i] ?? 0;
      seen.push({
        key: (keys === null ? Buffer.from(key) : data.subarray(keyFrom, keyFrom + keys[2 * i + 1]!)).toString('latin1'),
        value: data.toString('latin1', from, from + values[2 * i + 1]!),
        at: offset + (keys === null ? from : keyFrom - 8),
      });
    }
  }
  return seen;
}

/** Adds the run that a reader says it has read. */
async function* noting(blocks: AsyncGenerator<RecordBlock, Run>, read: CoverageSum): AsyncGenerator<RecordBlock> {
  const { begin, end } = yield* blocks;
  read.addRun('file', begin, end);
}

t.test('every line is read exactly once, however the file is cut', async (t) => {
  const texts = [
    '',
    '\n',
    'a',
    'a\n',
    'a\nb',
    'one\r\ntwo\n\nfour\r\n',
    '\r\n\r\n',
    'x'.repeat(40),
    'long line without an end\nshort\n\n\nlast',
  ];
  for (const text of texts) {
    const bytes = Buffer.from(text);
    const lines = text.split('\n');
    if (lines[lines.length - 1] === '') lines.pop();
    const expected = lines.map((line) => line.replace(/\r$/, ''));
    for (let step = 1; step <= bytes.length + 1; step++) {
      const seen: Seen[] = [];
      const read = new CoverageSum();
      for (let offset = 0; offset < bytes.length; offset += step) {
        const part = piece(bytes, offset, Math.min(step, bytes.length - offset));
        const lines = lineBlocks(part, sourceOf(bytes), new BlockBuffer(1 << 20));
        seen.push(...(await all(noting(lines, read))));
      }
      const whole = new CoverageSum();
      whole.addRun('file', 0, bytes.length);
      t.same(read.total, whole.total, 'the runs of the pieces meet');
      t.same(
        seen.map(({ value }) => value),
        expected,
        `${JSON.stringify(text.slice(0, 20))} cut every ${step} bytes`,
      );
      for (const { value, at } of seen) t.equal(text.slice(at, at + value.length), value);
    }
  }
});

t.test('a line longer than the buffer is read; one longer than the limit is refused', async (t) => {
  const bytes = Buffer.from(`${'y'.repeat(1_500_000)}\nend`);
  const read = all(lineBlocks(piece(bytes, 0, bytes.length), sourceOf(bytes), new BlockBuffer(4 << 20)));
  t.same(
    (await read).map(({ value }) => value.length),
    [1_500_000, 3],
  );
  const refused = all(lineBlocks(piece(bytes, 0, bytes.length), sourceOf(bytes), new BlockBuffer(1 << 20)));
  await t.rejects(refused, { code: 'ERR_DAF_MEMORY_LIMIT' });
});

t.test('records of equal size', async (t) => {
  const bytes = Buffer.from('aabbccdd');
  const read = await all(fixedBlocks(piece(bytes, 2, 4), sourceOf(bytes), new BlockBuffer(1 << 20), 2));
  t.same(read, [
    { key: '', value: 'bb', at: 2 },
    { key: '', value: 'cc', at: 4 },
  ]);
  await t.rejects(all(fixedBlocks(piece(bytes, 0, 8), sourceOf(bytes), new BlockBuffer(1 << 20), 3)), {
    code: 'ERR_DAF_BAD_DATA',
  });
});

function packed(key: string, value: string, keyFlags = 0, valueFlags = 0): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE((key.length | keyFlags) >>> 0, 0);
  header.writeUInt32LE((value.length | valueFlags) >>> 0, 4);
  return Buffer.concat([header, Buffer.from(key), Buffer.from(value)]);
}

t.test('packed records, a value in pieces among them', async (t) => {
  const MORE = 0x8000_0000;
  const PIECE = 0x2000_0000;
  const large = 'z'.repeat(700_000);
  const bytes = Buffer.concat([
    packed('k1', 'v1'),
    packed('k2', 'part one,', 0, MORE),
    packed('', 'part two,', PIECE, MORE),
    packed('', large, PIECE),
    packed('', ''),
  ]);
  const read = await all(packedBlocks(piece(bytes, 0, bytes.length), sourceOf(bytes), new BlockBuffer(4 << 20)));
  t.same(
    read.map(({ key, value }) => [key, value.length]),
    [
      ['k1', 2],
      ['k2', 18 + large.length],
      ['', 0],
    ],
  );
  t.equal(read[1]!.value.slice(0, 20), 'part one,part two,zz');
  const cut = bytes.subarray(0, bytes.length - 3);
  await t.rejects(all(packedBlocks(piece(cut, 0, cut.length), sourceOf(cut), new BlockBuffer(4 << 20))), {
    code: 'ERR_DAF_BAD_DATA',
  });
});

import t from 'tap';
import type { Split, SplitPiece } from '../../core/contracts/job.js';
import { InputSample } from './sample.js';

function split(index: number, bytes: number): Split {
  const file = {
    name: `f${index}`,
    path: `/f${index}`,
    stored: false,
    offset: 0,
    length: bytes,
    fileLength: bytes,
    version: null,
    compression: null,
    unpackedOffset: 0,
    unpackedLength: null,
  };
  return { index, pieces: [{ ...file, split: index, at: 0 }] };
}

function piecesOf(sample: InputSample): SplitPiece[] {
  return [...sample.splits(100)].flatMap(({ pieces }) => pieces);
}

t.test('a small input is read as a whole', async (t) => {
  const sample = new InputSample({ kind: 'lines' }, 64);
  sample.add(split(0, 20_000));
  const pieces = piecesOf(sample);
  t.same(
    pieces.map(({ offset, length, at }) => [offset, length, at]),
    [
      [0, 8192, 0],
      [8192, 8192, 8192],
      [16384, 3616, 16384],
    ],
  );
});

t.test('runs are spread evenly over a large input of many splits, and know their place', async (t) => {
  const sample = new InputSample({ kind: 'lines' }, 64);
  for (let i = 0; i < 500; i++) sample.add(split(i, 100_000));
  const pieces = piecesOf(sample);
  t.ok(pieces.length > 32 && pieces.length <= 64, `${pieces.length} runs`);
  const global = pieces.map((piece) => piece.split * 100_000 + piece.at);
  const steps = new Set(global.slice(1).map((at, i) => at - global[i]!));
  t.equal(steps.size, 1, 'always as far from each other');
  t.equal([...sample.splits(100)][0]!.index, 100);
});

t.test('records of a fixed size stay whole', async (t) => {
  const sample = new InputSample({ kind: 'fixed', bytes: 100 }, 16);
  for (let i = 0; i < 5; i++) sample.add(split(i, 1_000_000));
  for (const { offset, length } of piecesOf(sample)) t.ok(offset % 100 === 0 && length % 100 === 0 && length > 0);
});

t.test('a gzip file can only be read as a whole', async (t) => {
  const sample = new InputSample({ kind: 'lines' }, 16);
  const packed = split(0, 300_000).pieces[0]!;
  sample.add({ index: 0, pieces: [{ ...packed, compression: 'gzip' }] });
  sample.add(split(1, 900_000));
  const pieces = piecesOf(sample);
  t.same(
    pieces.filter(({ compression }) => compression === 'gzip').map(({ offset, length }) => [offset, length]),
    [[0, 300_000]],
  );
  t.ok(pieces.length > 4 && pieces.length <= 17, `${pieces.length} runs`);
});

t.test('nothing in, nothing out', async (t) => {
  t.same(piecesOf(new InputSample({ kind: 'lines' }, 16)), []);
});

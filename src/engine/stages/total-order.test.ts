import t from 'tap';
import type { Group } from '../../core/contracts/stage.js';
import { chooseCuts, SampleSink } from './total-order.js';

/** Runs keys through sampling, one task, and returns where the cut points stand. */
function cutsOf(keys: readonly string[], parts: number): { key: string; at: number }[] {
  const sink = new SampleSink();
  for (const [i, key] of keys.entries()) {
    sink.place.at = i;
    sink.emit(key, '');
  }
  const samples: { key: Uint8Array; value: Uint8Array }[] = [];
  sink.finish((key, value) => samples.push({ key: key as Uint8Array, value: value as Uint8Array }));
  samples.sort((a, b) => Buffer.compare(a.key, b.key));
  const groups = function* (): Generator<Group> {
    for (const { key, value } of samples) yield { key, values: [value] };
  };
  const cuts: { key: string; at: number }[] = [];
  chooseCuts({ groups }, parts, (key, value) => {
    const view = Buffer.from(value as Uint8Array);
    cuts.push({ key: Buffer.from(key as Uint8Array).toString(), at: Number(view.readBigUInt64LE(4)) });
  });
  return cuts;
}

const padded = (i: number): string => String(i).padStart(6, '0');

t.test('parts of equal weight', async (t) => {
  const keys = Array.from({ length: 100 }, (_, i) => padded((i * 37) % 100));
  t.same(
    cutsOf(keys, 4).map(({ key }) => key),
    ['000025', '000050', '000075'],
  );
  t.same(cutsOf([], 4), []);
  t.same(cutsOf(['a'], 4), [], 'one record has no border');
  t.same(cutsOf(['b', 'a'], 4), [{ key: 'b', at: 0 }], 'fewer records than parts leave parts empty');
});

t.test('one key is cut by place', async (t) => {
  t.same(
    cutsOf(
      Array.from({ length: 90 }, () => 'same'),
      3,
    ),
    [
      { key: 'same', at: 30 },
      { key: 'same', at: 60 },
    ],
  );
});

t.test('many records are thinned evenly', async (t) => {
  const cuts = cutsOf(
    Array.from({ length: 100_000 }, (_, i) => padded(i)),
    2,
  );
  t.equal(cuts.length, 1);
  t.ok(Math.abs(cuts[0]!.at - 50_000) < 100, `cut at ${cuts[0]!.at}`);
});

t.test('batches say where their records stand', async (t) => {
  const sink = new SampleSink();
  sink.place.split = 3;
  const packed = Buffer.from([1, 0, 0, 0, 1, 0, 0, 0, 97, 120, 1, 0, 0, 0, 0, 0, 0, 0, 98]);
  sink.batch(packed, null, Float64Array.of(10, 20));
  const seen: [string, number, number][] = [];
  sink.finish((key, value) => {
    const view = Buffer.from(value as Uint8Array);
    seen.push([Buffer.from(key as Uint8Array).toString(), view.readUInt32LE(0), Number(view.readBigUInt64LE(4))]);
  });
  t.same(seen, [
    ['a', 3, 10],
    ['b', 3, 20],
  ]);
});

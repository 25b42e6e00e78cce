import tap from 'tap';
import {
  bestObservations,
  decodeObservation,
  encodeObservation,
  encodeRefusal,
  type Observation,
  observationRank,
} from './observation.js';

function observation(quality: number, contentHash: string, change: Partial<Observation> = {}): Observation {
  return {
    photo: 'p01/ä photo\n1.png',
    contentHash,
    quality,
    source: 'sidecar',
    width: 256,
    height: 300,
    photoSide: 1500.5,
    principal: [128.25, 140],
    landmarks: Array.from({ length: 136 }, (_, i) => i / 3),
    weights: Array.from({ length: 68 }, () => 1),
    pose: { yaw: 0.1, pitch: -0.2, roll: 0, residual: 0.01 },
    warnings: [{ code: 'ERR_DAF_NO_FACE', message: 'five faces, the largest is used' }],
    attributes: { Smiling: 1, licence: 'CC BY 4.0' },
    image: Uint8Array.of(1, 2, 3),
    ...change,
  };
}

tap.test('an observation survives encoding', async (t) => {
  const one = observation(0.5, 'aa');
  t.same(decodeObservation(encodeObservation(one)), one);
  t.same(observationRank(encodeObservation(one)).quality, 0.5);
});

tap.test('anything else is refused', async (t) => {
  const good = encodeObservation(observation(0.5, 'aa'));
  const cases: Record<string, Uint8Array> = {
    empty: new Uint8Array(0),
    'other version': Uint8Array.from(good, (byte, i) => (i === 0 ? 9 : byte)),
    'no image': good.subarray(0, good.length - 3),
    'other kind': Uint8Array.from(good, (byte, i) => (i === 1 ? 7 : byte)),
    'length overflow': Uint8Array.from(good, (byte, i) => (i === 7 ? 255 : byte)),
    'broken header': Uint8Array.from(good, (byte, i) => (i === 8 ? 0 : byte)),
    'crop too wide': encodeObservation(observation(0.5, 'aa', { width: 769 })),
    'too few landmarks': encodeObservation(observation(0.5, 'aa', { landmarks: [1, 2] })),
    'no number': encodeObservation(observation(Number.NaN, 'aa')),
  };
  for (const [name, bytes] of Object.entries(cases)) t.throws(() => decodeObservation(bytes), { code: 'ERR_DAF_BAD_DATA' }, name);
});

tap.test('the best K do not depend on order, grouping or repetition', async (t) => {
  const all = [
    [0.3, 'c'],
    [0.9, 'b'],
    [0.9, 'a'],
    [0.1, 'e'],
    [0.5, 'd'],
    [0.9, 'a'],
  ].map(([quality, hash]) => encodeObservation(observation(quality as number, hash as string)));
  const hashes = ({ best }: { best: readonly Uint8Array[] }): string =>
    best.map((value) => observationRank(value).contentHash).join('');
  t.equal(hashes(bestObservations(all, 3)), 'abd');
  t.equal(hashes(bestObservations([...all].reverse(), 3)), 'abd');
  const combined = [...bestObservations(all.slice(0, 3), 3).best, ...bestObservations(all.slice(3), 3).best];
  t.equal(hashes(bestObservations(combined, 3)), 'abd');
  t.equal(hashes(bestObservations(all, 99)), 'abdce');
});

tap.test('chosen observations are copies: the merge reuses its buffer', async (t) => {
  const buffer = encodeObservation(observation(0.5, 'aa'));
  const [kept] = bestObservations([buffer], 1).best;
  buffer.fill(0);
  t.equal(observationRank(kept!).contentHash, 'aa');
});

tap.test('refusals travel beside observations and are all kept', async (t) => {
  const refusals = ['p01/b', 'p01/a'].map((photo) => ({ photo, code: 'ERR_DAF_NO_FACE', message: 'no face' }));
  const values = [...refusals.map(encodeRefusal), encodeObservation(observation(0.2, 'a'))];
  const sorted = bestObservations(values, 1);
  t.equal(sorted.best.length, 1);
  t.same(
    sorted.refusals.map((refusal) => refusal.photo),
    ['p01/a', 'p01/b'],
  );
});

import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import tap from 'tap';
import { facePoints } from '../models/onnx.test.fixture.js';
import { parseLandmarks, readSidecar, sidecarPaths } from './sidecar.js';

const WIDTH = 200;
const HEIGHT = 150;
const points = facePoints().map((value, i) => (i % 2 === 0 ? 50 : 20) + 100 * value);
const pairs = Array.from({ length: 68 }, (_, i) => [points[2 * i]!, points[2 * i + 1]!]);

const pts = (list: readonly (readonly number[])[], count = list.length): string =>
  `version: 1\nn_points:  ${count}\n{\n${list.map(([x, y]) => `${x} ${y}`).join('\n')}\n}\n`;
const parse = (name: string, text: string): Float32Array => parseLandmarks(name, Buffer.from(text), WIDTH, HEIGHT);
const close = (a: Float32Array, b: Float32Array): boolean =>
  a.length === b.length && a.every((value, i) => Math.abs(value - b[i]!) < 1e-4);

tap.test('the documented formats and their origins', async (t) => {
  const shifted = pairs.map(([x, y]) => [x! + 0.5, y! + 0.5]);
  t.ok(close(parse('a.pts', pts(shifted)), points), '.pts counts from 1 at a pixel centre');
  t.ok(close(parse('a.PTS', pts(shifted).replaceAll('\n', '\r\n')), points), 'CRLF');
  t.ok(close(parse('a.json', JSON.stringify(pairs)), points));
  t.ok(close(parse('a.json', JSON.stringify(pairs.flat())), points));
  t.ok(close(parse('a.json', JSON.stringify({ landmarks: pairs, image: 'x' })), points));
  t.ok(close(parse('a.json', JSON.stringify({ landmarks: pairs, origin: 'corner' })), points));
  const fromZero = pairs.map(([x, y]) => [x! - 0.5, y! - 0.5]);
  t.ok(close(parse('a.json', JSON.stringify({ landmarks: fromZero, origin: 'pixel' })), points));
});

tap.test('anything else is refused', async (t) => {
  const far = pairs.map(([x, y], i) => [x! + (i === 30 ? 400 : 0), y!]);
  const bad: Record<string, [string, string]> = {
    'too few': ['a.pts', pts(pairs.slice(1))],
    'wrong count': ['a.pts', pts(pairs.slice(1), 68)],
    'five points': ['a.pts', pts(pairs.slice(0, 5))],
    'no braces': ['a.pts', pts(pairs).replace('{', '')],
    nan: ['a.pts', pts(pairs).replace(/\d+\.\d+/, 'nan')],
    infinity: ['a.json', JSON.stringify(pairs).replace(/\d+\.\d+/, '1e999')],
    outside: ['a.pts', pts(far)],
    'one point': ['a.pts', pts(pairs.map(() => [50, 50]))],
    empty: ['a.pts', ''],
    'not json': ['a.json', 'version: 1'],
    null: ['a.json', 'null'],
    number: ['a.json', '7'],
    'no landmarks': ['a.json', '{"points":[]}'],
    '67 pairs': ['a.json', JSON.stringify(pairs.slice(1))],
    triples: ['a.json', JSON.stringify(pairs.map((pair) => [...pair, 0]))],
    strings: ['a.json', JSON.stringify(pairs.map((pair) => pair.map(String)))],
    'other origin': ['a.json', JSON.stringify({ landmarks: pairs, origin: 'centre' })],
  };
  for (const [name, [file, text]] of Object.entries(bad)) {
    t.throws(() => parse(file, text), { code: 'ERR_DAF_BAD_LANDMARKS' }, name);
  }
});

tap.test('found beside the photo, in a fixed order, under any name', async (t) => {
  const names = sidecarPaths('/x.y/a.b.jpg').map(String);
  t.same(names, ['/x.y/a.b.jpg.pts', '/x.y/a.b.jpg.json', '/x.y/a.b.pts', '/x.y/a.b.landmarks.json']);
  t.same(sidecarPaths('/x.y/a').map(String), ['/x.y/a.pts', '/x.y/a.json', '/x.y/a.landmarks.json']);
  const json = JSON.stringify(pairs);
  const moved = JSON.stringify(pairs.map(([x, y]) => [x! + 1, y!]));
  const dir = t.testdir({
    'a.jpg': '',
    'a.jpg.json': json,
    'a.landmarks.json': moved,
    'b\n.jpg': '',
    'b\n.landmarks.json': json,
    'c.jpg': '',
    'c.pts': 'nonsense',
    'd.jpg': '',
    'shut.jpg': '',
    'shut.pts': pts(pairs),
    'folder.pts': {},
  });
  const read = (name: string, sidecar?: string | null) => readSidecar({ path: join(dir, name), sidecar }, WIDTH, HEIGHT);
  t.ok(close((await read('a.jpg'))!, points));
  t.ok(close((await read('b\n.jpg'))!, points));
  await t.rejects(read('c.jpg'), { code: 'ERR_DAF_BAD_LANDMARKS' });
  t.equal(await read('d.jpg'), null);
  t.equal(await read('a.jpg', null), null);
  t.ok(close((await read('d.jpg', join(dir, 'a.jpg.json')))!, points), 'named by the caller');
  await t.rejects(read('d.jpg', join(dir, 'none.pts')), { code: 'ERR_DAF_NOT_FOUND' });
  await t.rejects(read('d.jpg', join(dir, 'folder.pts')), { code: 'ERR_DAF_BAD_LANDMARKS' });
  t.ok(
    close(
      (await readSidecar({ bytes: new Uint8Array(1), sidecar: { name: 'z.json', bytes: Buffer.from(json) } }, WIDTH, HEIGHT))!,
      points,
    ),
  );
  t.equal(await readSidecar({ bytes: new Uint8Array(1) }, WIDTH, HEIGHT), null);
  chmodSync(join(dir, 'shut.pts'), 0);
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid!('nobody');
  await t.rejects(read('shut.jpg'), { code: 'ERR_DAF_PERMISSION' }).finally(() => root && process.seteuid!(0));
});

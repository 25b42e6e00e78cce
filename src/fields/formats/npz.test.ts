import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import type { DafError } from '../../core/contracts/errors.js';
import { parseNpy, toFloats } from './npy.js';
import { NpzFile, readNpz } from './npz.js';
import { floats, npy, zip } from './npz.test.fixture.js';

function refused(t: Test, call: () => unknown, code = 'ERR_DAF_BAD_DATA', text = /./): void {
  try {
    call();
  } catch (error) {
    t.equal((error as DafError).code, code, String(error));
    t.match((error as DafError).message, text);
    return;
  }
  t.fail(`expected ${code}`);
}

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'daf-npz-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

test('arrays of every version, order and type', (t) => {
  for (const version of [1, 2, 3] as const) {
    const array = parseNpy(npy({ descr: '<f4', shape: [2, 3], data: floats(1, 2, 3, 4, 5, 6), version }), 'a');
    t.same(array.shape, [2, 3]);
    t.same([...array.data], [1, 2, 3, 4, 5, 6]);
  }
  const fortran = parseNpy(npy({ descr: '<f4', shape: [2, 3], data: floats(1, 4, 2, 5, 3, 6), fortran: true }), 'a');
  t.same([...fortran.data], [1, 2, 3, 4, 5, 6], 'columns first becomes rows first');
  const cube = parseNpy(npy({ descr: '|u1', shape: [2, 2, 2], data: Uint8Array.of(0, 4, 2, 6, 1, 5, 3, 7), fortran: true }), 'a');
  t.same([...cube.data], [0, 1, 2, 3, 4, 5, 6, 7]);
  t.same([...parseNpy(npy({ descr: '>i2', shape: [2], data: Uint8Array.of(1, 2, 0xff, 0xfe) }), 'a').data], [258, -2]);
  const halves = Uint8Array.of(0x00, 0x3c, 0x00, 0xc1, 0x01, 0x00, 0x00, 0x7c);
  t.same([...parseNpy(npy({ descr: '<f2', shape: [4], data: halves }), 'a').data], [1, -2.5, 2 ** -24, Number.POSITIVE_INFINITY]);
  t.same([...parseNpy(npy({ descr: '|b1', shape: [3], data: Uint8Array.of(1, 0, 1) }), 'a').data], [1, 0, 1]);
  t.same(parseNpy(npy({ descr: '<f4', shape: [], data: floats(7) }), 'a').shape, [], 'a scalar');
  t.equal(parseNpy(npy({ descr: '<f4', shape: [0, 5], data: floats() }), 'a').data.length, 0);
  const wide = parseNpy(npy({ descr: '<i8', shape: [1], data: new Uint8Array(BigInt64Array.of(-5n).buffer) }), 'a');
  t.same([...toFloats(wide, 'a')], [-5]);
  t.end();
});

test('archives: stored, deflated, with 64-bit sizes', (t) => {
  const entries = {
    'x.npy': npy({ descr: '<f4', shape: [1, 2], data: floats(1, 2) }),
    'y.npy': npy({ descr: '|u1', shape: [3], data: Uint8Array.of(7, 8, 9) }),
    'notes.txt': Buffer.from('not an array'),
  };
  const path = join(folder(t), 'a.npz');
  for (const options of [{}, { deflate: true }, { zip64: true }, { deflate: true, zip64: true }]) {
    writeFileSync(path, zip(entries, options));
    const arrays = readNpz(path);
    t.same([...arrays.keys()], ['x', 'y']);
    t.same([...arrays.get('y')!.data], [7, 8, 9], JSON.stringify(options));
  }
  using file = new NpzFile(path);
  t.ok(file.has('x'));
  refused(t, () => file.read('z'), 'ERR_DAF_BAD_DATA', /no array "z"/);
  t.end();
});

test('damaged and hostile files are refused', (t) => {
  const good = npy({ descr: '<f4', shape: [1, 2], data: floats(1, 2) });
  for (let length = 0; length < good.length; length++) refused(t, () => parseNpy(good.subarray(0, length), 'a'));
  refused(t, () => parseNpy(npy({ descr: '|O', shape: [1], data: floats(1) }), 'a'), 'ERR_DAF_BAD_DATA', /type '\|O'/);
  refused(t, () => parseNpy(npy({ descr: '<U4', shape: [1], data: floats(1) }), 'a'));
  refused(t, () => parseNpy(npy({ descr: '<f4', shape: [2 ** 31, 2 ** 31, 2 ** 31], data: floats(1) }), 'a'));
  refused(t, () => parseNpy(npy({ descr: '<f4', shape: [1], data: floats(1, 2) }), 'a'));
  const path = join(folder(t), 'a.npz');
  refused(t, () => readNpz(path), 'ERR_DAF_NOT_FOUND');
  const archive = zip({ 'x.npy': good }, { deflate: true });
  for (let length = 0; length < archive.length; length += 7) {
    writeFileSync(path, archive.subarray(0, length));
    refused(t, () => readNpz(path));
  }
  // Each byte of the archive turned: refused with the right code, or without effect on the array.
  for (let at = 0; at < archive.length; at++) {
    const turned = Buffer.from(archive);
    turned[at]! ^= 0x41;
    writeFileSync(path, turned);
    try {
      for (const array of readNpz(path).values()) t.same([...array.data], [1, 2]);
    } catch (error) {
      if ((error as DafError).code !== 'ERR_DAF_BAD_DATA') t.fail(`byte ${at}: ${error}`);
    }
  }
  writeFileSync(
    path,
    zip({ 'x.npy': npy({ descr: '|u1', shape: [100_000], data: new Uint8Array(100_000) }) }, { deflate: true }),
  );
  refused(t, () => readNpz(path, 50_000), 'ERR_DAF_BAD_DATA', /50000 are allowed/);
  t.end();
});

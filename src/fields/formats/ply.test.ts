import { test } from 'tap';
import type { DafError } from '../../core/contracts/errors.js';
import { parsePly } from './ply.js';

const HEADER = (format: string): string =>
  ['ply', `format ${format} 1.0`, 'comment made by a test', 'element edge 2', 'property list uchar int ends', 'element vertex 2']
    .concat(['property double x', 'property float y', 'property float z', 'property short quality'])
    .concat(['property uchar red', 'property uchar green', 'property uchar blue', 'end_header', ''])
    .join('\n');

function binary(little: boolean): Buffer {
  const view = new DataView(new ArrayBuffer(14 + 2 * 21));
  let at = 0;
  for (const ends of [[4], [5, 6]]) {
    view.setUint8(at, ends.length);
    for (const [i, end] of ends.entries()) view.setInt32(at + 1 + 4 * i, end, little);
    at += 1 + 4 * ends.length;
  }
  for (let i = 0; i < 2; i++) {
    view.setFloat64(at, 1 + i, little);
    view.setFloat32(at + 8, 2 + i, little);
    view.setFloat32(at + 12, 3 + i, little);
    view.setInt16(at + 16, -7, little);
    for (let c = 0; c < 3; c++) view.setUint8(at + 18 + c, 10 * c + i);
    at += 21;
  }
  return Buffer.concat([Buffer.from(HEADER(`binary_${little ? 'little' : 'big'}_endian`)), Buffer.from(view.buffer, 0, at)]);
}

const ASCII = Buffer.from(`${HEADER('ascii')}1 4\n2 5 6\n1 2 3 -7 0 10 20\n2 3 4 -7 1 11 21\n`);

test('vertices of every kind of file', (t) => {
  for (const bytes of [ASCII, binary(true), binary(false)]) {
    const { positions, colors } = parsePly(bytes, 'p');
    t.same([...positions], [1, 2, 3, 2, 3, 4]);
    t.same([...colors!], [0, 10, 20, 1, 11, 21]);
  }
  const bare = parsePly(
    Buffer.from(
      'ply\r\nformat ascii 1.0\r\nelement vertex 1\r\nproperty float x\r\nproperty float y\r\nproperty float z\r\nend_header\r\n1 2 3',
    ),
    'p',
  );
  t.same([[...bare.positions], bare.colors], [[1, 2, 3], null]);
  t.end();
});

test('damaged files are refused', (t) => {
  const refused = (bytes: Buffer, text = /./): void => {
    try {
      parsePly(bytes, 'p.ply');
      t.fail('accepted');
    } catch (error) {
      t.equal((error as DafError).code, 'ERR_DAF_BAD_DATA', String(error));
      t.match((error as DafError).message, text);
    }
  };
  for (const whole of [ASCII, binary(true), binary(false)]) {
    // The last number of a text may lose a digit and still be one.
    for (let length = 0; length < whole.length - 3; length++) refused(whole.subarray(0, length));
  }
  const change = (from: string, to: string): Buffer => Buffer.from(ASCII.toString().replace(from, to));
  refused(change('element vertex 2', 'element vertex 99999999999'), /cut off/);
  refused(change('element vertex 2', 'element vertex -2'));
  refused(change('element edge 2', 'element edge 9007199254740991'));
  refused(change('property double x', 'property double u'), /no x, y and z/);
  refused(change('property double x', 'property quaternion x'), /quaternion/);
  refused(change('element vertex', 'element corner'), /no vertices/);
  refused(change('1 2 3 -7', '1 nan 3 -7'), /"nan" is not a number/);
  refused(change('1 2 3 -7', '1 1e99 3 -7'), /not finite/);
  t.end();
});

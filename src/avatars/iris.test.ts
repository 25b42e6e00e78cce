import tap from 'tap';
import { addon } from '../core/addon/index.js';
import { fitPerson, texturePerson } from './fit_person.js';
import { embeddedHead } from './head.js';
import type { Observation } from './observation.js';

const SIZE = 512;
const SIDE = 560;
const control = new Int32Array(new SharedArrayBuffer(12));
const head = embeddedHead();

/** Texels of the irises: where the albedo changes with their colour. */
function irisTexels(): number[] {
  const [dark, bright] = [painted([0.02, 0.02, 0.02]), painted([0.5, 0.5, 0.5])];
  return Array.from({ length: SIZE * SIZE }, (_, i) => i).filter((i) => bright[4 * i + 1]! - dark[4 * i + 1]! > 60);
}

function painted(iris: Iterable<number>): Uint8Array {
  const rgba = new Uint8Array(4 * SIZE * SIZE);
  addon().paintAlbedo(head.handle, { ...addon().averageLooks(), iris: Float32Array.from(iris) }, SIZE, null, rgba);
  return rgba;
}

const linear = (byte: number): number => (byte / 255) ** 2.2;

function mean(texture: Uint8Array, stride: number, texels: readonly number[]): number[] {
  return [0, 1, 2].map((c) => texels.reduce((sum, i) => sum + linear(texture[stride * i + c]!), 0) / texels.length);
}

/** Stops by which the colour's red and blue are off, green being right. */
function tint(got: readonly number[], wanted: readonly number[]): number {
  const [red, green, blue] = got.map((value, c) => Math.log2((value + 0.01) / (wanted[c]! + 0.01))) as [number, number, number];
  return Math.hypot(red - green, blue - green);
}

tap.test('irises take their colour from the photo: blue, green, brown', (t) => {
  const texels = irisTexels();
  t.ok(texels.length > 100);
  let sum = 0;
  const people = [1, 12, 4, 8];
  for (const person of people) {
    const { looks } = addon().makePerson(head.handle, 77, person, false);
    const photo = addon().synthesize(
      head.handle,
      {
        seed: 77,
        person,
        photo: 0,
        width: SIDE,
        height: SIDE,
        yaw: 0.1,
        pitch: 0,
        roll: 0,
        focalMm: 50,
        expression: 0,
        marks: false,
        texture: 1024,
      },
      null,
    );
    const observation = {
      quality: 1,
      width: SIDE,
      height: SIDE,
      photoSide: SIDE,
      principal: [SIDE / 2, SIDE / 2],
      landmarks: [...photo.landmarks],
      weights: new Array(68).fill(1),
    } as unknown as Observation;
    const open = { observation, width: SIDE, height: SIDE, rgb: photo.rgb, matte: photo.mask };
    const texture = texturePerson(head, fitPerson(head, [open], control), [open], SIZE, control);
    const [got, wanted] = [mean(texture.rgb, 3, texels), mean(painted(looks.iris), 4, texels)];
    const off = tint(got, wanted);
    sum += off;
    t.ok(off < 0.7, `person ${person}: ${off.toFixed(2)} stops`);
    t.equal(got[2]! > got[0]!, wanted[2]! > wanted[0]!, 'blue where it is blue');
  }
  t.ok(sum / people.length < 0.45, `${(sum / people.length).toFixed(2)} stops in the mean`);
  t.end();
});

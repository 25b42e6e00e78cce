import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tap from 'tap';
import { addon, type CameraValues } from '../core/addon/index.js';
import { Field } from '../fields/index.js';
import { orbitCamera, projectPoint } from './camera.js';
import { writeDemoInput } from './demo/write_input.js';
import { drawPly, surfaceOfObj } from './formats.test.fixture.js';
import { embeddedHead, shapeOf } from './head.js';
import { avatarInput } from './input.js';
import { runStages } from './local.test.fixture.js';
import { drawSurface, surfaceOfGlb } from './surface.js';

const SIZE = 400;
const TURN = 0.6;

/** Where the synthesiser puts its mole on the mean head, cm: see native/head/synth. */
const MOLE = [4, -4.7, 0.5] as const;

tap.test('a mole on the left cheek and an L on the left of the neck stay there in every file', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'daf-sides-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await writeDemoInput(folder, { people: 1, photos: 3, seed: 5, marks: true });
  const run = await runStages((await avatarInput([folder])).records, { quality: 'standard' });
  const file = (name: string): Uint8Array => run.files.get(`avatars/person-01/${name}`)!;

  const glb = await surfaceOfGlb(file('avatar.glb'));
  const obj = await surfaceOfObj(Buffer.from(file('avatar.obj')).toString(), file('avatar.png'));
  using field = Field.load(file('field.safetensors'));
  const drawings: Record<string, (camera: CameraValues) => Uint8Array> = {
    GLB: (camera) => drawSurface(glb, camera, 'texture').rgba,
    OBJ: (camera) => drawSurface(obj, camera, 'texture').rgba,
    PLY: (camera) => drawPly(file('avatar.ply'), camera),
    field: (camera) => field.render(camera).rgba,
  };
  const { mole, letter } = markedPlaces();
  const left = orbitCamera(glb.box, -TURN, 0, SIZE);
  const right = orbitCamera(glb.box, TURN, 0, SIZE);
  const positions = glb.mesh.positions;
  const source = glb.mesh.source!;
  for (const [name, draw] of Object.entries(drawings)) {
    const views = { left: draw(left), right: draw(right) };
    /** Mean brightness at some vertices, 0…255. */
    const bright = (vertices: readonly number[], side: 'left' | 'right'): number => {
      const camera = side === 'left' ? left : right;
      const values = vertices.map((vertex) => {
        const [x, y] = projectPoint(camera, positions, 3 * source[vertex]!)!;
        const at = 4 * (Math.floor(y) * SIZE + Math.floor(x));
        return (views[side][at]! + views[side][at + 1]! + views[side][at + 2]!) / 3;
      });
      return values.reduce((sum, value) => sum + value, 0) / values.length;
    };
    t.ok(bright(mole.left, 'left') < 0.85 * bright(mole.right, 'right'), `${name}: the mole is on the left cheek`);
    const frame = (vertices: readonly number[], camera: CameraValues) =>
      vertices.map((vertex) => projectPoint(camera, positions, 3 * source[vertex]!)!.slice(0, 2) as [number, number]);
    const [written, bare] = [ink(views.left, frame(letter.left, left)), ink(views.right, frame(letter.right, right))];
    t.ok(written.count > 30, `${name}: the L shows on the left of the neck (${written.count} pixels)`);
    t.ok(bare.count < 0.4 * written.count, `${name}: and not on the right (${bare.count})`);
    t.ok(written.upper < written.lower - 1, `${name}: its foot points to the right of the reader, so it is no mirrored L`);
  }
});

/** What is much darker than the skin where the L (or its mirror image) stands: how many pixels, mean x of their upper and lower half. */
function ink(rgba: Uint8Array, frame: readonly (readonly [number, number])[]): { count: number; upper: number; lower: number } {
  const [left, right] = [Math.min(...frame.map(([x]) => x)), Math.max(...frame.map(([x]) => x))];
  const [top, bottom] = [Math.min(...frame.map(([, y]) => y)), Math.max(...frame.map(([, y]) => y))];
  const pixels: [number, number, number][] = [];
  for (let y = Math.floor(top); y <= bottom; y++) {
    for (let x = Math.floor(left); x <= right; x++) {
      const at = 4 * (y * SIZE + x);
      if (rgba[at + 3]! >= 128) pixels.push([x, y, rgba[at]! + rgba[at + 1]! + rgba[at + 2]!]);
    }
  }
  const usual = pixels.map(([, , value]) => value).sort((a, b) => a - b)[pixels.length >> 1]!;
  const dark = pixels.filter(([, , value]) => value < 0.75 * usual);
  const middle = (top + bottom) / 2;
  const mean = (part: typeof dark): number => part.reduce((sum, [x]) => sum + x, 0) / part.length;
  return {
    count: dark.length,
    upper: mean(dark.filter(([, y]) => y < middle)),
    lower: mean(dark.filter(([, y]) => y >= middle)),
  };
}

type Pair = { readonly left: number[]; readonly right: number[] };

/** Render vertices of the mole and of the skin around the L, and their mirror images on the right side. */
function markedPlaces(): { readonly mole: Pair; readonly letter: Pair } {
  const head = embeddedHead();
  const mean = shapeOf(head, new Float32Array(0));
  const mirror = new Uint32Array(head.info.positionCount);
  addon().headTopology(
    head.handle,
    new Uint32Array(head.info.vertexCount),
    new Float32Array(2 * head.info.vertexCount),
    new Uint32Array(3 * head.info.triangleCount),
    mirror,
  );
  const skin = head.info.parts.find((part) => part.name === 'skin')!;
  const vertexOf = new Map<number, number>();
  for (let r = skin.firstVertex; r < skin.firstVertex + skin.vertexCount; r++) vertexOf.set(head.source[r]!, r);
  const pair = (wanted: readonly number[]): Pair => ({
    left: wanted.map((position) => vertexOf.get(position)!),
    right: wanted.map((position) => vertexOf.get(mirror[position]!)!),
  });
  const skinPositions = [...vertexOf.keys()];
  const distance = (position: number): number => Math.hypot(...MOLE.map((value, k) => mean[3 * position + k]! - value));
  const nearest = skinPositions.reduce((best, position) => (distance(position) < distance(best) ? position : best));
  const aroundLetter = skinPositions.filter((position) => {
    const [x, y, z] = [mean[3 * position]!, mean[3 * position + 1]!, mean[3 * position + 2]!];
    const along = Math.atan2(x, z + 9.2) * 5.2 - 2.6;
    // The neck's skin, not the back of the mouth.
    return Math.hypot(x, z + 9.2) > 4 && along > -0.5 && along < 2.2 && y > -14.4 && y < -11.7;
  });
  return { mole: pair([nearest]), letter: pair(aroundLetter) };
}

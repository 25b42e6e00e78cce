import tap from 'tap';
import { hairShell } from './hair_shell.js';
import { embeddedHead, shapeOf } from './head.js';
import { visitTexels } from './uv_paint.js';

const SIZE = 256;
type Point = readonly [number, number, number];

const head = embeddedHead();
const shell = hairShell(head, SIZE);

/** Where each texel of a part lies on the mean head, cm. */
function placesOf(name: string): ReadonlyMap<number, Point> {
  const mean = shapeOf(head, new Float32Array(0));
  const part = head.info.parts.find((candidate) => candidate.name === name)!;
  const places = new Map<number, Point>();
  visitTexels(head, [part.firstTriangle, part.firstTriangle + part.triangleCount], SIZE, (texel, corners, weights) => {
    const along = (axis: number): number =>
      corners.reduce((sum, v, k) => sum + weights[k]! * mean[3 * head.source[v]! + axis]!, 0);
    if (!places.has(texel)) places.set(texel, [along(0), along(1), along(2)]);
  });
  return places;
}

const hair = placesOf('hair');
const skin = placesOf('skin');
const lowest = (where: (x: number, z: number) => boolean): number =>
  Math.min(...[...hair.values()].filter(([x, , z]) => where(x, z)).map(([, y]) => y));

tap.test('hair begins high on the forehead, runs down over temple and ear, and ends at the nape', (t) => {
  const forehead = lowest((x, z) => Math.abs(x) < 2 && z > 0);
  const temple = lowest((x, z) => Math.abs(x) > 4 && z > 1);
  const side = lowest((x, z) => Math.abs(x) > 5 && z > -3 && z < 1);
  const nape = lowest((x, z) => Math.abs(x) < 2 && z < 0);
  t.ok(forehead > 5.5 && forehead < 7, `forehead ${forehead} cm over the eyes`);
  t.ok(temple > 4 && temple < forehead, `temple ${temple} cm`);
  t.ok(side > 0.5 && side < 2.5, `over the ear ${side} cm`);
  t.ok(nape > -6 && nape < -4, `nape ${nape} cm`);
  t.end();
});

tap.test('every texel of the hair once, with its height, and with the scalp close below it', (t) => {
  t.same([...shell.texels].sort(), [...hair.keys()].sort());
  const scalp = [...shell.texels].map((texel, i) => {
    const [over, under] = [hair.get(texel)!, skin.get(shell.scalp[i]!)];
    return under === undefined ? Infinity : Math.hypot(over[0] - under[0], over[1] - under[1], over[2] - under[2]);
  });
  t.ok(Math.max(...scalp) < 2, `${Math.max(...scalp)} cm`);
  t.ok([...shell.texels].every((texel, i) => Math.abs(shell.height[i]! - hair.get(texel)![1]) < 1e-4));
  t.end();
});

tap.test('the edge is the rim of the shell and the crown is far from it', (t) => {
  const [rim, crown] = [Math.min(...shell.border), Math.max(...shell.border)];
  t.ok(Math.abs(rim) < 0.2 && crown > 10, `${rim} to ${crown} cm`);
  const top = shell.border.indexOf(crown);
  t.ok(shell.height[top]! > 8, `the farthest lies ${shell.height[top]} cm over the eyes`);
  t.ok(
    shell.neighbours.every((beside, i) => beside.length > 1 && beside.every((j) => j !== i && shell.neighbours[j]!.includes(i))),
  );
  t.end();
});

tap.test('strands run down the chart, light and dark alike', (t) => {
  const strand = new Map([...shell.texels].map((texel, i) => [texel, shell.strand[i]!]));
  let [across, along, sum] = [0, 0, 0];
  for (const [texel, value] of strand) {
    const [right, below] = [strand.get(texel + 2), strand.get(texel + 2 * SIZE)];
    sum += value;
    if (right === undefined || below === undefined) continue;
    across += Math.abs(right - value);
    along += Math.abs(below - value);
  }
  t.ok(across > 1.5 * along, `${across} across, ${along} along`);
  t.ok(Math.abs(sum / strand.size) < 0.1, 'neither lightens nor darkens the hair');
  t.end();
});

tap.test('the sample of the skin is skin, from every column, and shells are made once', (t) => {
  t.ok([...shell.skin].every((texel) => skin.has(texel)));
  t.equal(
    new Set([...shell.skin].map((texel) => texel % SIZE)).size,
    new Set([...skin.keys()].map((texel) => texel % SIZE)).size,
  );
  t.ok(shell.skin.length < skin.size / 4);
  t.equal(hairShell(head, SIZE), shell);
  t.not(hairShell(head, SIZE / 2), shell);
  t.end();
});

import tap from 'tap';
import { inSoftLight } from './soft_light.js';
import type { Surface } from './surface.js';

const SIZE = 32;

/** A grey square of 5 × 5 points that covers the texture, turned to look along `ahead`, its middle `deep` cm below the rest. */
function square(ahead: 1 | -1, deep: number): Surface {
  const positions: number[] = [];
  const uv: number[] = [];
  const triangles: number[] = [];
  for (let y = 0; y < 5; y++) {
    for (let x = 0; x < 5; x++) {
      positions.push(ahead * x, y, x === 2 && y === 2 ? -ahead * deep : 0);
      uv.push(x / 4, y / 4);
      const v = 5 * y + x;
      if (x < 4 && y < 4) triangles.push(v, v + 1, v + 6, v, v + 6, v + 5);
    }
  }
  return {
    mesh: {
      positions: Float32Array.from(positions),
      source: Uint32Array.from({ length: 25 }, (_, i) => i),
      uv: Float32Array.from(uv),
      triangles: Uint32Array.from(triangles),
    },
    texture: new Uint8Array(4 * SIZE * SIZE).fill(128),
    textureWidth: SIZE,
    textureHeight: SIZE,
    box: { min: [0, 0, 0], max: [4, 4, 0] },
  };
}

const at = (surface: Surface, x: number, y: number): number => surface.texture[4 * (y * SIZE + x)]!;

tap.test('what looks ahead keeps its colour, what looks back is darker', (t) => {
  const front = inSoftLight(square(1, 0));
  t.equal(at(front, 16, 16), 128);
  t.equal(front.texture[4 * (16 * SIZE + 16) + 3], 128, 'opacity stays');
  const back = inSoftLight(square(-1, 0));
  t.ok(at(back, 16, 16) < 115);
  t.ok(at(back, 16, 16) > 80);
  t.end();
});

tap.test('a hollow is darker than what lies around it, a hill is not', (t) => {
  const hollow = inSoftLight(square(1, 0.4));
  t.ok(at(hollow, 16, 16) < at(hollow, 1, 1) - 10);
  const hill = inSoftLight(square(1, -0.4));
  t.ok(at(hill, 16, 16) > 120);
  t.end();
});

tap.test('the gaps around a chart take its light, so that no line shows where it ends', (t) => {
  const whole = square(-1, 0);
  const half = { ...whole, mesh: { ...whole.mesh, uv: whole.mesh.uv!.map((value) => 0.5 * value) } };
  const lit = inSoftLight(half);
  const inside = at(lit, 4, 4);
  t.ok(inside < 115);
  for (const [x, y] of [
    [17, 4],
    [20, 4],
    [4, 20],
  ] as const)
    t.equal(at(lit, x, y), inside, `${x}, ${y} beside the chart`);
  t.equal(at(lit, 30, 30), 128, 'far from it nothing changes');
  t.end();
});

tap.test('the surface given is left as it is', (t) => {
  const given = square(-1, 0);
  inSoftLight(given);
  t.ok(given.texture.every((value) => value === 128));
  t.end();
});

import tap from 'tap';
import { addon } from '../core/addon/index.js';
import { baseTexture } from './base_texture.js';
import { boxOf, orbitCamera, projectPoint } from './camera.js';
import { vertexNormals } from './export/mesh.js';
import { hairShell } from './hair_shell.js';
import { embeddedHead, shapeOf } from './head.js';

const SIZE = 256;
const SIDE = 400;
/** cm that the hair of this head stands above the modelled shell, and pixels that keep clear of outlines. */
const RAISED = 2.5;
const CLEAR = 10;
/** Cosine of the angle to the line of sight that a photo tells something under. */
const FACING = 0.45;

tap.test('a photo shows hair that stands above the outline of the scalp', (t) => {
  const head = embeddedHead();
  const positions = shapeOf(head, new Float32Array(0));
  const shell = hairShell(head, SIZE);
  const middle = [0, 3, -7];
  for (const { hair } of shell.stand) {
    const out = middle.map((value, k) => positions[hair + k]! - value);
    const length = Math.hypot(...out);
    for (let k = 0; k < 3; k++) positions[hair + k]! += (RAISED * out[k]!) / length;
  }
  const camera = orbitCamera(boxOf(positions), 0, -0.3, SIDE, 0.8);
  const part = head.info.parts.find(({ name }) => name === 'hair')!;
  const maskOf = (triangles: Uint32Array): Uint8Array => {
    const mask = new Uint8Array(SIDE * SIDE);
    addon().renderMeshMask({ positions, source: head.source, uv: null, triangles }, camera, null, mask);
    return mask;
  };
  const matte = maskOf(head.triangles);
  const bare = maskOf(head.triangles.filter((_, i) => Math.floor(i / 3) < part.firstTriangle));
  const rgb = new Uint8Array(3 * SIDE * SIDE).fill(60);
  const texture = new Uint8Array(4 * SIZE * SIZE);
  const observed = new Uint8Array(SIZE * SIZE);
  const view = { positions, camera, photo: { data: rgb, width: SIDE, height: SIDE, channels: 3 as const }, matte, weight: 1 };
  const options = { removeLight: false, mirror: false };
  addon().projectTexture(head.handle, [view], baseTexture(head, SIZE), SIZE, options, null, texture, observed);

  const normals = vertexNormals(positions, head.source, head.triangles);
  const share = { above: [0, 0], behind: [0, 0] };
  for (const [i, texel] of shell.texels.entries()) {
    const between = (values: Float32Array): number[] =>
      [0, 1, 2].map((k) =>
        [0, 1, 2].reduce(
          (sum, c) => sum + shell.weights[3 * i + c]! * values[shell.stand[shell.corners[3 * i + c]!]!.hair + k]!,
          0,
        ),
      );
    const [x, y] = projectPoint(camera, between(positions))!;
    const facing = between(normals).reduce((sum, value, k) => sum + value * camera.rotation[6 + k]!, 0);
    const at = (mask: Uint8Array, dy: number): boolean => mask[Math.floor(y + dy) * SIDE + Math.floor(x)]! >= 128;
    if (at(bare, 0) || !at(matte, 0) || !at(matte, -CLEAR)) continue;
    const counted = facing > FACING ? share.above : facing < 0 ? share.behind : null;
    if (counted === null) continue;
    counted[0]! += observed[texel]! > 0 ? 1 : 0;
    counted[1]! += 1;
  }
  t.ok(share.above[1]! > 30, `${share.above[1]} texels that face the camera lie above the scalp's outline`);
  t.ok(share.above[0]! > 0.8 * share.above[1]!, `${share.above[0]} of them are seen`);
  t.equal(share.behind[0], 0, 'of those that look away none');
  t.end();
});

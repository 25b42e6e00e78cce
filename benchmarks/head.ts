import { boxOf } from '#daf/avatars/camera.js';
import { QUALITY } from '#daf/avatars/options.js';
import type { Surface } from '#daf/avatars/surface.js';
import { supervisedViews } from '#daf/avatars/volume.js';
import { addon } from '#daf/core/addon/index.js';
import type { TrainingView } from '#daf/fields/index.js';

const TEXTURE = 256;

/** Views around the embedded mean head, painted with freckles of several sizes. */
export function headViews(count: number, size: number): { readonly views: TrainingView[]; readonly surface: Surface } {
  const surface = meanHead();
  return {
    views: supervisedViews(surface, { ...QUALITY.draft, supervisedViews: count, supervisedSize: size }, 1, null),
    surface,
  };
}

function meanHead(): Surface {
  const head = addon().headLoad(null);
  const info = addon().headInfo(head);
  const mesh = {
    positions: new Float32Array(info.positionCount * 3),
    triangles: new Uint32Array(info.triangleCount * 3),
    source: new Uint32Array(info.vertexCount),
    uv: new Float32Array(info.vertexCount * 2),
  };
  addon().headShape(head, new Float32Array(0), new Float32Array(0), mesh.positions);
  addon().headTopology(head, mesh.source, mesh.uv, mesh.triangles, new Uint32Array(info.positionCount));
  const texture = new Uint8Array(TEXTURE * TEXTURE * 4);
  for (let y = 0; y < TEXTURE; y++) {
    for (let x = 0; x < TEXTURE; x++) {
      const freckle = 24 * Math.sin(x / 9) * Math.sin(y / 7) + 18 * Math.sin(x / 2.3) * Math.sin(y / 2.9);
      texture.set([200 + freckle, 150 + freckle, 125 - freckle, 255], 4 * (y * TEXTURE + x));
    }
  }
  return { mesh, texture, textureWidth: TEXTURE, textureHeight: TEXTURE, box: boxOf(mesh.positions) };
}

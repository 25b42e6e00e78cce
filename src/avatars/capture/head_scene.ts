import type { Scene } from '../../fields/scenes/types.js';
import type { FieldBox, FieldCamera, Vector3 } from '../../fields/types.js';
import type { Box } from '../camera.js';
import { moveTo, type Similarity } from './align.js';

/** The same pictures with their cameras in head space, cm: a field trained on them lies there. */
export function sceneInHeadSpace(scene: Scene, into: Similarity, head: Box): Scene {
  return {
    ...scene,
    frames: scene.frames.map((frame) => ({ ...frame, camera: cameraIn(into, frame.camera), image: () => frame.image() })),
    box: scene.unbounded ? { ...head, unbounded: true } : around(head, scene.box, into),
    near: scene.near * into.scale,
    points: null,
  };
}

/** Its picture stays the same: camera space grows with the scale. */
export function cameraIn(into: Similarity, camera: FieldCamera): FieldCamera {
  const { rotation: c, translation: t } = camera;
  const { rotation: r, scale } = into;
  // The camera's rotation times the transpose of the similarity's.
  const rotation = Float64Array.from({ length: 9 }, (_, i) => {
    const [row, column] = [3 * Math.floor(i / 3), 3 * (i % 3)];
    return c[row]! * r[column]! + c[row + 1]! * r[column + 1]! + c[row + 2]! * r[column + 2]!;
  });
  const translation = [0, 3, 6].map((row, k) => {
    const moved = [0, 1, 2].reduce((sum, i) => sum + rotation[row + i]! * into.translation[i]!, 0);
    return scale * t[k]! - moved;
  });
  return { ...camera, rotation, translation };
}

/** Where nothing lies around it the field must hold all that the pictures show, shoulders too. */
function around(head: Box, scene: FieldBox, into: Similarity): FieldBox {
  const min = [...head.min] as [number, number, number];
  const max = [...head.max] as [number, number, number];
  for (let corner = 0; corner < 8; corner++) {
    const point = moveTo(into, [0, 1, 2].map((k) => ((corner >> k) & 1 ? scene.max : scene.min)[k]!) as unknown as Vector3);
    for (const k of [0, 1, 2] as const) {
      min[k] = Math.min(min[k], point[k]);
      max[k] = Math.max(max[k], point[k]);
    }
  }
  return { min, max };
}

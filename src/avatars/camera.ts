import type { CameraValues } from '../core/addon/index.js';

/** A box in head space, cm. */
export interface Box {
  readonly min: readonly [number, number, number];
  readonly max: readonly [number, number, number];
}

export function boxOf(positions: Float32Array): Box {
  const min: [number, number, number] = [Infinity, Infinity, Infinity];
  const max: [number, number, number] = [-Infinity, -Infinity, -Infinity];
  for (let i = 0; i < positions.length; i++) {
    const k = (i % 3) as 0 | 1 | 2;
    min[k] = Math.min(min[k], positions[i]!);
    max[k] = Math.max(max[k], positions[i]!);
  }
  return { min, max };
}

export function grow(box: Box, by: number): Box {
  return {
    min: [box.min[0] - by, box.min[1] - by, box.min[2] - by],
    max: [box.max[0] + by, box.max[1] + by, box.max[2] + by],
  };
}

/** Row-major R = Ry(yaw)·Rx(−pitch)·Rz(−roll), radians; as native/head/camera.h. */
export function rotationFromAngles(yaw: number, pitch: number, roll: number): Float32Array {
  const [cy, sy] = [Math.cos(yaw), Math.sin(yaw)];
  const [cx, sx] = [Math.cos(-pitch), Math.sin(-pitch)];
  const [cz, sz] = [Math.cos(-roll), Math.sin(-roll)];
  return Float32Array.of(
    cy * cz + sy * sx * sz,
    -cy * sz + sy * sx * cz,
    sy * cx,
    cx * sz,
    cx * cz,
    -sx,
    -sy * cz + cy * sx * sz,
    sy * sz + cy * sx * cz,
    cy * cx,
  );
}

/** How far a portrait is taken from, cm: near enough for perspective, far enough for proportions. */
const PORTRAIT_DISTANCE = 110;

/**
 * A square picture of the head turned by yaw and pitch (radians), its box filling the frame.
 * @param fill share of the frame that the box's diagonal-free extent takes. @param distance cm from the box's middle.
 */
export function orbitCamera(
  box: Box,
  yaw: number,
  pitch: number,
  size: number,
  fill = 0.98,
  distance = PORTRAIT_DISTANCE,
): CameraValues {
  const rotation = rotationFromAngles(yaw, pitch, 0);
  const middle = [0, 1, 2].map((k) => (box.min[k]! + box.max[k]!) / 2) as [number, number, number];
  const translation = Float32Array.from([0, 1, 2], (row) => {
    const turned = rotation[3 * row]! * middle[0] + rotation[3 * row + 1]! * middle[1] + rotation[3 * row + 2]! * middle[2];
    return -turned - (row === 2 ? distance : 0);
  });
  // One scale for every yaw: the widest a turning head gets, not its width right now.
  const depth = Math.hypot(box.max[0] - box.min[0], box.max[2] - box.min[2]);
  const extent = Math.max(box.max[1] - box.min[1], 0.8 * depth);
  const focal = (fill * size * (distance - 0.25 * depth)) / extent;
  return { rotation, translation, focal, center: Float32Array.of(size / 2, size / 2), width: size, height: size };
}

/** The camera after its picture was resized to width × height. */
export function resizedCamera(camera: CameraValues, width: number, height: number): CameraValues {
  const scale = width / camera.width;
  return {
    ...camera,
    focal: camera.focal * scale,
    center: Float32Array.of(camera.center[0]! * scale, (camera.center[1]! * height) / camera.height),
    width,
    height,
  };
}

/** The camera of a picture brought to `side` pixels along its longer side; a smaller one stays as it is. */
export function shrunkCamera(camera: CameraValues, side: number): CameraValues {
  const scale = Math.min(1, side / Math.max(camera.width, camera.height));
  const [width, height] = [camera.width, camera.height].map((pixels) => Math.max(1, Math.round(pixels * scale)));
  return resizedCamera(camera, width!, height!);
}

/** Pixel of a head-space point (cm), and its depth; null behind the camera. */
export function projectPoint(camera: CameraValues, point: ArrayLike<number>, at = 0): readonly [number, number, number] | null {
  const { rotation: r, translation: t } = camera;
  const [px, py, pz] = [point[at]!, point[at + 1]!, point[at + 2]!];
  const x = r[0]! * px + r[1]! * py + r[2]! * pz + t[0]!;
  const y = r[3]! * px + r[4]! * py + r[5]! * pz + t[1]!;
  const depth = -(r[6]! * px + r[7]! * py + r[8]! * pz + t[2]!);
  if (depth <= 1e-4) return null;
  return [camera.center[0]! + (camera.focal * x) / depth, camera.center[1]! - (camera.focal * y) / depth, depth];
}

/**
 * How high a pixel lies on the face, however the head is tilted: 0 at the chin, 1 at the eyes, negative on the neck.
 * @param chin in head space, cm.
 */
export function faceHeight(camera: CameraValues, chin: readonly number[]): (x: number, y: number) => number {
  const low = projectPoint(camera, chin);
  const high = projectPoint(camera, [0, 0, 0]);
  if (low === null || high === null) return () => Number.NaN;
  const [ux, uy] = [high[0] - low[0], high[1] - low[1]];
  const square = ux * ux + uy * uy;
  return (x, y) => ((x + 0.5 - low[0]) * ux + (y + 0.5 - low[1]) * uy) / square;
}

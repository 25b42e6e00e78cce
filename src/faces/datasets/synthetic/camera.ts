import type { CameraValues } from '../../../core/addon/index.js';

/** Yaw, pitch, roll in radians of a row-major rotation, as native/head/camera.h has them. */
export function anglesOf(rotation: Float32Array): { readonly yaw: number; readonly pitch: number; readonly roll: number } {
  const pitch = Math.asin(Math.min(1, Math.max(-1, rotation[5]!)));
  return { yaw: Math.atan2(rotation[2]!, rotation[8]!), pitch, roll: Math.atan2(-rotation[3]!, rotation[4]!) };
}

/**
 * The camera that shows the mirrored head (x → −x) as the mirrored picture does. Head models are symmetric, so that the mirrored head is
 * the same identity with left and right of its expression exchanged.
 */
export function mirroredCamera(camera: CameraValues): CameraValues {
  const { rotation: r, translation: t, center } = camera;
  return {
    ...camera,
    rotation: Float32Array.of(r[0]!, -r[1]!, -r[2]!, -r[3]!, r[4]!, r[5]!, -r[6]!, r[7]!, r[8]!),
    translation: Float32Array.of(-t[0]!, t[1]!, t[2]!),
    center: Float32Array.of(camera.width - center[0]!, center[1]!),
  };
}

/** A square part of a picture, turned: what it shows upright is a picture of its own. */
export interface Window {
  /** Of the window, in pixels of the picture. */
  readonly centerX: number;
  readonly centerY: number;
  /** Pixels. */
  readonly side: number;
  /** Radians by which the content is turned clockwise. */
  readonly turn: number;
}

/** Where a point of the picture lies in the window. */
export function intoWindow({ centerX, centerY, side, turn }: Window, x: number, y: number): [number, number] {
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const [dx, dy] = [x - centerX, y - centerY];
  return [cos * dx - sin * dy + side / 2, sin * dx + cos * dy + side / 2];
}

/** The camera of what the window shows: turned about its axis, its principal point wherever the window puts it. */
export function windowCamera(camera: CameraValues, window: Window): CameraValues {
  const [cos, sin] = [Math.cos(window.turn), Math.sin(window.turn)];
  const { rotation: r, translation: t, center } = camera;
  // Pixels count y downwards, camera space upwards: clockwise there is (cos, sin; −sin, cos) here.
  const rows = (from: Float32Array, columns: number) => {
    const at = (row: number, column: number): number => from[columns * row + column]!;
    return Float32Array.from({ length: 3 * columns }, (_, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      if (row === 0) return cos * at(0, column) + sin * at(1, column);
      return row === 1 ? cos * at(1, column) - sin * at(0, column) : at(2, column);
    });
  };
  return {
    rotation: rows(r, 3),
    translation: rows(t, 1),
    focal: camera.focal,
    center: Float32Array.from(intoWindow(window, center[0]!, center[1]!)),
    width: window.side,
    height: window.side,
  };
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readMatrices } from '#daf/testing/mat-file.js';

/** A photo and what is known of it. Points are [136] in pixels, pixel centres at +0.5. */
export interface TruePhoto {
  readonly photo: string;
  readonly faces: readonly (readonly number[])[];
  /** Row-major rotation of the head, y up, as everywhere in DAF; null where nobody measured it. */
  readonly rotation: readonly number[] | null;
}

/** dlib's four training photos: 68 points by hand, whole pixels counted from 0 at a pixel's centre. */
export function dlibPhotos(folder: string): TruePhoto[] {
  const xml = readFileSync(join(folder, 'training_with_face_landmarks.xml'), 'latin1');
  return [...xml.matchAll(/<image file='([^']+)'[^>]*>(.*?)<\/image>/gs)].map(([, name, body]) => ({
    photo: join(folder, name!),
    faces: [...body!.matchAll(/<box [^>]*>(.*?)<\/box>/gs)].map(([, parts]) =>
      [...parts!.matchAll(/x='(-?\d+)' y='(-?\d+)'/g)].flatMap(([, x, y]) => [Number(x) + 0.5, Number(y) + 0.5]),
    ),
    rotation: null,
  }));
}

/** Photos with `.mat` files of a fitted 3D face beside them: `pt3d_68` and `Pose_Para`. */
export function aflwPhotos(folder: string): TruePhoto[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jpg'))
    .sort()
    .map((name) => {
      const matrices = readMatrices(join(folder, name.replace('.jpg', '.mat')));
      const points = matrices.get('pt3d_68')!;
      const [pitch, yaw, roll] = matrices.get('Pose_Para')!;
      return {
        photo: join(folder, name),
        faces: [Array.from({ length: 136 }, (_, i) => points[3 * (i >> 1) + (i & 1)]! + 0.5)],
        rotation: multiply(turn(0, -pitch!), multiply(turn(1, -yaw!), turn(2, -roll!))),
      };
    });
}

/** Rotation about one axis, row-major. */
function turn(axis: 0 | 1 | 2, angle: number): number[] {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  if (axis === 0) return [1, 0, 0, 0, c, -s, 0, s, c];
  return axis === 1 ? [c, 0, s, 0, 1, 0, -s, 0, c] : [c, -s, 0, s, c, 0, 0, 0, 1];
}

export function multiply(a: ArrayLike<number>, b: ArrayLike<number>): number[] {
  return Array.from({ length: 9 }, (_, i) =>
    [0, 1, 2].reduce((sum, k) => sum + a[3 * Math.floor(i / 3) + k]! * b[3 * k + (i % 3)]!, 0),
  );
}

/** Degrees between two rotations. */
export function degreesApart(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let trace = 0;
  for (let i = 0; i < 9; ++i) trace += a[i]! * b[i]!;
  return (Math.acos(Math.min(1, Math.max(-1, (trace - 1) / 2))) * 180) / Math.PI;
}

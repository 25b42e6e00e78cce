import { dirname, resolve } from 'node:path';
import { DafError } from '../../core/contracts/errors.js';
import type { DatasetPhoto } from '../../faces/types.js';
import { openScene } from '../../fields/scenes/open.js';

/** Where a photo's camera is known. */
export interface CaptureFrame {
  /** The capture's transforms.json. */
  readonly scene: string;
  /** The frame's name in it. */
  readonly frame: string;
}

/** Two views give depth, a third one says whether they agree. */
const LEAST_FRAMES = 3;

/**
 * Which of a person's photos are training pictures of the capture in their folder, by path.
 * @throws DafError what opening the capture throws; ERR_DAF_BAD_DATA for fewer than three pictures
 */
export async function captureFrames(path: string, photos: readonly DatasetPhoto[]): Promise<ReadonlyMap<string, CaptureFrame>> {
  const scene = await openScene(path);
  const known = new Set(photos.map((photo) => photo.path));
  const frames = new Map<string, CaptureFrame>();
  for (const frame of scene.frames) {
    if (frame.split !== 'train') continue;
    const place = [frame.name, `${frame.name}.png`].map((name) => resolve(dirname(path), name)).find((name) => known.has(name));
    if (place !== undefined) frames.set(place, { scene: path, frame: frame.name });
  }
  if (frames.size >= LEAST_FRAMES) return frames;
  throw new DafError(
    'ERR_DAF_BAD_DATA',
    `${frames.size} of its ${scene.frames.length} frames are training pictures below its folder`,
    {
      hint: 'a capture has its pictures beside or below transforms.json; without it they are photos like others',
    },
  );
}

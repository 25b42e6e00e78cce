import { DafError } from '../../core/contracts/errors.js';
import { abortable } from '../abortable.js';
import { badData } from '../formats/bad-data.js';
import { type ImageSize, type Intrinsics, pinholeAt } from './intrinsics.js';
import { decodePicture, pictureHeader } from './picture.js';
import type { RawFrame, RawScene } from './raw.js';
import type { SceneFrame, SceneSplit } from './types.js';

/** In sets without splits of their own every eighth picture, in the order of names and beginning with the first, is held out. */
export const HOLD_OUT_EVERY = 8;

/**
 * Frames in the order of their names, with cameras of their pictures' size.
 * @returns alpha: the file type of some training picture has an alpha channel.
 * @throws DafError ERR_DAF_BAD_DATA: no frames, none to train on, or pictures of another shape than their camera; ERR_DAF_BAD_IMAGE
 */
export async function resolveFrames(raw: RawScene, signal?: AbortSignal): Promise<{ frames: SceneFrame[]; alpha: boolean }> {
  if (raw.frames.length === 0) throw badData(`${raw.path}: holds no frames`);
  const sorted = raw.frames.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const splits = sorted.map((frame, i): SceneSplit => frame.split ?? (i % HOLD_OUT_EVERY === 0 ? 'test' : 'train'));
  if (!splits.includes('train')) throw badData(`${raw.path}: of its ${sorted.length} frames none is for training`);
  const sizes = new SizeBook();
  let alpha = false;
  const frames: SceneFrame[] = new Array(sorted.length);
  // Training pictures first: they tell the size of those that are not to be opened.
  for (const training of [true, false]) {
    for (const [i, frame] of sorted.entries()) {
      if ((splits[i] === 'train') !== training) continue;
      const what = `${raw.path}: ${frame.name}`;
      let size: ImageSize;
      if (training) {
        const header = await abortable(signal, () => pictureHeader(frame.picture));
        size = header;
        alpha ||= header.alpha;
        sizes.note(frame.intrinsics, size);
      } else {
        size = sizes.expect(frame.intrinsics, what);
      }
      frames[i] = resolveFrame(frame, splits[i]!, size, what);
    }
  }
  return { frames, alpha };
}

function resolveFrame(frame: RawFrame, split: SceneSplit, { width, height }: ImageSize, what: string): SceneFrame {
  const { distortion } = frame.intrinsics;
  const camera = {
    ...frame.pose,
    ...pinholeAt(frame.intrinsics, { width, height }, what),
    ...{ width, height },
    ...(distortion === undefined ? {} : { distortion }),
  };
  return { name: frame.name, split, camera, image: () => decodePicture(frame.picture, { width, height }) };
}

/** What size pictures really have, by the size that their scene states. */
class SizeBook {
  readonly #seen = new Map<string, Map<string, ImageSize>>();

  note(intrinsics: Intrinsics, { width, height }: ImageSize): void {
    const stated = statedSize(intrinsics);
    const sizes = this.#seen.get(stated) ?? new Map<string, ImageSize>();
    this.#seen.set(stated, sizes.set(`${width}×${height}`, { width, height }));
  }

  /** Of a picture that must stay closed. */
  expect(intrinsics: Intrinsics, what: string): ImageSize {
    const seen = [...(this.#seen.get(statedSize(intrinsics)) ?? new Map<string, ImageSize>()).entries()];
    if (seen.length === 1) return seen[0]![1];
    if (intrinsics.size !== null) return intrinsics.size;
    throw new DafError(
      'ERR_DAF_BAD_DATA',
      `${what}: its size cannot be told, as training pictures have ${seen.length} different ones`,
      {
        hint: `give each frame its w and h; found ${
          seen
            .slice(0, 4)
            .map(([text]) => text)
            .join(', ') || 'none'
        }`,
      },
    );
  }
}

function statedSize({ size }: Intrinsics): string {
  return size === null ? 'none' : `${size.width}×${size.height}`;
}

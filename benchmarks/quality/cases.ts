import { join } from 'node:path';
import { type BrickSet, writeBrickSet } from '#daf/testing/bricks/write-set.js';
import { sharedData } from '../shared.js';

/** A scene, the held-out PSNR that is wanted of it, and when. */
export interface QualityCase {
  readonly name: string;
  /** What is in the pictures, for the table. */
  readonly pictures: string;
  /** dB at `minutes`. */
  readonly reach: number;
  readonly minutes: number;
  /** @returns its path, or null where it is not to be had */
  find(temporary: string): Promise<string | null>;
}

const captured = (name: string, pictures: string, reach: number, minutes: number): QualityCase => ({
  name,
  pictures,
  reach,
  minutes,
  find: async () => sharedData(join('scenes', name)),
});

/** Drawn when it is asked for. */
const bricks = (set: BrickSet): QualityCase => ({
  name: 'bricks',
  pictures: `${set.train} of ${set.size}×${set.size} with alpha, drawn here`,
  reach: 33,
  minutes: 15,
  async find(temporary) {
    const folder = join(temporary, 'bricks');
    await writeBrickSet(folder, set);
    return folder;
  },
});

/** Splits are those of the scene reader: tiny-lego's last six views, every eighth picture of a capture, the brick set's own. */
export const CASES: readonly QualityCase[] = [
  captured('tiny-lego', '100 of 100×100', 28, 5),
  captured('head-fangzhou', '87 of 512×512', 26, 15),
  captured('face-in2n', '56 of 512×512', 26, 15),
  captured('fox-half', '43 of 540×960', 24, 15),
  bricks({ size: 800, train: 100, val: 1, test: 25 }),
];

/** Shows that the benchmark runs. */
export const QUICK_CASES: readonly QualityCase[] = [bricks({ size: 64, train: 24, val: 1, test: 2 })];

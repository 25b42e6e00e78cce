import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addon, type SynthesizeOptions, type SyntheticPhoto } from '../../core/addon/index.js';
import { loadSharp } from '../../core/sharp.js';
import { ptsText } from '../../faces/vision/sidecar.js';
import { embeddedHead } from '../head.js';

export interface DemoOptions {
  readonly people: number;
  /** Photos of each; null: one, two or three in turn. */
  readonly photos: number | null;
  /** Index of the first: later ones are other photos of the same people. @defaultValue 0 */
  readonly firstPhoto?: number;
  readonly seed: number;
  /** A mole on the left cheek and an L on the left of the neck, for tests. */
  readonly marks?: boolean;
  /** Checked before each photo. */
  readonly signal?: AbortSignal;
}

const WIDTH = 560;
const HEIGHT = 700;
const TEXTURE = 1024;

/** Photos of people who do not exist, a folder each, with their true landmarks beside them as `.pts` files. */
export async function writeDemoInput(folder: string, options: DemoOptions): Promise<void> {
  const sharp = await loadSharp();
  for (let person = 0; person < options.people; person++) {
    const home = join(folder, `person-${String(person + 1).padStart(2, '0')}`);
    await mkdir(home, { recursive: true });
    const first = options.firstPhoto ?? 0;
    for (let photo = first; photo < first + (options.photos ?? (person % 3) + 1); photo++) {
      options.signal?.throwIfAborted();
      const { rgb, landmarks } = demoPhoto(person, photo, options);
      const base = join(home, `photo-${photo + 1}`);
      await sharp(rgb, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
        .png()
        .toFile(`${base}.png`);
      await writeFile(`${base}.pts`, ptsText(landmarks));
    }
  }
}

/** The first photo is nearly frontal, the others show the left and the right side in turn. */
export function demoPhoto(
  person: number,
  photo: number,
  { seed, marks = false }: Pick<DemoOptions, 'seed' | 'marks'>,
  change: Partial<SynthesizeOptions> = {},
): SyntheticPhoto {
  const side = photo === 0 ? 0.06 : photo % 2 === 1 ? 0.55 : -0.5;
  const lean = ((person * 7 + photo * 3) % 5) / 5 - 0.4;
  return addon().synthesize(
    embeddedHead().handle,
    {
      seed,
      person,
      photo,
      width: WIDTH,
      height: HEIGHT,
      yaw: side + 0.2 * lean,
      pitch: 0.2 * lean,
      roll: null,
      focalMm: null,
      expression: photo === 0 ? 0.15 : null,
      marks,
      texture: TEXTURE,
      ...change,
    },
    null,
  );
}

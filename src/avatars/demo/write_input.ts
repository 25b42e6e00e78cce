import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadSharp } from '../../faces/vision/sharp.js';
import { embeddedHead } from '../head.js';
import { randomShot, syntheticPerson, takePhoto } from './synthetic.js';

export interface DemoInput {
  readonly people: number;
  readonly photos: number;
}

/**
 * Photos of people who do not exist, a folder each, with their true landmarks beside them as `.pts` files.
 * @param photosEach null: one, two or three in turn.
 */
export async function writeDemoInput(folder: string, people: number, photosEach: number | null, seed = 1): Promise<DemoInput> {
  const sharp = await loadSharp();
  const head = embeddedHead();
  let photos = 0;
  for (let index = 0; index < people; index++) {
    const person = syntheticPerson(head, seed, index);
    const home = join(folder, `person-${String(index + 1).padStart(2, '0')}`);
    await mkdir(home, { recursive: true });
    for (let photo = 0; photo < (photosEach ?? (index % 3) + 1); photo++) {
      const { rgb, width, height, landmarks } = takePhoto(head, person, randomShot(head, seed, index, photo));
      const base = join(home, `photo-${photo + 1}`);
      await sharp(rgb, { raw: { width, height, channels: 3 } })
        .png()
        .toFile(`${base}.png`);
      await writeFile(`${base}.pts`, ptsFile(landmarks));
      photos++;
    }
  }
  return { people, photos };
}

/** The 300-W format counts pixels from 1 at their centre; DAF from 0 at their corner. */
export function ptsFile(landmarks: Float32Array): string {
  const lines = Array.from({ length: landmarks.length / 2 }, (_, i) => {
    return `${(landmarks[2 * i]! + 0.5).toFixed(3)} ${(landmarks[2 * i + 1]! + 0.5).toFixed(3)}`;
  });
  return `version: 1\nn_points: ${lines.length}\n{\n${lines.join('\n')}\n}\n`;
}

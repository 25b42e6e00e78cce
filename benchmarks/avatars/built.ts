import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { DEMO_SEED } from '#daf/avatars/demo/seed.js';
import { demoPhoto } from '#daf/avatars/demo/write_input.js';
import { embeddedHead } from '#daf/avatars/head.js';
import { readGlb } from '#daf/fields/mesh/export/glb.js';

/** What the job exported of one person. */
export interface Exported {
  readonly name: string;
  readonly glb: Uint8Array;
  readonly field: Uint8Array;
  /** [68][3] cm of the mesh in the file, neutral. */
  readonly landmarks: Float32Array;
}

const DAF = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

/**
 * The avatar job on this machine, as `daf avatar` runs it with the models that DAF carries; what is already in `out` is not made again.
 * @param input a folder with a folder per person.
 */
export function makeAvatars(input: string, out: string, quality: string): void {
  if (existsSync(join(out, 'manifest.json'))) return;
  const args = ['avatar', input, '--out', out, '--quality', quality, '--models', 'embedded', '--json'];
  const ran = spawnSync(process.execPath, [DAF, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  });
  if (ran.status !== 0) throw new Error(`daf avatar ended with ${ran.status}: ${ran.stdout}`);
}

/** Null where no photo of that person could be used. */
export async function exportedOf(out: string, name: string): Promise<Exported | null> {
  const folder = join(out, 'avatars', name);
  if (!existsSync(join(folder, 'avatar.glb'))) return null;
  const glb = new Uint8Array(readFileSync(join(folder, 'avatar.glb')));
  const field = new Uint8Array(readFileSync(join(folder, 'field.safetensors')));
  return { name, glb, field, landmarks: await landmarksOf(glb) };
}

/** Where a file's mesh has the 68 landmarks; its skin keeps the head model's vertices in their order. */
export async function landmarksOf(glb: Uint8Array): Promise<Float32Array> {
  const { positions } = await readGlb(glb);
  const { info, source } = embeddedHead();
  return Float32Array.from({ length: 204 }, (_, i) => {
    const vertex = source.indexOf(info.landmarks[Math.floor(i / 3)]!);
    return 100 * positions[3 * vertex + (i % 3)]!;
  });
}

export const syntheticName = (person: number, photos: number): string =>
  `synthetic-${String(person + 1).padStart(2, '0')}-of-${photos}`;

/** The first photos of synthetic people, a folder each; no landmarks beside them: the job finds its own. */
export async function writeSynthetic(folder: string, people: number, photos: number): Promise<void> {
  for (let person = 0; person < people; ++person) {
    const home = join(folder, syntheticName(person, photos));
    mkdirSync(home, { recursive: true });
    for (let photo = 0; photo < photos; ++photo) {
      const file = join(home, `photo-${photo + 1}.png`);
      if (existsSync(file)) continue;
      const { rgb, camera } = demoPhoto(person, photo, { seed: DEMO_SEED });
      await sharp(rgb, { raw: { width: camera.width, height: camera.height, channels: 3 } })
        .png()
        .toFile(file);
    }
  }
}

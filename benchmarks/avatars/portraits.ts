import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { embeddedHead } from '#daf/avatars/head.js';
import { addon, type HeadHandle } from '#daf/core/addon/index.js';
import { writeIctHead } from '../faces/ict-head.js';
import { sharedData } from '../shared.js';

/** Not of any set that finders were trained on. */
const SEED = 991_117;
/** Pixels. */
const SIDE = 1024;

/**
 * Portraits of 1024×1024 as JPEG, one a person in a folder of their own, no landmarks beside them. Heads are ICT-FaceKit's where its data lies beside the
 * repository, else DAF's own; lights, looks and lenses are those of the set that finders are measured on, drawn by another renderer than the demo's.
 * @returns whose heads they are.
 */
export async function writePortraits(folder: string, people: number): Promise<'ICT-shaped' | 'own'> {
  const ict = sharedData('heads/ict_facekit');
  const head = ict === null ? embeddedHead().handle : loadIct(ict);
  for (let person = 0; person < people; ++person) {
    const options = { seed: SEED, first: person, count: 1, form: 'plain', side: SIDE } as const;
    const { rgb } = addon().synthesizeFaces(head, options, null);
    const home = join(folder, `person-${String(person + 1).padStart(3, '0')}`);
    mkdirSync(home, { recursive: true });
    const raw = { width: SIDE, height: SIDE, channels: 3 } as const;
    await sharp(rgb, { raw }).jpeg({ quality: 92 }).toFile(join(home, 'photo.jpg'));
  }
  return ict === null ? 'own' : 'ICT-shaped';
}

function loadIct(folder: string): HeadHandle {
  const place = mkdtempSync(join(tmpdir(), 'daf-portraits-'));
  try {
    writeIctHead(folder, join(place, 'ict.safetensors'));
    return addon().headLoad(join(place, 'ict.safetensors'));
  } finally {
    rmSync(place, { recursive: true });
  }
}

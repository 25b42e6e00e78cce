import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Field } from '../field.js';
import type { FieldCamera } from '../types.js';
import { orbitOfBox, orbitPath } from './orbit.js';
import { encodePng } from './pictures.js';

const box = { min: [-1, -1, -1], max: [1, 1, 1] } as const;

/** A small field with random weights: a fog of colours. */
export function untrained(seed = 3): Field {
  return Field.create({ kind: 'hashgrid', box, levels: 4, log2Entries: 10, finest: 32, occupancy: 16, seed });
}

/** Square cameras around it. */
export const camerasOf = (side: number): FieldCamera[] =>
  orbitPath({ ...orbitOfBox(box), distance: 4 }, 9, { width: side, height: side });

/** A Blender set of what the field itself shows, transparent where it shows nothing. */
export async function selfPortrait(field: Field, folder: string): Promise<void> {
  for (const [split, views] of [
    ['train', camerasOf(48).slice(0, 6)],
    ['test', camerasOf(48).slice(6)],
  ] as const) {
    mkdirSync(join(folder, split));
    const frames = [];
    for (const [i, camera] of views.entries()) {
      const r = camera.rotation;
      const t = camera.translation;
      const row = (a: number) => [r[a]!, r[3 + a]!, r[6 + a]!, -(r[a]! * t[0]! + r[3 + a]! * t[1]! + r[6 + a]! * t[2]!)];
      frames.push({ file_path: `./${split}/r_${i}`, transform_matrix: [row(0), row(1), row(2), [0, 0, 0, 1]] });
      writeFileSync(join(folder, split, `r_${i}.png`), await encodePng(field.render(camera)));
    }
    const camera_angle_x = 2 * Math.atan(24 / (views[0]!.focal as number));
    writeFileSync(join(folder, `transforms_${split}.json`), JSON.stringify({ camera_angle_x, frames }));
  }
}

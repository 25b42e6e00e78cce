import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import sharp from 'sharp';

/** [height][width][3] sRGB. */
export interface Tile {
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Pictures side by side, a line below the other, each brought to this height. */
export async function writeSheet(file: string, lines: readonly (readonly Tile[])[], height = 300): Promise<void> {
  const rows: Buffer[] = [];
  for (const tiles of lines) {
    const small = await Promise.all(
      tiles.map(async ({ rgb, width, height: own }) =>
        sharp(rgb, { raw: { width, height: own, channels: 3 } })
          .resize({ height })
          .png()
          .toBuffer({ resolveWithObject: true }),
      ),
    );
    let left = 0;
    const placed = small.map(({ data, info }) => {
      const at = { input: data, left, top: 0 };
      left += info.width;
      return at;
    });
    const canvas = { create: { width: left, height, channels: 3 as const, background: '#808080' } };
    rows.push(await sharp(canvas).composite(placed).png().toBuffer());
  }
  const sizes = await Promise.all(rows.map(async (row) => (await sharp(row).metadata()).width));
  const canvas = {
    create: { width: Math.max(...sizes), height: height * rows.length, channels: 3 as const, background: '#808080' },
  };
  mkdirSync(dirname(file), { recursive: true });
  await sharp(canvas)
    .composite(rows.map((input, i) => ({ input, left: 0, top: height * i })))
    .png()
    .toFile(file);
}

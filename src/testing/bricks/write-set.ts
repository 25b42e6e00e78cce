import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadSharp } from '../../core/sharp.js';
import { poseFromMatrix } from '../../fields/scenes/pose.js';
import { Random } from '../simulation/random.js';
import { BrickPainter } from './draw.js';

/** As the synthetic Blender sets: the angle of view, and how far from the origin the cameras are. */
const ANGLE = 0.6911112070083618;
const DISTANCE = 4.031128;

export interface BrickSet {
  /** Pixels along a side. */
  readonly size: number;
  readonly train: number;
  readonly val: number;
  readonly test: number;
  /** Rays along each side of a pixel. @defaultValue 2 */
  readonly grid?: number;
  readonly seed?: number;
}

/** Writes a set in Blender's format: transforms_{train,val,test}.json and RGBA pictures from the upper half of a sphere. */
export async function writeBrickSet(folder: string, set: BrickSet, onPicture: (name: string) => void = () => {}): Promise<void> {
  const sharp = await loadSharp();
  const painter = new BrickPainter(set.seed);
  const { size } = set;
  const focal = size / 2 / Math.tan(ANGLE / 2);
  for (const [index, split] of (['train', 'val', 'test'] as const).entries()) {
    const random = new Random((set.seed ?? 1) * 3 + index);
    const frames: object[] = [];
    await mkdir(join(folder, split), { recursive: true });
    for (let i = 0; i < set[split]; i++) {
      const matrix = lookAtOrigin(random.next() * 2 * Math.PI, Math.asin(0.02 + 0.96 * random.next()));
      const camera = { ...poseFromMatrix(matrix, split), focal, center: [size / 2, size / 2], width: size, height: size };
      const rgba = painter.draw(camera, set.grid);
      const name = `${split}/r_${i}`;
      await sharp(rgba, { raw: { width: size, height: size, channels: 4 } })
        .png()
        .toFile(join(folder, `${name}.png`));
      frames.push({ file_path: `./${name}`, transform_matrix: matrix });
      onPicture(name);
    }
    await writeFile(join(folder, `transforms_${split}.json`), JSON.stringify({ camera_angle_x: ANGLE, frames }, null, 1));
  }
}

/** Camera to world: right, up, back, position. */
function lookAtOrigin(yaw: number, pitch: number): number[][] {
  const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  return [
    [-sy, -sp * cy, cp * cy, DISTANCE * cp * cy],
    [cy, -sp * sy, cp * sy, DISTANCE * cp * sy],
    [0, cp, sp, DISTANCE * sp],
    [0, 0, 0, 1],
  ];
}

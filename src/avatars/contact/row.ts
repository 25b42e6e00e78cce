import type { CameraValues } from '../../core/addon/index.js';
import { loadSharp } from '../../core/sharp.js';
import { orbitCamera } from '../camera.js';
import { drawSurface, type Surface } from '../surface.js';
import type { Draw } from '../volume.js';
import { CELL, COLUMNS, type Column, cellLeft, INK, LABEL, NEUTRAL, PAPER, ROW_HEIGHT, ROW_WIDTH } from './layout.js';
import { Picture } from './picture.js';

/** What a row is drawn from: the photo, and the exported files as they were read back. */
export interface RowSources {
  readonly label: string;
  readonly photo: { readonly rgb: Uint8Array; readonly width: number; readonly height: number };
  /** The photo's camera, for pictures no smaller than a cell. */
  readonly camera: CameraValues;
  readonly surface: Surface;
  /** Field and textured mesh as seen by a camera: [height][width][4], straight alpha. */
  readonly drawField: Draw;
  readonly drawMesh: Draw;
  readonly control: Int32Array | null;
}

/** contact-row.png: renders stand on a neutral ground, so that no pixel of the photo is outside the input cell. */
export async function contactRow(sources: RowSources): Promise<Uint8Array> {
  const picture = new Picture(ROW_WIDTH, ROW_HEIGHT, PAPER);
  picture.text(cellLeft(0), 5, sources.label, INK, 2, ROW_WIDTH - 2 * cellLeft(0));
  for (const [i, column] of COLUMNS.entries()) {
    picture.fill(cellLeft(i), LABEL, CELL, CELL, NEUTRAL);
    if (column.shows === 'photo') await pasteShrunk(picture, cellLeft(i), sources.photo, sources.photo.rgb, 3);
    else if (column.yaw === 'photo')
      await pasteShrunk(picture, cellLeft(i), sources.camera, drawn(column, sources.camera, sources), 4);
    else picture.paste(cellLeft(i), LABEL, CELL, CELL, drawn(column, turned(column.yaw, sources), sources), 4);
  }
  const sharp = await loadSharp();
  const raw = { width: ROW_WIDTH, height: ROW_HEIGHT, channels: 3 } as const;
  return new Uint8Array(await sharp(picture.rgb, { raw }).png({ compressionLevel: 6 }).toBuffer());
}

function turned(degrees: number, { surface }: RowSources): CameraValues {
  return orbitCamera(surface.box, (degrees * Math.PI) / 180, 0, CELL);
}

function drawn({ shows }: Column, camera: CameraValues, { surface, drawField, drawMesh, control }: RowSources): Uint8Array {
  if (shows === 'field') return drawField(camera);
  return shows === 'clay' ? drawSurface(surface, camera, 'clay', control).rgba : drawMesh(camera);
}

/** A picture of another size, whole in the middle of its cell. */
async function pasteShrunk(
  picture: Picture,
  left: number,
  { width: wide, height: high }: { readonly width: number; readonly height: number },
  pixels: Uint8Array,
  channels: 3 | 4,
): Promise<void> {
  const sharp = await loadSharp();
  const scale = CELL / Math.max(wide, high);
  const [width, height] = [wide, high].map((side) => Math.max(1, Math.round(side * scale))) as [number, number];
  const raw = { width: wide, height: high, channels };
  const data = await sharp(pixels, { raw }).resize(width, height, { fit: 'fill' }).raw().toBuffer();
  picture.paste(left + Math.floor((CELL - width) / 2), LABEL + Math.floor((CELL - height) / 2), width, height, data, channels);
}

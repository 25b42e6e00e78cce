import type { CameraValues } from '../../core/addon/index.js';
import { loadSharp } from '../../core/sharp.js';
import { orbitCamera, squareCamera } from '../camera.js';
import { drawSurface, type Surface } from '../surface.js';
import { CELL, COLUMNS, type Column, cellLeft, INK, LABEL, NEUTRAL, PAPER, ROW_HEIGHT, ROW_WIDTH } from './layout.js';
import { Picture } from './picture.js';

/** What a row is drawn from: the photo, and the exported files as they were read back. */
export interface RowSources {
  readonly label: string;
  readonly photo: { readonly rgb: Uint8Array; readonly width: number; readonly height: number };
  /** The photo's camera. */
  readonly camera: CameraValues;
  readonly surface: Surface;
  /** The field as seen by a camera: [height][width][4], straight alpha. */
  readonly drawField: (camera: CameraValues) => Uint8Array;
  readonly control: Int32Array | null;
}

/** contact-row.png: renders stand on a neutral ground, so that no pixel of the photo is outside the input cell. */
export async function contactRow(sources: RowSources): Promise<Uint8Array> {
  const picture = new Picture(ROW_WIDTH, ROW_HEIGHT, PAPER);
  picture.text(cellLeft(0), 5, sources.label, INK, 2, ROW_WIDTH - 2 * cellLeft(0));
  for (const [i, column] of COLUMNS.entries()) {
    picture.fill(cellLeft(i), LABEL, CELL, CELL, NEUTRAL);
    if (column.shows === 'photo') await pastePhoto(picture, cellLeft(i), sources);
    else picture.paste(cellLeft(i), LABEL, CELL, CELL, cell(column, sources), 4);
  }
  const sharp = await loadSharp();
  const raw = { width: ROW_WIDTH, height: ROW_HEIGHT, channels: 3 } as const;
  return new Uint8Array(await sharp(picture.rgb, { raw }).png({ compressionLevel: 6 }).toBuffer());
}

function cell(column: Column, sources: RowSources): Uint8Array {
  const { surface, control } = sources;
  const camera =
    column.yaw === 'photo' ? squareCamera(sources.camera, CELL) : orbitCamera(surface.box, (column.yaw * Math.PI) / 180, 0, CELL);
  if (column.shows === 'field') return sources.drawField(camera);
  return drawSurface(surface, camera, column.shows === 'clay' ? 'clay' : 'texture', control).rgba;
}

async function pastePhoto(picture: Picture, left: number, { photo }: RowSources): Promise<void> {
  const sharp = await loadSharp();
  const scale = CELL / Math.max(photo.width, photo.height);
  const [width, height] = [photo.width, photo.height].map((side) => Math.max(1, Math.round(side * scale))) as [number, number];
  const raw = { width: photo.width, height: photo.height, channels: 3 } as const;
  const data = await sharp(photo.rgb, { raw }).resize(width, height, { fit: 'fill' }).raw().toBuffer();
  picture.paste(left + Math.floor((CELL - width) / 2), LABEL + Math.floor((CELL - height) / 2), width, height, data, 3);
}

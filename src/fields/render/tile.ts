import { DafError } from '../../core/contracts/errors.js';
import type { FieldCamera } from '../types.js';
import type { PixelWindow, RenderLook } from './types.js';

/** What one map task renders. */
export interface Tile extends RenderLook {
  /** Absolute path of the field. */
  readonly field: string;
  readonly camera: FieldCamera;
  readonly window: PixelWindow;
}

/** Pixels of a frame's rows, on their way from map to reduce. */
export interface RenderedTile {
  /** Of the frame. */
  readonly width: number;
  readonly height: number;
  /** The tile's first row. */
  readonly row: number;
  readonly rgba: Uint8Array;
}

const HEADER = 12;

export function encodeTile(tile: Tile): string {
  const { rotation, translation, center } = tile.camera;
  // JSON makes objects of typed arrays.
  const plain = { rotation: Array.from(rotation), translation: Array.from(translation), center: Array.from(center) };
  return JSON.stringify({ ...tile, camera: { ...tile.camera, ...plain } });
}

export function decodeTile(value: Uint8Array): Tile {
  return JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.length).toString('utf8')) as Tile;
}

export function encodeRendered({ width, height, row, rgba }: RenderedTile): Uint8Array {
  const out = Buffer.allocUnsafe(HEADER + rgba.length);
  out.writeUInt32LE(width, 0);
  out.writeUInt32LE(height, 4);
  out.writeUInt32LE(row, 8);
  out.set(rgba, HEADER);
  return out;
}

/** The tiles of one frame as one picture. @throws DafError ERR_DAF_BAD_DATA where rows are missing */
export function assembleTiles(values: Iterable<Uint8Array>): { width: number; height: number; rgba: Uint8Array } {
  let frame: { width: number; height: number; rgba: Uint8Array } | undefined;
  let filled = 0;
  for (const value of values) {
    const view = Buffer.from(value.buffer, value.byteOffset, value.length);
    const [width, height, row] = [view.readUInt32LE(0), view.readUInt32LE(4), view.readUInt32LE(8)];
    frame ??= { width, height, rgba: new Uint8Array(width * height * 4) };
    frame.rgba.set(view.subarray(HEADER), row * width * 4);
    filled += view.length - HEADER;
  }
  if (frame === undefined || filled !== frame.rgba.length) {
    throw new DafError('ERR_DAF_BAD_DATA', 'the tiles of a frame do not cover it');
  }
  return frame;
}

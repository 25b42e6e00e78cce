import { addon } from '../core/addon/index.js';
import type { Head } from './head.js';

const made = new Map<string, Uint8Array>();

/** What the head looks like before any photo: the measure of a photo's light, and what fills the unseen. [size][size][4] sRGB. */
export function baseTexture(head: Head, size: number): Uint8Array {
  const key = `${head.info.name} ${size}`;
  let texture = made.get(key);
  if (texture === undefined) {
    const native = addon();
    texture = new Uint8Array(4 * size * size);
    // Bare: painted hair would stain the skin's tone where the scalp shows through.
    native.paintAlbedo(head.handle, { ...native.averageLooks(), style: 'bald' }, size, null, texture);
    made.set(key, texture);
  }
  return texture;
}

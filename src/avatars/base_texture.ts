import { addon } from '../core/addon/index.js';
import { embeddedHead, type Head } from './head.js';
import { partTexture } from './part_texture.js';

const made = new Map<string, Uint8Array>();

/** What the head looks like before any photo: the measure of a photo's light, and what fills the unseen. [size][size][4] sRGB. */
export function baseTexture(head: Head, size: number): Uint8Array {
  const key = `${head.info.name} ${size}`;
  let texture = made.get(key);
  if (texture === undefined) {
    texture = head === embeddedHead() ? embeddedTexture(head, size) : partTexture(head, size);
    made.set(key, texture);
  }
  return texture;
}

function embeddedTexture(head: Head, size: number): Uint8Array {
  const native = addon();
  const texture = new Uint8Array(4 * size * size);
  // Bare: painted hair would stain the skin's tone where the scalp shows through.
  native.paintAlbedo(head.handle, { ...native.averageLooks(), style: 'bald' }, size, null, texture);
  return texture;
}

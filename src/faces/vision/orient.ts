import type { Box, Pixels } from '../types.js';

/** EXIF orientation: how the stored picture must be turned or mirrored to stand upright. 1: it stands. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** Upright sizes swap for the four orientations that lie on a side. */
export function swapsSides(orientation: Orientation): boolean {
  return orientation >= 5;
}

/**
 * Position in the stored picture (width × height) of upright position (x, y), in pixel-corner coordinates; with sizes one less
 * it maps pixel indices.
 */
function storedPosition(o: Orientation, x: number, y: number, width: number, height: number): [number, number] {
  switch (o) {
    case 1:
      return [x, y];
    case 2:
      return [width - x, y];
    case 3:
      return [width - x, height - y];
    case 4:
      return [x, height - y];
    case 5:
      return [y, x];
    case 6:
      return [y, height - x];
    case 7:
      return [width - y, height - x];
    case 8:
      return [width - y, x];
  }
}

/** The stored picture, upright. */
export function upright(stored: Pixels, orientation: Orientation): Pixels {
  if (orientation === 1) return stored;
  const swap = swapsSides(orientation);
  const width = swap ? stored.height : stored.width;
  const height = swap ? stored.width : stored.height;
  const data = new Uint8Array(stored.data.length);
  const at = (x: number, y: number): number => {
    const [sx, sy] = storedPosition(orientation, x, y, stored.width - 1, stored.height - 1);
    return 3 * (sy * stored.width + sx);
  };
  const stepX = width > 1 ? at(1, 0) - at(0, 0) : 0;
  for (let y = 0, to = 0; y < height; ++y) {
    for (let x = 0, from = at(0, y); x < width; ++x, from += stepX, to += 3) {
      data[to] = stored.data[from]!;
      data[to + 1] = stored.data[from + 1]!;
      data[to + 2] = stored.data[from + 2]!;
    }
  }
  return { width, height, channels: 3, data };
}

/** Where a box of the upright picture lies in the stored one, whose sizes are given. */
export function storedBox(box: Box, orientation: Orientation, width: number, height: number): Box {
  const [ax, ay] = storedPosition(orientation, box.x, box.y, width, height);
  const [bx, by] = storedPosition(orientation, box.x + box.width, box.y + box.height, width, height);
  return { x: Math.min(ax, bx), y: Math.min(ay, by), width: Math.abs(bx - ax), height: Math.abs(by - ay) };
}

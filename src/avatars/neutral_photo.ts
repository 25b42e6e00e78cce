import { addon, type CameraValues } from '../core/addon/index.js';
import { projectPoint } from './camera.js';
import type { Head } from './head.js';
import type { OpenPhoto } from './photo.js';

/** A photo as the field learns from it. */
export type FieldPhoto = Pick<OpenPhoto, 'rgb' | 'matte' | 'width' | 'height'>;

/**
 * The photo with the expression taken out: every point of the neutral face gets the pixel where the photo shows it. Field and mesh
 * are of the neutral head, and a smile of one photo would otherwise fight with them.
 * @param neutral @param shown [positions][3] cm.
 */
export function neutralPhoto(
  head: Head,
  photo: FieldPhoto,
  camera: CameraValues,
  neutral: Float32Array,
  shown: Float32Array,
  control: Int32Array | null,
): FieldPhoto {
  const { width, height } = photo;
  const uv = new Float32Array(2 * head.source.length);
  for (let r = 0; r < head.source.length; r++) {
    const pixel = projectPoint(camera, shown, 3 * head.source[r]!);
    uv[2 * r] = (pixel?.[0] ?? 0) / width;
    uv[2 * r + 1] = (pixel?.[1] ?? 0) / height;
  }
  const moved = new Uint8Array(4 * width * height);
  const movedMatte = new Uint8Array(4 * width * height);
  const shape = { positions: neutral, source: head.source, triangles: head.triangles, uv };
  const look = {
    shading: 'texture' as const,
    supersample: 1,
    cullBack: true,
    background: new Uint8Array(4),
    colours: null,
    textureWidth: width,
    textureHeight: height,
  };
  addon().renderMesh(shape, camera, { ...look, texture: opaque(photo) }, control, moved, null);
  addon().renderMesh(shape, camera, { ...look, texture: gray(photo.matte) }, control, movedMatte, null);
  const covered = new Uint8Array(width * height);
  addon().renderMeshMask({ ...shape, positions: shown, uv: null }, camera, control, covered);
  const rgb = photo.rgb.slice();
  const matte = photo.matte.slice();
  for (let i = 0; i < width * height; i++) {
    if (moved[4 * i + 3]! >= 128) {
      for (let c = 0; c < 3; c++) rgb[3 * i + c] = moved[4 * i + c]!;
      matte[i] = movedMatte[4 * i]!;
    } else if (covered[i]! >= 128) {
      // The expression put the head here (a dropped chin); the neutral head is elsewhere.
      matte[i] = 0;
    }
  }
  return { rgb, matte, width, height };
}

function opaque({ rgb, width, height }: FieldPhoto): Uint8Array {
  const out = new Uint8Array(4 * width * height).fill(255);
  for (let i = 0; i < width * height; i++) out.set(rgb.subarray(3 * i, 3 * i + 3), 4 * i);
  return out;
}

function gray(matte: Uint8Array): Uint8Array {
  const out = new Uint8Array(4 * matte.length);
  for (let i = 0; i < matte.length; i++) out.fill(matte[i]!, 4 * i, 4 * i + 3);
  for (let i = 3; i < out.length; i += 4) out[i] = 255;
  return out;
}

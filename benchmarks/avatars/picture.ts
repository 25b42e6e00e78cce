import sharp from 'sharp';
import { embeddedHead } from '#daf/avatars/head.js';
import type { CameraValues } from '#daf/core/addon/index.js';
import type { NeuralField } from '#daf/fields/types.js';
import type { GlbViewer } from '#daf/testing/glb-check.js';
import type { GlbShot } from '#daf/testing/glb-scene.js';
import type { Unlit } from '#daf/testing/likeness/light.js';

/** A file drawn without light, with its surface's directions. */
export interface Drawn extends Unlit {
  readonly width: number;
  readonly height: number;
}

/**
 * The GLB that a viewer holds, by three.js, as a photo's camera sees it.
 * @param camera of head space, cm. @param expression weights of the head's expressions.
 */
export async function drawGlb(viewer: GlbViewer, camera: CameraValues, expression?: Float32Array): Promise<Drawn> {
  const { width, height } = camera;
  const [x, y, z] = camera.translation.map((value) => value / 100) as unknown as [number, number, number];
  const names = embeddedHead().info.expressionNames;
  const shot: GlbShot = {
    width,
    height,
    camera: {
      rotation: [...camera.rotation],
      translation: [x, y, z],
      focal: camera.focal,
      center: [camera.center[0]!, camera.center[1]!],
    },
    background: null,
    morphs: Object.fromEntries([...(expression ?? [])].map((weight, i) => [names[i]!, weight])),
  };
  const rgba = await pixelsOf(await viewer.shoot({ ...shot, look: 'unlit' }));
  const coloured = await pixelsOf(await viewer.shoot({ ...shot, look: 'normals' }));
  const normals = new Float32Array(3 * width * height);
  for (let i = 0; i < width * height; ++i) {
    const n = [0, 1, 2].map((k) => coloured[4 * i + k]! / 127.5 - 1) as [number, number, number];
    const length = Math.hypot(...n);
    normals.set(coloured[4 * i + 3] === 0 || length < 0.1 ? AHEAD : n.map((value) => value / length), 3 * i);
  }
  return { width, height, rgba, normals };
}

const AHEAD = [0, 0, 1];

/** The field as the same camera sees it. It has no surface: the mesh's directions stand for it. */
export function drawField(field: NeuralField, camera: CameraValues, mesh: Drawn): Drawn {
  return { ...mesh, rgba: field.render(camera).rgba };
}

async function pixelsOf(png: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await sharp(png).ensureAlpha().raw().toBuffer());
}

/** What an avatar does not cover counts as this. */
export const GREY = 128;

/** Straight-alpha pixels before grey, [pixels][3]. */
export function beforeGrey(rgba: Uint8Array): Uint8Array {
  const out = new Uint8Array((rgba.length / 4) * 3);
  for (let i = 0; i < rgba.length / 4; ++i) {
    const alpha = rgba[4 * i + 3]! / 255;
    for (let c = 0; c < 3; ++c) out[3 * i + c] = Math.round(alpha * rgba[4 * i + c]! + (1 - alpha) * GREY);
  }
  return out;
}

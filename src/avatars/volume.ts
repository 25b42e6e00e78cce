import type { CameraValues } from '../core/addon/index.js';
import type { NeuralField, TrainingView } from '../fields/types.js';
import { type Box, grow, orbitCamera } from './camera.js';
import { closedNeck } from './closed_neck.js';
import { psnr, silhouetteIou } from './compare.js';
import { TURNS } from './contact/layout.js';
import type { QualityLevel } from './options.js';
import { drawSurface, type Surface } from './surface.js';

/** Hair that no mesh has may stand this far off, cm. */
const BOX_MARGIN = 1.5;
/** The field ends this much above the mesh's lowest point, cm: the neck ends in a cut, not in what happens to hang below. */
const CUT = 0.1;

export function fieldBox(surface: Surface): Box {
  const box = grow(surface.box, BOX_MARGIN);
  return { min: [box.min[0], surface.box.min[1] + CUT, box.min[2]], max: box.max };
}

/**
 * Views around the textured head whose colour, opacity and depth the field must reproduce: without them the field of a single
 * photo would be a billboard. Of eight, four show the whole head from within yaw ±90°, two the face alone from within yaw ±60°, because lips and eyes
 * are small, one the whole head from behind, and one its crown, from above and behind: other views graze it only, and it would cave in. Pitch ±30°, the
 * crown's 30° to 60°; stratified, so that few views cover all. A view of the whole
 * head leaves room around the field's box: what no view shows to be empty would be left to grow specks.
 */
export function supervisedViews(surface: Surface, level: QualityLevel, seed: number, control: Int32Array | null): TrainingView[] {
  const random = generator(seed);
  const face = faceBox(surface.box);
  const closed = closedNeck(surface);
  const { supervisedSize: size } = level;
  return Array.from({ length: level.supervisedViews }, (_, i) => {
    const slot = (i + random()) / level.supervisedViews;
    const pitch = (Math.PI / 3) * (fraction(i * 0.618034 + random() * 0.1) - 0.5);
    // A head seen from behind shows its crown when it looks up.
    const camera =
      i % 8 === 3
        ? orbitCamera(surface.box, Math.PI * (0.75 + 0.5 * slot), Math.PI / 4 + pitch / 2, size, WHOLE)
        : i % 8 === 7
          ? orbitCamera(surface.box, Math.PI * (0.5 + slot), 0.8 * pitch, size, WHOLE)
          : i % 4 === 1
            ? orbitCamera(face, (Math.PI / 1.5) * (slot - 0.5), pitch, size)
            : orbitCamera(surface.box, Math.PI * (slot - 0.5), pitch, size, WHOLE);
    // What a ray through the middle of a pixel meets is what the field learns: no means of pixels.
    const { rgba, depth } = drawSurface(closed, camera, 'texture', control, 1);
    const { rgb, alpha } = divide(rgba);
    return { source: 'supervised', camera, rgb, alpha, depth };
  });
}

/** Share of the frame that a whole head takes; the field's box then fits into it. */
const WHOLE = 0.82;

/** The front of the head from the forehead to the chin, as shares of the head's box. */
function faceBox({ min, max }: Box): Box {
  const height = max[1] - min[1];
  return {
    min: [min[0], max[1] - 0.75 * height, max[2] - 0.5 * (max[2] - min[2])],
    max: [max[0], max[1] - 0.15 * height, max[2]],
  };
}

/** [height][width][4] of a camera, straight alpha. */
export type Draw = (camera: CameraValues) => Uint8Array;

/** A picture is drawn once, however often it is asked for. The caller must not change it. */
export function remembering(draw: Draw): Draw {
  const drawn = new Map<string, Uint8Array>();
  return (camera) => {
    const key = Object.values(camera).join(' ');
    const picture = drawn.get(key) ?? draw(camera);
    drawn.set(key, picture);
    return picture;
  };
}

/** Lattice samples along a field's box: small pictures show no finer steps than their pixels. */
const SAMPLES: readonly [number, number] = [128, 256];

/** Pictures of a field, with steps about as long as the camera's pixels are wide. */
export function drawsField(field: NeuralField, control: Int32Array): Draw {
  const { min, max } = field.box;
  const edge = Math.max(...max.map((value, k) => value - min[k]!));
  return (camera) => {
    const pixels = (edge * camera.focal) / -camera.translation[2]!;
    // Behind or at the camera's feet there is no telling.
    const samples = pixels > 0 ? Math.min(SAMPLES[1], Math.max(SAMPLES[0], Math.round(pixels))) : SAMPLES[1];
    return field.render(camera, { control, samples }).rgba;
  };
}

/** Where field and head are compared, degrees: where the contact sheet shows both. */
const COMPARED = TURNS;

/** How well the field shows the head it was made from, at views between those it learnt from. Pictures are squares of `size`. */
export function compareWithSurface(drawField: Draw, drawMesh: Draw, box: Box, size: number) {
  let error = 0;
  const overlaps: number[] = [];
  for (const degrees of COMPARED) {
    const camera = orbitCamera(box, (degrees * Math.PI) / 180, 0, size);
    const mesh = drawMesh(camera);
    const volume = drawField(camera);
    const both = (i: number): boolean => mesh[4 * i + 3]! >= 128 && volume[4 * i + 3]! >= 128;
    error += 10 ** (-psnr({ pixels: mesh, channels: 4 }, { pixels: volume, channels: 4 }, both) / 10) / COMPARED.length;
    overlaps.push(silhouetteIou(mesh, volume));
  }
  return {
    meshPsnr: -10 * Math.log10(error),
    silhouette: overlaps.reduce((sum, overlap) => sum + overlap, 0) / overlaps.length,
    silhouetteWorst: Math.min(...overlaps),
  };
}

/**
 * Trains in small pieces, so that progress shows and a cancel is heard between them.
 * @returns field samples taken.
 */
export function trainField(
  field: NeuralField,
  views: readonly TrainingView[],
  level: QualityLevel,
  seed: number,
  control: Int32Array,
  onProgress: (share: number) => void,
): number {
  const { steps, colorDelay, learningRate } = level;
  const session = field.train(views, {
    supervisedFraction: 0.6,
    surfaceMargin: SURFACE_MARGIN,
    totalSteps: steps,
    learningRate,
    colorDelay,
    seed,
  });
  try {
    let samples = 0;
    for (let step = 0; step < level.steps; step += PIECE) {
      samples += session.run(Math.min(PIECE, level.steps - step), control).samples;
      onProgress(Math.min(1, (step + PIECE) / level.steps));
    }
    return samples;
  } finally {
    session.dispose();
  }
}

const PIECE = 25;
/** How far from the mesh the field may differ from it, cm: glasses and beards may, floaters may not. */
export const SURFACE_MARGIN = 0.5;

function divide(rgba: Uint8Array): { rgb: Uint8Array; alpha: Uint8Array } {
  const count = rgba.length / 4;
  const rgb = new Uint8Array(3 * count);
  const alpha = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = rgba[4 * i + c]!;
    alpha[i] = rgba[4 * i + 3]!;
  }
  return { rgb, alpha };
}

const fraction = (value: number): number => value - Math.floor(value);

/** mulberry32: the same views for the same seed on every machine. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

import { dirname } from 'node:path';
import { DafError } from '../../core/contracts/errors.js';
import { Field } from '../../fields/field.js';
import { meshFiles } from '../../fields/mesh/files.js';
import { meshField } from '../../fields/mesh/mesh-field.js';
import { openScene } from '../../fields/scenes/open.js';
import type { Scene } from '../../fields/scenes/types.js';
import { trainScene } from '../../fields/train/train-scene.js';
import { type Box, grow } from '../camera.js';
import { METRES_PER_CM } from '../export/mesh.js';
import type { Observation } from '../observation.js';
import type { Quality } from '../options.js';
import type { CaptureReport } from '../report.js';
import { type Alignment, alignCapture, type SeenLandmarks } from './align.js';
import { headOnly } from './head_only.js';
import { sceneInHeadSpace } from './head_scene.js';

export interface CaptureLevel {
  /** Of training, and samples of each. */
  readonly steps: number;
  readonly samples: number;
  /** Of the surface: cells along each side of the head's box, triangles, and texels along each side of its texture. */
  readonly resolution: number;
  readonly faces: number;
  readonly texture: number;
}

export const CAPTURE_LEVELS: Readonly<Record<Quality, CaptureLevel>> = {
  preview: { steps: 150, samples: 32_768, resolution: 96, faces: 10_000, texture: 512 },
  draft: { steps: 400, samples: 32_768, resolution: 128, faces: 20_000, texture: 1024 },
  standard: { steps: 1500, samples: 32_768, resolution: 192, faces: 60_000, texture: 2048 },
  high: { steps: 6000, samples: 32_768, resolution: 256, faces: 100_000, texture: 2048 },
};
/** Room for the best resolution around the fitted head, cm; and how far hair may stand off it. */
const ROOM = 4;
const HAIR = 2;
/** Landmarks that lie farther apart than this belong to poses, or to a face, that are something else, cm. */
const MOST_RESIDUAL = 1.5;

export interface CapturedHead {
  /** Of the whole capture's field what is the head, in head space, cm: safetensors. */
  readonly field: Uint8Array;
  /** Its surface, in metres as avatar.glb is. */
  readonly glb: Uint8Array;
  readonly steps: number;
  readonly samples: number;
  readonly report: CaptureReport;
}

export interface CaptureOptions {
  readonly level: CaptureLevel;
  readonly seed: number;
  readonly control: Int32Array;
  /** @param share 0…1. Throws to end it. */
  onProgress(share: number): void;
}

/** The head that was fitted to some of the pictures, in head space. */
export interface FittedShape {
  /** [n][3] cm. */
  readonly positions: Float32Array;
  readonly box: Box;
  /** Whether the mattes say that nothing of the head is at a point, cm. */
  readonly isEmpty: (point: readonly number[]) => boolean;
  /** [68][3] cm. */
  readonly landmarks: ArrayLike<number>;
}

/**
 * Trains a field on all training pictures of a posed capture, in the fitted head's space, and takes from it what is the head.
 * @throws DafError ERR_DAF_BAD_DATA where the capture's poses and the faces in it do not agree; what trainScene and meshField throw
 */
export async function captureHead(
  observations: readonly Observation[],
  head: FittedShape,
  options: CaptureOptions,
): Promise<CapturedHead> {
  const { scene: path } = observations.find(({ capture }) => capture !== undefined)!.capture!;
  const { level } = options;
  const scene = await openScene(path, { split: 'train' });
  const alignment = aligned(scene, observations, head.landmarks);
  const subject = grow(head.box, ROOM);
  const { field, progress } = await trainScene(sceneInHeadSpace(scene, alignment, subject), {
    steps: level.steps,
    samplesPerStep: level.samples,
    threads: 1,
    seed: options.seed,
    onProgress: ({ fraction }) => options.onProgress(0.8 * fraction),
  });
  const whole = field.save();
  field.dispose();
  const bytes = headOnly(whole, head.positions, HAIR, head.isEmpty);
  using owned = Field.load(bytes);
  const box = { min: [subject.min[0], head.box.min[1], subject.min[2]] as const, max: subject.max };
  const { resolution, faces, texture } = level;
  const mesh = meshField(owned, { box, resolution, faces, texture, control: options.control });
  options.onProgress(1);
  const metres = { ...mesh, positions: mesh.positions.map((cm) => cm * METRES_PER_CM) };
  const [file] = await meshFiles(metres, 'glb', 'capture');
  const { residual, scale } = alignment;
  const report = {
    scene: path.slice(dirname(dirname(path)).length + 1),
    frames: scene.frames.length,
    centimetresPerUnit: Number(scale.toPrecision(6)),
    residual: Number(residual.toFixed(3)),
    trainingPsnr: Number(progress.psnr.toFixed(2)),
    triangles: mesh.report.triangles,
  };
  return { field: bytes, glb: file!.bytes as Uint8Array, steps: progress.step, samples: progress.step * level.samples, report };
}

function aligned(scene: Scene, observations: readonly Observation[], landmarks: ArrayLike<number>): Alignment {
  const frames = new Map(scene.frames.map((frame) => [frame.name, frame.camera]));
  const seen: SeenLandmarks[] = [];
  for (const { capture } of observations) {
    const camera = capture && frames.get(capture.frame);
    if (camera !== undefined) seen.push({ camera, landmarks: capture!.landmarks });
  }
  const alignment = alignCapture(seen, landmarks);
  if (alignment !== null && alignment.residual <= MOST_RESIDUAL) return alignment;
  const found =
    alignment === null
      ? 'too few of its pictures show a face'
      : `faces lie ${alignment.residual.toFixed(1)} cm from where its poses say`;
  throw new DafError('ERR_DAF_BAD_DATA', `${scene.path}: ${found}`, {
    hint: 'check the poses with daf nerf train; without transforms.json the pictures are photos like others',
  });
}

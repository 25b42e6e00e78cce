import { DafError } from '../../core/contracts/errors.js';
import type { ModelFile, Pixels } from '../types.js';
import { type OnnxSession, openSession } from './ort.js';

/** A face on a detector's canvas, canvas pixels. */
export interface CanvasFace {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly score: number;
  /** Clockwise turn of the face's up direction by its eye points, radians; null when the model gives no points. */
  readonly roll: number | null;
}

/** A model that finds faces on a canvas, filled from the top left, black where the picture ends. */
export interface Detector {
  /** The canvas is of this size; with `step`, of any smaller size too whose sides are multiples of it. */
  readonly canvasWidth: number;
  readonly canvasHeight: number;
  readonly step: number | null;
  /** Score from which a face is believed. */
  readonly threshold: number;
  detect(canvas: Pixels): Promise<CanvasFace[]>;
  dispose(): Promise<void>;
}

/** Largest side used with models of free input size: the size the published weights were trained for. */
const FREE_SIDE = 640;
/** YuNet's coarsest stride. */
const YUNET_STEP = 32;

/** @throws DafError ERR_DAF_VISION_MISSING, ERR_DAF_BAD_MODEL. */
export async function openDetector(model: ModelFile): Promise<Detector> {
  const session = await openSession(model.file);
  if (model.adapter === 'yunet') return yunet(session);
  if (model.adapter === 'ultraface') return ultraface(session);
  await session.release();
  throw new DafError('ERR_DAF_BAD_MODEL', `${model.file} (${model.adapter}) is not a face detector`);
}

/** YuNet: BGR 0…255; per stride a class and an object score, a box and five points relative to the cell. */
function yunet(session: OnnxSession): Detector {
  const canvasWidth = session.inputWidth ?? FREE_SIDE;
  const canvasHeight = session.inputHeight ?? FREE_SIDE;
  const planes = new Float32Array(3 * canvasWidth * canvasHeight);
  return {
    canvasWidth,
    canvasHeight,
    step: session.inputWidth === null && session.inputHeight === null ? YUNET_STEP : null,
    threshold: 0.7,
    async detect(canvas) {
      const input = planes.subarray(0, 3 * canvas.width * canvas.height);
      fillPlanes(canvas, 'bgr', 0, 1, input);
      const outputs = await session.run(input, canvas.width, canvas.height);
      const faces: CanvasFace[] = [];
      for (const stride of [8, 16, 32]) {
        const columns = canvas.width / stride;
        const cells = columns * (canvas.height / stride);
        const cls = output(session, outputs, `cls_${stride}`, cells);
        const obj = output(session, outputs, `obj_${stride}`, cells);
        const box = output(session, outputs, `bbox_${stride}`, 4 * cells);
        const kps = output(session, outputs, `kps_${stride}`, 10 * cells);
        for (let cell = 0; cell < cells; ++cell) {
          const score = Math.sqrt(unit(cls[cell]!) * unit(obj[cell]!));
          if (!(score >= this.threshold)) continue;
          const column = cell % columns;
          const row = (cell - column) / columns;
          const width = Math.exp(box[4 * cell + 2]!) * stride;
          const height = Math.exp(box[4 * cell + 3]!) * stride;
          const dx = kps[10 * cell + 2]! - kps[10 * cell]!;
          const dy = kps[10 * cell + 3]! - kps[10 * cell + 1]!;
          faces.push({
            x: (column + box[4 * cell]!) * stride - width / 2,
            y: (row + box[4 * cell + 1]!) * stride - height / 2,
            width,
            height,
            score,
            roll: Math.atan2(dy, dx),
          });
        }
      }
      return faces;
    },
    dispose: () => session.release(),
  };
}

/** UltraFace: RGB (x − 127) / 128; decoded, normalised boxes. */
function ultraface(session: OnnxSession): Detector {
  const canvasWidth = session.inputWidth ?? 320;
  const canvasHeight = session.inputHeight ?? 240;
  const planes = new Float32Array(3 * canvasWidth * canvasHeight);
  return {
    canvasWidth,
    canvasHeight,
    step: null,
    threshold: 0.7,
    async detect(canvas) {
      fillPlanes(canvas, 'rgb', 127, 1 / 128, planes);
      const outputs = await session.run(planes, canvasWidth, canvasHeight);
      const scores = output(session, outputs, 'scores', null);
      const boxes = output(session, outputs, 'boxes', 2 * scores.length);
      const faces: CanvasFace[] = [];
      for (let i = 0; i < scores.length / 2; ++i) {
        const score = scores[2 * i + 1]!;
        if (!(score >= this.threshold)) continue;
        const x = boxes[4 * i]! * canvasWidth;
        const y = boxes[4 * i + 1]! * canvasHeight;
        const width = boxes[4 * i + 2]! * canvasWidth - x;
        const height = boxes[4 * i + 3]! * canvasHeight - y;
        faces.push({ x, y, width, height, score, roll: null });
      }
      return faces;
    },
    dispose: () => session.release(),
  };
}

function unit(value: number): number {
  return Math.min(1, Math.max(0, value));
}

function output(
  session: OnnxSession,
  outputs: ReadonlyMap<string, Float32Array>,
  name: string,
  length: number | null,
): Float32Array {
  const values = outputs.get(name);
  if (values !== undefined && (length === null || values.length === length)) return values;
  throw new DafError('ERR_DAF_BAD_MODEL', `${session.file}: ${name} has ${values?.length ?? 'no'} values, expected ${length}`);
}

/** The canvas as planes [3][height][width] of (value − mean) · factor. */
function fillPlanes(canvas: Pixels, order: 'rgb' | 'bgr', mean: number, factor: number, planes: Float32Array): void {
  const plane = canvas.width * canvas.height;
  const [red, blue] = order === 'rgb' ? [0, 2 * plane] : [2 * plane, 0];
  for (let i = 0; i < plane; ++i) {
    planes[red + i] = (canvas.data[3 * i]! - mean) * factor;
    planes[plane + i] = (canvas.data[3 * i + 1]! - mean) * factor;
    planes[blue + i] = (canvas.data[3 * i + 2]! - mean) * factor;
  }
}

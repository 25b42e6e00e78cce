import { existsSync } from 'node:fs';
import { addon, type FieldHandle, type NativeTensor, type TrainerHandle } from '../core/addon/index.js';
import { DafError } from '../core/contracts/errors.js';
import { CAMERA_NUMBERS, packCamera, unpackCamera } from './camera.js';
import { native } from './native.js';
import { fieldOptions, trainingOptions } from './options.js';
import { renderLook } from './render/look.js';
import { usablePrecision } from './render/precision.js';
import type {
  ControlWords,
  FieldBox,
  FieldCamera,
  FieldKind,
  FieldOptions,
  FieldValues,
  NeuralField,
  Precision,
  RenderedImage,
  RenderOptions,
  TrainingOptions,
  TrainingReport,
  TrainingSession,
  TrainingView,
} from './types.js';

/** A radiance field in native memory. */
export class Field implements NeuralField {
  readonly kind: FieldKind;
  readonly box: FieldBox;
  readonly parameterCount: number;
  /** Whether what lies behind was learnt with the field: `background: 'learned'` renders it. */
  readonly learnedBackground: boolean;
  readonly #handle: FieldHandle;
  #disposed = false;

  private constructor(handle: FieldHandle) {
    this.#handle = handle;
    const info = addon().fieldInfo(handle);
    this.kind = info.kind;
    this.parameterCount = info.parameters;
    this.learnedBackground = info.learnedBackground;
    this.box = { min: vector(info.boxMin), max: vector(info.boxMax), ...(info.unbounded ? { unbounded: true } : {}) };
  }

  /** A field with random weights. @throws DafError ERR_DAF_BAD_OPTION, ERR_DAF_BAD_ARGUMENT, ERR_DAF_MEMORY_LIMIT */
  static create(options: FieldOptions): Field {
    const complete = fieldOptions(options);
    return native((daf) => new Field(daf.fieldCreate(complete)));
  }

  /** From safetensors bytes or the path of a file. @throws DafError ERR_DAF_NOT_FOUND, ERR_DAF_BAD_DATA, ERR_DAF_IO, ERR_DAF_MEMORY_LIMIT */
  static load(source: Uint8Array | string): Field {
    if (typeof source === 'string' && !existsSync(source)) {
      throw new DafError('ERR_DAF_NOT_FOUND', `there is no ${source}`, {
        hint: 'daf nerf train and daf nerf import make fields',
      });
    }
    return native((daf) => new Field(daf.fieldLoad(source)));
  }

  /** The field that another thread of this process shared and has not disposed. @throws DafError ERR_DAF_BAD_ARGUMENT */
  static attach(id: number): Field {
    return native((daf) => new Field(daf.fieldAttach(id)));
  }

  /**
   * An id by which other threads of this process attach to this field. They share its weights: all may render and evaluate at once,
   * none may train meanwhile.
   */
  share(): number {
    return native((daf) => daf.fieldShare(this.#handle));
  }

  train(views: readonly TrainingView[], options: TrainingOptions = {}): TrainingSession {
    const complete = trainingOptions(options, this.kind);
    return native((daf) => {
      const trainer = daf.trainerCreate(this.#handle, complete);
      for (const view of views) {
        daf.trainerAddView(
          trainer,
          view.source === 'supervised',
          packCamera(view.camera),
          view.rgb,
          view.alpha ?? null,
          view.depth ?? null,
        );
      }
      return new Session(trainer);
    });
  }

  render(camera: FieldCamera, options: RenderOptions = {}): RenderedImage {
    const look = renderLook(options);
    const width = checkedSide(options.width ?? camera.width);
    const height = checkedSide(options.height ?? camera.height);
    const window = options.window ?? { x: 0, y: 0, width, height };
    const packed = packCamera(camera, width, height);
    const pixels = checkedSide(window.width) * checkedSide(window.height);
    const targets = {
      rgba: new Uint8Array(pixels * 4),
      depth: new Float32Array(pixels),
      opacity: new Float32Array(pixels),
      color: options.floats === true ? new Float32Array(pixels * 3) : null,
      normal: options.normals === true ? new Float32Array(pixels * 3) : null,
    };
    const stats = native((daf) => daf.fieldRender(this.#handle, packed, look, window, options.control ?? null, targets));
    const { rgba, depth, opacity, color, normal } = targets;
    return {
      width: window.width,
      height: window.height,
      rgba,
      depth,
      opacity,
      ...(color === null ? {} : { color }),
      ...(normal === null ? {} : { normal }),
      stats,
    };
  }

  evaluate(
    points: Float32Array,
    directions: Float32Array | null = null,
    control: ControlWords | null = null,
    precision: Precision = 'fp32',
  ): FieldValues {
    if (points.length % 3 !== 0) throw new DafError('ERR_DAF_BAD_ARGUMENT', 'points must hold three numbers each');
    return native((daf) => {
      const density = new Float32Array(points.length / 3);
      const color = directions === null ? null : new Float32Array(points.length);
      daf.fieldEvaluate(this.#handle, points, directions, control, density, color, usablePrecision(precision));
      return { density, ...(color === null ? {} : { color }) };
    });
  }

  /**
   * Replaces the weights by tensors named and shaped as in this field's checkpoint (docs/fields.md).
   * @throws DafError ERR_DAF_BAD_DATA: a tensor is missing, of another shape, or not finite; the field is of no use then.
   */
  assign(tensors: readonly NativeTensor[]): void {
    native((daf) => daf.fieldAssign(this.#handle, tensors));
  }

  save(): Uint8Array {
    return native((daf) => daf.fieldSave(this.#handle, null) as Uint8Array);
  }

  saveFile(path: string): void {
    native((daf) => daf.fieldSave(this.#handle, path));
  }

  /** Those of the pictures that `daf nerf train` learnt it from; none where that is not known. */
  cameras(): FieldCamera[] {
    const packed = native((daf) => daf.fieldCameras(this.#handle));
    return Array.from({ length: packed.length / CAMERA_NUMBERS }, (_, i) =>
      unpackCamera(packed.subarray(i * CAMERA_NUMBERS, (i + 1) * CAMERA_NUMBERS)),
    );
  }

  /** The native field, for the other files of this folder. */
  get handle(): FieldHandle {
    return this.#handle;
  }

  /** Samples of the forward pass in a precision, or of forward and backward, per second of this thread's computing time. */
  measure(what: Precision | 'training', seconds: number): number {
    return native((daf) => daf.measureField(this.#handle, what, seconds));
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    addon().fieldDispose(this.#handle);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

class Session implements TrainingSession {
  readonly #trainer: TrainerHandle;
  #disposed = false;

  constructor(trainer: TrainerHandle) {
    this.#trainer = trainer;
  }

  run(steps: number, control: ControlWords | null = null): TrainingReport {
    return native((daf) => daf.trainerRun(this.#trainer, steps, control));
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    addon().trainerDispose(this.#trainer);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function vector(values: Float32Array): readonly [number, number, number] {
  return [values[0]!, values[1]!, values[2]!];
}

function checkedSide(pixels: number): number {
  if (Number.isInteger(pixels) && pixels >= 1 && pixels <= 16384) return pixels;
  throw new DafError('ERR_DAF_BAD_ARGUMENT', `a picture of ${pixels} pixels along a side: it takes a whole number, 1–16384`);
}

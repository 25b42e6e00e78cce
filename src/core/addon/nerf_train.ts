import type { FieldHandle } from './nerf_field.js';

/** Training, as bindings/nerf_train.cpp exports it, in the same order. */
export interface NerfTrainAddon {
  trainerCreate(field: FieldHandle, options: NativeTrainOptions): TrainerHandle;
  /** Copies one picture: rgb[h·w·3], alpha[h·w], depth[h·w]. */
  trainerAddView(
    trainer: TrainerHandle,
    supervised: boolean,
    camera: Float32Array,
    rgb: Uint8Array | Float32Array,
    alpha: Uint8Array | Float32Array | null,
    depth: Float32Array | null,
  ): void;
  /** `steps` more steps. Throws ERR_DAF_CANCELLED between steps. */
  trainerRun(trainer: TrainerHandle, steps: number, control: Int32Array | null): NativeTrainReport;
  trainerDispose(trainer: TrainerHandle): void;
}

declare const trainerBrand: unique symbol;
/** A training session in native memory; it does not cross threads. */
export interface TrainerHandle {
  readonly [trainerBrand]: true;
}

export interface NativeTrainOptions {
  readonly supervisedFraction: number;
  readonly samplesPerStep: number;
  readonly totalSteps: number;
  readonly learningRate: number;
  readonly opacityWeight: number;
  readonly depthWeight: number;
  readonly colorDelay: number;
  /** 0: the box's longest edge / 32. */
  readonly surfaceMargin: number;
  readonly maxSamplesPerRay: number;
  readonly seed: number;
}

export interface NativeTrainReport {
  readonly step: number;
  readonly rays: number;
  readonly samples: number;
  readonly loss: number;
  readonly colorLoss: number;
  readonly opacityLoss: number;
  readonly depthLoss: number;
  readonly psnr: number;
  readonly occupied: number;
}

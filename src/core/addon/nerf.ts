/** native/nerf, as bindings/nerf.cpp exports it, in the same order. */
export interface NerfAddon {
  /** A field with random weights. Throws ERR_DAF_BAD_ARGUMENT, ERR_DAF_MEMORY_LIMIT. */
  fieldCreate(options: NativeFieldOptions): FieldHandle;
  /** A checkpoint from its bytes or its path, validated. Throws ERR_DAF_BAD_DATA, ERR_DAF_IO. */
  fieldLoad(source: Uint8Array | string): FieldHandle;
  /** The checkpoint's bytes, or null when it was written to `path` (atomically). Throws ERR_DAF_IO. */
  fieldSave(field: FieldHandle, path: string | null): Uint8Array | null;
  fieldInfo(field: FieldHandle): NativeFieldInfo;
  /** Frees the native memory; any later use of the handle throws ERR_DAF_BAD_ARGUMENT. */
  fieldDispose(field: FieldHandle): void;
  /** density[n] per unit of length, color[n·3] along directions[n·3], at points[n·3]. */
  fieldEvaluate(
    field: FieldHandle,
    points: Float32Array,
    directions: Float32Array | null,
    control: Int32Array | null,
    density: Float32Array,
    color: Float32Array | null,
  ): void;
  /** rgba[h·w·4], depth[h·w], opacity[h·w], color[h·w·3]; returns the samples evaluated. Throws ERR_DAF_CANCELLED. */
  fieldRender(
    field: FieldHandle,
    camera: Float32Array,
    look: NativeFieldLook,
    control: Int32Array | null,
    rgba: Uint8Array,
    depth: Float32Array,
    opacity: Float32Array,
    color: Float32Array | null,
  ): number;
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
  /** Fused multiply-adds in registers per second of this thread's computing time, measured for about `seconds` of it. */
  measureMultiplyAdds(seconds: number): number;
  /** Samples of a field's forward pass, or of forward and backward, per second of this thread's computing time. */
  measureField(field: FieldHandle, training: boolean, seconds: number): number;
}

declare const fieldBrand: unique symbol;
/** A field in native memory; it does not cross threads. */
export interface FieldHandle {
  readonly [fieldBrand]: true;
}

declare const trainerBrand: unique symbol;
/** A training session in native memory; it does not cross threads. */
export interface TrainerHandle {
  readonly [trainerBrand]: true;
}

interface NativeFieldPlace {
  readonly boxMin: Float32Array;
  readonly boxMax: Float32Array;
  readonly occupancy: number;
  readonly seed: number;
}

export type NativeFieldOptions = NativeFieldPlace &
  (
    | {
        readonly kind: 'hashgrid';
        readonly levels: number;
        readonly features: number;
        readonly log2Entries: number;
        readonly coarsest: number;
        readonly finest: number;
        readonly densityWidth: number;
        readonly colorWidth: number;
      }
    | { readonly kind: 'classic'; readonly width: number; readonly depth: number }
  );

export interface NativeFieldInfo {
  readonly kind: 'hashgrid' | 'classic';
  readonly parameters: number;
  readonly boxMin: Float32Array;
  readonly boxMax: Float32Array;
}

export interface NativeFieldLook {
  /** sRGB, or null for straight alpha. */
  readonly background: Float32Array | null;
  readonly samples: number;
  readonly minTransmittance: number;
  readonly exhaustive: boolean;
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

/** Fields of native/nerf, as bindings/nerf_field.cpp exports them, in the same order. */
export interface NerfFieldAddon {
  /** A field with random weights. Throws ERR_DAF_BAD_ARGUMENT, ERR_DAF_MEMORY_LIMIT. */
  fieldCreate(options: NativeFieldOptions): FieldHandle;
  /** A checkpoint from its bytes or its path, validated. Throws ERR_DAF_BAD_DATA, ERR_DAF_IO. */
  fieldLoad(source: Uint8Array | string): FieldHandle;
  /** The field's id in this process, by which other threads attach to it: they read the same weights. */
  fieldShare(field: FieldHandle): number;
  /** A handle of this thread to a field that another one shared and still holds. Throws ERR_DAF_BAD_ARGUMENT. */
  fieldAttach(id: number): FieldHandle;
  /** The checkpoint's bytes, or null when it was written to `path` (atomically). Throws ERR_DAF_IO. */
  fieldSave(field: FieldHandle, path: string | null): Uint8Array | null;
  fieldInfo(field: FieldHandle): NativeFieldInfo;
  /** Of the pictures that it learnt from, 27 numbers each as `packCamera` gives them; none where that is not known. */
  fieldCameras(field: FieldHandle): Float32Array;
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
    precision: NativePrecision,
  ): void;
}

/** Of inference; all but fp32 throw ERR_DAF_UNSUPPORTED where the instruction set, or the kind of field, lacks it. */
export type NativePrecision = 'fp32' | 'bf16' | 'int8';

declare const fieldBrand: unique symbol;
/** A field in native memory; it does not cross threads. */
export interface FieldHandle {
  readonly [fieldBrand]: true;
}

interface NativeFieldPlace {
  readonly boxMin: Float32Array;
  readonly boxMax: Float32Array;
  readonly unbounded: boolean;
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
        /** Numbers of each of `images` pictures' codes; both 0 for none. */
        readonly appearance: number;
        readonly images: number;
      }
    | NativeClassicOptions
  );

export interface NativeClassicOptions {
  readonly kind: 'classic';
  readonly width: number;
  readonly depth: number;
  readonly positionFrequencies: number;
  readonly directionFrequencies: number;
  readonly viewWidth: number;
  readonly skips: Uint32Array;
  readonly linearLayers: Uint32Array;
  readonly featureRelu: boolean;
  readonly reluDensity: boolean;
  readonly rawPosition: boolean;
  readonly rawDirection: boolean;
  readonly coarse: boolean;
  /** [3] each: what is encoded is scale · unit-cube point + shift. */
  readonly inputScale: Float32Array;
  readonly inputShift: Float32Array;
}

export interface NativeFieldInfo {
  readonly kind: 'hashgrid' | 'classic';
  readonly parameters: number;
  readonly boxMin: Float32Array;
  readonly boxMax: Float32Array;
  readonly unbounded: boolean;
  /** What lies behind was learnt with the field. */
  readonly learnedBackground: boolean;
}

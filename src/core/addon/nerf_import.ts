import type { FieldHandle } from './nerf_field.js';

/** Weights from elsewhere, as bindings/nerf_import.cpp exports it, in the same order. */
export interface NerfImportAddon {
  /** The float tensors of a safetensors file (F32, F16, BF16, F64), all finite. Throws ERR_DAF_IO, ERR_DAF_BAD_DATA. */
  safetensorsFloats(path: string): NativeTensor[];
  /**
   * Replaces a field's weights by tensors named and shaped as in its checkpoint. Throws ERR_DAF_BAD_DATA naming the tensor that is missing
   * or of another shape; the field is of no use then.
   */
  fieldAssign(field: FieldHandle, tensors: readonly NativeTensor[]): void;
}

/** C order, last axis fastest. */
export interface NativeTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

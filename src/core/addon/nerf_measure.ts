import type { FieldHandle, NativePrecision } from './nerf_field.js';

/** What benchmarks measure, as bindings/nerf_measure.cpp exports it, in the same order. */
export interface NerfMeasureAddon {
  /** Fused multiply-adds in registers per second of this thread's computing time, measured for about `seconds` of it. */
  measureMultiplyAdds(seconds: number): number;
  /** The same of bf16 or 8-bit products. Throws ERR_DAF_UNSUPPORTED where the instruction set has none. */
  measureDots(precision: 'bf16' | 'int8', seconds: number): number;
  /** Samples of a field's forward pass, or of forward and backward, per second of this thread's computing time. */
  measureField(field: FieldHandle, what: NativePrecision | 'training', seconds: number): number;
}

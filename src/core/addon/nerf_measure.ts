import type { FieldHandle } from './nerf_field.js';

/** What benchmarks measure, as bindings/nerf_measure.cpp exports it, in the same order. */
export interface NerfMeasureAddon {
  /** Fused multiply-adds in registers per second of this thread's computing time, measured for about `seconds` of it. */
  measureMultiplyAdds(seconds: number): number;
  /** Samples of a field's forward pass, or of forward and backward, per second of this thread's computing time. */
  measureField(field: FieldHandle, training: boolean, seconds: number): number;
}

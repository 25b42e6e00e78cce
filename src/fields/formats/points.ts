/** Points that a structure-from-motion program triangulated, in the frame of the scene's cameras. */
export interface SparsePoints {
  /** n × 3. */
  readonly positions: Float32Array;
  /** n × 3, sRGB; null where the file has none. */
  readonly colors: Uint8Array | null;
}

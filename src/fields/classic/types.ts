/**
 * Positional encoding and hidden layers, as in the first radiance fields. The defaults are the published network's except that the
 * density is the exponential of its output; the other choices describe networks trained elsewhere.
 */
export interface ClassicOptions {
  readonly kind: 'classic';
  /** Width of the hidden layers, a multiple of 8 up to 1024. @defaultValue 256 */
  readonly width?: number;
  /** Hidden layers, 1–32. @defaultValue 8 */
  readonly depth?: number;
  /** Frequencies 2^0 … 2^(n−1) of the position's encoding, 0–16. @defaultValue 10 */
  readonly positionFrequencies?: number;
  /** Frequencies of the direction's encoding, 0–16. @defaultValue 4 */
  readonly directionFrequencies?: number;
  /** Width of the layer that sees the direction, a multiple of 8 up to 1024. @defaultValue half of `width`, rounded up to a multiple of 8 */
  readonly viewWidth?: number;
  /** Hidden layers, counted from 0 and ascending, that see the encoded position again. @defaultValue the one half way */
  readonly skips?: readonly number[];
  /** Hidden layers, counted from 0 and ascending, without ReLU. @defaultValue none */
  readonly linearLayers?: readonly number[];
  /** Of the layer between the hidden layers and the view layer; a linear one costs nothing when rendering. @defaultValue 'linear' */
  readonly featureActivation?: 'linear' | 'relu';
  /** @defaultValue 'exp' */
  readonly densityActivation?: 'exp' | 'relu';
  /** Whether the encodings begin with the position and the direction themselves. @defaultValue true */
  readonly rawPosition?: boolean;
  readonly rawDirection?: boolean;
  /**
   * A second network of the same shape, which is trained beside the first and says where along a ray that one is asked: see `importance`
   * among the options of rendering. @defaultValue false
   */
  readonly coarse?: boolean;
  /** What is encoded: the box mapped to [−1, 1] on each axis, or the coordinates of the world. @defaultValue 'box' */
  readonly coordinates?: 'box' | 'world';
  /** What the coordinates are multiplied by first, e.g. π where the frequencies are 2^k π. @defaultValue 1 */
  readonly coordinateScale?: number;
}

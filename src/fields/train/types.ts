import type { Field } from '../field.js';
import type { ClassicOptions, FieldBox, HashGridOptions } from '../types.js';
import type { RefinedPose } from './poses.js';

/** What a field is made with, its box apart: that comes from the scene. */
export type FieldShape = (Omit<HashGridOptions, 'appearance' | 'images'> | ClassicOptions) & {
  /** Cells of the occupancy grid along each axis: a multiple of 8, 8–256. @defaultValue 128 */
  readonly occupancy?: number;
};

/**
 * How a scene is trained. Training ends at the first of `seconds`, `steps` and `targetPsnr` that is reached; the learning rate is laid out
 * for `steps` where they are given, otherwise for `seconds`.
 */
export interface TrainSceneOptions {
  /** What a hash grid's shape leaves out suits the pictures' size. @defaultValue a hash grid */
  readonly field?: FieldShape;
  /** Instead of the scene's. */
  readonly box?: FieldBox;
  /** Of the wall clock. @defaultValue 300, or unlimited where steps are given */
  readonly seconds?: number;
  /** When the seconds began, as performance.now() tells. @defaultValue the call */
  readonly startedAt?: number;
  readonly steps?: number;
  /** dB on an eighth of the training pictures, which are then not learnt from. */
  readonly targetPsnr?: number;
  /** @defaultValue one for each core */
  readonly threads?: number;
  /** Of the initial weights and of every random choice. @defaultValue 1 */
  readonly seed?: number;

  /** Samples of a step that colour and gradients are computed for, all threads together. @defaultValue 32768, classic 8192 */
  readonly samplesPerStep?: number;
  /** Samples along the box's longest edge. @defaultValue 512; unbounded and classic 128 */
  readonly samplesPerEdge?: number;
  /** Optical depth above which a cell of the occupancy grid counts as occupied. @defaultValue 0.03 */
  readonly occupiedDepth?: number;
  /** Samples of less weight get neither colour nor gradients. @defaultValue 1e-3, unbounded 1e-4 */
  readonly minWeight?: number;
  /** Rays end where less light gets through. @defaultValue 1e-4 */
  readonly minTransmittance?: number;
  /** Adam's rate. @defaultValue 0.01, classic 0.001 */
  readonly learningRate?: number;
  /** The rate at the end, as a share of the first. @defaultValue 0.03 */
  readonly finalRate?: number;
  /** Share of the training after which the rate begins to fall. @defaultValue 0.4 */
  readonly decayBegin?: number;
  /** Steps over which the rate rises. @defaultValue 50 */
  readonly warmupSteps?: number;
  /** Of the moving average of the weights, a step; the average is what is kept at the end. 0: none. @defaultValue 0.95 */
  readonly averageDecay?: number;
  /** Error at which the colour loss turns from square to linear. @defaultValue 0.1 */
  readonly huber?: number;
  /** Weight of mip-NeRF 360's distortion loss: against floaters. @defaultValue 0, unbounded 0.02 */
  readonly distortionWeight?: number;
  /** Weight of the entropy of each ray's opacity. @defaultValue 0 */
  readonly opacityWeight?: number;
  /** Weight of the total variation of a hash grid's tables where samples lie: against noise, 0.001–0.1. @defaultValue 0 */
  readonly variationWeight?: number;
  /** Depth before which nothing is, in the scene's unit: what stood there would hide the rest from one camera alone. @defaultValue the scene's */
  readonly near?: number;
  /**
   * Numbers, a multiple of 4 up to 32, that stand for the look of each training picture (exposure, white balance, weather) and are learnt with
   * a hash grid, whose renderings then have the mean look. @defaultValue 0
   */
  readonly appearance?: number;
  /**
   * Learn small corrections of the training pictures' poses with the field, for poses that are slightly wrong. The field stays in the frame of
   * the poses that the scene gives. @defaultValue false
   */
  readonly refinePoses?: boolean;
  /**
   * Behind transparent pixels: another colour for every ray, which teaches opacity, or the scene's own. `learned`: for pictures without
   * transparent pixels, a network of the direction that is learnt with the field. @defaultValue `random` for pictures with alpha
   */
  readonly background?: 'random' | 'scene' | 'learned';

  /** Where training writes what it can be resumed from, every minute and when it is cancelled. @defaultValue nowhere */
  readonly checkpoint?: string;
  /**
   * Go on from `checkpoint` where it exists, with the pictures and the options that it was begun with; `seconds`, `steps` and how it is
   * watched may be others. @defaultValue false
   */
  readonly resume?: boolean;
  /** Cancels within 50 ms of the threads' next look; the checkpoint is written, then the promise rejects with ERR_DAF_CANCELLED. */
  readonly signal?: AbortSignal;
  /** Called a few times a second. */
  onProgress?(progress: TrainProgress): void;
}

/** Where a training stands. */
export interface TrainProgress {
  readonly step: number;
  /** Of the whole, 0…1. */
  readonly fraction: number;
  /** Of the wall clock, earlier sessions of a resumed training included. */
  readonly seconds: number;
  /** Mean over the rays since the last report, every term included. */
  readonly loss: number;
  /** Of the same rays, dB. */
  readonly psnr: number;
  /** Of the pictures kept for validation, once they were looked at. */
  readonly validationPsnr?: number;
  /** A second of the wall clock, since the last report; density alone was computed for `candidatesPerSecond`. */
  readonly samplesPerSecond: number;
  readonly candidatesPerSecond: number;
  /** Share of the occupancy grid's cells that may hold something. */
  readonly occupied: number;
  /** The process's anonymous and shared memory now, bytes. */
  readonly memory: number;
}

export interface TrainResult {
  /** The caller disposes of it. */
  readonly field: Field;
  readonly progress: TrainProgress;
  readonly threads: number;
  /** Of the pictures that were learnt from, where poses were refined; null elsewhere. */
  readonly poses: readonly RefinedPose[] | null;
  /** Highest memory of the process seen during the training, bytes. */
  readonly peakMemory: number;
}

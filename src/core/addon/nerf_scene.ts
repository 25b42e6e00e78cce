/** Training from the photos of a scene, as bindings/nerf_scene.cpp exports it, in the same order. */
export interface NerfSceneAddon {
  /**
   * A session's id, by which any thread of this process runs it until {@link sceneEnd}. The field is given by its id of fieldShare;
   * pictures go into a nameless file in `directory`. Throws ERR_DAF_IO.
   */
  sceneBegin(field: number, options: NativeSceneOptions, directory: string): number;
  /** Copies one picture: rgba[h·w·4], and mask[h·w], 0 where nothing is to be learnt. Not after {@link scenePrepare}. */
  sceneAddImage(session: number, camera: Float32Array, rgba: Uint8Array, mask: Uint8Array | null): void;
  scenePrepare(session: number, control: Int32Array | null): void;
  /**
   * One thread's part of `steps` steps, called by all `threads` threads with the same numbers; the schedule goes from `begin` to `end`,
   * shares of the whole training. Throws ERR_DAF_CANCELLED between steps, in every thread.
   */
  sceneRun(
    session: number,
    thread: number,
    steps: number,
    begin: number,
    end: number,
    control: Int32Array | null,
  ): NativeSceneReport;
  /** Puts the moving average in the field's place, or the weights back. False where there is none. */
  sceneUseAverage(session: number, average: boolean): boolean;
  /** Of each picture as it stands now, [pictures][12]: field space → camera space, a row-major rotation and a translation. */
  scenePoses(session: number): Float32Array;
  /** Writes what training continues from and a note, atomically. Throws ERR_DAF_IO. */
  sceneSave(session: number, path: string, note: string): void;
  /** Into a prepared session of the same field, options and images. Throws ERR_DAF_IO, ERR_DAF_BAD_DATA. */
  sceneRestore(session: number, path: string): { step: number; note: string };
  sceneEnd(session: number): void;
}

export interface NativeSceneOptions {
  readonly threads: number;
  readonly seed: number;
  readonly samplesPerStep: number;
  readonly samplesPerEdge: number;
  readonly occupiedDepth: number;
  readonly minWeight: number;
  readonly minTransmittance: number;
  /** 0: `background`; 1: a colour drawn for every ray; 2: a network, learnt with the field and kept with it. */
  readonly backgroundKind: number;
  readonly background: Float32Array;
  /** That the schedule is laid out for; 0: as each run says. */
  readonly totalSteps: number;
  readonly learningRate: number;
  readonly finalRate: number;
  readonly decayBegin: number;
  readonly warmupSteps: number;
  /** 0: no average. */
  readonly averageDecay: number;
  readonly huber: number;
  readonly distortionWeight: number;
  readonly opacityWeight: number;
  readonly variationWeight: number;
  readonly near: number;
  readonly refinePoses: boolean;
}

export interface NativeSceneReport {
  readonly step: number;
  readonly rays: number;
  /** Samples whose density was computed, and those that colour and gradients were computed for. */
  readonly candidates: number;
  readonly samples: number;
  readonly loss: number;
  readonly psnr: number;
  readonly occupied: number;
  /** Where the time of this call went, all threads together. */
  readonly seconds: Readonly<Record<TrainingPhase, number>>;
}

/**
 * rays: drawing and marching, choosing the samples that count; density: of all candidates; learn: forward, loss and backward of those
 * that count; update: sums over threads and samples, Adam; grid: sweeps of the occupancy grid; wait: for other threads.
 */
export type TrainingPhase = 'rays' | 'density' | 'learn' | 'update' | 'grid' | 'wait';

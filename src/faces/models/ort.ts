import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { DafError } from '../../core/contracts/errors.js';

type Ort = typeof import('onnxruntime-node');

let loading: Promise<Ort> | undefined;

/** onnxruntime-node, loaded on first use: it is an optional dependency and costs tens of megabytes. */
export function loadOrt(): Promise<Ort> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Ort> {
  try {
    const module = await import('onnxruntime-node');
    const ort = (module as { default?: Ort }).default ?? module;
    ort.env.logLevel = 'error';
    return ort;
  } catch (cause) {
    loading = undefined;
    throw visionMissing(cause);
  }
}

/** Without loading it, as that costs memory: null, or ERR_DAF_VISION_MISSING where onnxruntime-node is not installed. */
export function ortMissing(): DafError | null {
  try {
    import.meta.resolve('onnxruntime-node');
    return null;
  } catch (cause) {
    return visionMissing(cause);
  }
}

function visionMissing(cause: unknown): DafError {
  return new DafError('ERR_DAF_VISION_MISSING', 'finding faces needs onnxruntime-node, which is not installed or does not load', {
    // Its package holds all that is needed here; its install script would fetch libraries for GPUs.
    hint: 'npm install onnxruntime-node --ignore-scripts',
    cause,
  });
}

/** One model on one thread. */
export interface OnnxSession {
  readonly file: string;
  /** [1, 3, H, W] of the input; null where free. */
  readonly inputHeight: number | null;
  readonly inputWidth: number | null;
  /** Planes [3][height][width] in, outputs by name out; they are copies and stay valid. */
  run(planes: Float32Array, width: number, height: number): Promise<ReadonlyMap<string, Float32Array>>;
  release(): Promise<void>;
}

/**
 * One intra-op thread and no arena: parallelism is the task threads', memory the worker's budget.
 * @throws DafError ERR_DAF_VISION_MISSING, ERR_DAF_BAD_MODEL.
 */
export async function openSession(file: string): Promise<OnnxSession> {
  const ort = await loadOrt();
  let session: InferenceSession;
  try {
    session = await ort.InferenceSession.create(file, {
      executionProviders: ['cpu'],
      executionMode: 'sequential',
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      enableCpuMemArena: false,
      logSeverityLevel: 3,
    });
  } catch (cause) {
    throw new DafError('ERR_DAF_BAD_MODEL', `${file} does not load: ${(cause as Error).message}`, { cause });
  }
  const [input] = session.inputMetadata;
  const shape = input?.isTensor ? input.shape : [];
  const side = (index: number): number | null => (typeof shape[index] === 'number' ? shape[index] : null);
  return {
    file,
    inputHeight: side(2),
    inputWidth: side(3),
    async run(planes, width, height) {
      const feed = new ort.Tensor('float32', planes, [1, 3, height, width]);
      let results: Readonly<Record<string, Tensor>>;
      try {
        results = (await session.run({ [session.inputNames[0]!]: feed })) as Record<string, Tensor>;
      } catch (cause) {
        throw new DafError('ERR_DAF_BAD_MODEL', `${file} does not run: ${(cause as Error).message}`, { cause });
      }
      return new Map(Object.entries(results).map(([name, tensor]) => [name, tensor.data as Float32Array]));
    },
    release: () => session.release(),
  };
}

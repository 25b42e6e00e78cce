import { classicOnnx } from './onnx.js';

const BATCH = 4096;

/** Samples a second of computing time. */
export type Peer = (seconds: number) => Promise<number>;

/**
 * onnxruntime in fp32 on the classic network, on input that is already encoded, in batches of 4096 and one thread; null where
 * it is not installed.
 */
export async function onnxPeer(): Promise<Peer | null> {
  let ort: typeof import('onnxruntime-node');
  try {
    ort = await import('onnxruntime-node');
  } catch {
    return null;
  }
  const session = await ort.InferenceSession.create(classicOnnx(), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
  });
  const noise = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898));
  const feeds = {
    position: new ort.Tensor('float32', noise(BATCH * 63), [BATCH, 63]),
    direction: new ort.Tensor('float32', noise(BATCH * 27), [BATCH, 27]),
  };
  await session.run(feeds);
  return async (seconds) => {
    const begin = process.cpuUsage();
    let samples = 0;
    let elapsed = 0;
    while (elapsed < seconds) {
      await session.run(feeds);
      samples += BATCH;
      const used = process.cpuUsage(begin);
      elapsed = (used.user + used.system) / 1e6;
    }
    return samples / elapsed;
  };
}

/** A rate for people. */
export function show(rate: number): string {
  return rate >= 1e6 ? `${(rate / 1e6).toFixed(2)} M/s` : `${(rate / 1e3).toFixed(1)} k/s`;
}

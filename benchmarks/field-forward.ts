/**
 * Question: how near to the machine's limit do the fields evaluate, on one thread? The limit is measured in the same run (fused multiply-adds in
 * registers), so is the peer (onnxruntime-node on the same network, on input that is already encoded). All are interleaved; medians are printed.
 * Rates are per second of computing time, so that a busy machine does not decide who wins.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { addon } from '#daf/core/addon/index.js';
import { Field } from '#daf/fields/index.js';
import { classicOnnx } from './onnx.js';
import { type BenchOptions, median, type Row, row } from './row.js';

export const group = 'field';
export const name = 'forward';

const QUESTION = 'field forward';
/** Multiply-adds of one sample of the classic field (8×256): as published, and with the linear feature layer folded into the view layer. */
const CLASSIC = 593_408;
const FOLDED = CLASSIC - 256 * 256;
/** What the hash grid reached on a core whose measured peak was 117 G multiply-adds/s. */
const REFERENCE_PEAK = 117e9;
const HASH = { forward: 3.5e6, training: 1.0e6 };
const BATCH = 4096;

interface Rates {
  readonly isa: string;
  readonly peak: number;
  readonly classic: number;
  readonly hashForward: number;
  readonly hashTraining: number;
  readonly onnx: number | null;
}

export async function run(options: BenchOptions): Promise<readonly Row[]> {
  options.log(
    `classic 8×256; hash grid 16 levels × 2 × 2^17, 64-wide networks; onnxruntime batches of ${BATCH}; one thread each`,
  );
  const rows: Row[] = [];
  const best = await measure(options.quick, true);
  rows.push(...rowsOf(best, best.isa === 'avx512' ? 0.95 : 0.92));
  if (best.onnx === null) {
    options.log('onnxruntime-node is not installed: no comparison with it');
  } else {
    rows.push(
      row(
        QUESTION,
        `classic fp32, ${best.isa}`,
        best.classic,
        'samples/s',
        `onnxruntime-node fp32 ${show(best.onnx)}`,
        best.classic / best.onnx,
        1.15,
      ),
    );
  }
  if (best.isa !== 'avx2' && addon().cpuInfo().supported.includes('avx2')) {
    const text = execFileSync(process.execPath, [fileURLToPath(import.meta.url), '--measure', String(options.quick)], {
      env: { ...process.env, DAF_FORCE_ISA: 'avx2' },
      encoding: 'utf8',
    });
    rows.push(...rowsOf(JSON.parse(text) as Rates, 0.92));
  }
  return rows;
}

function rowsOf(rates: Rates, reach: number): Row[] {
  const peak = `FMA peak ${(rates.peak / 1e9).toFixed(1)} G/s`;
  const scaled = rates.peak / REFERENCE_PEAK;
  const hash = (what: 'forward' | 'training', value: number): Row =>
    row(
      QUESTION,
      `hash grid 2^17 ${what}, ${rates.isa}`,
      value,
      'samples/s',
      `${show(HASH[what] * scaled)} (${show(HASH[what])} at 117 G/s, scaled to ${peak})`,
      value / (HASH[what] * scaled),
      1,
    );
  return [
    row(
      QUESTION,
      `classic fp32 folded, encoding included, ${rates.isa}`,
      rates.classic,
      'samples/s',
      peak,
      (rates.classic * FOLDED) / rates.peak,
      reach,
    ),
    hash('forward', rates.hashForward),
    hash('training', rates.hashTraining),
  ];
}

async function measure(quick: boolean, withPeer: boolean): Promise<Rates> {
  const box = { min: [-1, -1, -1], max: [1, 1, 1] } as const;
  using classic = Field.create({ kind: 'classic', box, occupancy: 8 });
  using hash = Field.create({ kind: 'hashgrid', box, occupancy: 8, levels: 16, log2Entries: 17, coarsest: 16, finest: 512 });
  const peer = withPeer ? await onnxPeer() : null;
  const seconds = quick ? 0.05 : 0.4;
  const lists = {
    peak: [] as number[],
    classic: [] as number[],
    forward: [] as number[],
    training: [] as number[],
    onnx: [] as number[],
  };
  for (let round = 0; round < (quick ? 2 : 9); round++) {
    lists.peak.push(addon().measureMultiplyAdds(seconds));
    lists.classic.push(classic.measure(false, seconds));
    if (peer !== null) lists.onnx.push(await peer(seconds));
    lists.forward.push(hash.measure(false, seconds));
    lists.training.push(hash.measure(true, seconds));
  }
  return {
    isa: addon().cpuInfo().isa,
    peak: median(lists.peak),
    classic: median(lists.classic),
    hashForward: median(lists.forward),
    hashTraining: median(lists.training),
    onnx: lists.onnx.length > 0 ? median(lists.onnx) : null,
  };
}

/** Samples a second of onnxruntime on the classic network, or null where it is not installed. */
async function onnxPeer(): Promise<((seconds: number) => Promise<number>) | null> {
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

function show(rate: number): string {
  return rate >= 1e6 ? `${(rate / 1e6).toFixed(2)} M/s` : `${(rate / 1e3).toFixed(1)} k/s`;
}

// As a child: the same measurement under another instruction set.
if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] === '--measure') {
  process.stdout.write(JSON.stringify(await measure(process.argv[3] === 'true', false)));
}

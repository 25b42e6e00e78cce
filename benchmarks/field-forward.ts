/**
 * Question: how near to the machine's limit do the fields evaluate, on one thread? The limit is measured in the same run (fused multiply-adds in
 * registers), so is the peer (onnxruntime-node on the same network, on input that is already encoded). All are interleaved; medians are printed.
 * Rates are per second of computing time, so that a busy machine does not decide who wins.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { addon } from '#daf/core/addon/index.js';
import { Field } from '#daf/fields/index.js';
import { onnxPeer, show } from './peer.js';
import { type BenchOptions, median, type Row, row } from './row.js';

export const group = 'field';
export const name = 'forward';

const QUESTION = 'field forward';
/** Multiply-adds of one sample of the classic field (8×256): as published, and with the linear feature layer folded into the view layer. */
const CLASSIC = 593_408;
const FOLDED = CLASSIC - 256 * 256;
/**
 * What the hash grid is to reach on a core whose peak is 117 G operations/s in fp32. A multiply-add is two of them, and our peak counts
 * multiply-adds: the classic field's 97.7 k samples/s × 593,408 of them were 98 % of that core's.
 */
const REFERENCE_PEAK = 117e9 / 2;
const HASH = { forward: 3.5e6, training: 1.0e6, bf16: 6.0e6 };

interface Rates {
  readonly isa: string;
  readonly peak: number;
  readonly classic: number;
  readonly hashForward: number;
  readonly hashTraining: number;
  /** Null where the instruction set lacks bf16. */
  readonly hashBf16: number | null;
  readonly onnx: number | null;
}

export async function run(options: BenchOptions): Promise<readonly Row[]> {
  options.log(`classic 8×256; hash grid 16 levels × 2 × 2^17, 64-wide networks; one thread each`);
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
  const hash = (what: keyof typeof HASH, value: number): Row =>
    row(
      QUESTION,
      `hash grid 2^17 ${what}, ${rates.isa}`,
      value,
      'samples/s',
      `${show(HASH[what] * scaled)} (${show(HASH[what])} at 117 G operations/s, scaled to ${peak})`,
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
    ...(rates.hashBf16 === null ? [] : [hash('bf16', rates.hashBf16)]),
  ];
}

async function measure(quick: boolean, withPeer: boolean): Promise<Rates> {
  const box = { min: [-1, -1, -1], max: [1, 1, 1] } as const;
  using classic = Field.create({ kind: 'classic', box, occupancy: 8 });
  using hash = Field.create({ kind: 'hashgrid', box, occupancy: 8, levels: 16, log2Entries: 17, coarsest: 16, finest: 512 });
  const peer = withPeer ? await onnxPeer() : null;
  const bf16 = addon().cpuInfo().precisions.includes('bf16');
  const seconds = quick ? 0.05 : 0.4;
  const lists = {
    peak: [] as number[],
    classic: [] as number[],
    forward: [] as number[],
    training: [] as number[],
    bf16: [] as number[],
    onnx: [] as number[],
  };
  for (let round = 0; round < (quick ? 2 : 9); round++) {
    lists.peak.push(addon().measureMultiplyAdds(seconds));
    lists.classic.push(classic.measure('fp32', seconds));
    if (peer !== null) lists.onnx.push(await peer(seconds));
    lists.forward.push(hash.measure('fp32', seconds));
    if (bf16) lists.bf16.push(hash.measure('bf16', seconds));
    lists.training.push(hash.measure('training', seconds));
  }
  return {
    isa: addon().cpuInfo().isa,
    peak: median(lists.peak),
    classic: median(lists.classic),
    hashForward: median(lists.forward),
    hashTraining: median(lists.training),
    hashBf16: bf16 ? median(lists.bf16) : null,
    onnx: lists.onnx.length > 0 ? median(lists.onnx) : null,
  };
}

// As a child: the same measurement under another instruction set.
if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] === '--measure') {
  process.stdout.write(JSON.stringify(await measure(process.argv[3] === 'true', false)));
}

/**
 * Question: what do bf16 and int8 gain, and what do they cost? Rates on one thread against the limit of their products and against
 * onnxruntime-node in fp32 on input that is already encoded, interleaved, medians; agreement of whole pictures with the same field's in fp32,
 * on a head that is trained here for a minute and, where the shared data is there, on the published lego network.
 */
import { fieldBox } from '#daf/avatars/volume.js';
import { addon } from '#daf/core/addon/index.js';
import { importField } from '#daf/fields/import/import-field.js';
import { Field, type FieldCamera, type FieldOptions, type Precision, type RenderLook } from '#daf/fields/index.js';
import { openScene } from '#daf/fields/scenes/open.js';
import { headViews } from './head.js';
import { onnxPeer, show } from './peer.js';
import { type BenchOptions, median, type Row, row } from './row.js';
import { sharedData } from './shared.js';

export const group = 'field';
export const name = 'precision';

/** Multiply-adds of one sample of the classic field (8×256) with the linear feature layer folded into the view layer. */
const FOLDED = 593_408 - 256 * 256;
const LOW = ['bf16', 'int8'] as const;
const AGAINST_ONNX = { bf16: 2.2, int8: 4 } as const;
const AGREEMENT = { bf16: 50, int8: 42 } as const;

export async function run(options: BenchOptions): Promise<readonly Row[]> {
  const { isa, precisions } = addon().cpuInfo();
  if (!precisions.includes('bf16')) {
    options.log(`with ${isa} there is neither bf16 nor int8`);
    return [];
  }
  return [...(await speed(options)), ...agreementOfHeads(options), ...(await agreementOfLego(options))];
}

async function speed(options: BenchOptions): Promise<Row[]> {
  const peer = await onnxPeer();
  if (peer === null) options.log('onnxruntime-node is not installed: no comparison with it');
  using field = Field.create({ kind: 'classic', box: { min: [-1, -1, -1], max: [1, 1, 1] }, occupancy: 8 });
  const seconds = options.quick ? 0.05 : 0.4;
  const onnx: number[] = [];
  const rates = { bf16: [] as number[], int8: [] as number[] };
  const limits = { bf16: [] as number[], int8: [] as number[] };
  for (let round = 0; round < (options.quick ? 2 : 9); round++) {
    if (peer !== null) onnx.push(await peer(seconds));
    for (const precision of LOW) {
      limits[precision].push(addon().measureDots(precision, seconds));
      rates[precision].push(field.measure(precision, seconds));
    }
  }
  return LOW.flatMap((precision) => {
    const rate = median(rates[precision]);
    const limit = median(limits[precision]);
    const what = `classic 8×256 folded, ${precision}, encoding included`;
    const rows = [
      row(
        'field precision',
        what,
        rate,
        'samples/s',
        `${precision} peak ${(limit / 1e9).toFixed(0)} G/s`,
        (rate * FOLDED) / limit,
        null,
      ),
    ];
    if (peer !== null) {
      const against = `onnxruntime-node fp32 ${show(median(onnx))}`;
      rows.push(row('field precision', what, rate, 'samples/s', against, rate / median(onnx), AGAINST_ONNX[precision]));
    }
    return rows;
  });
}

function agreementOfHeads(options: BenchOptions): Row[] {
  const size = options.quick ? 32 : 96;
  const { views, surface } = headViews(options.quick ? 8 : 24, size);
  const box = fieldBox(surface);
  const cameras = [1, 2].map((i) => views[i]!.camera);
  const trained = (shape: FieldOptions, steps: number): Field => {
    const field = Field.create(shape);
    using session = field.train(views, { totalSteps: steps });
    const report = session.run(steps);
    options.log(`${shape.kind}: ${steps} steps, loss ${report.loss.toExponential(2)}`);
    return field;
  };
  using classic = trained({ kind: 'classic', box }, options.quick ? 4 : 900);
  using hash = trained({ kind: 'hashgrid', box }, options.quick ? 20 : 600);
  return [
    ...LOW.map((precision) => agreement(classic, 'a trained 8×256 head', cameras, precision, {})),
    agreement(hash, 'a trained hash grid of the head', cameras, 'bf16', {}),
  ];
}

async function agreementOfLego(options: BenchOptions): Promise<Row[]> {
  const weights = sharedData('scenes/lego-checkpoint-128x4/weights_f32.npz');
  const tiny = sharedData('scenes/tiny-lego');
  if (weights === null || tiny === null) {
    options.log('no shared data: nothing about the published lego network');
    return [];
  }
  const { field } = importField(weights);
  using _ = field;
  const scene = await openScene(tiny, { split: 'test' });
  const cameras = scene.frames.slice(0, options.quick ? 1 : 3).map((frame) => frame.camera);
  const look = { near: 2, far: 6, samplesPerRay: 192 };
  return LOW.map((precision) => agreement(field, 'the published lego network', cameras, precision, look));
}

/** PSNR of the float colours over black against the same pictures in fp32. */
function agreement(
  field: Field,
  what: string,
  cameras: readonly FieldCamera[],
  precision: 'bf16' | 'int8',
  look: RenderLook,
): Row {
  let squares = 0;
  let values = 0;
  for (const camera of cameras) {
    const picture = (as: Precision): Float32Array =>
      field.render(camera, { ...look, background: [0, 0, 0], floats: true, precision: as }).color!;
    const [exact, rounded] = [picture('fp32'), picture(precision)];
    for (let i = 0; i < exact.length; i++) squares += (exact[i]! - rounded[i]!) ** 2;
    values += exact.length;
  }
  const decibels = -10 * Math.log10(squares / values);
  const reach = AGREEMENT[precision];
  return row(
    'field precision: agreement',
    `${what}, ${precision}, ${cameras.length} views`,
    decibels,
    'dB',
    `the same picture in fp32, ${reach} dB wanted`,
    decibels / reach,
    1,
  );
}

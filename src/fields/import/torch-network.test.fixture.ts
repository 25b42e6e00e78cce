import { floats, npy, zip } from '../formats/npz.test.fixture.js';

/** A Linear as PyTorch keeps it. */
export interface TorchLinear {
  readonly out: number;
  readonly in: number;
  /** [out][in] */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

export type TorchWeights = Record<string, TorchLinear>;

/** Weights as a seed gives them, by name and shape [out, in]. */
export function randomWeights(shapes: Readonly<Record<string, readonly [number, number]>>, seed = 1): TorchWeights {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  return Object.fromEntries(
    Object.entries(shapes).map(([name, [out, inputs]]) => {
      const bound = Math.sqrt(6 / inputs);
      const weight = Float32Array.from({ length: out * inputs }, () => next() * bound);
      return [name, { out, in: inputs, weight, bias: Float32Array.from({ length: out }, next) }];
    }),
  );
}

export function linear(layer: TorchLinear, input: readonly number[]): number[] {
  if (input.length !== layer.in) throw new Error(`${input.length} inputs for a layer of ${layer.in}`);
  return Array.from(layer.bias, (bias, o) => input.reduce((sum, x, i) => sum + x * layer.weight[o * layer.in + i]!, bias));
}

export const relu = (values: readonly number[]): number[] => values.map((value) => Math.max(value, 0));
export const sigmoid = (values: readonly number[]): number[] => values.map((value) => 1 / (1 + Math.exp(-value)));

/** [x], then for each frequency sines and cosines of all axes. */
export function encode(point: readonly number[], frequencies: number, raw = true): number[] {
  const rows = Array.from({ length: frequencies }, (_, k) => [
    ...point.map((x) => Math.sin(2 ** k * x)),
    ...point.map((x) => Math.cos(2 ** k * x)),
  ]);
  return [...(raw ? point : []), ...rows.flat()];
}

export function toNpz(weights: TorchWeights): Buffer {
  return zip(
    Object.fromEntries(
      Object.entries(weights).flatMap(([name, layer]) => [
        [`${name}.weight.npy`, npy({ descr: '<f4', shape: [layer.out, layer.in], data: floats(...layer.weight) })],
        [`${name}.bias.npy`, npy({ descr: '<f4', shape: [layer.out], data: floats(...layer.bias) })],
      ]),
    ),
  );
}

export function toSafetensors(weights: TorchWeights): Buffer {
  const header: Record<string, object> = {};
  const parts: Uint8Array[] = [];
  let offset = 0;
  const add = (name: string, shape: number[], data: Float32Array): void => {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] };
    parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    offset += data.byteLength;
  };
  for (const [name, layer] of Object.entries(weights)) {
    add(`${name}.weight`, [layer.out, layer.in], layer.weight);
    add(`${name}.bias`, [layer.out], layer.bias);
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...parts]);
}

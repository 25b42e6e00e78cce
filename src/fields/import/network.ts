import type { NativeTensor } from '../../core/addon/index.js';
import { badData } from '../formats/bad-data.js';
import type { ClassicOptions } from '../types.js';
import type { FoundLayers } from './find-layers.js';
import type { WeightFile } from './weights.js';

interface Layer {
  readonly name: string;
  readonly out: number;
  readonly in: number;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** What a weight file's layers are as a classic field. */
export interface ImportedNetwork {
  /** The architecture, read from the layers' shapes and the key map. */
  readonly options: ClassicOptions;
  /** Named and shaped as in a classic field's checkpoint; densities per unit of the coordinates. */
  readonly tensors: readonly NativeTensor[];
}

/**
 * Reads a network's layers and puts their rows and columns in the order of a classic field's checkpoint.
 * @throws DafError ERR_DAF_BAD_DATA naming the layer whose shape does not fit the others.
 */
export function readNetwork(file: WeightFile, { map, prefix, hidden }: FoundLayers): ImportedNetwork {
  const trunk = hidden.map((name) => readLayer(file, name));
  const first = trunk[0];
  if (first === undefined) throw badData(`there is no hidden layer ${prefix}${map.hidden[0]}`);
  const width = first.out;
  const feature = readLayer(file, prefix + map.feature);
  const density = readLayer(file, prefix + map.density);
  const view = readLayer(file, prefix + map.view);
  const color = readLayer(file, prefix + map.color);
  for (const layer of [...trunk, feature]) expectOutputs(layer, width, 'the width of the hidden layers');
  for (const layer of [feature, density]) expectInputs(layer, width, 'the width of the hidden layers');
  expectOutputs(density, 1, 'one density');
  expectOutputs(color, 3, 'red, green and blue');
  expectInputs(color, view.out, `the outputs of ${view.name}`);
  const position = encoding(first, first.in);
  const direction = encoding(view, view.in - width);
  const skips: number[] = [];
  for (const [l, layer] of trunk.entries()) {
    if (l === 0 || layer.in === width) continue;
    expectInputs(layer, first.in + width, `the width of the hidden layers, ${width}, or that and the encoded position`);
    skips.push(l);
  }
  const hiddenFirst = map.skipOrder === 'hidden-first';
  return {
    options: {
      kind: 'classic',
      width,
      depth: trunk.length,
      positionFrequencies: position.frequencies,
      directionFrequencies: direction.frequencies,
      viewWidth: view.out,
      skips,
      linearLayers: map.linearLayers ?? [],
      featureActivation: map.featureActivation ?? 'linear',
      densityActivation: map.densityActivation ?? 'relu',
      rawPosition: position.raw,
      rawDirection: direction.raw,
      coordinates: 'world',
      coordinateScale: map.coordinateScale ?? 1,
    },
    tensors: [
      ...trunk.flatMap((layer, l) => tensors(`trunk.${l}`, hiddenFirst && skips.includes(l) ? rotated(layer, width) : layer)),
      ...tensors('head', stacked(feature, density)),
      ...tensors('view', view),
      ...tensors('rgb', color),
    ],
  };
}

function readLayer(file: WeightFile, name: string): Layer {
  const weight = file.read(`${name}.weight`);
  const bias = file.read(`${name}.bias`);
  const [out, inputs] = weight.shape;
  if (
    weight.shape.length !== 2 ||
    out === undefined ||
    inputs === undefined ||
    bias.shape.length !== 1 ||
    bias.shape[0] !== out
  ) {
    const shapes = `[${weight.shape.join(', ')}] and [${bias.shape.join(', ')}]`;
    throw badData(`layer ${name}: weight and bias of shapes ${shapes} are not [out, in] and [out]`);
  }
  return { name, out, in: inputs, weight: weight.data, bias: bias.data };
}

function expectInputs(layer: Layer, inputs: number, what: string): void {
  if (layer.in !== inputs) throw badData(`layer ${layer.name} has ${layer.in} inputs; expected ${what}${hint(inputs, what)}`);
}

function expectOutputs(layer: Layer, outputs: number, what: string): void {
  if (layer.out !== outputs)
    throw badData(`layer ${layer.name} has ${layer.out} outputs; expected ${what}${hint(outputs, what)}`);
}

function hint(count: number, what: string): string {
  return what.includes(String(count)) ? '' : `, ${count}`;
}

/** How many inputs an encoding has tells its frequencies, and whether the input itself is among them. */
function encoding(layer: Layer, inputs: number): { frequencies: number; raw: boolean } {
  const raw = inputs % 6 === 3;
  if (inputs < 3 || (!raw && inputs % 6 !== 0)) {
    throw badData(
      `layer ${layer.name}: ${inputs} of its inputs should be an encoding, which has 6 a frequency and 3 for its input`,
    );
  }
  return { frequencies: (inputs - (raw ? 3 : 0)) / 6, raw };
}

/** The first `count` columns moved behind the others. */
function rotated(layer: Layer, count: number): Layer {
  const weight = new Float32Array(layer.weight.length);
  for (let o = 0; o < layer.out; o++) {
    const row = layer.weight.subarray(o * layer.in, (o + 1) * layer.in);
    weight.set(row.subarray(count), o * layer.in);
    weight.set(row.subarray(0, count), (o + 1) * layer.in - count);
  }
  return { ...layer, weight };
}

/** The outputs of one layer, then those of another of the same input. */
function stacked(a: Layer, b: Layer): Layer {
  const join = (x: Float32Array, y: Float32Array): Float32Array => {
    const both = new Float32Array(x.length + y.length);
    both.set(x);
    both.set(y, x.length);
    return both;
  };
  return { ...a, out: a.out + b.out, weight: join(a.weight, b.weight), bias: join(a.bias, b.bias) };
}

function tensors(name: string, layer: Layer): NativeTensor[] {
  return [
    { name: `${name}.weight`, shape: [layer.out, layer.in], data: layer.weight },
    { name: `${name}.bias`, shape: [layer.out], data: layer.bias },
  ];
}

import type { NativeTensor } from '../../core/addon/index.js';
import { Field } from '../field.js';
import { badData } from '../formats/bad-data.js';
import type { ClassicOptions, FieldBox } from '../types.js';
import { type FoundLayers, findLayers } from './find-layers.js';
import type { KeyMap } from './key-map.js';
import { type ImportedNetwork, readNetwork } from './network.js';
import { openWeights, type WeightFile } from './weights.js';

export interface ImportOptions {
  /** Where the scene lies, in the coordinates that the network was trained in; empty outside. @defaultValue ±1.5 on every axis, as the Blender scenes */
  readonly box?: FieldBox;
  /** For names of none of the known layouts. */
  readonly keyMap?: KeyMap;
  /** Of the layers' names, where the file holds several networks. @defaultValue the only one, or the one that says `fine` */
  readonly prefix?: string;
  /** Of a second network's names in the file, of the same shape: the coarse one, which says where the other is asked. @defaultValue none */
  readonly coarsePrefix?: string;
  /** Cells of the occupancy grid along each axis: fine ones, since it is made in one sweep. @defaultValue 128 */
  readonly occupancy?: number;
}

export interface ImportedField {
  readonly field: Field;
  /** The known layout that fitted, or null with a key map. */
  readonly layout: string | null;
  readonly prefix: string;
  readonly options: ClassicOptions;
}

const DEFAULT_BOX: FieldBox = { min: [-1.5, -1.5, -1.5], max: [1.5, 1.5, 1.5] };

/**
 * A classic field from the weights of a PyTorch-style NeRF, `.npz` or safetensors; docs/fields.md lists the names that are known.
 * @throws DafError ERR_DAF_NOT_FOUND, ERR_DAF_IO; ERR_DAF_BAD_DATA: not weights, unknown names, shapes that do not fit; ERR_DAF_BAD_OPTION,
 * ERR_DAF_BAD_ARGUMENT: a box or an architecture that cannot be.
 */
export function importField(path: string, options: ImportOptions = {}): ImportedField {
  using file = openWeights(path);
  const layers = findLayers(path, file.names, options.keyMap ?? null, options.prefix ?? null);
  const network = readNetwork(file, layers);
  const coarse = options.coarsePrefix === undefined ? null : coarseNetwork(path, file, layers, options.coarsePrefix);
  if (coarse !== null && JSON.stringify(coarse.options) !== JSON.stringify(network.options)) {
    throw badData(`${path}: the networks behind "${layers.prefix}" and "${options.coarsePrefix}" have different shapes`);
  }
  const box = options.box ?? DEFAULT_BOX;
  const field = Field.create({ ...network.options, coarse: coarse !== null, box, occupancy: options.occupancy ?? 128 });
  try {
    const second = (coarse?.tensors ?? []).map((tensor) => ({
      ...perEdge(tensor, network.options, box),
      name: `coarse.${tensor.name}`,
    }));
    field.assign([...network.tensors.map((tensor) => perEdge(tensor, network.options, box)), ...second]);
  } catch (error) {
    field.dispose();
    throw error;
  }
  return { field, layout: layers.layout, prefix: layers.prefix, options: network.options };
}

function coarseNetwork(path: string, file: WeightFile, { map }: FoundLayers, prefix: string): ImportedNetwork {
  return readNetwork(file, findLayers(path, file.names, map, prefix));
}

/** Fields keep densities per box edge; the networks' are per unit of length. The density is the last row of the head. */
function perEdge(tensor: NativeTensor, { densityActivation }: ClassicOptions, box: FieldBox): NativeTensor {
  if (!tensor.name.startsWith('head.')) return tensor;
  const edge = Math.max(...box.max.map((max, axis) => max - box.min[axis]!));
  const data = tensor.data.slice();
  const last = data.subarray(data.length - data.length / tensor.shape[0]!);
  if (densityActivation === 'relu') last.set(last.map((value) => value * edge));
  else if (tensor.name === 'head.bias') last[0]! += Math.log(edge);
  return { ...tensor, data };
}

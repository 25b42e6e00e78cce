import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DafError } from '../../core/contracts/errors.js';
import { floatToHalf, halfToFloat } from './half.js';

/** What DAF knows of ICT-FaceKit's topology and cannot read from its files. */
export interface IctLayout {
  readonly positions: number;
  /** Vertices before this one are the face: the jaw's outline is looked for among them. */
  readonly face: number;
  /** Name and end of the vertices, ascending; what lies past the last is not used. */
  readonly parts: readonly (readonly [name: string, end: number])[];
}

/** Of the repository at commit da5f95a6. Past the eyeballs lie tear film, occlusion and lashes. */
export const ICT_LAYOUT: IctLayout = {
  positions: 26_719,
  face: 9409,
  parts: [
    ['skin', 11_248],
    ['mouth', 13_294],
    ['socket', 14_062],
    ['mouth_gums', 17_039],
    ['teeth', 21_451],
    ['eye', 24_591],
  ],
};

export interface IctFace {
  readonly material: string;
  /** Vertex and texture index of each corner, from 0. */
  readonly corners: readonly (readonly [number, number])[];
}

/** Shapes as offsets from the neutral face, half precision: [shapes][positions][3]. */
export interface IctShapes {
  readonly names: readonly string[];
  readonly deltas: Uint16Array;
}

export interface IctSource {
  /** [positions][3] cm. */
  readonly neutral: Float32Array;
  readonly uvs: readonly (readonly [number, number])[];
  readonly faces: readonly IctFace[];
  /** iBUG order. */
  readonly landmarks: readonly number[];
  readonly identity: IctShapes;
  readonly expression: IctShapes;
}

const MESH = 'generic_neutral_mesh.obj';
const LISTS = 'vertex_indices.json';
const MAX_IDENTITIES = 100;

/** The folder that holds the model's files: `folder` itself or its FaceXModel; null where neither does. */
export async function ictFolder(folder: string): Promise<string | null> {
  for (const place of [folder, join(folder, 'FaceXModel')]) {
    const there = await Promise.all([MESH, LISTS].map((name) => stat(join(place, name)).catch(() => null)));
    if (there.every((info) => info?.isFile())) return place;
  }
  return null;
}

/**
 * Reads ICT-FaceKit as its authors publish it (an OBJ a shape) or packed (names.json beside arrays of halves).
 * @param folder as {@link ictFolder} found it.
 * @throws DafError ERR_DAF_BAD_MODEL naming the file, with what was expected.
 */
export async function readIct(
  folder: string,
  layout: IctLayout = ICT_LAYOUT,
  checkCancelled = (): void => {},
): Promise<IctSource> {
  const lists = await readJson(folder, LISTS);
  const landmarks = lists['idx_to_landmark_verts'];
  if (
    !isList(landmarks, (v) => Number.isInteger(v) && (v as number) >= 0 && (v as number) < layout.positions) ||
    landmarks.length !== 68
  ) {
    throw bad(folder, LISTS, `idx_to_landmark_verts is no list of 68 vertices below ${layout.positions}`);
  }
  const mesh = readObj(folder, MESH, await readText(folder, MESH), layout);
  const packed = (await stat(join(folder, 'names.json')).catch(() => null)) !== null;
  const shapes = packed
    ? await readPacked(folder, layout)
    : await readPublished(folder, lists['expressions'], mesh.positions, layout, checkCancelled);
  return { neutral: mesh.positions, uvs: mesh.uvs, faces: mesh.faces, landmarks: landmarks as number[], ...shapes };
}

type Shapes = Pick<IctSource, 'identity' | 'expression'>;

async function readPacked(folder: string, layout: IctLayout): Promise<Shapes> {
  const names = await readJson(folder, 'names.json');
  const read = async (kind: 'identity' | 'expression', list: unknown): Promise<IctShapes> => {
    if (!isList(list, (name) => typeof name === 'string') || list.length === 0)
      throw bad(folder, 'names.json', `no list of ${kind} shapes`);
    const file = `${kind}_delta_${list.length}x${layout.positions}x3_f16.bin`;
    const bytes = await readBytes(folder, file);
    const wanted = 2 * 3 * layout.positions * list.length;
    if (bytes.length !== wanted) throw bad(folder, file, `${bytes.length} bytes, expected ${wanted}`);
    const deltas = new Uint16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    if (deltas.some((half) => (half & 0x7c00) === 0x7c00)) throw bad(folder, file, 'holds a number that is not finite');
    return { names: list as string[], deltas };
  };
  return { identity: await read('identity', names['identity']), expression: await read('expression', names['expressions']) };
}

async function readPublished(
  folder: string,
  expressions: unknown,
  neutral: Float32Array,
  layout: IctLayout,
  checkCancelled: () => void,
): Promise<Shapes> {
  if (!isList(expressions, (name) => typeof name === 'string' && /^\w+$/.test(name)) || expressions.length === 0) {
    throw bad(folder, LISTS, 'no list of expressions');
  }
  const read = async (names: readonly string[]): Promise<IctShapes> => {
    const deltas = new Uint16Array(names.length * neutral.length);
    for (const [i, name] of names.entries()) {
      checkCancelled();
      const { positions } = readObj(folder, `${name}.obj`, await readText(folder, `${name}.obj`), layout);
      positions.forEach((value, k) => {
        deltas[i * neutral.length + k] = floatToHalf(value - neutral[k]!);
      });
    }
    return { names, deltas };
  };
  const identities: string[] = [];
  for (let i = 0; i < MAX_IDENTITIES; i++) {
    const name = `identity${String(i).padStart(3, '0')}`;
    if ((await stat(join(folder, `${name}.obj`)).catch(() => null)) === null) break;
    identities.push(name);
  }
  if (identities.length === 0) throw bad(folder, 'identity000.obj', 'is missing, so there are no identity shapes');
  return { identity: await read(identities), expression: await read(expressions as string[]) };
}

interface ObjMesh {
  readonly positions: Float32Array;
  readonly uvs: [number, number][];
  readonly faces: IctFace[];
}

function readObj(folder: string, file: string, text: string, layout: IctLayout): ObjMesh {
  const positions: number[] = [];
  const uvs: [number, number][] = [];
  const faces: IctFace[] = [];
  let material = '';
  for (const line of text.split('\n')) {
    const [kind, ...words] = line.trim().split(/\s+/);
    if (kind === 'v') positions.push(...words.slice(0, 3).map(Number));
    else if (kind === 'vt') uvs.push([Number(words[0]), Number(words[1])]);
    else if (kind === 'usemtl') material = words[0] ?? '';
    else if (kind === 'f') faces.push({ material, corners: words.map((word) => cornerOf(word)) });
  }
  const found = Math.floor(positions.length / 3);
  if (found !== layout.positions) throw bad(folder, file, `${found} vertices, expected ${layout.positions}`);
  if (!positions.every(Number.isFinite) || !uvs.flat().every(Number.isFinite)) throw bad(folder, file, 'holds what is no number');
  const inside = ([v, t]: readonly [number, number]): boolean => v >= 0 && v < found && (t === -1 || (t >= 0 && t < uvs.length));
  if (!faces.every(({ corners }) => corners.length >= 3 && corners.every(inside)))
    throw bad(folder, file, 'a face names what is not there');
  return { positions: Float32Array.from(positions), uvs, faces };
}

function cornerOf(word: string): [number, number] {
  const [v, t] = word.split('/');
  return [Number(v) - 1, t ? Number(t) - 1 : -1];
}

/** [positions][3] of one shape. */
export function deltaOf({ deltas }: IctShapes, index: number, floats: number): Float32Array {
  return Float32Array.from(deltas.subarray(index * floats, (index + 1) * floats), halfToFloat);
}

function isList(value: unknown, each: (item: unknown) => boolean): value is unknown[] {
  return Array.isArray(value) && value.every(each);
}

async function readJson(folder: string, file: string): Promise<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(await readText(folder, file));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (cause) {
    if (DafError.is(cause)) throw cause;
  }
  throw bad(folder, file, 'is no JSON object');
}

async function readText(folder: string, file: string): Promise<string> {
  return (await readBytes(folder, file)).toString('utf8');
}

async function readBytes(folder: string, file: string): Promise<Buffer> {
  try {
    return await readFile(join(folder, file));
  } catch (cause) {
    const error = DafError.from(cause, 'ERR_DAF_IO');
    throw error.code === 'ERR_DAF_NOT_FOUND' ? bad(folder, file, 'is missing') : error;
  }
}

function bad(folder: string, file: string, what: string): DafError {
  return new DafError('ERR_DAF_BAD_MODEL', `${join(folder, file)}: ${what}`, {
    hint: 'give a checkout of ICT-FaceKit (its FaceXModel folder) whose files are whole; Git LFS pointers must be fetched',
  });
}

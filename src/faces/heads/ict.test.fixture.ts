import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { floatToHalf } from './half.js';
import type { IctLayout } from './ict-source.js';

/** A made-up head in ICT-FaceKit's format: ten squares of four vertices, each of its own material or part. */
export const SMALL_LAYOUT: IctLayout = {
  positions: 40,
  face: 8,
  parts: [
    ['skin', 12],
    ['mouth', 16],
    ['socket', 20],
    ['mouth_gums', 24],
    ['teeth', 28],
    ['eye', 36],
  ],
};

/** Material, UV tile, middle x, y, z of each square. */
const SQUARES: readonly (readonly [string, number, number, number, number])[] = [
  ['M_Face', 0, 0, 2, 12],
  ['M_Face', 0, 0, -2, 12],
  ['M_BackHead', 1, 0, 0, -8],
  ['M_BackHead', 1, 0, -4, 6],
  ['M_BackHead', 1, 0, 1, 8],
  ['M_GumsTongue', 2, 0, -5, 7],
  ['M_Teeth', 3, 0, -4.5, 9],
  ['M_ScleraRight', 0, -3, 1, 9],
  ['M_ScleraLeft', 0, 3, 1, 9],
  ['M_EyeLashes', 6, 0, 1, 13],
];

export const SMALL_EXPRESSIONS = [
  'browInnerUp_L',
  'browInnerUp_R',
  'cheekRaiser_L',
  'eyeBlink_L',
  'eyeBlink_R',
  'eyeLookOut_L',
  'jawOpen',
];
export const SMALL_IDENTITIES = ['identity000', 'identity001', 'identity002'];

export function smallNeutral(): Float32Array {
  const corners = [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
  ];
  return Float32Array.from(SQUARES.flatMap(([, , x, y, z]) => corners.flatMap(([dx, dy]) => [x + dx!, y + dy!, z])));
}

/** Of shape number i: exact in half precision. */
export function smallDelta(i: number): Float32Array {
  return smallNeutral().map((_, k) => ((k * 7 + i * 5) % 9) / 8 - 0.5);
}

function objText(positions: Float32Array): string {
  const lines: string[] = ['# made up'];
  for (let v = 0; v < positions.length; v += 3) lines.push(`v ${positions[v]} ${positions[v + 1]} ${positions[v + 2]}`);
  SQUARES.forEach(([material, tile], i) => {
    // Two squares share the first tile, side by side.
    const [left, right] = material === 'M_Face' ? [0.05 + 0.5 * i, 0.45 + 0.5 * i] : [0.1, 0.9];
    const low = 0.1 + 0.25 * ([2, 3, 4].indexOf(i) + 1);
    for (const [u, v] of [
      [left, low],
      [right, low],
      [right, low + 0.1],
      [left, low + 0.1],
    ]) {
      lines.push(`vt ${tile + u!} ${v}`);
    }
    lines.push(`usemtl ${material}`, `f ${[1, 2, 3, 4].map((k) => `${4 * i + k}/${4 * i + k}/1`).join(' ')}`);
  });
  return `${lines.join('\n')}\n`;
}

const landmarkList = (): number[] => Array.from({ length: 68 }, (_, i) => i % 8);

/** As the authors publish it: FaceXModel with an OBJ a shape, LICENSE above. */
export async function writePublishedIct(folder: string): Promise<void> {
  const place = join(folder, 'FaceXModel');
  await mkdir(place, { recursive: true });
  const neutral = smallNeutral();
  await writeFile(join(folder, 'LICENSE'), 'MIT License\n');
  await writeFile(join(place, 'generic_neutral_mesh.obj'), objText(neutral));
  const lists = { expressions: SMALL_EXPRESSIONS, idx_to_landmark_verts: landmarkList() };
  await writeFile(join(place, 'vertex_indices.json'), JSON.stringify(lists));
  for (const [i, name] of [...SMALL_IDENTITIES, ...SMALL_EXPRESSIONS].entries()) {
    const delta = smallDelta(i);
    await writeFile(join(place, `${name}.obj`), objText(neutral.map((value, k) => value + delta[k]!)));
  }
}

/** The same head packed into arrays of halves. */
export async function writePackedIct(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'generic_neutral_mesh.obj'), objText(smallNeutral()));
  await writeFile(join(folder, 'vertex_indices.json'), JSON.stringify({ idx_to_landmark_verts: landmarkList() }));
  await writeFile(join(folder, 'names.json'), JSON.stringify({ identity: SMALL_IDENTITIES, expressions: SMALL_EXPRESSIONS }));
  let shape = 0;
  for (const [kind, list] of [
    ['identity', SMALL_IDENTITIES],
    ['expression', SMALL_EXPRESSIONS],
  ] as const) {
    const halves = list.flatMap(() => Array.from(smallDelta(shape++), floatToHalf));
    await writeFile(join(folder, `${kind}_delta_${list.length}x40x3_f16.bin`), new Uint8Array(Uint16Array.from(halves).buffer));
  }
}

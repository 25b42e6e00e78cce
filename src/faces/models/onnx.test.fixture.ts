/** Writes small ONNX models whose outputs are constants: enough to try everything around a model without anybody's weights. */

type Bytes = Uint8Array;

function varint(value: number): number[] {
  const out: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...out, rest];
    out.push((rest % 128) + 128);
  }
}

const number = (field: number, value: number): Bytes => Uint8Array.from([...varint(field * 8), ...varint(value)]);

function message(field: number, ...parts: (Bytes | string)[]): Bytes {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  return Buffer.concat([Uint8Array.from([...varint(field * 8 + 2), ...varint(body.length)]), body]);
}

export interface Tensor {
  readonly name: string;
  /** null: free. */
  readonly dims: readonly (number | null)[];
  /** @defaultValue zeros */
  readonly values?: Float32Array | undefined;
}

function declaration(field: number, { name, dims }: Tensor): Bytes {
  const shape = dims.map((dim) => (dim === null ? message(1, message(2, 'free')) : message(1, number(1, dim))));
  return message(field, message(1, name), message(2, message(1, number(1, 1), message(2, ...shape))));
}

/** @param weightsAsInputs lists the constants among the inputs too, as older exporters do. */
export function constantModel(input: Tensor, outputs: readonly Tensor[], weightsAsInputs = false): Uint8Array {
  const weights = outputs.map((output) => ({ ...output, name: `${output.name}_weights` }));
  const graph = [
    ...outputs.map((output) => message(1, message(1, `${output.name}_weights`), message(2, output.name), message(4, 'Identity'))),
    message(2, 'constant'),
    ...weights.map(({ name, dims, values }) => {
      const sizes = dims.map((dim) => dim ?? 1);
      const data = values ?? new Float32Array(sizes.reduce((product, size) => product * size, 1));
      const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      return message(5, ...sizes.map((size) => number(1, size)), number(2, 1), message(8, name), message(9, raw));
    }),
    declaration(11, input),
    ...(weightsAsInputs ? weights.map((weight) => declaration(11, weight)) : []),
    ...outputs.map((output) => declaration(12, output)),
  ];
  return Buffer.concat([number(1, 8), message(7, ...graph), message(8, message(1, ''), number(2, 13))]);
}

/** One face as YuNet says it: cell (column, row) of stride 16 on a 320×320 canvas. */
export interface YunetCell {
  readonly column: number;
  readonly row: number;
  readonly score: number;
  /** Of the box, in canvas pixels, centred on the cell's corner plus half a stride. */
  readonly size: number;
  /** Turn of the eye line, radians. */
  readonly roll: number;
}

export function yunetModel(cells: readonly YunetCell[]): Uint8Array {
  const outputs: Tensor[] = [];
  for (const stride of [8, 16, 32]) {
    const columns = 320 / stride;
    const count = columns * columns;
    const cls = new Float32Array(count);
    const box = new Float32Array(4 * count);
    const kps = new Float32Array(10 * count);
    for (const cell of stride === 16 ? cells : []) {
      const i = cell.row * columns + cell.column;
      cls[i] = cell.score;
      box.set([0.5, 0.5, Math.log(cell.size / stride), Math.log(cell.size / stride)], 4 * i);
      kps.set([-Math.cos(cell.roll), -Math.sin(cell.roll), Math.cos(cell.roll), Math.sin(cell.roll)], 10 * i);
    }
    outputs.push(
      { name: `cls_${stride}`, dims: [1, count, 1], values: cls },
      { name: `obj_${stride}`, dims: [1, count, 1], values: cls },
      { name: `bbox_${stride}`, dims: [1, count, 4], values: box },
      { name: `kps_${stride}`, dims: [1, count, 10], values: kps },
    );
  }
  return constantModel({ name: 'input', dims: [1, 3, 320, 320] }, outputs);
}

/** UltraFace with these (x0, y0, x1, y1, score), normalised. */
export function ultrafaceModel(faces: readonly (readonly [number, number, number, number, number])[]): Uint8Array {
  const count = 20;
  const scores = new Float32Array(2 * count);
  const boxes = new Float32Array(4 * count);
  for (const [i, face] of faces.entries()) {
    scores.set([1 - face[4], face[4]], 2 * i);
    boxes.set(face.slice(0, 4), 4 * i);
  }
  return constantModel({ name: 'input', dims: [1, 3, 240, 320] }, [
    { name: 'scores', dims: [1, count, 2], values: scores },
    { name: 'boxes', dims: [1, count, 4], values: boxes },
  ]);
}

/** Peppa that always sees these 68 points, 0…1 of its canvas: [136]. */
export function peppaModel(points: ArrayLike<number>): Uint8Array {
  const values = new Float32Array(143);
  values.set(points);
  return constantModel({ name: 'input1', dims: [1, 3, 160, 160] }, [{ name: 'output1', dims: [1, 143], values }], true);
}

/** DAF's own landmarker that always sees these 68 points, 0…1 of its square: [136], and a face with this chance. */
export function daf68Model(points: ArrayLike<number>, face = 0.9): Uint8Array {
  return constantModel({ name: 'input', dims: [1, 3, 64, 64] }, [
    { name: 'points', dims: [1, 136], values: Float32Array.from(points) },
    { name: 'face', dims: [1, 1], values: Float32Array.of(face) },
  ]);
}

/** A frontal face in iBUG order, about 0…1 on both axes, its two halves mirror images. */
export function facePoints(): Float32Array {
  const half: [number, number][] = [];
  for (let i = 0; i <= 8; ++i)
    half.push([0.5 - 0.5 * Math.cos((i / 8) * (Math.PI / 2)), 0.25 + 0.75 * Math.sin((i / 8) * (Math.PI / 2))]);
  const mirror = ([x, y]: readonly [number, number]): [number, number] => [1 - x, y];
  const jaw = [...half, ...half.slice(0, 8).reverse().map(mirror)];
  const brow: [number, number][] = [0, 1, 2, 3, 4].map((i) => [0.12 + 0.065 * i, 0.06 - 0.06 * Math.sin((Math.PI * i) / 4)]);
  const bridge: [number, number][] = [0, 1, 2, 3].map((i) => [0.5, 0.17 + 0.1 * i]);
  const wing: [number, number][] = [0, 1].map((i) => [0.42 + 0.04 * i, 0.53 + 0.01 * i]);
  const eye: [number, number][] = [
    [0.2, 0.19],
    [0.25, 0.16],
    [0.31, 0.16],
    [0.36, 0.2],
    [0.31, 0.21],
    [0.25, 0.21],
  ];
  const eyeOrder = [3, 2, 1, 0, 5, 4];
  const around = (rx: number, ry: number, count: number): [number, number][] =>
    Array.from({ length: count }, (_, i): [number, number] => [
      0.5 - rx * Math.cos((2 * Math.PI * i) / count),
      0.74 - ry * Math.sin((2 * Math.PI * i) / count),
    ]);
  const all = [
    ...jaw,
    ...brow,
    ...brow.map(mirror).reverse(),
    ...bridge,
    ...wing,
    [0.5, 0.56],
    ...wing.map(mirror).reverse(),
    ...eye,
    ...eyeOrder.map((i) => mirror(eye[i]!)),
    ...around(0.17, 0.07, 12),
    ...around(0.13, 0.03, 8),
  ];
  return Float32Array.from(all.flat() as number[]);
}

import { DafError } from '../../core/contracts/errors.js';

/** Cells of a field's occupancy grid are either kept or cleared. */
interface Grid {
  /** Along each axis. */
  readonly cells: number;
  /** First cell that lies in the box, and how many do: all where the field ends there, the middle half where it goes on around it. */
  readonly first: number;
  readonly inside: number;
  readonly min: readonly number[];
  /** Edges of a cell inside the box, along each axis. */
  readonly step: readonly number[];
}

/**
 * The same field without what lies around a head: rooms, walls and shoulders. A cell of its occupancy grid stays where it is near the head's
 * surface or enclosed by it, and above its lowest point.
 * @param field safetensors bytes, see docs/fields.md. @param head [n][3] vertices, dense enough to enclose it, in the field's space.
 * @param margin how far hair and beard may stand off, in the field's unit.
 * @param isEmpty whether pictures show that nothing of the head is at a point that lies off its surface.
 * @throws DafError ERR_DAF_BAD_DATA
 */
export function headOnly(
  field: Uint8Array,
  head: Float32Array,
  margin: number,
  isEmpty: (point: readonly number[]) => boolean = () => false,
): Uint8Array {
  const out = field.slice();
  const { metadata, tensors } = headerOf(out);
  const grid = gridOf(metadata);
  const kept = enclosed(grid, near(grid, head, margin), lowest(head));
  const surface = near(grid, head, SKIN * margin);
  visitKept(grid, kept, (i, point) => {
    if (kept[i] === NEAR && surface[i] === 0 && isEmpty(point)) kept[i] = OUTSIDE;
  });
  for (const name of ['occupancy', 'allowed']) {
    const bits = tensors.get(name);
    if (bits === undefined) continue;
    for (let i = 0; i < kept.length; i++) if (kept[i] !== NEAR && kept[i] !== WITHIN) bits[i >> 3]! &= ~(1 << (i & 7));
  }
  return out;
}

const NEAR = 1;
const OUTSIDE = 2;
const WITHIN = 3;
/** Share of the margin that counts as the surface itself. */
const SKIN = 0.4;

/** Marks the cells whose middle lies within `margin` of a vertex. */
function near(grid: Grid, head: Float32Array, margin: number): Uint8Array {
  const { cells, first, inside, min, step } = grid;
  const marks = new Uint8Array(cells ** 3);
  for (let v = 0; v < head.length; v += 3) {
    const at = [0, 1, 2].map((k) => (head[v + k]! - min[k]!) / step[k]! - 0.5);
    const low = at.map((place, k) => Math.max(0, Math.ceil(place - margin / step[k]!)));
    const high = at.map((place, k) => Math.min(inside - 1, Math.floor(place + margin / step[k]!)));
    for (let z = low[2]!; z <= high[2]!; z++) {
      for (let y = low[1]!; y <= high[1]!; y++) {
        for (let x = low[0]!; x <= high[0]!; x++) {
          const off = Math.hypot((x - at[0]!) * step[0]!, (y - at[1]!) * step[1]!, (z - at[2]!) * step[2]!);
          if (off <= margin) marks[((z + first) * cells + y + first) * cells + x + first] = NEAR;
        }
      }
    }
  }
  return marks;
}

/** Keeps what is marked and what cannot be reached from the box's sides and top without crossing it. */
function enclosed(grid: Grid, marks: Uint8Array, bottom: number): Uint8Array {
  const { cells, first, inside, min, step } = grid;
  const end = first + inside;
  const ground = first + Math.max(0, Math.ceil((bottom - min[1]!) / step[1]! - 0.5));
  const indexOf = (x: number, y: number, z: number): number => (z * cells + y) * cells + x;
  const stack: number[] = [];
  const visit = (x: number, y: number, z: number): void => {
    if (x < first || y < ground || z < first || x >= end || y >= end || z >= end) return;
    const i = indexOf(x, y, z);
    if (marks[i] !== 0) return;
    marks[i] = OUTSIDE;
    stack.push(x, y, z);
  };
  for (let a = first; a < end; a++) {
    for (let b = first; b < end; b++) {
      visit(first, a, b);
      visit(end - 1, a, b);
      visit(a, b, first);
      visit(a, b, end - 1);
      visit(a, end - 1, b);
    }
  }
  while (stack.length > 0) {
    const [z, y, x] = [stack.pop()!, stack.pop()!, stack.pop()!];
    visit(x - 1, y, z);
    visit(x + 1, y, z);
    visit(x, y - 1, z);
    visit(x, y + 1, z);
    visit(x, y, z - 1);
    visit(x, y, z + 1);
  }
  for (let z = first; z < end; z++) {
    for (let y = ground; y < end; y++) {
      for (let x = first; x < end; x++) {
        const i = indexOf(x, y, z);
        if (marks[i] === 0) marks[i] = WITHIN;
      }
    }
  }
  // What is near but below the neck's end.
  for (let z = first; z < end; z++) {
    for (let y = first; y < ground; y++) marks.fill(OUTSIDE, indexOf(first, y, z), indexOf(end, y, z));
  }
  return marks;
}

function visitKept(grid: Grid, kept: Uint8Array, visit: (i: number, point: readonly number[]) => void): void {
  const { cells, first, inside, min, step } = grid;
  for (let z = 0; z < inside; z++) {
    for (let y = 0; y < inside; y++) {
      for (let x = 0; x < inside; x++) {
        const i = ((z + first) * cells + y + first) * cells + x + first;
        if (kept[i] === NEAR)
          visit(i, [min[0]! + (x + 0.5) * step[0]!, min[1]! + (y + 0.5) * step[1]!, min[2]! + (z + 0.5) * step[2]!]);
      }
    }
  }
}

function lowest(head: Float32Array): number {
  let low = Infinity;
  for (let i = 1; i < head.length; i += 3) low = Math.min(low, head[i]!);
  return low;
}

function gridOf(metadata: Readonly<Record<string, string>>): Grid {
  const numbers = (name: string): number[] => (metadata[name] ?? '').split(' ').map(Number);
  const [min, max, cells] = [numbers('boxMin'), numbers('boxMax'), Number(metadata['occupancyResolution'])];
  if (min.length !== 3 || max.length !== 3 || ![...min, ...max].every(Number.isFinite) || !(cells > 0)) throw bad();
  const unbounded = metadata['unbounded'] === 'true';
  const inside = unbounded ? cells / 2 : cells;
  return { cells, first: unbounded ? cells / 4 : 0, inside, min, step: min.map((low, k) => (max[k]! - low) / inside) };
}

function headerOf(bytes: Uint8Array): { metadata: Readonly<Record<string, string>>; tensors: Map<string, Uint8Array> } {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true));
  let json: Record<string, { data_offsets?: [number, number] }>;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  } catch (cause) {
    throw bad(cause);
  }
  const tensors = new Map<string, Uint8Array>();
  for (const [name, { data_offsets: place }] of Object.entries(json)) {
    if (place !== undefined) tensors.set(name, bytes.subarray(8 + length + place[0], 8 + length + place[1]));
  }
  return { metadata: (json['__metadata__'] ?? {}) as Record<string, string>, tensors };
}

function bad(cause?: unknown): DafError {
  return new DafError('ERR_DAF_BAD_DATA', 'a field file lacks its box or its occupancy grid', { cause });
}

import { addon, type HeadHandle, type HeadInfo } from '../core/addon/index.js';
import type { FittedHead } from './export/mesh.js';

/** The head model of this thread with what TypeScript needs of its topology. */
export interface Head {
  readonly handle: HeadHandle;
  readonly info: HeadInfo;
  readonly source: Uint32Array;
  readonly uv: Float32Array;
  readonly triangles: Uint32Array;
  /** Copied once: expressions are the same offsets for everybody. */
  readonly expressions: FittedHead['expressions'];
}

let loaded: Head | undefined;

/** The embedded head model, made at first use and kept: a handle does not cross threads. */
export function embeddedHead(): Head {
  loaded ??= openHead(addon().headLoad(null));
  return loaded;
}

export function openHead(handle: HeadHandle): Head {
  const native = addon();
  const info = native.headInfo(handle);
  const source = new Uint32Array(info.vertexCount);
  const uv = new Float32Array(2 * info.vertexCount);
  const triangles = new Uint32Array(3 * info.triangleCount);
  native.headTopology(handle, source, uv, triangles, new Uint32Array(info.positionCount));
  const expressions = info.expressionNames.map((name, index) => {
    const deltas = new Float32Array(3 * info.positionCount);
    native.headMode(handle, 'expression', index, deltas);
    return { name, deltas };
  });
  return { handle, info, source, uv, triangles, expressions };
}

const NONE: Float32Array = new Float32Array(0);

/** [positions][3] cm of a person: modes, then the displacement that modes cannot express. */
export function shapeOf(
  head: Head,
  identity: Float32Array,
  expression = NONE,
  displacement: Float32Array | null = null,
): Float32Array {
  const out = new Float32Array(3 * head.info.positionCount);
  addon().headShape(head.handle, identity, expression, out);
  if (displacement !== null) for (let i = 0; i < out.length; i++) out[i]! += displacement[i]!;
  return out;
}

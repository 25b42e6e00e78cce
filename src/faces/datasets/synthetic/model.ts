import { addon, type HeadHandle, type HeadInfo } from '../../../core/addon/index.js';

/** The embedded head model of this thread. */
export interface Model {
  readonly handle: HeadHandle;
  readonly info: HeadInfo;
  /** [triangles][3] positions: what render vertices share at seams is one. */
  readonly triangles: Uint32Array;
}

let loaded: Model | undefined;

/** Made at first use and kept: a handle does not cross threads. */
export function embeddedModel(): Model {
  loaded ??= open();
  return loaded;
}

function open(): Model {
  const native = addon();
  const handle = native.headLoad(null);
  const info = native.headInfo(handle);
  const source = new Uint32Array(info.vertexCount);
  const triangles = new Uint32Array(3 * info.triangleCount);
  native.headTopology(handle, source, new Float32Array(2 * info.vertexCount), triangles, new Uint32Array(info.positionCount));
  return { handle, info, triangles: triangles.map((vertex) => source[vertex]!) };
}

/** [positions][3] cm. */
export function shapeOf({ handle, info }: Model, identity: Float32Array, expression: Float32Array): Float32Array {
  const out = new Float32Array(3 * info.positionCount);
  addon().headShape(handle, identity, expression, out);
  return out;
}

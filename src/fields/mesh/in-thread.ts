import { Piscina } from 'piscina';
import { DafError, fromWire } from '../../core/contracts/errors.js';
import type { Field } from '../field.js';
import type { MeshAnswer, MeshTask } from './thread.js';
import { type FieldMesh, type FieldMeshOptions, MESH_STAGES, type MeshStage } from './types.js';

/** How often progress is looked at. */
const PROGRESS_MS = 100;

export interface MeshInThreadOptions extends Omit<FieldMeshOptions, 'control' | 'onStage'> {
  /** Aborts within 50 ms: the promise rejects with ERR_DAF_CANCELLED. */
  readonly signal?: AbortSignal;
  /** Called ten times a second. @param fraction 0…1 of all stages */
  onProgress?(fraction: number, stage: MeshStage): void;
}

/**
 * `meshField` on a thread of its own, so that this one stays free.
 * @param field stays the caller's, and must not be disposed or trained meanwhile
 * @throws DafError as meshField
 */
export async function meshFieldInThread(
  field: Field,
  { signal, onProgress, ...options }: MeshInThreadOptions = {},
): Promise<FieldMesh> {
  if (signal?.aborted === true) throw new DafError('ERR_DAF_CANCELLED', 'cancelled before it began');
  const control = new Int32Array(new SharedArrayBuffer(16));
  const cancel = (): void => void Atomics.store(control, 0, 1);
  signal?.addEventListener('abort', cancel, { once: true });
  const timer = setInterval(() => onProgress?.(...progressOf(control)), PROGRESS_MS);
  const filename = new URL('./thread.js', import.meta.url).href;
  const piscina = new Piscina({ filename, minThreads: 1, maxThreads: 1 });
  try {
    const task: MeshTask = { field: field.share(), options, control };
    const answer = (await piscina.run(task)) as MeshAnswer;
    if ('error' in answer) throw fromWire(answer.error);
    return answer.mesh;
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', cancel);
    await piscina.destroy();
  }
}

function progressOf(control: Int32Array): [fraction: number, stage: MeshStage] {
  const [, done = 0, total = 0, index = 0] = control;
  const within = total > 0 ? Math.min(done / total, 1) : 0;
  return [(index + within) / MESH_STAGES.length, MESH_STAGES[index] ?? 'level'];
}

import { toWire, type WireError } from '../../core/contracts/errors.js';
import { Field } from '../field.js';
import { meshField } from './mesh-field.js';
import { type FieldMesh, type FieldMeshOptions, MESH_STAGES, type MeshStage } from './types.js';

/** What a thread is asked for. */
export interface MeshTask {
  /** An id of `Field.share`. */
  readonly field: number;
  readonly options: Omit<FieldMeshOptions, 'control' | 'onStage'>;
  /** {cancel, done, total, index of the stage}. */
  readonly control: Int32Array;
}

/** Errors as data: between threads they would lose their class and code. */
export type MeshAnswer = { readonly mesh: FieldMesh } | { readonly error: WireError };

/** Entry of a piscina thread. */
export default function meshInThread({ field: id, options, control }: MeshTask): MeshAnswer {
  try {
    using field = Field.attach(id);
    const onStage = (stage: MeshStage): void => {
      control[1] = 0;
      control[3] = MESH_STAGES.indexOf(stage);
    };
    return { mesh: meshField(field, { ...options, control, onStage }) };
  } catch (error) {
    return { error: toWire(error) };
  }
}

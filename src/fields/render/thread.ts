import { toWire, type WireError } from '../../core/contracts/errors.js';
import { Field } from '../field.js';
import type { FieldCamera } from '../types.js';
import type { RenderedImage, RenderOptions } from './types.js';

export interface RenderTask {
  /** Of Field.share(). */
  readonly field: number;
  readonly camera: FieldCamera;
  readonly options: RenderOptions;
}

export type RenderAnswer = { readonly image: RenderedImage } | { readonly error: WireError };

let attached: { readonly id: number; readonly field: Field } | null = null;

/** Entry of a piscina thread: renders windows of the fields that its process shares. Never rejects: errors would lose their code on the way. */
export default function render({ field: id, camera, options }: RenderTask): RenderAnswer {
  try {
    if (attached?.id !== id) {
      attached?.field.dispose();
      attached = { id, field: Field.attach(id) };
    }
    return { image: attached.field.render(camera, options) };
  } catch (error) {
    return { error: toWire(error) };
  }
}

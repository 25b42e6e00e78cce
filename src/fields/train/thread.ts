import type { NativeSceneReport } from '../../core/addon/index.js';
import { toWire, type WireError } from '../../core/contracts/errors.js';
import { native } from '../native.js';
import type { ControlWords } from '../types.js';

/** A thread's part of some steps of a session. */
export interface TrainTask {
  readonly session: number;
  readonly thread: number;
  readonly steps: number;
  /** Where in the schedule they begin and end, 0…1. */
  readonly begin: number;
  readonly end: number;
  readonly control: ControlWords;
}

/** What is done once, before any steps. */
export interface PrepareTask {
  readonly session: number;
  readonly control: ControlWords;
}

export type TrainAnswer = { readonly report: NativeSceneReport } | { readonly error: WireError };
export type PrepareAnswer = { readonly prepared: true } | { readonly error: WireError };

/** Of a piscina thread. Never rejects: errors would lose their code on the way. */
export function prepare({ session, control }: PrepareTask): PrepareAnswer {
  try {
    native((daf) => daf.scenePrepare(session, control));
    return { prepared: true };
  } catch (error) {
    return { error: toWire(error) };
  }
}

/** Of a piscina thread; as above. */
export default function train({ session, thread, steps, begin, end, control }: TrainTask): TrainAnswer {
  try {
    return { report: native((daf) => daf.sceneRun(session, thread, steps, begin, end, control)) };
  } catch (error) {
    return { error: toWire(error) };
  }
}

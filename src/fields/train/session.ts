import { tmpdir } from 'node:os';
import { Piscina } from 'piscina';
import type { NativeSceneOptions, NativeSceneReport } from '../../core/addon/index.js';
import { DafError, fromWire } from '../../core/contracts/errors.js';
import { abortable, throwIfAborted } from '../abortable.js';
import { packCamera } from '../camera.js';
import type { Field } from '../field.js';
import { native } from '../native.js';
import type { Pose } from '../scenes/pose.js';
import type { SceneFrame } from '../scenes/types.js';
import type { PrepareAnswer, PrepareTask, TrainAnswer, TrainTask } from './thread.js';

/** A native training session and the threads that run it together. */
export class SceneSession implements AsyncDisposable {
  readonly #id: number;
  readonly #threads: number;
  /** Checksums of what is learnt from, in order: pixels, masks and cameras. */
  readonly pictures: number[] = [];
  readonly #piscina: Piscina;
  readonly #control = new Int32Array(new SharedArrayBuffer(12));

  private constructor(id: number, threads: number) {
    this.#id = id;
    this.#threads = threads;
    this.#piscina = new Piscina({
      filename: new URL('./thread.js', import.meta.url).href,
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
    });
  }

  /**
   * Decodes the pictures, one after the other, into native memory that the kernel may take back.
   * @param field stays the caller's, and must outlive the session
   * @throws DafError as SceneFrame.image; ERR_DAF_BAD_DATA: the pictures do not see the field's box; ERR_DAF_CANCELLED
   */
  static async open(field: Field, frames: readonly SceneFrame[], options: NativeSceneOptions, signal?: AbortSignal) {
    const session = new SceneSession(
      native((daf) => daf.sceneBegin(field.share(), options, tmpdir())),
      options.threads,
    );
    const cancel = (): void => session.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      for (const frame of frames) {
        const { rgba, mask } = await abortable(signal, () => frame.image());
        const camera = packCamera(frame.camera);
        native((daf) => daf.sceneAddImage(session.#id, camera, rgba, mask ?? null));
        session.pictures.push(checksum([bytesOf(camera), rgba, ...(mask === undefined ? [] : [mask])]));
      }
      throwIfAborted(signal);
      await session.#prepare();
    } catch (error) {
      await session.close();
      throw DafError.from(error);
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
    return session;
  }

  /** On a thread, so that this one can cancel it. */
  async #prepare(): Promise<void> {
    const task: PrepareTask = { session: this.#id, control: this.#control };
    const answer = (await this.#piscina.run(task, { name: 'prepare' })) as PrepareAnswer;
    if ('error' in answer) throw fromWire(answer.error);
  }

  /** Takes steps, the schedule going from `begin` to `end`. @throws DafError ERR_DAF_CANCELLED, ERR_DAF_BAD_DATA */
  async run(steps: number, begin: number, end: number): Promise<NativeSceneReport> {
    const answers = await Promise.all(
      Array.from({ length: this.#threads }, async (_, thread) => {
        const task: TrainTask = { session: this.#id, thread, steps, begin, end, control: this.#control };
        const answer = (await this.#piscina.run(task)) as TrainAnswer;
        // The others wait for this one at the next barrier.
        if ('error' in answer) this.cancel();
        return answer;
      }),
    );
    const errors = answers.flatMap((answer) => ('error' in answer ? [fromWire(answer.error)] : []));
    // Where one thread failed the others may have been cancelled: the cause is the one that was not.
    if (errors.length > 0) throw errors.find(({ code }) => code !== 'ERR_DAF_CANCELLED') ?? errors[0];
    return (answers[0] as { report: NativeSceneReport }).report;
  }

  /** Whoever runs stops within milliseconds, as after the last whole step. */
  cancel(): void {
    Atomics.store(this.#control, 0, 1);
  }

  /** Puts the moving average of the weights in the field, or the weights back. Nothing happens where there is no average. */
  useAverage(average: boolean): void {
    native((daf) => daf.sceneUseAverage(this.#id, average));
  }

  /** Where each picture was taken from, in the order in which they were given: as it was given, or as it was learnt. */
  poses(): readonly Pose[] {
    const values = native((daf) => daf.scenePoses(this.#id));
    return Array.from({ length: values.length / 12 }, (_, i) => ({
      rotation: [...values.subarray(12 * i, 12 * i + 9)],
      translation: [...values.subarray(12 * i + 9, 12 * i + 12)],
    }));
  }

  /** @param note what the file says of this training beside its state. @throws DafError ERR_DAF_IO */
  save(path: string, note: string): void {
    native((daf) => daf.sceneSave(this.#id, path, note));
  }

  /** @returns the step to go on from. @throws DafError ERR_DAF_IO, ERR_DAF_MEMORY_LIMIT, ERR_DAF_BAD_DATA: not of this training */
  restore(path: string): number {
    return native((daf) => daf.sceneRestore(this.#id, path).step);
  }

  async close(): Promise<void> {
    this.cancel();
    await this.#piscina.destroy();
    native((daf) => daf.sceneEnd(this.#id));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function checksum(parts: readonly Uint8Array[]): number {
  return native((daf) => parts.reduce((crc, bytes) => daf.crc32c(crc, bytes), 0));
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

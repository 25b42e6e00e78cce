import { addon, type MapFold } from '../../../core/addon/index.js';
import { RecordBatch, readGroups } from '../../../core/addon/records.js';
import type { RecordSink, StageRunner, TaskContext } from '../../../core/contracts/stage.js';
import { FirstFailure } from '../../../core/first-failure.js';

/** What leaves the fold at a time: groups of values in the first half, records of keys that have one value in the other. */
const OUT = 1 << 20;
const SINGLES = OUT / 2;
const BATCH = 64 << 10;

/**
 * Gathers what a map emits by key and combines it while the task maps: a frequent key reaches the sort once in a while instead of every time.
 * A key's values stay in the order in which they were emitted.
 */
export class Gatherer {
  readonly #fold: MapFold;
  readonly #runner: StageRunner;
  readonly #context: TaskContext;
  readonly #onward: (packed: Uint8Array) => void;
  readonly #out = new Uint8Array(OUT);
  readonly #failure = new FirstFailure();

  /** @param onward takes packed records, borrowed until it returns */
  constructor(runner: StageRunner, context: TaskContext, bytes: number, onward: (packed: Uint8Array) => void) {
    this.#runner = runner;
    this.#context = context;
    this.#onward = onward;
    this.#fold = new (addon().MapFold)({ bytes, out: this.#out });
  }

  /**
   * @param batch packed records; a value may go on in the next batch
   * @throws what the combiner throws, and from then on always: a map may catch it, but what was under way is lost
   */
  add(batch: Uint8Array): void {
    this.#failure.guard(() => {
      for (let at = 0; at < batch.length; ) {
        at += this.#fold.add(at === 0 ? batch : batch.subarray(at), this.#take);
        const { passed } = this.#fold;
        if (passed > 0) this.#onward(batch.subarray(at, at + passed));
        at += passed;
      }
    });
  }

  /** Combines and hands on all that is held. Throws as add does. */
  finish(): void {
    this.#failure.guard(() => this.#fold.handOn(this.#take));
  }

  dispose(): void {
    this.#fold.dispose();
  }

  /** What the combiner makes of groups goes on once it is through: the sort, when full, combines as well, and no combiner runs inside another. */
  readonly #take = (groups: number, singles: number): void => {
    if (groups > 0) this.#combine(groups);
    if (singles > 0) this.#onward(this.#out.subarray(SINGLES, SINGLES + singles));
  };

  #combine(used: number): void {
    const made: Uint8Array[] = [];
    const combined = new RecordBatch(BATCH, (packed) => made.push(packed.slice()));
    const sink: RecordSink = {
      emit: (key, value) => combined.add(key, value),
      place: null,
      batch(packed) {
        combined.flush();
        made.push(packed.slice());
      },
    };
    let left = used;
    const fill = (): number => {
      const bytes = left;
      left = 0;
      return bytes;
    };
    const drain = (buffer: Uint8Array): number => {
      buffer.set(this.#out.subarray(0, left));
      return fill();
    };
    this.#runner.combine!({ ...readGroups(fill, this.#out), fill: drain }, sink, this.#context);
    combined.flush();
    for (const packed of made) this.#onward(packed);
  }
}

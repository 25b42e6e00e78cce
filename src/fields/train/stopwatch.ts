/** Seconds of the wall clock since training began, those of earlier sessions included, and what a step takes. */
export class Stopwatch {
  readonly #startedAt: number;
  #earlier = 0;
  #perStep: number | null = null;

  /** @param startedAt as performance.now() tells */
  constructor(startedAt: number) {
    this.#startedAt = startedAt;
  }

  get seconds(): number {
    return this.#earlier + (performance.now() - this.#startedAt) / 1000;
  }

  /** Of an earlier session. */
  add(seconds: number): void {
    this.#earlier += seconds;
  }

  lap(secondsPerStep: number): void {
    this.#perStep = secondsPerStep;
  }

  /** Seconds, of the last lap; null before the first. */
  get perStep(): number | null {
    return this.#perStep;
  }
}

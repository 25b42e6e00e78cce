/** The bytes that the tasks of a worker share, and what of them is taken. */
export class MemoryBudget {
  readonly bytes: number;
  #taken = 0;
  readonly #waiting: { readonly bytes: number; readonly go: () => void }[] = [];

  constructor(bytes: number) {
    this.bytes = bytes;
  }

  fits(bytes: number): boolean {
    return this.#taken + bytes <= this.bytes;
  }

  /** @returns to be called once: gives it back, first to those who wait */
  take(bytes: number): () => void {
    this.#taken += bytes;
    return () => {
      this.#taken -= bytes;
      for (let first = this.#waiting[0]; first !== undefined && this.fits(first.bytes); first = this.#waiting[0]) {
        this.#waiting.shift();
        first.go();
      }
    };
  }

  /** Takes as soon as there is room, in order of arrival. Not more than there is in all: that would wait for ever. */
  whenTaken(bytes: number): Promise<() => void> {
    return new Promise((resolve) => {
      const go = (): void => resolve(this.take(bytes));
      if (this.#waiting.length === 0 && this.fits(bytes)) go();
      else this.#waiting.push({ bytes, go });
    });
  }
}

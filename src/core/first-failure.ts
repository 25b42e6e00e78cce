/**
 * Work of which nothing may be left out: what fails once fails from then on, always with the same error. User code may catch it, but what was
 * under way is lost.
 */
export class FirstFailure {
  #failure: { readonly error: unknown } | null = null;

  get happened(): boolean {
    return this.#failure !== null;
  }

  /** @throws what the work throws, or what an earlier one threw */
  guard(work: () => void): void {
    if (this.#failure !== null) throw this.#failure.error;
    try {
      work();
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }
}

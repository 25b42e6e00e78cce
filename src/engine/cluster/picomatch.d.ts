// The part that is used; the package has no types of its own.
declare module 'picomatch' {
  interface Picomatch {
    (
      pattern: string,
      options: { readonly dot: boolean; readonly flags: string; readonly nonegate?: boolean },
    ): (text: string) => boolean;
    /** `base`: the folders before the first wildcard, without a slash at the end. */
    scan(pattern: string): { readonly isGlob: boolean; readonly base: string };
  }
  const picomatch: Picomatch;
  export default picomatch;
}

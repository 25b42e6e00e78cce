/**
 * Which bytes of named files some runs of bytes cover: how many, and a sum over the ends of the runs in which ends that meet cancel out.
 * Where runs cover the same files once each, however they are cut, both numbers are the same; a gap or an overlap changes `bytes`, and where
 * they make up for each other, `seams`, but for a chance of 2⁻³².
 */
export interface Coverage {
  readonly bytes: number;
  /** Σ h(file, end) − h(file, begin) modulo 2³², h being the first 32 bits of a SHA-256. */
  readonly seams: number;
}

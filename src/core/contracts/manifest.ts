import type { Coverage } from './coverage.js';
import type { RefusedInput } from './task.js';

/**
 * manifest.json: written last, by a conditional put. The same job over the same input gives the same bytes, so it holds no
 * time, memory, host, attempt or job id.
 */
export interface Manifest {
  readonly daf: 1;
  readonly job: string;
  readonly code: string;
  readonly params: Readonly<Record<string, string>>;
  readonly inputs: ManifestInputs;
  /** Of the part files. */
  readonly format: import('./job.js').OutputFormat;
  /** Sorted by name. */
  readonly outputs: readonly ManifestOutput[];
  /** Sorted by name. */
  readonly counters: Readonly<Record<string, number>>;
  /** Sorted by input, then code. */
  readonly refused: readonly RefusedInput[];
  /** SHA-256, in hex, of the same manifest without this member: shows that nobody changed it since. Absent in those of older versions. */
  readonly sha256?: string;
}

/** The proof that every byte of the input was consumed exactly once: `given` is `read`, and `records` are `mapped` and `skipped`. */
export interface ManifestInputs {
  readonly splits: number;
  /** What was cut into splits at submit. */
  readonly given: Coverage;
  /** What the committed map tasks read, or refused by name. */
  readonly read: Coverage;
  /** Records found in it. */
  readonly records: number;
  /** Records that map was called with. */
  readonly mapped: number;
  /** Records that killed the tasks that mapped them; listed below `quarantine/`. */
  readonly skipped: number;
  /** Inputs that could not be used; listed in the manifest. */
  readonly refused: number;
}

export interface ManifestOutput {
  readonly name: string;
  /** Null for a volatile file (report.json): listed, not checked. */
  readonly bytes: number | null;
  readonly records: number | null;
  readonly crc32c: string | null;
}

import type { GlbViewer } from '#daf/testing/glb-check.js';
import type { Row } from '../row.js';

/** What the parts of the evaluation share. */
export interface Context {
  readonly viewer: GlbViewer;
  /** Inputs, avatars and what is made of them. */
  readonly work: string;
  readonly quality: string;
  /** Synthetic people. */
  readonly people: number;
  /** Where pictures for people go; null for none. */
  readonly show: string | null;
  log(line: string): void;
}

export interface PartResult {
  readonly rows: readonly Row[];
  /** Every single value. */
  readonly details: unknown;
}

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

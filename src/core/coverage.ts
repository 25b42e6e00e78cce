import type { Coverage } from './contracts/coverage.js';
import { shortSha256Start } from './sha256.js';

/** Adds up runs. */
export class CoverageSum implements Coverage {
  bytes = 0;
  seams = 0;

  /** The run `begin … end − 1` of a file. */
  addRun(file: string, begin: number, end: number): void {
    if (begin === end) return;
    this.add({ bytes: end - begin, seams: endHash(file, end) - endHash(file, begin) });
  }

  add({ bytes, seams }: Coverage): void {
    this.bytes += bytes;
    this.seams = (this.seams + seams) >>> 0;
  }

  get total(): Coverage {
    return { bytes: this.bytes, seams: this.seams };
  }
}

function endHash(file: string, at: number): number {
  return shortSha256Start(`${at} ${file}`);
}

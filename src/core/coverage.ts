import { addon } from './addon/index.js';
import type { Coverage } from './contracts/coverage.js';

/** Adds up runs. */
export class CoverageSum implements Coverage {
  bytes = 0;
  seams = 0;

  /** The run `begin … end − 1` of a file. */
  addRun(file: string, begin: number, end: number): void {
    if (begin === end) return;
    const first = endHash(file, begin);
    this.add({ bytes: end - begin, seams: endHash(file, end) - first });
  }

  add({ bytes, seams }: Coverage): void {
    this.bytes += bytes;
    this.seams = (this.seams + seams) >>> 0;
  }

  get total(): Coverage {
    return { bytes: this.bytes, seams: this.seams };
  }
}

let lastFile = '';
let lastAt = -1;
let lastHash = 0;

/** Pieces in a row meet: where one ends the next begins. */
function endHash(file: string, at: number): number {
  if (at === lastAt && file === lastFile) return lastHash;
  lastHash = addon().sha256Start(`${at} ${file}`);
  lastFile = file;
  lastAt = at;
  return lastHash;
}

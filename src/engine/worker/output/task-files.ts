import { closeSync, openSync, readSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { addon } from '../../../core/addon/index.js';
import type { TaskFiles } from '../../../core/contracts/context.js';
import { DafError } from '../../../core/contracts/errors.js';
import { attemptPrefix, type JobSpec, MANIFEST, REPORT, type TaskId } from '../../../core/contracts/job.js';
import type { BlobStore } from '../../../core/contracts/stores.js';
import type { OutputFile } from '../../../core/contracts/task.js';
import { failpoint } from '../../../core/failpoint.js';
import type { Late } from '../late.js';

const CHUNK = 1 << 20;

/** Files of an attempt, each under the attempt's own prefix until the job publishes. */
export class AttemptFiles implements TaskFiles {
  readonly #store: BlobStore;
  readonly #late: Late;
  readonly #prefix: () => string;
  readonly #files = new Map<string, OutputFile>();

  constructor(spec: JobSpec, store: BlobStore, task: TaskId, attempt: string, late: Late) {
    this.#store = store;
    this.#late = late;
    this.#prefix = () => `${attemptPrefix(spec.id, task, attempt)}files/`;
  }

  /** In order of name. */
  list(): OutputFile[] {
    if (this.#files.size === 0) return [];
    return [...this.#files.values()].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  }

  async put(name: string, bytes: Uint8Array | string, options: { readonly volatile?: boolean } = {}): Promise<void> {
    const key = this.#claim(name);
    const data = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    failpoint('task.before-output');
    await this.#store.put(key, data);
    this.#add(name, data.length, addon().crc32c(0, data), options.volatile);
  }

  async putFile(name: string, path: string, options: { readonly volatile?: boolean } = {}): Promise<void> {
    const key = this.#claim(name);
    const { size } = await stat(path);
    const crc = crcOfFile(path);
    failpoint('task.before-output');
    await this.#store.putFile(key, path);
    this.#add(name, size, crc, options.volatile);
  }

  #claim(name: string): string {
    checkOutputName(name);
    if (this.#files.has(name)) throw new DafError('ERR_DAF_OUTPUT_CONFLICT', `this task has put ${name} before`);
    return this.#prefix() + name;
  }

  #add(name: string, bytes: number, crc32c: number, volatile = false): void {
    this.#late.check(`put ${name}`);
    this.#files.set(name, { name, key: this.#prefix() + name, bytes, records: null, crc32c, volatile });
  }
}

/** @throws DafError ERR_DAF_BAD_ARGUMENT */
export function checkOutputName(name: string): void {
  const parts = name.split('/');
  const bad = parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0'));
  const reserved = ['_daf', '_replay', MANIFEST, REPORT];
  if (!bad && !reserved.includes(parts[0]!)) return;
  throw new DafError('ERR_DAF_BAD_ARGUMENT', `${JSON.stringify(name)} cannot be the name of an output`, {
    hint: `relative, without "." or ".." parts, not below _daf/ or _replay/, not ${MANIFEST} or ${REPORT}`,
  });
}

function crcOfFile(path: string): number {
  const fd = openSync(path, 'r');
  try {
    const chunk = new Uint8Array(CHUNK);
    let crc = 0;
    for (;;) {
      const got = readSync(fd, chunk, 0, CHUNK, null);
      if (got === 0) return crc;
      crc = addon().crc32c(crc, chunk.subarray(0, got));
    }
  } finally {
    closeSync(fd);
  }
}

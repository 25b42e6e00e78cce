import { type FileHandle, open } from 'node:fs/promises';
import type { TaskSource } from '../../../core/contracts/task.js';
import type { WriteChunk } from './fetcher.js';

/** What was fetched for an attempt, one part behind the other; created when there is something. */
export class FetchedFile {
  /** Holders that did not answer: each is waited for once. */
  readonly silent = new Set<string>();
  readonly #path: string;
  readonly #reserve: () => Promise<() => void>;
  #reserving: Promise<() => void> | null = null;
  #opening: Promise<FileHandle> | null = null;
  #bytes = 0;

  /** @param reserve called before the first byte is asked for; what it gives, once this is closed */
  constructor(path: string, reserve: () => Promise<() => void>) {
    this.#path = path;
    this.#reserve = reserve;
  }

  /** Parts arrive at once and in pieces: each gets its place as soon as its length is known. */
  async take(fetch: (write: WriteChunk) => Promise<number>): Promise<TaskSource['place']> {
    this.#reserving ??= this.#reserve();
    await this.#reserving;
    this.#opening ??= open(this.#path, 'w');
    const file = await this.#opening;
    let offset: number | null = null;
    const bytes = await fetch(async (chunk, at, total) => {
      offset ??= this.#claim(total);
      await file.write(chunk, 0, chunk.length, offset + at);
    });
    return { kind: 'part', path: this.#path, offset: offset ?? 0, bytes, fileBytes: 0 };
  }

  complete(source: TaskSource): TaskSource {
    const { place } = source;
    return place.kind === 'part' ? { ...source, place: { ...place, fileBytes: this.#bytes } } : source;
  }

  async close(): Promise<void> {
    try {
      await (await this.#opening)?.close();
    } finally {
      (await this.#reserving)?.();
    }
  }

  #claim(bytes: number): number {
    const at = this.#bytes;
    this.#bytes += bytes;
    return at;
  }
}

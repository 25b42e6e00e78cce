import { closeSync, openSync, readSync } from 'node:fs';

/** Samples at least this often, as the word "peak" in reports promises. */
const INTERVAL_MS = 40;
/** A sample serves for this long: tasks may begin and end thousands of times a second. */
const FRESH_MS = 20;

/**
 * Anonymous + shared memory of a process now, in bytes: what counts against a memory limit, page cache excluded. Null when the
 * process is gone; for the own process on systems without /proc the resident set stands in for it.
 */
export function anonymousBytes(pid: number | 'self' = 'self'): number | null {
  let fd: number;
  try {
    fd = openSync(`/proc/${pid}/status`, 'r');
  } catch {
    return pid === 'self' || pid === process.pid ? process.memoryUsage.rss() : null;
  }
  try {
    return readStatus(fd, Buffer.allocUnsafe(4096));
  } finally {
    closeSync(fd);
  }
}

/**
 * Watches this process's anonymous + shared memory on the main thread, which only does I/O and so keeps its time.
 * `peak` is the largest sample since start, `window()` the largest since it was asked last.
 */
export class PeakSampler {
  readonly #buffer = Buffer.allocUnsafe(4096);
  readonly #fd: number | null;
  #timer: NodeJS.Timeout | null = null;
  #wanted = false;
  readonly #children: () => readonly number[];
  #peak = 0;
  #window = 0;
  #last = 0;
  #lastAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  /** @param children processes whose private memory counts as this one's. Memory shared with them counts here once. */
  constructor(children: () => readonly number[] = () => []) {
    this.#children = children;
    this.#fd = openStatus();
    this.sample();
    this.resume();
  }

  /** Samples from now on, as it does at first. */
  resume(): void {
    this.#wanted = true;
    if (this.#timer !== null || this.#closed) return;
    this.#timer = setInterval(() => this.#tick(), INTERVAL_MS);
    this.#timer.unref();
  }

  /** Nothing happens that takes memory: samples once more, and then when asked only. */
  pause(): void {
    this.#wanted = false;
  }

  /** Memory now, as of 20 ms ago at most; bytes. */
  now(): number {
    return performance.now() - this.#lastAt < FRESH_MS ? this.#last : this.sample();
  }

  /** Takes a sample now and returns it, bytes. */
  sample(): number {
    let bytes = this.#fd === null || this.#closed ? process.memoryUsage.rss() : readStatus(this.#fd, this.#buffer);
    for (const pid of this.#children()) bytes += privateBytes(pid, this.#buffer);
    if (bytes > this.#peak) this.#peak = bytes;
    if (bytes > this.#window) this.#window = bytes;
    this.#last = bytes;
    this.#lastAt = performance.now();
    return bytes;
  }

  /** Bytes. */
  get peak(): number {
    return this.#peak;
  }

  /** Largest sample since the last call, bytes. */
  window(): number {
    const bytes = Math.max(this.#window, this.now());
    this.#window = 0;
    return bytes;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stop();
    if (this.#fd !== null) closeSync(this.#fd);
  }

  #tick(): void {
    this.sample();
    if (!this.#wanted) this.#stop();
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}

/** Anonymous memory of another process, without what it shares; 0 when it is gone. */
function privateBytes(pid: number, buffer: Buffer): number {
  let fd: number;
  try {
    fd = openSync(`/proc/${pid}/status`, 'r');
  } catch {
    return 0;
  }
  try {
    return field(buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, 0)), '\nRssAnon:') ?? 0;
  } catch {
    return 0;
  } finally {
    closeSync(fd);
  }
}

function openStatus(): number | null {
  try {
    return openSync('/proc/self/status', 'r');
  } catch {
    return null;
  }
}

/** A kernel without RssAnon (before 4.5) has VmRSS only. */
function readStatus(fd: number, buffer: Buffer): number {
  let text: string;
  try {
    text = buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, 0));
  } catch {
    return 0; // the process is on its way out
  }
  const anon = field(text, '\nRssAnon:');
  return anon === null ? (field(text, '\nVmRSS:') ?? 0) : anon + (field(text, '\nRssShmem:') ?? 0);
}

function field(text: string, name: string): number | null {
  const at = text.indexOf(name);
  return at < 0 ? null : Number.parseInt(text.slice(at + name.length, at + name.length + 24), 10) * 1024;
}

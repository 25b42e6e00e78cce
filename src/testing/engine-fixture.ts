import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../core/temporary.js';
import type { JobResult } from '../engine/cluster/result.js';

/** A directory that is removed when the test has ended. */
export function temporaryDirectory(test: { teardown(fn: () => void): void }): string {
  const directory = temporaryFolder('test');
  test.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The folder of real inputs, or null where this machine has none. */
export function sharedData(): string | null {
  const given = process.env['DAF_SHARED_DATA'] ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
  return existsSync(given) ? given : null;
}

/** Lines of words from a small vocabulary; the same for the same seed. Every fifth line ends in CRLF, the last one in nothing. */
export function sampleText(lines: number, seed: number): string {
  let state = seed >>> 0;
  const next = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % below;
  };
  const word = (): string => {
    const rank = next(next(400) + 1);
    return (
      String.fromCharCode(97 + (rank % 26)) + 'word'.slice(0, rank % 5) + String.fromCharCode(65 + (Math.floor(rank / 26) % 26))
    );
  };
  const text: string[] = [];
  for (let i = 0; i < lines; i++) {
    const words = Array.from({ length: next(12) }, word);
    text.push(words.join(i % 7 === 0 ? ', ' : ' ') + (i === lines - 1 ? '' : i % 5 === 0 ? '\r\n' : '\n'));
  }
  return text.join('');
}

/** Writes files and returns their directory. */
export function writeFiles(directory: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
}

/** Word count the simple way, as sorted `word count` lines. */
export function countWords(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) for (const word of text.match(/[A-Za-z]+/g) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
  return sortLines([...counts].map(([word, count]) => `${word} ${count}`));
}

/** Lines in byte order, each with a newline, as `LC_ALL=C sort` gives them. */
export function sortLines(lines: readonly string[]): string {
  return [...lines]
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map((line) => `${line}\n`)
    .join('');
}

/** All text parts of a result, sorted. */
export async function sortedLines(result: JobResult): Promise<string> {
  const lines: string[] = [];
  for await (const line of result.lines()) lines.push(line);
  return sortLines(lines);
}

export function manifestBytes(result: JobResult): string {
  return readFileSync(join(fileURLToPath(result.output), 'manifest.json'), 'utf8');
}

/** True while a process exists and is no zombie. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}

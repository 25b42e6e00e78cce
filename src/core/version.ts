import { readFileSync } from 'node:fs';

/** Of this package, as package.json has it. */
export function dafVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  return version;
}

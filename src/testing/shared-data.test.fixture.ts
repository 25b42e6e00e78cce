import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder of real inputs (DAF_SHARED_DATA, else ../shared/data beside the repository), or null where it is missing. */
export function sharedData(): string | null {
  const folder = process.env['DAF_SHARED_DATA'] ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
  return existsSync(folder) ? folder : null;
}

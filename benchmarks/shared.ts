import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the data is that lies beside the repository, or in DAF_SHARED_DATA; null where `name` is not among it. */
export function sharedData(name: string): string | null {
  const folder = process.env['DAF_SHARED_DATA'] ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
  const path = join(folder, name);
  return existsSync(path) ? path : null;
}

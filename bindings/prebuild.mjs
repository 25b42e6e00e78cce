// Before packing: puts this platform's binaries where an installed package looks for them.
import { chmodSync, copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BINARIES, platformTag } from './platform.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, 'prebuilds', platformTag());
mkdirSync(target, { recursive: true });
for (const name of BINARIES) {
  const from = join(root, 'build', 'Release', name);
  if (!existsSync(from)) throw new Error(`${from} is missing: run npm run build:native first`);
  copyFileSync(from, join(target, name));
  chmodSync(join(target, name), 0o755);
}
console.log(`prebuilds/${platformTag()}: ${BINARIES.join(', ')}`);

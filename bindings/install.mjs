// The package's install step: use the shipped binary when it loads on this machine, else compile from source.
// Nothing is downloaded; everything that compiling needs is a dependency of the package.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { platformTag } from './platform.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const shipped = join(root, 'prebuilds', platformTag(), 'daf.node');

if (existsSync(shipped) && loads(shipped)) {
  console.log(`daf: using the shipped binary for ${platformTag()}`);
} else {
  const cmakeJs = require.resolve('cmake-js/bin/cmake-js');
  const built = spawnSync(process.execPath, [cmakeJs, 'compile', '--parallel', '2'], { cwd: root, stdio: 'inherit' });
  if (built.status !== 0) {
    console.error('daf: compiling the native addon failed. It needs a C++17 compiler, CMake ≥ 3.20 and make or ninja');
    console.error('daf: (Debian: apt-get install g++ cmake make), then: npm rebuild daf');
    process.exit(1);
  }
}

function loads(file) {
  try {
    require(file);
    return true;
  } catch (error) {
    console.warn(`daf: the shipped binary does not load here (${error.message}); compiling from source`);
    return false;
  }
}

import t from 'tap';
import { checkFrameMemory } from './frame-memory.js';

t.test('a frame that does not fit is refused, and the size that is named fits', (t) => {
  const memory = 330 << 20;
  checkFrameMemory({ width: 2048, height: 2048 }, memory, true);
  for (const [size, normals] of [
    [{ width: 16384, height: 16384 }, false],
    [{ width: 16384, height: 16384 }, true],
    [{ width: 16000, height: 1000 }, false],
    [{ width: 16000, height: 1000 }, true],
  ] as const) {
    let hint = '';
    try {
      checkFrameMemory(size, memory, normals);
    } catch (error) {
      t.match(error, { code: 'ERR_DAF_MEMORY_LIMIT' });
      hint = (error as { hint: string }).hint;
    }
    const [, width, height] = /^(\d+)x(\d+) fits/.exec(hint) ?? [];
    if (size.width * size.height < 2 ** 24 && !normals) {
      t.equal(hint, '', 'what fits is let through');
      continue;
    }
    t.ok(Number(width) > 0 && Number(width) < size.width, hint);
    checkFrameMemory({ width: Number(width), height: Number(height) }, memory, normals);
    t.throws(() => checkFrameMemory({ width: Number(width) * 1.1, height: Number(height) * 1.1 }, memory, normals));
  }
  t.end();
});

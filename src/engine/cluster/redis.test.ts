import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { countWords, sampleText, sortedLines, temporaryDirectory } from '../../testing/engine-fixture.js';
import { HandStarted } from '../../testing/hand-started.js';
import { RedisServer, redisProgram } from '../../testing/redis-server.js';
import { defineJob } from '../jobs/define.js';

const skip = redisProgram() === null ? 'no redis-server' : false;

/** Word count, slow enough to be disturbed. */
const slowCount = defineJob({
  name: 'slow-count',
  text: true,
  map: async ({ value }, emit) => {
    if (value.startsWith('#')) await new Promise((resolve) => setTimeout(resolve, 40));
    for (const word of value.match(/[A-Za-z]+/g) ?? []) emit(word, '1');
  },
  reduce(word, ones, emit) {
    emit(word, String([...ones].length));
  },
});

t.test('a job whose state is on a server outlives kill -9 of coordinator and server', { skip }, async (t) => {
  const folder = temporaryDirectory(t);
  const server = await RedisServer.start(t, ['--requirepass', 'sesame']);
  const places = new HandStarted(t, folder, { DAF_STATE: server.url.replace('//', '//:sesame@') });
  const text = Array.from({ length: 60 }, (_, i) => `# ${sampleText(20, i + 1)}`).join('\n');
  writeFileSync(join(folder, 'words.txt'), text);
  const first = await places.coordinator(null);
  await Promise.all(['north', 'south'].map((name) => places.worker(name)));
  const cluster = await places.connect();
  const job = await cluster.submit(slowCount, {
    input: join(folder, 'words.txt'),
    output: join(folder, 'counts'),
    splitSize: 1200,
    reducers: 3,
    separator: ' ',
  });
  const committed = async (count: number): Promise<void> => {
    while ((await job.status()).map.committed < count) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  await committed(5);
  first.kill();
  await first.exited;
  const second = await places.coordinator(null);
  await committed(15);
  await server.kill();
  await new Promise((resolve) => setTimeout(resolve, 300));
  await server.start();
  const result = await job.result();
  t.equal(await sortedLines(result), countWords([text]));
  t.ok((await second.ready).term > (await first.ready).term);
  t.notMatch(readFileSync(join(folder, 'coordinator.log'), 'utf8'), /sesame/, 'the password is in no log');

  await cluster.close();
  await server.ask('AUTH sesame\r\nFLUSHALL');
  t.equal(await second.exited, 3, 'a state that lost writes ends its coordinator, with a code of its own');
  t.match(readFileSync(join(folder, 'coordinator.log'), 'utf8'), /ERR_DAF_FENCED|has lost writes/);
  const third = await places.coordinator(null);
  t.ok((await third.ready).term > (await second.ready).term, 'the next one begins with what is there');
});

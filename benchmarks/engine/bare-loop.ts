import { open } from 'lmdb';
import { pack, unpack } from 'msgpackr';
import { Piscina } from 'piscina';
import { Dealer, Router } from 'zeromq';

// Processes of bare.ts: `router ENDPOINT FOLDER TASKS BATCH` and `dealer ENDPOINT`.

const WORKERS = 2;
/** Batches that a worker holds at a time: enough that it never waits. */
const AHEAD = 8;
/** About as long as the record of a short task is. */
const RECORD = { attempt: 'map-12345-g0-a1.12345', worker: 'worker-1', milliseconds: 0, peak: 123456789, records: 1 };

const [role, endpoint, ...rest] = process.argv.slice(2) as [string, string, ...string[]];
await (role === 'router' ? route(rest[0]!, Number(rest[1]), Number(rest[2])) : deal());

/** Prints how many seconds it took until the last task had been written and flushed. */
async function route(folder: string, tasks: number, batch: number): Promise<void> {
  const socket = new Router({ sendHighWaterMark: 0, receiveHighWaterMark: 0 });
  const db = open({ path: folder, encoding: 'msgpack' });
  await socket.bind(endpoint);
  const peers: Buffer[] = [];
  while (peers.length < WORKERS) peers.push((await socket.receive())[0]!);
  const begun = performance.now();
  let given = 0;
  let done = 0;
  let sending: Promise<unknown> = Promise.resolve();
  const give = (peer: Buffer): void => {
    const ids = Array.from({ length: Math.min(batch, tasks - given) }, () => given++);
    if (ids.length > 0) sending = sending.then(() => socket.send([peer, pack(ids)]));
  };
  const commit = async (peer: Buffer, ids: readonly number[]): Promise<void> => {
    await db.transaction(() => {
      for (const id of ids) void db.put(['task', id], RECORD);
    });
    await db.flushed;
    done += ids.length;
    give(peer);
    if (done < tasks) return;
    console.log((performance.now() - begun) / 1000);
    process.exit(0);
  };
  for (let i = 0; i < AHEAD; i++) for (const peer of peers) give(peer);
  for (;;) {
    const [peer, frame] = await socket.receive();
    void commit(peer!, unpack(frame!) as number[]);
  }
}

async function deal(): Promise<void> {
  const socket = new Dealer({ sendHighWaterMark: 0, receiveHighWaterMark: 0 });
  const filename = new URL('./bare-thread.js', import.meta.url).href;
  const pool = new Piscina({ filename, minThreads: 1, maxThreads: 1, concurrentTasksPerWorker: 2 });
  socket.connect(endpoint);
  await pool.run([]);
  let sending: Promise<unknown> = socket.send('hello');
  const run = async (ids: readonly number[]): Promise<void> => {
    const answer = pack(await pool.run(ids));
    sending = sending.then(() => socket.send(answer));
  };
  for (;;) {
    const [frame] = await socket.receive();
    void run(unpack(frame!) as number[]);
  }
}

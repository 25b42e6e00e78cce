import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { curveKeyPair } from 'zeromq';
import { temporaryDirectory } from '../../testing/engine-fixture.js';
import { DealerSocket } from './dealer.js';
import { checkEndpoint, endpointParts, isOpenToOthers, withServerKey } from './endpoint.js';
import { AllowList, type KeyPair, readKeyPair, readPublicKey, writeKeyPair, z85 } from './keys.js';
import { type Peer, RouterSocket } from './router.js';
import { clientSecurity, serverSecurity } from './security.js';

t.test('key files', async (t) => {
  t.equal(z85(Buffer.from('864fd26fb559f75b', 'hex')), 'HelloWorld', 'the example of the RFC');
  const folder = join(temporaryDirectory(t), 'keys');
  const { secret, shared } = writeKeyPair(folder, 'north');
  t.equal(statSync(secret).mode & 0o777, 0o600);
  const pair = readKeyPair(secret);
  t.equal(readPublicKey(shared), pair.publicKey);
  t.equal(readPublicKey(pair.publicKey), pair.publicKey, 'a key as typed');
  t.notMatch(readFileSync(shared, 'utf8'), pair.secretKey);
  t.throws(() => writeKeyPair(folder, 'north'), { code: 'ERR_DAF_CONFLICT' });
  t.same(readKeyPair(secret), pair, 'and nothing was overwritten');
  t.throws(() => writeKeyPair(folder, '../x'), { code: 'ERR_DAF_BAD_OPTION' });
  chmodSync(secret, 0o640);
  t.throws(() => readKeyPair(secret), { code: 'ERR_DAF_PERMISSION', hint: /chmod 600/ });
  t.throws(() => readKeyPair(join(folder, 'none')), { code: 'ERR_DAF_NOT_FOUND' });
  writeFileSync(join(folder, 'empty'), 'nothing\n', { mode: 0o600 });
  t.throws(() => readKeyPair(join(folder, 'empty')), { code: 'ERR_DAF_BAD_OPTION' });
  t.throws(() => new AllowList(join(folder, 'empty')), { code: 'ERR_DAF_BAD_OPTION' });
  t.throws(() => serverSecurity('coordinator', { key: secret, allow: null }), { code: 'ERR_DAF_BAD_OPTION' });
  t.throws(() => clientSecurity(null, shared), { code: 'ERR_DAF_BAD_OPTION' });
  t.equal(serverSecurity('coordinator', { key: null, allow: null }), null);
});

t.test('other machines are reached with keys only', async (t) => {
  for (const open of [
    'tcp://10.0.0.1:7788',
    'tcp://0.0.0.0:0',
    'tcp://*:7788',
    'tcp://node-1.lab:7788',
    'tcp://[2001:db8::1]:7788',
  ]) {
    t.throws(() => checkEndpoint(open), { code: 'ERR_DAF_BAD_OPTION', hint: /daf keys new/ }, open);
    checkEndpoint(open, true);
    t.ok(isOpenToOthers(open), open);
    await t.rejects(RouterSocket.bind([open], { onMessage() {} }), { code: 'ERR_DAF_BAD_OPTION' });
    t.throws(() => new DealerSocket(open, { onMessage() {}, onConnected() {} }), { code: 'ERR_DAF_BAD_OPTION' });
  }
  for (const own of ['tcp://127.0.0.2:1', 'tcp://localhost:1', 'tcp://[::1]:1', 'ipc:///x']) t.notOk(isOpenToOthers(own), own);
  const { publicKey } = curveKeyPair();
  t.same(endpointParts(withServerKey('tcp://h:1', publicKey)), { address: 'tcp://h:1', serverKey: publicKey });
  const keyless = (): unknown =>
    new DealerSocket(withServerKey('tcp://127.0.0.1:1', publicKey), { onMessage() {}, onConnected() {} });
  t.throws(keyless, { code: 'ERR_DAF_BAD_OPTION' });
});

/** A router that echoes; the list of who may is a file. */
async function echo(
  t: Test,
  allowed: readonly string[],
): Promise<{ endpoint: string; list: string; refused: string[]; seen: string[] }> {
  const list = join(temporaryDirectory(t), 'allowed');
  writeFileSync(list, allowed.map((key) => `${key} somebody\n`).join(''));
  const keys = curveKeyPair();
  const refused: string[] = [];
  const seen: string[] = [];
  const router: RouterSocket = await RouterSocket.bind(
    ['tcp://127.0.0.1:0'],
    {
      onMessage(peer: Peer, frames) {
        seen.push(String(frames[0]));
        void router.send(peer, frames);
      },
      onRefused: (key) => refused.push(key),
    },
    { keys, allowed: new AllowList(list) },
  );
  t.teardown(() => router.close());
  return { endpoint: withServerKey(router.endpoints[0]!, keys.publicKey), list, refused, seen };
}

/** Sends a word as soon as it is connected; resolves with what comes back, `refused`, or `silence`. */
function ask(t: Test, endpoint: string, keys: KeyPair | null, word: string, ms = 500): Promise<string> {
  return new Promise((resolve) => {
    const socket: DealerSocket = new DealerSocket(
      endpoint,
      {
        onMessage: (frames) => resolve(String(frames[0])),
        onConnected: () => void socket.send([Buffer.from(word)]),
        onRefused: () => resolve('refused'),
      },
      keys,
    );
    t.teardown(() => socket.close());
    setTimeout(() => resolve('silence'), ms);
  });
}

t.test('known keys get in, others do not, and the list may change', async (t) => {
  const [friend, stranger] = [curveKeyPair(), curveKeyPair()];
  const { endpoint, list, refused, seen } = await echo(t, [friend.publicKey]);
  t.equal(await ask(t, endpoint, friend, 'hello', 20_000), 'hello');
  t.equal(await ask(t, endpoint, stranger, 'let me in', 20_000), 'refused');
  t.ok(refused.length > 0 && refused.every((key) => key === stranger.publicKey), 'it is told who tried');
  const { address } = endpointParts(endpoint);
  t.equal(await ask(t, address, null, 'in clear'), 'silence');
  t.equal(await ask(t, withServerKey(address, stranger.publicKey), friend, 'to another'), 'silence', 'the wrong server');
  t.equal(await ask(t, endpoint, { ...friend, secretKey: stranger.secretKey }, 'as another'), 'silence', 'a key that is not his');
  t.same(seen, ['hello']);
  writeFileSync(list, `${stranger.publicKey}\n`);
  t.equal(await ask(t, endpoint, stranger, 'now', 20_000), 'now');
  t.equal(await ask(t, endpoint, friend, 'again', 20_000), 'refused');
  rmSync(list);
  t.equal(await ask(t, endpoint, stranger, 'and now', 20_000), 'refused', 'without its list nobody gets in');
});

t.test('nothing is readable on the way', async (t) => {
  const friend = curveKeyPair();
  const { endpoint } = await echo(t, [friend.publicKey]);
  const { address, serverKey } = endpointParts(endpoint);
  let passed = Buffer.alloc(0);
  const proxy = createServer((near: Socket) => {
    const far = connect(Number(address.split(':').at(-1)), '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (bytes: Buffer) => {
        passed = Buffer.concat([passed, bytes]);
        to.write(bytes);
      });
      from.on('error', () => {});
      from.on('close', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.teardown(() => proxy.close());
  const { port } = proxy.address() as { port: number };
  const word = 'a secret that must not be seen';
  t.equal(await ask(t, withServerKey(`tcp://127.0.0.1:${port}`, serverKey), friend, word, 20_000), word);
  t.ok(passed.length > 200);
  t.notOk(passed.includes(word));
});

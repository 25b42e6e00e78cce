import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { isMockedS3, S3Server, s3Program } from '../../../testing/s3-server.js';
import { blobStoreConformance } from '../blob-conformance.js';
import { parseS3Url, S3BlobStore } from './blob-s3.js';
import { listObjects, listUploads } from './listing.js';
import { bucketUrl, type S3Settings, s3Settings } from './settings.js';

const skip = s3Program() === null ? 'no S3 server (versitygw or moto_server)' : false;
const MB = 2 ** 20;
/** One for all: a server takes longer to start than a test. */
const server = skip === false ? await S3Server.start(t, ['conformance', 'large', 'many', 'mine']) : null;

t.test('settings come from the environment, then from the profile', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'daf-aws-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const [config, secrets] = [join(folder, 'config'), join(folder, 'credentials')];
  writeFileSync(
    config,
    '[default]\nregion = eu-central-1\n[profile lab]\nregion=eu-west-2\nendpoint_url = https://s3.lab.example/\ns3 =\n  region = no\n',
  );
  writeFileSync(
    secrets,
    '# mine\n[default]\naws_access_key_id = A\naws_secret_access_key = B\n[lab]\naws_access_key_id=C\naws_secret_access_key=D=\naws_session_token=E\n',
  );
  const env = { AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: secrets };
  t.match(s3Settings(env), {
    endpoint: null,
    region: 'eu-central-1',
    pathStyle: false,
    credentials: { accessKeyId: 'A', sessionToken: null },
  });
  const lab = s3Settings({ ...env, AWS_PROFILE: 'lab' });
  t.match(lab, { endpoint: 'https://s3.lab.example', region: 'eu-west-2', pathStyle: true });
  t.same(lab.credentials, { accessKeyId: 'C', secretAccessKey: 'D=', sessionToken: 'E' });
  t.equal(bucketUrl(lab, 'photos'), 'https://s3.lab.example/photos');
  const keys = { AWS_ACCESS_KEY_ID: 'F', AWS_SECRET_ACCESS_KEY: 'G', AWS_REGION: 'us-west-1' };
  const own = s3Settings({ ...env, ...keys, DAF_S3_PATH_STYLE: '0', AWS_ENDPOINT_URL: 'http://h:9000' });
  t.match(own, { region: 'us-west-1', credentials: { accessKeyId: 'F', sessionToken: null } });
  t.equal(bucketUrl(own, 'photos'), 'http://photos.h:9000');
  t.equal(bucketUrl({ ...own, endpoint: null }, 'my.photos'), 'https://s3.us-west-1.amazonaws.com/my.photos');
  const none = { AWS_CONFIG_FILE: '/none', AWS_SHARED_CREDENTIALS_FILE: '/none' };
  t.throws(() => s3Settings(none), { code: 'ERR_DAF_PERMISSION' });
  t.throws(() => s3Settings({ ...none, AWS_WEB_IDENTITY_TOKEN_FILE: '/token' }), {
    code: 'ERR_DAF_PERMISSION',
    message: /AWS_WEB_IDENTITY_TOKEN_FILE is not supported/,
  });
  t.throws(() => s3Settings({ ...keys, AWS_ENDPOINT_URL: 'h:9000' }), { code: 'ERR_DAF_BAD_OPTION' });
  t.throws(() => s3Settings({ ...keys, DAF_S3_PATH_STYLE: 'yes' }), { code: 'ERR_DAF_BAD_OPTION' });
  t.same(parseS3Url('s3://b-1/x/y'), { bucket: 'b-1', key: 'x/y' });
  for (const url of ['s3://', 's3:/b', 's3://B/x', 's3://b'])
    t.throws(() => parseS3Url(url), { code: 'ERR_DAF_BAD_OPTION' }, url);
});

t.test('conformance', { skip }, async (t) => {
  const settings = s3Settings(server!.env);
  let places = 0;
  // The mock's web framework has no newlines in paths.
  blobStoreConformance(t, async () => new S3BlobStore(`s3://conformance/place ${places++}/ü`, settings), !isMockedS3());
  t.test('usable', async () => new S3BlobStore('s3://conformance', settings).checkUsable());
});

t.test('large objects go in parts, and are published in the server', { skip }, async (t) => {
  const store = new S3BlobStore('s3://large/here', s3Settings(server!.env));
  const bytes = Buffer.alloc(20 * MB + 5);
  for (let i = 0; i < bytes.length; i += 1000) bytes.writeUInt32LE(i, Math.min(i, bytes.length - 4));
  async function* stream(): AsyncGenerator<Uint8Array> {
    const chunk = Buffer.alloc(70_001); // filled anew each time, as writers do
    for (let at = 0; at < bytes.length; at += chunk.length) yield chunk.subarray(0, bytes.copy(chunk, 0, at));
  }
  t.same(await store.put('streamed', stream()), { key: 'streamed', bytes: bytes.length });
  t.ok(bytes.equals(await store.get('streamed')));
  t.ok(bytes.subarray(8 * MB - 3, 8 * MB + 3).equals(await store.getRange('streamed', 8 * MB - 3, 6)));
  await store.put('whole', bytes);
  const file = join(mkdtempSync(join(tmpdir(), 'daf-put-')), 'f');
  writeFileSync(file, bytes);
  await store.putFile('moved', file);
  t.ok(bytes.equals(await store.get('moved')));
  t.equal(await store.publish('streamed', 'final'), true);
  t.equal(await store.publish('streamed', 'final'), true, 'idempotent');
  t.equal(await store.publish('moved', 'final'), true, 'the same bytes');
  bytes[9 * MB] = 1;
  await store.put('other', bytes);
  t.equal(await store.publish('other', 'final'), false);

  await t.rejects(
    store.put(
      'never',
      (async function* () {
        yield bytes;
        throw new Error('the source fails');
      })(),
    ),
  );
  t.equal(await store.stat('never'), null);
  const client = server!.client('large');
  t.same(await listUploads(client, ''), [], 'nothing is left of what failed');
  await client.send({ method: 'POST', key: 'here/_daf/j/x', query: { uploads: '' } });
  t.equal((await listUploads(client, 'here/_daf/')).length, 1, 'a writer died');
  await store.deletePrefix('_daf/j/');
  t.same(await listUploads(client, ''), []);
});

t.test('listings of more than a page', { skip }, async (t) => {
  const store = new S3BlobStore('s3://many', s3Settings(server!.env));
  const names = Array.from({ length: 53 }, (_, i) => `d/${String(i).padStart(5, '0')}`);
  await Promise.all([...names, 'e'].map((name) => store.put(name, Buffer.from(name))));
  for (const page of [1, 7, 53, 1000]) {
    const seen: string[] = [];
    for await (const { key } of listObjects(server!.client('many'), 'd/', page)) seen.push(key);
    t.same(seen, names, `pages of ${page}`);
  }
  await store.deletePrefix('d/');
  const left: string[] = [];
  for await (const { key } of store.list('')) left.push(key);
  t.same(left, ['e']);
});

t.test('what is not allowed or not there is told', { skip }, async (t) => {
  const settings = s3Settings(server!.env);
  const stranger = { ...settings, credentials: { ...settings.credentials, secretAccessKey: 'guess' } };
  if (!isMockedS3())
    await t.rejects(new S3BlobStore('s3://mine', stranger).put('x', Buffer.from('x')), { code: 'ERR_DAF_PERMISSION' });
  await t.rejects(new S3BlobStore('s3://nobodys', settings).put('x', Buffer.from('x')), { code: 'ERR_DAF_NOT_FOUND' });
});

/** A server that answers by script. */
async function scripted(
  t: Test,
  answer: (request: IncomingMessage, body: string, response: ServerResponse) => void,
): Promise<S3Settings> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => answer(request, body, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b', sessionToken: null };
  return { endpoint: `http://127.0.0.1:${port}`, region: 'r', pathStyle: true, credentials };
}

t.test('busy servers, lost answers and damaged bytes', async (t) => {
  let requests = 0;
  const stored = new Map<string, { writer: string; body: string }>();
  const settings = await scripted(t, (request, body, response) => {
    requests += 1;
    const [path, writer] = [request.url!, String(request.headers['x-amz-meta-daf-writer'] ?? '')];
    if (path.endsWith('/busy') && requests % 3 !== 0) response.writeHead(requests % 3 === 1 ? 503 : 429).end();
    else if (path.endsWith('/broken')) response.writeHead(200, { 'x-amz-checksum-sha256': 'AAAA' }).end('bytes');
    else if (path.endsWith('/cut')) {
      response.writeHead(200, { 'content-length': requests < 9 ? '10' : '5' });
      response.write('bytes');
      setTimeout(() => (requests < 9 ? request.socket.destroy() : response.end()), 5);
    } else if (request.method === 'PUT') {
      if (stored.has(path)) response.writeHead(412).end();
      else {
        stored.set(path, { writer, body });
        if (path.endsWith('/lost'))
          request.socket.destroy(); // carried out, not answered
        else response.writeHead(200).end();
      }
    } else if (request.method === 'HEAD')
      response.writeHead(200, { 'x-amz-meta-daf-writer': stored.get(path)?.writer ?? '' }).end();
    else response.writeHead(200).end('ok');
  });
  const store = new S3BlobStore('s3://bucket', settings);
  t.equal(Buffer.from(await store.get('busy')).toString(), 'ok');
  t.equal(requests, 3);
  await t.rejects(store.get('broken'), { code: 'ERR_DAF_IO', retryable: true });
  t.equal(Buffer.from(await store.get('cut')).toString(), 'bytes', 'a connection that ended early');
  t.equal(await store.putIfAbsent('lost', Buffer.from('x')), true, 'it was its own write that it met');
  t.equal(await store.putIfAbsent('lost', Buffer.from('x')), false);
  t.equal(stored.get('/bucket/lost')!.body, 'x');
});

t.test('an endpoint without conditional writes is refused', async (t) => {
  for (const status of [200, 501]) {
    const seen: string[] = [];
    const settings = await scripted(t, (request, _, response) => {
      seen.push(request.method!);
      response.writeHead(request.method === 'PUT' ? status : 204).end();
    });
    await t.rejects(new S3BlobStore('s3://bucket', settings).checkUsable(), {
      code: 'ERR_DAF_UNSUPPORTED',
      message: /If-None-Match/,
    });
    t.equal(seen.at(-1), 'DELETE', 'the probe is taken away');
  }
});

t.test('the region is told, and XML is read as it is meant', async (t) => {
  const moved = await scripted(t, (_, __, response) => response.writeHead(301, { 'x-amz-bucket-region': 'eu-north-1' }).end());
  await t.rejects(new S3BlobStore('s3://bucket', moved).get('x'), { code: 'ERR_DAF_BAD_OPTION', hint: /eu-north-1/ });
  const plain = await scripted(t, (_, __, response) =>
    response.end('<L><Contents><Key>a&amp;b &#x1F600;&lt;</Key><Size>3</Size></Contents><IsTruncated>false</IsTruncated></L>'),
  );
  const keys: string[] = [];
  for await (const { key } of new S3BlobStore('s3://bucket', plain).list('')) keys.push(key);
  t.same(keys, ['a&b 😀<']);
  const unordered = await scripted(t, (_, __, response) =>
    response.end('<L><Contents><Key>b</Key><Size>3</Size></Contents><Contents><Key>a</Key><Size>3</Size></Contents></L>'),
  );
  await t.rejects(
    (async () => {
      for await (const _ of new S3BlobStore('s3://bucket', unordered).list(''));
    })(),
    { code: 'ERR_DAF_UNSUPPORTED' },
  );
});

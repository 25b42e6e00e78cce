import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import { describeCluster } from '../description.js';
import { composeFile } from './compose.js';
import { kubernetesManifest } from './kubernetes.js';
import { slurmScript } from './slurm.js';
import { toYaml } from './yaml.js';

type Tree = { readonly [key: string]: unknown };
const { version } = JSON.parse(readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8')) as { version: string };
const usual = describeCluster({}, version);
const large = describeCluster(
  { name: 'faces', image: 'registry.example:5000/daf:1', workers: 7, threads: 2, memory: '1GB', port: 7000 },
  version,
);

t.test('text that YAML would take for something else is quoted', async (t) => {
  const value = {
    words: [
      'yes',
      'no',
      '1',
      '1.5',
      'null',
      '~',
      '- x',
      'a: b',
      'a #b',
      '',
      ' x',
      "it's",
      '"q"',
      '*:1',
      '{a}',
      '@x',
      'x:',
      '0o17',
      '.5',
    ],
    plain: { a: 'daf:0.1.0', b: true, c: 12, empty: {}, deep: [{ x: 1, y: ['a', 'b'] }, { z: { w: '%$!' } }] },
    on: 'off',
  };
  for (const version of ['1.1', '1.2'] as const) t.same(parse(toYaml(value), { version }), value);
});

t.test('the compose file of the repository is what is printed', async (t) => {
  t.equal(readFileSync(new URL('../../../../docker/compose.yaml', import.meta.url), 'utf8'), composeFile(usual));
});

/** The members of a service that the compose specification knows and these files use; a misspelt one is refused by docker compose. */
const SERVICE = [
  'image',
  'build',
  'user',
  'read_only',
  'tmpfs',
  'cap_drop',
  'security_opt',
  'stop_grace_period',
  'restart',
  'networks',
]
  .concat([
    'environment',
    'secrets',
    'configs',
    'command',
    'entrypoint',
    'depends_on',
    'deploy',
    'healthcheck',
    'ports',
    'volumes',
  ])
  .concat(['hostname', 'profiles']);

t.test('a compose file keeps the rules of the specification, limits and secrets', async (t) => {
  const file = parse(composeFile(large)) as Record<string, Record<string, Tree>>;
  t.same(Object.keys(file).sort(), ['configs', 'name', 'networks', 'secrets', 'services', 'volumes']);
  for (const [name, service] of Object.entries(file['services']!)) {
    for (const member of Object.keys(service)) t.ok(SERVICE.includes(member), `${name}.${member}`);
    t.match(service['image'], /:[\w.-]+$/, `${name}: the image is pinned`);
    t.notMatch(service['image'], /latest$/);
    const named = (member: string): string[] =>
      ((service[member] ?? []) as (string | { source: string })[]).map((each) => (typeof each === 'string' ? each : each.source));
    for (const each of named('secrets')) t.ok(each in file['secrets']!, `${name} uses a secret that there is`);
    for (const each of named('configs')) t.ok(each in file['configs']!, each);
    for (const each of named('networks')) t.ok(each in file['networks']!, each);
    for (const each of named('volumes')) t.ok(each.startsWith('/') || each.split(':')[0]! in file['volumes']!, each);
    for (const [other, { condition }] of Object.entries((service['depends_on'] ?? {}) as Record<string, { condition: string }>)) {
      t.ok(condition !== 'service_healthy' || 'healthcheck' in file['services']![other]!, `${name} waits for ${other}`);
    }
    for (const each of named('ports'))
      t.match(each, /^127\.0\.0\.1:\d+:\d+$/, 'others reach a port only by the will of who publishes it');
    for (const value of Object.values((service['environment'] ?? {}) as Record<string, string>)) {
      t.match(value, /^(\/run\/secrets\/|\/etc\/daf\/|http:\/\/s3:8333$|us-east-1$)/, 'a place, and no secret');
    }
  }
  const { worker, coordinator, cli } = file['services'] as Record<string, Tree>;
  for (const ours of [worker, coordinator, cli]) {
    t.match(ours, { read_only: true, cap_drop: ['ALL'], user: '$' + '{DAF_USER:-1000:1000}' });
    t.notOk((ours!['secrets'] as string[]).includes('valkey-conf'));
  }
  t.match(worker, { deploy: { replicas: 7, resources: { limits: { memory: '1024M' } } } });
  t.same((worker!['command'] as string[]).slice(-4), ['--memory', '912MB', '--threads', '2'], 'with room for the health check');
  for (const { file: path } of Object.values(file['secrets']!)) t.match(path, /^\.\/secrets\//);
});

interface Workload {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly replicas: number;
    readonly serviceName?: string;
    readonly ports?: unknown;
    readonly selector: Tree;
    readonly template: { readonly metadata: { readonly labels: Tree }; readonly spec: Tree };
  };
}

t.test('a Kubernetes manifest: limits, no root, no secret in clear, names that agree', async (t) => {
  const text = kubernetesManifest({ ...large, s3Endpoint: 'https://s3.example' });
  const documents = parseAllDocuments(text);
  t.ok(documents.every(({ errors }) => errors.length === 0));
  const [service, coordinator, worker] = documents.map((each) => each.toJS() as Workload);
  t.same([service!.kind, coordinator!.kind, worker!.kind], ['Service', 'StatefulSet', 'Deployment']);
  t.same(service!.spec.ports, [{ name: 'daf', port: 7000, targetPort: 7000 }]);
  t.same(coordinator!.spec.template.metadata.labels, service!.spec.selector);
  t.equal(coordinator!.spec.serviceName, service!.metadata.name);
  t.equal(worker!.spec.replicas, 7);
  for (const { spec, metadata } of [coordinator!, worker!]) {
    const pod = spec.template.spec as Record<string, unknown> & {
      containers: Tree[];
      initContainers: Tree[];
      volumes: { name: string; secret?: Tree }[];
    };
    t.same(spec.selector['matchLabels'], spec.template.metadata.labels);
    t.match(pod, { automountServiceAccountToken: false, securityContext: { runAsNonRoot: true, runAsUser: 10_001 } });
    const volumes = new Set([...pod.volumes.map(({ name }) => name), ...(metadata.name.endsWith('-worker') ? [] : ['state'])]);
    for (const container of [...pod.containers, ...pod.initContainers]) {
      t.match(container, {
        securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
      });
      t.match(container, { resources: { limits: { memory: /^\d+Mi$/ } } });
      for (const { name } of container['volumeMounts'] as { name: string }[]) t.ok(volumes.has(name), name);
      for (const { value } of (container['env'] ?? []) as { value: string }[])
        t.match(value, /^(\/run\/daf\/|https:\/\/s3\.example$)/);
    }
    t.match(pod.volumes[0], { secret: { secretName: metadata.name } });
  }
  t.match((worker!.spec.template.spec['containers'] as Tree[])[0], {
    args: ['worker', '--connect', 'tcp://faces-coordinator:7000'],
    resources: { limits: { memory: '1024Mi' } },
  });
  t.notMatch(text, /kind: Secret/);
});

t.test('a Slurm script is shell, asks for what it uses and names secrets only as files', async (t) => {
  const script = slurmScript(large);
  const read = spawnSync('bash', ['-n'], { input: script });
  t.equal(read.status, 0, read.stderr.toString());
  for (const line of ['--nodes=7', '--ntasks-per-node=1', '--cpus-per-task=3', '--mem=1536M'])
    t.match(script, `#SBATCH ${line}\n`);
  t.match(script, '--memory 912MB --threads 2');
  t.notMatch(script, /--token/);
});

t.test('wrong descriptions are refused', async (t) => {
  for (const wrong of [
    { name: 'A b' },
    { image: 'daf' },
    { workers: 0 },
    { memory: '64MB' },
    { port: 70_000 },
    { s3Endpoint: 'x' },
    { wrokers: 1 },
  ]) {
    t.throws(() => describeCluster(wrong, version), { code: 'ERR_DAF_BAD_OPTION' }, JSON.stringify(wrong));
  }
});

import { type Description, mebibytes } from '../description.js';
import { toYaml, type Yaml } from './yaml.js';

/** Named by version, so that a cluster is the same tomorrow. SeaweedFS makes conditional writes atomic from 4.18 on. */
export const VALKEY_IMAGE = 'valkey/valkey:8.1.1';
export const SEAWEEDFS_IMAGE = 'chrislusf/seaweedfs:4.20';
export const BUCKET = 'daf';

const SECRETS = '/run/secrets';
const PUBLIC = '/etc/daf';

const HEAD = `# A cluster on one machine or swarm: coordinator, workers, Valkey for the coordinator's state, SeaweedFS for inputs and results.
# Printed by \`daf launch print compose\`; docker/README.md says how to start it. Secrets are files below ./secrets (docker/new-secrets.sh
# makes them); DAF_USER must be the one that may read them: DAF_USER=$(id -u):$(id -g).
`;

/** compose.yaml of the compose specification. Secrets are named, never held. */
export function composeFile(description: Description): string {
  const { name, workers, memory } = description;
  const document: Yaml = {
    name,
    services: {
      coordinator: coordinator(description),
      worker: {
        ...daf(description, 'worker.key'),
        command: workerCommand(description),
        depends_on: { coordinator: { condition: 'service_healthy' } },
        deploy: { replicas: workers, resources: limits(memory) },
        healthcheck: health(`daf jobs --workers --connect tcp://coordinator:${description.port} | grep -q "^$$(hostname)-"`),
        volumes: ['/var/lib/daf'],
      },
      cli: {
        ...daf(description, 'client.key'),
        profiles: ['cli'],
        command: ['--help'],
        deploy: { resources: limits(memory) },
      },
      valkey: valkey(),
      s3: seaweedfs(),
      bucket: {
        image: SEAWEEDFS_IMAGE,
        entrypoint: ['/bin/sh', '-c', `echo "s3.bucket.create -name ${BUCKET}" | weed shell -master=s3:9333`],
        depends_on: { s3: { condition: 'service_healthy' } },
        restart: 'on-failure',
        networks: ['stores'],
      },
    },
    networks: { cluster: {}, stores: { internal: true } },
    volumes: { valkey: {}, s3: {} },
    secrets: Object.fromEntries(
      ['coordinator.key', 'worker.key', 'client.key', 'token', 'state', 'aws', 'valkey.conf', 's3.json'].map((file) => [
        secretName(file),
        { file: `./secrets/${file}` },
      ]),
    ),
    configs: {
      allowed: { file: './secrets/allowed' },
      'coordinator-pub': { file: './secrets/coordinator.pub' },
    },
  };
  return HEAD + toYaml(document);
}

function coordinator(description: Description): { readonly [key: string]: Yaml } {
  const { port } = description;
  const base = daf(description, 'coordinator.key', ['state']);
  const environment = { ...(base['environment'] as object), DAF_STATE_FILE: `${SECRETS}/state`, DAF_ALLOW: `${PUBLIC}/allowed` };
  return {
    ...base,
    environment: environment as { readonly [key: string]: Yaml },
    command: ['coordinator', '--listen', `tcp://*:${port}`],
    depends_on: { valkey: { condition: 'service_healthy' }, bucket: { condition: 'service_completed_successfully' } },
    deploy: { resources: limits(512 * 2 ** 20) },
    // Its own key is on the list, so that it may ask itself.
    healthcheck: health(`daf jobs --connect tcp://coordinator:${port}`),
    ports: [`127.0.0.1:${port}:${port}`],
    hostname: 'coordinator',
  };
}

function workerCommand({ budget, threads, port }: Description): string[] {
  return [
    ...['worker', '--connect', `tcp://coordinator:${port}`, '--data', '/var/lib/daf/data'],
    ...['--memory', `${mebibytes(budget)}MB`, '--threads', String(threads)],
  ];
}

/** What every process of DAF has: no root, no capabilities, nothing written but /tmp and its volume, secrets as files. */
function daf({ image }: Description, key: string, more: readonly string[] = []): { readonly [key: string]: Yaml } {
  return {
    image,
    build: { context: '..', dockerfile: 'docker/Dockerfile' },
    user: '$' + '{DAF_USER:-1000:1000}',
    read_only: true,
    tmpfs: ['/tmp'],
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    stop_grace_period: '10s',
    restart: key === 'client.key' ? 'no' : 'unless-stopped',
    networks: ['cluster', 'stores'],
    environment: {
      DAF_KEY: `${SECRETS}/${secretName(key)}`,
      DAF_SERVER_KEY: `${PUBLIC}/coordinator.pub`,
      DAF_TOKEN_FILE: `${SECRETS}/token`,
      AWS_SHARED_CREDENTIALS_FILE: `${SECRETS}/aws`,
      AWS_ENDPOINT_URL_S3: 'http://s3:8333',
      AWS_REGION: 'us-east-1',
    },
    secrets: [secretName(key), 'token', 'aws', ...more],
    configs: [
      { source: 'coordinator-pub', target: `${PUBLIC}/coordinator.pub` },
      { source: 'allowed', target: `${PUBLIC}/allowed` },
    ],
  };
}

function valkey(): Yaml {
  return {
    image: VALKEY_IMAGE,
    command: ['valkey-server', `${SECRETS}/valkey-conf`],
    restart: 'unless-stopped',
    networks: ['stores'],
    volumes: ['valkey:/data'],
    secrets: ['valkey-conf'],
    // Without a password the answer is NOAUTH: it is there.
    healthcheck: health('valkey-cli ping | grep -Eq "PONG|NOAUTH"'),
    deploy: { resources: limits(256 * 2 ** 20) },
  };
}

function seaweedfs(): Yaml {
  return {
    image: SEAWEEDFS_IMAGE,
    command: [
      'server',
      '-dir=/data',
      '-ip=s3',
      '-volume.max=0',
      '-master.volumeSizeLimitMB=1024',
      '-s3',
      `-s3.config=${SECRETS}/s3-json`,
    ],
    restart: 'unless-stopped',
    networks: ['stores'],
    volumes: ['s3:/data'],
    secrets: ['s3-json'],
    healthcheck: health('wget -q -O /dev/null http://s3:9333/cluster/status && nc -z s3 8333'),
    deploy: { resources: limits(1024 * 2 ** 20) },
  };
}

function health(command: string): Yaml {
  return { test: ['CMD-SHELL', command], interval: '30s', timeout: '20s', retries: 3, start_period: '60s', start_interval: '2s' };
}

function limits(memory: number): Yaml {
  return { limits: { memory: `${mebibytes(memory)}M` } };
}

/** A name that compose takes, and the file below /run/secrets. */
function secretName(file: string): string {
  return file.replace(/\.(?!key$)/, '-');
}

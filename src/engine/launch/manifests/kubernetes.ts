import { type Description, mebibytes } from '../description.js';
import { toYaml, type Yaml } from './yaml.js';

const KEYS = '/run/daf';
/** Of the image. */
const USER = 10_001;

const head = (
  name: string,
): string => `# Printed by \`daf launch print kubernetes\`. Secrets are in the cluster, not in here; make them before (docker/new-secrets.sh writes the files):
#   kubectl create secret generic ${name}-coordinator --from-file=secrets/coordinator.key --from-file=secrets/token --from-file=secrets/aws --from-file=secrets/allowed --from-file=secrets/coordinator.pub
#   kubectl create secret generic ${name}-worker --from-file=secrets/worker.key --from-file=secrets/token --from-file=secrets/aws --from-file=secrets/coordinator.pub
`;

/** A coordinator whose state is on a volume of its own, and workers. The output store is a bucket outside. */
export function kubernetesManifest(description: Description): string {
  const documents = [service(description), coordinator(description), workers(description)];
  return head(description.name) + documents.map(toYaml).join('---\n');
}

function service({ name, port }: Description): Yaml {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: `${name}-coordinator`, labels: labels(name, 'coordinator') },
    spec: { selector: labels(name, 'coordinator'), ports: [{ name: 'daf', port, targetPort: port }] },
  };
}

function coordinator(description: Description): Yaml {
  const { name, port } = description;
  const container = {
    ...daf(description, 'coordinator'),
    args: ['coordinator', '--listen', `tcp://*:${port}`, '--state', '/var/lib/daf/state', '--allow', `${KEYS}/allowed`],
    ports: [{ name: 'daf', containerPort: port }],
    readinessProbe: { tcpSocket: { port }, periodSeconds: 5 },
    livenessProbe: { tcpSocket: { port }, periodSeconds: 20, failureThreshold: 6 },
    resources: resources(512 * 2 ** 20, 1),
    volumeMounts: mounts('state'),
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: `${name}-coordinator`, labels: labels(name, 'coordinator') },
    spec: {
      // One: a second on the same state would fence the first.
      replicas: 1,
      serviceName: `${name}-coordinator`,
      selector: { matchLabels: labels(name, 'coordinator') },
      template: pod(description, 'coordinator', container, [], USER),
      volumeClaimTemplates: [
        {
          metadata: { name: 'state' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } } },
        },
      ],
    },
  };
}

function workers(description: Description): Yaml {
  const { name, port, budget, threads, memory } = description;
  const container = {
    ...daf(description, 'worker'),
    args: [
      ...['worker', '--connect', `tcp://${name}-coordinator:${port}`, '--data', '/var/lib/daf/data'],
      ...['--memory', `${mebibytes(budget)}MB`, '--threads', String(threads)],
    ],
    resources: resources(memory, threads),
    volumeMounts: mounts('data'),
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: `${name}-worker`, labels: labels(name, 'worker') },
    spec: {
      replicas: description.workers,
      selector: { matchLabels: labels(name, 'worker') },
      template: pod(description, 'worker', container, [{ name: 'data', emptyDir: {} }], null),
    },
  };
}

/** A key file that its group may read is refused: the init container copies the secret's files, so that they are this user's alone. */
function pod({ name, image }: Description, role: string, container: Yaml, volumes: readonly Yaml[], group: number | null): Yaml {
  return {
    metadata: { labels: labels(name, role) },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 15,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: USER,
        runAsGroup: USER,
        ...(group === null ? {} : { fsGroup: group }),
        seccompProfile: { type: 'RuntimeDefault' },
      },
      initContainers: [
        {
          name: 'keys',
          image,
          command: ['/bin/sh', '-c', `umask 077 && for file in /secret/*; do cat "$file" > "${KEYS}/$(basename "$file")"; done`],
          securityContext: confined(),
          resources: { limits: { memory: '64Mi' }, requests: { cpu: '10m', memory: '16Mi' } },
          volumeMounts: [
            { name: 'secret', mountPath: '/secret', readOnly: true },
            { name: 'keys', mountPath: KEYS },
          ],
        },
      ],
      containers: [container],
      volumes: [
        { name: 'secret', secret: { secretName: `${name}-${role}`, defaultMode: 0o444 } },
        { name: 'keys', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
        { name: 'tmp', emptyDir: {} },
        ...volumes,
      ],
    },
  };
}

function daf({ image, s3Endpoint }: Description, role: string): { readonly [key: string]: Yaml } {
  const environment: Record<string, string> = {
    DAF_KEY: `${KEYS}/${role}.key`,
    DAF_TOKEN_FILE: `${KEYS}/token`,
    AWS_SHARED_CREDENTIALS_FILE: `${KEYS}/aws`,
    ...(role === 'worker' ? { DAF_SERVER_KEY: `${KEYS}/coordinator.pub` } : {}),
    ...(s3Endpoint === null ? {} : { AWS_ENDPOINT_URL_S3: s3Endpoint }),
  };
  return {
    name: role,
    image,
    env: Object.entries(environment).map(([name, value]) => ({ name, value })),
    securityContext: confined(),
  };
}

function confined(): Yaml {
  return { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } };
}

function resources(memory: number, cores: number): Yaml {
  const size = `${mebibytes(memory)}Mi`;
  return { limits: { memory: size }, requests: { cpu: String(cores), memory: size } };
}

function mounts(data: string): Yaml {
  return [
    { name: data, mountPath: '/var/lib/daf' },
    { name: 'keys', mountPath: KEYS, readOnly: true },
    { name: 'tmp', mountPath: '/tmp' },
  ];
}

function labels(name: string, role: string): { readonly [key: string]: Yaml } {
  return { 'app.kubernetes.io/name': 'daf', 'app.kubernetes.io/instance': name, 'app.kubernetes.io/component': role };
}

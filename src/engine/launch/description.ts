import { DafError } from '../../core/contracts/errors.js';
import { LEAST_WORKER_MEMORY } from '../../core/memory-plan.js';
import { checkKeys, parseBytes, parseWhole } from '../../core/options/index.js';

/** One description of a cluster, from which manifests of every kind are printed. All members have defaults. */
export interface DescriptionOptions {
  /** Of what is made: [a-z0-9-]. @defaultValue 'daf' */
  readonly name?: string;
  /** The image of docker/Dockerfile, with its tag. @defaultValue `daf:<version>` */
  readonly image?: string;
  /** Workers: containers, pods, or nodes of a Slurm job, 1…10000. @defaultValue 3 */
  readonly workers?: number | string;
  /** Task threads of each worker, 1…64. @defaultValue 1 */
  readonly threads?: number | string;
  /** What one worker's container may use: bytes or "512MB". @defaultValue 512 MB */
  readonly memory?: number | string;
  /** Where the coordinator listens. @defaultValue 7788 */
  readonly port?: number | string;
  /** An S3 endpoint outside the cluster. @defaultValue compose brings its own; elsewhere what the environment says */
  readonly s3Endpoint?: string | null;
}

export interface Description {
  readonly name: string;
  readonly image: string;
  readonly workers: number;
  readonly threads: number;
  /** The container's limit, bytes. */
  readonly memory: number;
  /** A worker's own budget within it, bytes. */
  readonly budget: number;
  readonly port: number;
  readonly s3Endpoint: string | null;
}

const MB = 2 ** 20;
/** A health check is a process of the same container. */
const HEALTH_CHECK_BYTES = 112 * MB;

/** @throws DafError ERR_DAF_BAD_OPTION */
export function describeCluster(options: DescriptionOptions, version: string): Description {
  checkKeys('cluster', options, ['name', 'image', 'workers', 'threads', 'memory', 'port', 's3Endpoint']);
  const name = options.name ?? 'daf';
  if (!/^[a-z][a-z0-9-]{0,39}$/.test(name)) {
    throw new DafError('ERR_DAF_BAD_OPTION', `${name}: a cluster’s name has 1 to 40 small letters, digits and dashes`);
  }
  const image = options.image ?? `daf:${version}`;
  if (!/^[\w./-]+(:\d+\/[\w./-]+)?(:[\w.-]+|@sha256:[0-9a-f]{64})$/.test(image)) {
    throw new DafError('ERR_DAF_BAD_OPTION', `${image}: an image is named with its tag or digest`, { hint: '--image daf:0.1.0' });
  }
  const endpoint = options.s3Endpoint ?? null;
  if (endpoint !== null && !/^https?:\/\/[^/?#\s]+\/?$/.test(endpoint)) {
    throw new DafError('ERR_DAF_BAD_OPTION', `${endpoint}: expected https://host[:port]`);
  }
  const memory = parseBytes('memory', options.memory ?? 512 * MB, LEAST_WORKER_MEMORY + HEALTH_CHECK_BYTES);
  return Object.freeze<Description>({
    name,
    image,
    workers: parseWhole('workers', options.workers ?? 3, 1, 10_000),
    threads: parseWhole('threads', options.threads ?? 1, 1, 64),
    memory,
    budget: memory - HEALTH_CHECK_BYTES,
    port: parseWhole('port', options.port ?? 7788, 1, 65_535),
    s3Endpoint: endpoint,
  });
}

/** As options and manifests name sizes: whole mebibytes. */
export function mebibytes(bytes: number): number {
  return Math.floor(bytes / MB);
}

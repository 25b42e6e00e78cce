import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { DescriptionOptions } from '../../engine/launch/description.js';
import { type CommandSpec, wholeNumber } from '../command.js';

const KINDS = ['compose', 'kubernetes', 'slurm'] as const;

const ssh: CommandSpec = {
  usage: 'ssh <host...>',
  summary: 'Run a worker on each host over your own ssh; they end when this command does',
  examples: [
    'daf launch ssh node1 node2 --connect tcp://10.0.0.5:7788 --key keys/worker.key --server-key keys/coordinator.pub',
    "daf launch ssh me@node1 me@node1 --connect tcp://10.0.0.5:7788 --remote-daf 'npx --prefix /opt/daf daf' …",
  ],
  options(command: Command) {
    command
      .requiredOption('-c, --connect <endpoint>', 'the coordinator, as the hosts reach it')
      .option('--remote-daf <command>', 'what daf is called there', 'daf')
      .option('--ssh-config <file>', 'a configuration for ssh instead of your own')
      .option('--data <dir>', 'their directory for intermediate data', '.daf/data')
      .option('--memory <size>', 'bytes each worker may use, its children included', '512MB')
      .option('--threads <n>', 'task threads of each', wholeNumber('--threads', 1, 64), 1)
      .option('--token <secret>', 'the coordinator’s secret (default: $DAF_TOKEN)')
      .option('--key <file>', 'the workers’ secret key; it is told to them and stays in memory (default: $DAF_KEY)')
      .option('--server-key <file>', 'the coordinator’s public key (default: $DAF_SERVER_KEY)');
  },
  async run([hosts], options, io) {
    const { SshWorkers } = await import('../../engine/launch/ssh.js');
    const { clientSecurity } = await import('../../engine/wire/index.js');
    const { parseBytes } = await import('../../core/options/index.js');
    const given = (name: string, variable: string): string | null =>
      (options[name] as string | undefined) ?? process.env[variable] ?? null;
    const security = clientSecurity(given('key', 'DAF_KEY'), given('serverKey', 'DAF_SERVER_KEY'));
    parseBytes('--memory', options['memory']);
    const workers = new SshWorkers({
      hosts: hosts as string[],
      daf: options['remoteDaf'] as string,
      args: ['connect', 'data', 'memory', 'threads'].flatMap((name) => [`--${name}`, String(options[name])]),
      config: (options['sshConfig'] as string | undefined) ?? null,
      secrets: {
        token: given('token', 'DAF_TOKEN'),
        keys: security?.keys ?? null,
        serverKey: security?.serverKey ?? null,
      },
      log: (host, line) => io.log(`${host}: ${line}`),
    });
    let told = false;
    const close = (): void => {
      told = true;
      void workers.close();
    };
    io.signal.addEventListener('abort', close, { once: true });
    process.once('SIGTERM', close);
    const failed = await workers.ended;
    const exitCode = failed > 0 && !told ? 1 : 0;
    return { json: { workers: (hosts as string[]).length, failed }, text: '', exitCode };
  },
};

const print: CommandSpec = {
  usage: 'print <kind>',
  summary: `Print what starts a cluster elsewhere: ${KINDS.join(', ')}`,
  examples: [
    'daf launch print compose --workers 4 > compose.yaml',
    'daf launch print kubernetes --s3-endpoint https://s3.example | kubectl apply -f -',
  ],
  options(command: Command) {
    command
      .option('--name <name>', 'of what is made (default: daf)')
      .option('--image <image>', 'the image of docker/Dockerfile (default: daf:VERSION)')
      .option('--workers <n>', 'workers (default: 3)')
      .option('--threads <n>', 'task threads of each (default: 1)')
      .option('--memory <size>', 'what one worker’s container may use (default: 512MB)')
      .option('--port <n>', 'where the coordinator listens (default: 7788)')
      .addOption(new Option('--s3-endpoint <url>', 'kubernetes: the output store’s endpoint'));
  },
  async run([kind], options) {
    const { parseChoice } = await import('../../core/options/index.js');
    const { describeCluster } = await import('../../engine/launch/description.js');
    const chosen = parseChoice('launch print', kind, KINDS);
    const names = ['name', 'image', 'workers', 'threads', 'memory', 'port', 's3Endpoint'];
    const given = Object.fromEntries(names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]));
    const packageFile = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
    const { version } = JSON.parse(packageFile) as { version: string };
    const description = describeCluster(given as DescriptionOptions, version);
    const text = (await printer(chosen))(description);
    return { json: { description, text }, text: text.trimEnd() };
  },
};

async function printer(
  kind: (typeof KINDS)[number],
): Promise<(description: import('../../engine/launch/description.js').Description) => string> {
  switch (kind) {
    case 'compose':
      return (await import('../../engine/launch/manifests/compose.js')).composeFile;
    case 'kubernetes':
      return (await import('../../engine/launch/manifests/kubernetes.js')).kubernetesManifest;
    case 'slurm':
      return (await import('../../engine/launch/manifests/slurm.js')).slurmScript;
  }
}

/** `daf launch …` */
export const launch: readonly CommandSpec[] = [ssh, print];

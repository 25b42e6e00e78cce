#!/usr/bin/env node
import { Command } from 'commander';
import { dafVersion } from '../core/version.js';
import { addCommand, type CommandSpec, runProgram } from './command.js';

/** A command, or a family of them under one word. */
interface Entry {
  readonly name: string;
  /** Of a family, what its commands have in common. */
  readonly about?: string;
  load(): Promise<readonly CommandSpec[]>;
}

/** In the order in which `daf --help` lists them. */
const entries: readonly Entry[] = [
  { name: 'demo', load: async () => [(await import('./commands/demo.js')).demo] },
  { name: 'avatar', load: async () => [(await import('./commands/avatar.js')).avatar] },
  { name: 'run', load: async () => [(await import('./commands/run.js')).run] },
  { name: 'submit', load: async () => [(await import('./commands/submit.js')).submit] },
  { name: 'jobs', load: async () => [(await import('./commands/jobs.js')).jobs] },
  { name: 'status', load: async () => [(await import('./commands/jobs.js')).status] },
  { name: 'cancel', load: async () => [(await import('./commands/jobs.js')).cancel] },
  { name: 'verify', load: async () => [(await import('./commands/verify.js')).verify] },
  { name: 'replay', load: async () => [(await import('./commands/replay.js')).replay] },
  { name: 'coordinator', load: async () => [(await import('./commands/coordinator.js')).coordinator] },
  { name: 'worker', load: async () => [(await import('./commands/worker.js')).worker] },
  { name: 'doctor', load: async () => [(await import('./commands/doctor.js')).doctor] },
  {
    name: 'keys',
    about: 'Make keys for clusters of several machines',
    load: async () => (await import('./commands/keys.js')).keys,
  },
  {
    name: 'launch',
    about: 'Start workers on other hosts, or print what starts a cluster elsewhere',
    load: async () => (await import('./commands/launch.js')).launch,
  },
  {
    name: 'nerf',
    about: 'Train, measure, render, mesh and import radiance fields',
    load: async () => (await import('./commands/nerf/index.js')).nerf,
  },
  {
    name: 'dataset',
    about: 'Check, fetch and render data sets',
    load: async () => (await import('./commands/dataset.js')).dataset,
  },
  {
    name: 'models',
    about: 'Add, list, verify and remove face models',
    load: async () => (await import('./commands/models.js')).models,
  },
];

const program = new Command('daf')
  .description('Distributed MapReduce for Node.js whose flagship job turns face photos into 3D avatars')
  .version(dafVersion())
  .showHelpAfterError(false);

// One that is named is all that is loaded: a job's processes wait for it. Help and misspelt names need all of them.
const argv = process.argv.slice(2);
const named = entries.filter(({ name }) => name === argv[0]);
for (const { name, about, load } of named.length > 0 ? named : entries) {
  const family = about === undefined ? program : program.command(name).description(about);
  for (const command of await load()) addCommand(family, command);
}

// Whoever reads stopped reading, as `head` does: no reason to complain.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

await runProgram(program, argv);

#!/usr/bin/env node
import { Command } from 'commander';
import { dafVersion } from '../core/version.js';
import { addCommand, runProgram } from './command.js';
import { avatar } from './commands/avatar.js';
import { coordinator } from './commands/coordinator.js';
import { dataset } from './commands/dataset.js';
import { demo } from './commands/demo.js';
import { doctor } from './commands/doctor.js';
import { cancel, jobs, status } from './commands/jobs.js';
import { keys } from './commands/keys.js';
import { launch } from './commands/launch.js';
import { models } from './commands/models.js';
import { nerf } from './commands/nerf/index.js';
import { replay } from './commands/replay.js';
import { run } from './commands/run.js';
import { submit } from './commands/submit.js';
import { verify } from './commands/verify.js';
import { worker } from './commands/worker.js';

const program = new Command('daf')
  .description('Distributed MapReduce for Node.js whose flagship job turns face photos into 3D avatars')
  .version(dafVersion())
  .showHelpAfterError(false);

// In the order in which `daf --help` lists them.
const commands = [demo, avatar, run, submit, jobs, status, cancel, verify, replay, coordinator, worker, doctor];
for (const command of commands) addCommand(program, command);
const curve = program.command('keys').description('Make keys for clusters of several machines');
for (const command of keys) addCommand(curve, command);
const starting = program.command('launch').description('Start workers on other hosts, or print what starts a cluster elsewhere');
for (const command of launch) addCommand(starting, command);
const fields = program.command('nerf').description('Train, measure, render, mesh and import radiance fields');
for (const command of nerf) addCommand(fields, command);
const datasets = program.command('dataset').description('Check, fetch and render data sets');
for (const command of dataset) addCommand(datasets, command);
const vision = program.command('models').description('Add, list, verify and remove face models');
for (const command of models) addCommand(vision, command);

await runProgram(program, process.argv.slice(2));

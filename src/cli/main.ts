#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addCommand, runProgram } from './command.js';
import { doctor } from './commands/doctor.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };

const program = new Command('daf')
  .description('Distributed MapReduce for Node.js whose flagship job turns face photos into 3D avatars')
  .version(version)
  .showHelpAfterError(false);

// In the order in which `daf --help` lists them.
for (const command of [doctor]) addCommand(program, command);

await runProgram(program, process.argv.slice(2));

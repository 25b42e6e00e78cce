import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import type { CommandResult, CommandSpec } from '../command.js';

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly hint: string | null;
}

export const doctor: CommandSpec = {
  usage: 'doctor',
  summary: 'Show what this machine offers: CPU, memory limit, addon, models, stores',
  examples: ['daf doctor', 'daf doctor --json'],
  async run() {
    const checks = [await checkAddon()];
    return report(checks);
  },
};

async function checkAddon(): Promise<Check> {
  const { addon, nativeFile } = await import('../../core/addon/index.js');
  const info = addon().cpuInfo();
  return { name: 'addon', ok: true, detail: `${nativeFile('daf.node')}, instruction set ${info.isa}`, hint: null };
}

function report(checks: readonly Check[]): CommandResult {
  const machine = {
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    cpu: cpuModel(),
    cores: cpus().length,
    memoryBytes: totalmem(),
  };
  const lines = [
    `Node ${machine.node} on ${machine.platform}; ${machine.cores} × ${machine.cpu}; ${Math.round(machine.memoryBytes / 2 ** 20)} MB`,
    ...checks.map(
      (check) =>
        `${check.ok ? '✓' : '✗'} ${check.name}: ${check.detail}${check.hint === null ? '' : `\n    hint: ${check.hint}`}`,
    ),
  ];
  return { json: { machine, checks }, text: lines.join('\n'), exitCode: checks.every((check) => check.ok) ? 0 : 1 };
}

function cpuModel(): string {
  const model = cpus()[0]?.model ?? '';
  if (model !== '' && model !== 'unknown') return model;
  const found = /^model name\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'));
  return found?.[1] ?? 'unknown CPU';
}

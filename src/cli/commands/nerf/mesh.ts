import { writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { DafError } from '../../../core/contracts/errors.js';
import type { FieldMeshReport } from '../../../fields/mesh/types.js';
import type { FieldBox } from '../../../fields/types.js';
import { type CommandSpec, wholeNumber } from '../../command.js';
import { limitMemory } from './memory.js';
import { box, realNumber } from './options.js';
import { outputFile } from './output.js';

export const meshFieldCommand: CommandSpec = {
  usage: 'mesh <field>',
  summary: 'Turn a field into a closed, textured triangle mesh: .glb, .obj or .ply',
  examples: [
    'daf nerf mesh lego.safetensors --resolution 256 --out lego.glb',
    'daf nerf mesh head.safetensors --faces 50000 --texture 1024 --smooth 5 --up z --out head.glb',
    'daf nerf mesh room.safetensors --box=-1,-1,0,1,1,2 --keep 0.05 --out room.ply',
  ],
  options(command) {
    command
      .requiredOption('--out <file>', 'ends in .glb, .obj (beside it .mtl and .png) or .ply (vertex colours)')
      .option('--resolution <n>', 'cells along each side of the box', wholeNumber('--resolution', 1, 1024), 256)
      .option('--faces <n>', 'triangles at most; 0: all of them', wholeNumber('--faces', 0, 2 ** 31), 100_000)
      .option(
        '--level <density>',
        'density at which the surface lies, per unit of length (default: where rays end)',
        realNumber('--level'),
      )
      .option(
        '--box <x,y,z,x,y,z>',
        'the part to mesh, lower and upper corner (default: the field’s box; of a capture, what its cameras look at)',
        box('--box'),
      )
      .option('--keep <share>', 'keep pieces of this share of the largest’s triangles; 1: only that', realNumber('--keep'), 1)
      .option('--hollow', 'also mesh what no picture or ray from outside sees')
      .option('--smooth <n>', 'iterations of smoothing', wholeNumber('--smooth', 0, 100), 0)
      .option('--texture <n>', 'texels along each side of the texture', wholeNumber('--texture', 64, 8192), 2048)
      .option('--up <axis>', 'glTF: y, or z to stand a capture upright in viewers; vertices stay in the field’s frame', 'y')
      .option('--unit <metres>', 'glTF: metres in a unit of the field', realNumber('--unit'), 1)
      .option('--memory <size>', 'what the process may use', '512MB');
  },
  async run([file], options, io) {
    const { meshFiles, meshFormat } = await import('../../../fields/mesh/files.js');
    const out = options['out'] as string;
    const format = meshFormat(out);
    const up = options['up'];
    if (up !== 'y' && up !== 'z') throw new DafError('ERR_DAF_BAD_OPTION', `--up ${up}: expected y or z`);
    const unit = options['unit'] as number;
    if (!(unit > 0)) throw new DafError('ERR_DAF_BAD_OPTION', `--unit ${unit}: expected a length above 0`);
    await limitMemory(options['memory'] as string);
    const { Field } = await import('../../../fields/field.js');
    const { meshFieldInThread } = await import('../../../fields/mesh/in-thread.js');
    using field = Field.load(file as string);
    const output = await outputFile(out);
    const started = performance.now();
    const mesh = await meshFieldInThread(field, {
      resolution: options['resolution'] as number,
      faces: options['faces'] as number,
      keepShare: options['keep'] as number,
      smooth: options['smooth'] as number,
      texture: options['texture'] as number,
      solid: options['hollow'] !== true,
      ...(options['level'] === undefined ? {} : { level: options['level'] as number }),
      ...(options['box'] === undefined ? {} : { box: options['box'] as FieldBox }),
      signal: io.signal,
      onProgress: (fraction, stage) => io.progress.update(fraction, stage),
    });
    const folder = dirname(output);
    const files: string[] = [];
    for (const { name, bytes } of await meshFiles(mesh, format, basename(out, extname(out)), { unit, up })) {
      io.signal.throwIfAborted();
      await writeFile(join(folder, name), bytes);
      files.push(join(folder, name));
    }
    const seconds = (performance.now() - started) / 1000;
    return { json: { files, seconds, ...mesh.report }, text: text(mesh.report, options['faces'] as number, seconds, files) };
  },
};

function text(report: FieldMeshReport, faces: number, seconds: number, files: readonly string[]): string {
  const { triangles, surfaceTriangles, components, charts, level, resolution } = report;
  const fewer = (report.denseQueries / report.surfaceQueries).toFixed(1);
  return [
    `${triangles} triangles in ${charts} charts in ${seconds.toFixed(1)} s → ${files.join(', ')}`,
    `  surface at density ${level.toPrecision(3)}: ${surfaceTriangles} triangles at ${resolution}³, ${fewer}× fewer queries than the grid`,
    ...(faces > 0 && triangles > faces
      ? [`  more than the ${faces} asked for: fewer would fold the surface over or close its holes`]
      : []),
    ...(components > 1 ? [`  ${components} separate pieces found; small ones were dropped (--keep)`] : []),
  ].join('\n');
}

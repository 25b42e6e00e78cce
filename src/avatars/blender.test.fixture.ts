import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** An object as Blender holds it after an import; vectors in its own frame: z up, facing −y. */
export interface BlenderObject {
  readonly name: string;
  readonly type: string;
  readonly parent: string | null;
  /** Least and greatest corner in the world; null for what is no mesh. */
  readonly box: readonly [readonly number[], readonly number[]] | null;
  readonly vertices: number;
  readonly faces: number;
  readonly materials: readonly string[];
  readonly uvLayers: number;
  readonly colourLayers: number;
  /** Without the basis. */
  readonly shapeKeys: readonly string[];
  /** How far the key moves any vertex, metres, in the order of `shapeKeys`. */
  readonly moves: readonly number[];
}

export interface BlenderMaterial {
  readonly name: string;
  /** Pixels of the picture behind the base colour; null without one. */
  readonly picture: readonly number[] | null;
  readonly roughness: number;
  readonly metallic: number;
  readonly showsBacks: boolean;
}

export interface BlenderScene {
  readonly objects: readonly BlenderObject[];
  readonly materials: readonly BlenderMaterial[];
}

/** Blender's importers changed their names between its versions; each is tried by the newest first. */
const SCRIPT = `
import bpy, json, numpy, sys
# Debian pairs a glTF importer that says numpy.bool with a numpy that dropped it.
if 'bool' not in vars(numpy):
    numpy.bool = bool
path, out = sys.argv[sys.argv.index('--') + 1:]
bpy.ops.wm.read_factory_settings(use_empty=True)
if path.endswith('.glb'):
    bpy.ops.import_scene.gltf(filepath=path)
elif path.endswith('.obj'):
    bpy.ops.wm.obj_import(filepath=path)
elif bpy.app.version >= (4, 0, 0):
    bpy.ops.wm.ply_import(filepath=path)
else:
    import addon_utils
    addon_utils.enable('io_mesh_ply')
    bpy.ops.import_mesh.ply(filepath=path)
bpy.context.view_layer.update()

def describe(thing):
    facts = dict(name=thing.name, type=thing.type, parent=thing.parent.name if thing.parent else None,
                 box=None, vertices=0, faces=0, materials=[], uvLayers=0, colourLayers=0, shapeKeys=[], moves=[])
    if thing.type != 'MESH':
        return facts
    mesh = thing.data
    places = [thing.matrix_world @ vertex.co for vertex in mesh.vertices]
    facts['box'] = [[pick(p[k] for p in places) for k in range(3)] for pick in (min, max)]
    facts.update(vertices=len(mesh.vertices), faces=len(mesh.polygons), uvLayers=len(mesh.uv_layers),
                 colourLayers=len(mesh.color_attributes), materials=[m.name for m in mesh.materials])
    if mesh.shape_keys:
        basis, *keys = mesh.shape_keys.key_blocks
        facts['shapeKeys'] = [key.name for key in keys]
        facts['moves'] = [max((a.co - b.co).length for a, b in zip(key.data, basis.data)) for key in keys]
    return facts

def look(material):
    shader = next(node for node in material.node_tree.nodes if node.type == 'BSDF_PRINCIPLED')
    links = shader.inputs['Base Color'].links
    picture = list(links[0].from_node.image.size) if links and links[0].from_node.type == 'TEX_IMAGE' else None
    return dict(name=material.name, picture=picture, roughness=shader.inputs['Roughness'].default_value,
                metallic=shader.inputs['Metallic'].default_value, showsBacks=not material.use_backface_culling)

scene = dict(objects=[describe(thing) for thing in bpy.data.objects],
             materials=[look(material) for material in bpy.data.materials if material.use_nodes])
with open(out, 'w') as file:
    json.dump(scene, file)
`;

/** Why no import can be tried here; null where Blender and what its glTF importer needs are installed. */
export async function blenderMissing(): Promise<string | null> {
  const probe = ['--background', '--factory-startup', '--python-exit-code', '3', '--python-expr', 'import numpy'];
  return run('blender', probe, { timeout: 120_000 }).then(
    () => null,
    (error: { code?: unknown }) => (error.code === 3 ? "Blender's Python has no numpy" : 'the program blender is not installed'),
  );
}

/** Imports a file into an empty scene. @param path ends in .glb, .obj or .ply. */
export async function importIntoBlender(path: string): Promise<BlenderScene> {
  const folder = await mkdtemp(join(tmpdir(), 'daf-blender-'));
  try {
    const [script, out] = [join(folder, 'import.py'), join(folder, 'scene.json')];
    await writeFile(script, SCRIPT);
    const options = ['--background', '--factory-startup', '--python-exit-code', '3', '--python', script, '--', path, out];
    await run('blender', options, { timeout: 600_000, maxBuffer: 64 << 20 });
    return JSON.parse(await readFile(out, 'utf8'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

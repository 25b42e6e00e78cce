// Runs in the browser, bundled by glb-check.ts. The few names of the DOM used are declared here, so that the rest of DAF is compiled
// without it.
import * as THREE from 'three';
import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';
import type { GlbScene, GlbShot } from './glb-scene.js';

interface Canvas {
  toDataURL(type: string): string;
}

let root: THREE.Group | undefined;
let renderer: THREE.WebGLRenderer | undefined;

async function load(base64: string): Promise<GlbScene> {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const gltf = await new GLTFLoader().parseAsync(bytes.buffer, '');
  root = gltf.scene;
  root.updateMatrixWorld(true);
  const meshes = meshesOf(root);
  const box = new THREE.Box3();
  for (const mesh of meshes) {
    // Not Box3.setFromObject: that adds the reach of every morph target.
    const position = mesh.geometry.getAttribute('position');
    for (let i = 0; i < position.count; ++i) {
      box.expandByPoint(new THREE.Vector3().fromBufferAttribute(position, i).applyMatrix4(mesh.matrixWorld));
    }
  }
  const described = meshes.map((mesh) => ({
    name: mesh.name,
    triangles: (mesh.geometry.index?.count ?? mesh.geometry.getAttribute('position').count) / 3,
    morphs: Object.keys(mesh.morphTargetDictionary ?? {}),
    textured: (mesh.material as THREE.MeshStandardMaterial).map != null,
  }));
  const triangles = described.reduce((sum, mesh) => sum + mesh.triangles, 0);
  return { min: box.min.toArray(), max: box.max.toArray(), triangles, meshes: described };
}

function meshesOf(group: THREE.Object3D): THREE.Mesh[] {
  const meshes: THREE.Mesh[] = [];
  group.traverse((object) => {
    if (object instanceof THREE.Mesh) meshes.push(object);
  });
  return meshes;
}

async function shoot(shot: GlbShot): Promise<string> {
  if (root === undefined) throw new Error('nothing is loaded');
  const { width = 512, height = 512, look = 'lit', background = '#808080', morphs = {} } = shot;
  renderer ??= new THREE.WebGLRenderer({ antialias: true, alpha: true, preserveDrawingBuffer: true });
  renderer.setSize(width, height, false);
  const scene = new THREE.Scene();
  scene.background = background === null ? null : new THREE.Color(background);
  renderer.setClearColor(0x000000, 0);
  const restore = meshesOf(root).map((mesh) => dress(mesh, look, morphs));
  scene.add(root);
  if (look === 'lit' || look === 'clay') light(scene);
  renderer.render(scene, cameraOf(shot, width / height, width, height));
  for (const undress of restore) undress();
  scene.remove(root);
  return (renderer.domElement as unknown as Canvas).toDataURL('image/png');
}

function light(scene: THREE.Scene): void {
  scene.add(new THREE.HemisphereLight(0xffffff, 0x998877, 1.4));
  const key = new THREE.DirectionalLight(0xffffff, 2);
  key.position.set(0.6, 0.8, 1);
  scene.add(key);
}

/** Sets look and morphs; the answer undoes it. */
function dress(mesh: THREE.Mesh, look: NonNullable<GlbShot['look']>, morphs: Readonly<Record<string, number>>): () => void {
  const own = mesh.material as THREE.MeshStandardMaterial;
  if (look === 'clay') mesh.material = new THREE.MeshStandardMaterial({ color: 0xb8b4ae, roughness: 0.8, side: own.side });
  if (look === 'unlit') mesh.material = new THREE.MeshBasicMaterial({ map: own.map, color: own.color, side: own.side });
  if (look === 'normals') mesh.material = new THREE.MeshNormalMaterial({ side: own.side });
  const influences = mesh.morphTargetInfluences ?? [];
  for (const [name, weight] of Object.entries(morphs)) {
    const index = mesh.morphTargetDictionary?.[name];
    if (index !== undefined) influences[index] = weight;
  }
  return () => {
    mesh.material = own;
    influences.fill(0);
  };
}

function cameraOf(shot: GlbShot, aspect: number, width: number, height: number): THREE.Camera {
  const { camera } = shot;
  if (camera === undefined) {
    const { eye = [0, 0, 1], target = [0, 0, 0], up = [0, 1, 0], fovY = 30 } = shot;
    const perspective = new THREE.PerspectiveCamera(fovY, aspect, 0.01, 100);
    perspective.position.set(...eye);
    perspective.up.set(...up);
    perspective.lookAt(...target);
    return perspective;
  }
  const { rotation: r, translation: t, focal, center } = camera;
  const pinhole = new THREE.PerspectiveCamera();
  const [near, far] = [0.01, 100];
  // Window borders at the near plane, so that the principal point need not be the centre.
  const left = (-center[0] / focal) * near;
  const top = (center[1] / focal) * near;
  const right = left + (width / focal) * near;
  const bottom = top - (height / focal) * near;
  pinhole.projectionMatrix.makePerspective(left, right, top, bottom, near, far);
  pinhole.projectionMatrixInverse.copy(pinhole.projectionMatrix).invert();
  const view = new THREE.Matrix4().set(
    ...([r[0]!, r[1]!, r[2]!, t[0], r[3]!, r[4]!, r[5]!, t[1], r[6]!, r[7]!, r[8]!, t[2], 0, 0, 0, 1] as const),
  );
  pinhole.matrixAutoUpdate = false;
  pinhole.matrix.copy(view).invert();
  pinhole.matrixWorld.copy(pinhole.matrix);
  pinhole.matrixWorldInverse.copy(view);
  return pinhole;
}

Object.assign(globalThis, { dafGlb: { load, shoot } });

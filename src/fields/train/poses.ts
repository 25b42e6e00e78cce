import { cameraPosition } from '../camera.js';
import type { Pose } from '../scenes/pose.js';
import type { SceneFrame } from '../scenes/types.js';

/** Where a training picture was taken from, as it was learnt. */
export interface RefinedPose extends Pose {
  /** The frame's. */
  readonly name: string;
  /** From where the scene says, in the scene's unit. */
  readonly moved: number;
  /** From how the scene says, degrees. */
  readonly turned: number;
}

/** @param poses of the same frames in their order */
export function refinedPoses(frames: readonly SceneFrame[], poses: readonly Pose[]): RefinedPose[] {
  return frames.map(({ name, camera }, i) => {
    const pose = poses[i]!;
    const from = cameraPosition(camera);
    const moved = Math.hypot(...cameraPosition(pose).map((value, axis) => value - from[axis]!));
    return { name, ...pose, moved, turned: degreesBetween(camera.rotation, pose.rotation) };
  });
}

/**
 * A listing like that of `transforms.json`: `frames` of `file_path`, `transform_matrix` (camera to world, OpenGL's axes), and how far the
 * pose is from the one that was given: `moved`, in the scene's unit, and `turned`, in degrees.
 */
export function posesJson(poses: readonly RefinedPose[]): string {
  const frames = poses.map(({ name, rotation: r, moved, turned, ...pose }) => {
    const center = cameraPosition({ rotation: r, ...pose });
    const rows = [0, 1, 2].map((axis) => [r[axis]!, r[3 + axis]!, r[6 + axis]!, center[axis]!]);
    return { file_path: name, transform_matrix: [...rows, [0, 0, 0, 1]], moved, turned };
  });
  return `${JSON.stringify({ frames }, null, 1)}\n`;
}

/** The middle one and the largest of how far poses moved and turned. */
export function movement(poses: readonly RefinedPose[]): Record<'moved' | 'turned', { median: number; largest: number }> {
  const spread = (values: number[]) => {
    values.sort((a, b) => a - b);
    return { median: values[values.length >> 1] ?? 0, largest: values.at(-1) ?? 0 };
  };
  return { moved: spread(poses.map(({ moved }) => moved)), turned: spread(poses.map(({ turned }) => turned)) };
}

/** Of the turn from one rotation to the other. From their difference: the trace's arccosine is blind to small angles. */
function degreesBetween(a: ArrayLike<number>, b: readonly number[]): number {
  const apart = Math.hypot(...b.map((value, i) => value - a[i]!)) / Math.SQRT2;
  return (2 * Math.asin(Math.min(1, apart / 2)) * 180) / Math.PI;
}

/** Cameras, as bindings/nerf_camera.cpp exports them, in the same order. */
export interface NerfCameraAddon {
  /** pixels[n·2] (NaN where the lens cannot see) and depths[n] of points[n·3]. */
  cameraProject(camera: Float32Array, points: Float32Array, pixels: Float32Array, depths: Float32Array): void;
  /** directions[n·3], unit, of pixels[n·2]. */
  cameraRays(camera: Float32Array, pixels: Float32Array, directions: Float32Array): void;
}

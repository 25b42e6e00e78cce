// A photo's camera as the fitting, the texture projection and the renderers share it.
#pragma once

namespace daf::head {

// Camera space is OpenGL's: x right, y up, looking down −z. Pixels: x right, y down, (0,0) the top
// left corner of the image, pixel centres at +0.5.
struct Camera {
  float rotation[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};  // row-major, head space → camera space
  float translation[3] = {0, 0, -60};               // cm, in camera space
  float focal = 1000;                               // pixels
  float center[2] = {256, 256};                     // principal point, pixels
  int width = 512, height = 512;

  // Pixel and depth (cm along the viewing direction, positive in front). False behind the camera.
  bool Project(const float point[3], float pixel[2], float* depth) const {
    const float x =
        rotation[0] * point[0] + rotation[1] * point[1] + rotation[2] * point[2] + translation[0];
    const float y =
        rotation[3] * point[0] + rotation[4] * point[1] + rotation[5] * point[2] + translation[1];
    const float z =
        rotation[6] * point[0] + rotation[7] * point[1] + rotation[8] * point[2] + translation[2];
    *depth = -z;
    if (!(-z > 1e-4f)) return false;
    pixel[0] = center[0] + focal * x / -z;
    pixel[1] = center[1] - focal * y / -z;
    return true;
  }
};

// yaw > 0 turns the face to its own left, pitch > 0 lifts the chin, roll > 0 tilts the head to its
// own left shoulder; radians, applied as R = Ry(yaw)·Rx(−pitch)·Rz(−roll) to head-space points.
void RotationFromAngles(float yaw, float pitch, float roll, float rotation[9]);
void AnglesFromRotation(const float rotation[9], float* yaw, float* pitch, float* roll);

}  // namespace daf::head

#include "native/head/camera.h"

#include <algorithm>
#include <cmath>

namespace daf::head {

// Ry(yaw)·Rx(−pitch)·Rz(−roll), multiplied out.
void RotationFromAngles(float yaw, float pitch, float roll, float rotation[9]) {
  const double cy = std::cos(double{yaw}), sy = std::sin(double{yaw});
  const double cp = std::cos(double{pitch}), sp = std::sin(double{pitch});
  const double cr = std::cos(double{roll}), sr = std::sin(double{roll});
  const double m[9] = {
      cy * cr + sy * sp * sr,  cy * sr - sy * sp * cr,  sy * cp, -cp * sr, cp * cr, sp,
      -sy * cr + cy * sp * sr, -sy * sr - cy * sp * cr, cy * cp};
  for (int i = 0; i < 9; ++i) rotation[i] = static_cast<float>(m[i]);
}

// At pitch ±90° yaw and roll turn about the same axis; roll is then reported as zero.
void AnglesFromRotation(const float rotation[9], float* yaw, float* pitch, float* roll) {
  const double sp = std::clamp(double{rotation[5]}, -1.0, 1.0);
  *pitch = static_cast<float>(std::asin(sp));
  if (std::abs(sp) < 0.999999) {
    *yaw = static_cast<float>(std::atan2(double{rotation[2]}, double{rotation[8]}));
    *roll = static_cast<float>(std::atan2(-double{rotation[3]}, double{rotation[4]}));
  } else {
    *roll = 0;
    *yaw = static_cast<float>(std::atan2(-double{rotation[6]}, double{rotation[0]}));
  }
}

}  // namespace daf::head

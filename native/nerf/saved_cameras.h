// The cameras of a model's training pictures, as its checkpoint keeps them.
#pragma once

#include <vector>

#include "native/base/safetensors.h"
#include "native/nerf/camera.h"

namespace daf::nerf {

// A camera as numbers: rotation[9], translation[3], focal x and y, centre x and y, width, height,
// lens model (as in LensModel), k1 … k6, p1, p2.
constexpr size_t kCameraValues = 27;
void PackCamera(const Camera& camera, float values[kCameraValues]);

// A tensor `cameras` [n][kCameraValues]. None is written for none, and none are read where there is
// no such tensor. `scratch` keeps them alive until the writer is done. Errors: kMemory.
Status SaveCameras(const std::vector<Camera>& cameras, Arena* scratch, SafetensorsWriter* writer);
// Errors: kBadData for a camera that cannot have taken a picture.
Status LoadCameras(const SafetensorsFile& file, std::vector<Camera>* out);

}  // namespace daf::nerf

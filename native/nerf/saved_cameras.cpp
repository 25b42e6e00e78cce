#include "native/nerf/saved_cameras.h"

#include <algorithm>

#include "native/nerf/views.h"

namespace daf::nerf {
namespace {
constexpr char kName[] = "cameras";
}  // namespace

void PackCamera(const Camera& camera, float values[kCameraValues]) {
  const auto put = [&](const float* from, size_t count) {
    values = std::copy_n(from, count, values);
  };
  put(camera.rotation, 9);
  put(camera.translation, 3);
  put(camera.focal, 2);
  put(camera.center, 2);
  const float plain[3] = {static_cast<float>(camera.width), static_cast<float>(camera.height),
                          static_cast<float>(camera.lens.model())};
  put(plain, 3);
  const LensCoefficients lens = camera.lens.coefficients();
  put(lens.k, 6);
  put(lens.p, 2);
}

Status SaveCameras(const std::vector<Camera>& cameras, Arena* scratch, SafetensorsWriter* writer) {
  if (cameras.empty()) return Status::Ok();
  float* values;
  DAF_RETURN_IF_ERROR(scratch->Allocate(cameras.size() * kCameraValues, &values));
  for (size_t i = 0; i < cameras.size(); ++i) PackCamera(cameras[i], values + i * kCameraValues);
  return writer->Add(kName, DType::kF32, {cameras.size(), kCameraValues}, values);
}

Status LoadCameras(const SafetensorsFile& file, std::vector<Camera>* out) {
  out->clear();
  if (file.Find(kName) == nullptr) return Status::Ok();
  std::vector<float> values;
  DAF_RETURN_IF_ERROR(file.Floats(kName, {SafetensorsFile::kAny, kCameraValues}, &values));
  const auto bad = [](const std::string& what) {
    return Status(Code::kBadData, "field checkpoint: cameras: " + what);
  };
  for (const float* v = values.data(); v != values.data() + values.size(); v += kCameraValues) {
    Camera camera;
    std::copy_n(v, 9, camera.rotation);
    std::copy_n(v + 9, 3, camera.translation);
    std::copy_n(v + 12, 2, camera.focal);
    std::copy_n(v + 14, 2, camera.center);
    const bool sized = v[16] >= 1 && v[16] <= 16384 && v[17] >= 1 && v[17] <= 16384;
    if (!sized || !(v[18] == 0 || v[18] == 1 || v[18] == 2))
      return bad("a size or a lens that no camera has");
    camera.width = static_cast<uint32_t>(v[16]);
    camera.height = static_cast<uint32_t>(v[17]);
    LensCoefficients lens;
    std::copy_n(v + 19, 6, lens.k);
    std::copy_n(v + 25, 2, lens.p);
    Status status = Lens::Make(static_cast<LensModel>(static_cast<int>(v[18])), lens, &camera.lens);
    if (status.ok()) status = CheckCamera(camera);
    if (!status.ok()) return bad(status.message());
    out->push_back(camera);
  }
  return Status::Ok();
}

}  // namespace daf::nerf

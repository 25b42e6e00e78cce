#include "native/nerf/saved_cameras.h"

#include <gtest/gtest.h>

#include <cmath>

namespace daf::nerf {
namespace {

Camera Bent() {
  Camera camera;
  camera.translation[2] = -3;
  camera.focal[0] = 500;
  camera.focal[1] = 510;
  camera.center[0] = 250;
  camera.center[1] = 260;
  camera.width = 512;
  camera.height = 500;
  LensCoefficients lens;
  lens.k[0] = 0.1f;
  lens.p[1] = 0.01f;
  EXPECT_TRUE(Lens::Make(LensModel::kOpenCv, lens, &camera.lens).ok());
  return camera;
}

// What `values` [n][27] are read as.
Status Read(const std::vector<float>& values, std::vector<Camera>* out) {
  SafetensorsWriter writer;
  EXPECT_TRUE(writer
                  .Add("cameras", DType::kF32, {values.size() / kCameraValues, kCameraValues},
                       values.data())
                  .ok());
  std::vector<uint8_t> bytes;
  EXPECT_TRUE(writer.Serialize(&bytes).ok());
  SafetensorsFile file;
  EXPECT_TRUE(SafetensorsFile::Parse(bytes.data(), bytes.size(), &file).ok());
  return LoadCameras(file, out);
}

TEST(SavedCameras, ComeBackAsTheyWere) {
  const std::vector<Camera> cameras = {Bent(), Camera()};
  Arena scratch;
  SafetensorsWriter writer;
  ASSERT_TRUE(SaveCameras(cameras, &scratch, &writer).ok());
  std::vector<uint8_t> bytes;
  ASSERT_TRUE(writer.Serialize(&bytes).ok());
  SafetensorsFile file;
  ASSERT_TRUE(SafetensorsFile::Parse(bytes.data(), bytes.size(), &file).ok());
  std::vector<Camera> loaded;
  ASSERT_TRUE(LoadCameras(file, &loaded).ok());
  ASSERT_EQ(loaded.size(), 2u);
  const float point[3] = {0.5f, -0.4f, 0};
  float expected[2], found[2], depth;
  ASSERT_TRUE(Project(cameras[0], point, expected, &depth));
  ASSERT_TRUE(Project(loaded[0], point, found, &depth));
  EXPECT_EQ(found[0], expected[0]);
  EXPECT_EQ(found[1], expected[1]);
  EXPECT_EQ(loaded[0].width, 512u);
  EXPECT_EQ(loaded[0].height, 500u);
  EXPECT_TRUE(loaded[1].lens.pinhole());
}

TEST(SavedCameras, RefusesWhatNoCameraIs) {
  float good[kCameraValues];
  PackCamera(Bent(), good);
  const std::vector<float> values(good, good + kCameraValues);
  std::vector<Camera> out;
  EXPECT_TRUE(Read(values, &out).ok());
  const struct {
    size_t at;
    float value;
  } wrong[] = {{0, 3}, {12, -1}, {13, 0}, {16, 0}, {17, 1e9f}, {18, 3}, {18, 0.5f}};
  for (const auto& w : wrong) {
    std::vector<float> bad = values;
    bad[w.at] = w.value;
    EXPECT_EQ(Read(bad, &out).code(), Code::kBadData) << w.at;
  }
}

}  // namespace
}  // namespace daf::nerf

// Which part of the space the pictures leave possible.
#include "native/nerf/training/images.h"

#include <gtest/gtest.h>

#include "native/nerf/training/testing_photos.h"

namespace daf::nerf {
namespace {

using testing::Orbit;

TEST(TrainingImages, NothingIsBeforeTheNearDepthOfAPicture) {
  // An unbounded box around a camera that looks at its middle from 4 half sides away.
  Box box;
  box.unbounded = true;
  const Camera camera = Orbit(0, 0, 4, 64);
  const testing::Photo photo{camera, std::vector<uint8_t>(size_t{64} * 64 * 4, 255)};
  TrainingImages images;
  ASSERT_TRUE(images.Add({camera, testing::Stored(photo)}).ok());
  const Ray axis = PixelRay(camera, 32, 32);
  const auto allowed = [&](float near, float depth) {
    Occupancy grid;
    EXPECT_TRUE(grid.Make(64, true).ok());
    EXPECT_TRUE(images.ForbidUnseen(box, near, 0, &grid, TaskControl()).ok());
    float point[3], unit[3];
    for (int a = 0; a < 3; ++a) point[a] = axis.origin[a] + depth * axis.direction[a];
    box.ToUnit(point, unit);
    uint32_t cell[3];
    for (int a = 0; a < 3; ++a) cell[a] = static_cast<uint32_t>(unit[a] * 64);
    return grid.Allowed(cell[0], cell[1], cell[2]);
  };
  EXPECT_TRUE(allowed(0, 1));
  EXPECT_FALSE(allowed(2, 1));
  EXPECT_TRUE(allowed(2, 3));
  EXPECT_FALSE(allowed(2, -3));  // behind the camera: no picture sees it
}

}  // namespace
}  // namespace daf::nerf

// Candidates whose density is known and of which some are kept: the way that training takes.
#include <gtest/gtest.h>

#include <vector>

#include "native/nerf/field.h"
#include "native/nerf/testing_field.h"

namespace daf::nerf {
namespace {

// Kept candidates give what Forward on them gives, and the same gradients.
void ExpectKeptIsForward(Field* field) {
  Arena arena;
  std::unique_ptr<FieldPass> pass;
  ASSERT_TRUE(field->NewPass(PassKind::kTraining, &arena, &pass).ok());
  Rng rng(7);
  for (size_t i = 0; i < field->parameter_count(); ++i)
    field->parameters()[i] += rng.Uniform(-0.1f, 0.1f);
  field->Pack();
  constexpr uint32_t kAll = 384, kSome = 96;
  float* lane[12];
  for (float*& l : lane) ASSERT_TRUE(arena.Allocate(kAll, &l).ok());
  for (uint32_t i = 0; i < kAll; ++i) {
    for (int a = 0; a < 3; ++a) lane[a][i] = rng.Uniform();
  }
  uint32_t pick[kSome];
  float* some[6];
  for (float*& l : some) ASSERT_TRUE(arena.Allocate(kSome, &l).ok());
  for (uint32_t i = 0; i < kSome; ++i) {
    pick[i] = i * 4;
    for (int a = 0; a < 3; ++a) {
      some[a][i] = lane[a][pick[i]];
      some[3 + a][i] = a == 2 ? 1.0f : 0.0f;
    }
  }
  std::vector<float> gradients[2];
  std::vector<float> values[2];
  for (int kept = 0; kept < 2; ++kept) {
    gradients[kept].assign(field->parameter_count(), 0);
    if (kept == 1) {
      pass->Density({lane[0], lane[1], lane[2]}, kAll, lane[3]);
      pass->Keep(pick, 50, 0);
      pass->Keep(pick + 50, kSome - 50, 50);
      pass->ForwardKept({some[0], some[1], some[2]}, {some[3], some[4], some[5]}, kSome, lane[4],
                        {lane[5], lane[6], lane[7]});
    } else {
      pass->Forward({some[0], some[1], some[2]}, {some[3], some[4], some[5]}, kSome, lane[4],
                    {lane[5], lane[6], lane[7]});
    }
    for (int l = 4; l < 8; ++l) values[kept].insert(values[kept].end(), lane[l], lane[l] + kSome);
    pass->Backward(lane[4], {lane[5], lane[6], lane[7]}, gradients[kept].data());
  }
  EXPECT_EQ(values[0], values[1]);
  EXPECT_EQ(gradients[0], gradients[1]);
}

TEST(KeptPoints, AreForwardOnThosePoints) {
  std::unique_ptr<Field> grid;
  ASSERT_TRUE(NewHashGrid({8, 2, 13, 8, 96, 32, 32}, 1, &grid).ok());
  ExpectKeptIsForward(grid.get());
  ClassicConfig config;
  config.width = 32;
  config.depth = 3;
  config.view_width = 16;
  config.skips = {1};
  std::unique_ptr<Field> classic;
  ASSERT_TRUE(NewClassic(config, 1, &classic).ok());
  ExpectKeptIsForward(classic.get());
}

}  // namespace
}  // namespace daf::nerf

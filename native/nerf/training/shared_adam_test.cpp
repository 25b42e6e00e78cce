// Adam of several threads: deferred gradients of tables are those that are added at once.
#include "native/nerf/training/shared_adam.h"

#include <gtest/gtest.h>

#include "native/nerf/training/testing_photos.h"

namespace daf::nerf {
namespace {

constexpr uint32_t kSamples = 480, kPasses = 3;

// Batches of samples in a field, and the losses' derivatives at them.
struct Batches {
  explicit Batches(const Field& field) {
    EXPECT_TRUE(field.NewPass(PassKind::kTraining, &arena, &pass).ok());
    for (float*& one : lane) EXPECT_TRUE(arena.Allocate(kSamples, &one).ok());
  }

  // Forward and backward of a batch that differs for every seed; `n` samples.
  void Learn(uint64_t seed, uint32_t n, TableDeltas* deltas, float* gradients) {
    Rng rng(seed);
    for (uint32_t i = 0; i < kSamples; ++i) {
      for (int l = 0; l < 3; ++l) lane[l][i] = rng.Uniform();
      lane[3][i] = lane[4][i] = 0;
      lane[5][i] = 1;
      for (int l = 10; l < 14; ++l) lane[l][i] = i < n ? rng.Uniform(-1, 1) : 0.0f;
    }
    pass->Forward({lane[0], lane[1], lane[2]}, {lane[3], lane[4], lane[5]}, n, lane[6],
                  {lane[7], lane[8], lane[9]});
    pass->Defer(deltas);
    pass->Backward(lane[10], {lane[11], lane[12], lane[13]}, gradients);
  }

  Arena arena;
  std::unique_ptr<FieldPass> pass;
  float* lane[14];
};

TEST(SharedAdam, DefersOnlyWhereThatTakesLessMemory) {
  for (const uint32_t log2_entries : {13u, 15u}) {
    const auto model = testing::SmallModel(false, 0, log2_entries);
    const Field& field = model->field();
    Arena arena;
    SharedAdam adam;
    ASSERT_TRUE(adam.Reserve(field, 2, 2048, 0, &arena).ok());
    EXPECT_EQ(adam.deltas(0) != nullptr, log2_entries == 15);
    SharedAdam never;
    ASSERT_TRUE(never.Reserve(field, 2, 0, 0, &arena).ok());
    EXPECT_EQ(never.deltas(1), nullptr);
  }
}

TEST(SharedAdam, DeferredIsAsAtOnce) {
  std::vector<float> weights[2];
  for (const bool defer : {false, true}) {
    const auto model = testing::SmallModel(false, 0, 15);
    Field& field = model->field();
    Batches batches(field);
    Arena arena;
    SharedAdam adam;
    ASSERT_TRUE(adam.Reserve(field, 1, defer ? 2048 : 0, 0.5f, &arena).ok());
    ASSERT_EQ(adam.deltas(0) != nullptr, defer);
    for (uint64_t step = 0; step < 9; ++step) {
      for (uint64_t i = 0; i < kPasses; ++i) {
        batches.Learn(step * kPasses + i, kSamples - 7 * static_cast<uint32_t>(i), adam.deltas(0),
                      adam.gradients(0));
      }
      adam.Update(0, &field, 1e-2f, 1.0f / 4096);
      adam.Finish(&field);
    }
    weights[defer ? 1 : 0] = testing::Weights(model.get());
  }
  EXPECT_EQ(weights[0], weights[1]);
}

// The order of the threads' sums is theirs, whoever takes which level.
TEST(SharedAdam, WhoUpdatesMakesNoDifference) {
  std::vector<float> weights[2];
  for (const bool alone : {false, true}) {
    const auto model = testing::SmallModel(false, 0, 15);
    Field& field = model->field();
    Batches batches(field);
    Arena arena;
    SharedAdam adam;
    ASSERT_TRUE(adam.Reserve(field, 2, 2048, 0, &arena).ok());
    for (const uint32_t thread : {0u, 1u})
      batches.Learn(thread, kSamples, adam.deltas(thread), adam.gradients(thread));
    if (alone) {
      for (const uint32_t thread : {1u, 0u}) adam.Update(thread, &field, 1e-2f, 1.0f / 4096);
    } else {
      std::thread other([&] { adam.Update(1, &field, 1e-2f, 1.0f / 4096); });
      adam.Update(0, &field, 1e-2f, 1.0f / 4096);
      other.join();
    }
    adam.Finish(&field);
    weights[alone ? 1 : 0] = testing::Weights(model.get());
  }
  EXPECT_EQ(weights[0], weights[1]);
}

TEST(SharedAdam, ForgetsWhatAStepThatFailedHadDeferred) {
  const auto model = testing::SmallModel(false, 0, 15);
  Field& field = model->field();
  Batches batches(field);
  Arena arena;
  SharedAdam adam;
  ASSERT_TRUE(adam.Reserve(field, 1, 2048, 0, &arena).ok());
  const std::vector<float> before = testing::Weights(model.get());
  batches.Learn(1, kSamples, adam.deltas(0), adam.gradients(0));
  adam.ClearGradients(0);
  adam.Update(0, &field, 0, 1);  // at a rate of nothing: only moments could change
  adam.Finish(&field);
  EXPECT_EQ(testing::Weights(model.get()), before);
  for (size_t i = field.table_begin(); i < field.parameter_count(); ++i)
    ASSERT_EQ(adam.second()[i], 0) << i;
}

}  // namespace
}  // namespace daf::nerf

// Training on spheres whose pictures are known: the field becomes the scene, whichever source
// teaches it.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <thread>

#include "native/nerf/renderer.h"
#include "native/nerf/testing_field.h"
#include "native/nerf/testing_scene.h"
#include "native/nerf/trainer.h"

namespace daf::nerf {
namespace {

using testing::AsView;
using testing::Draw;
using testing::Orbit;
using testing::Picture;

std::unique_ptr<Model> SmallModel(bool classic = false) {
  std::unique_ptr<Field> field;
  EXPECT_TRUE((classic ? NewClassic(testing::ClassicOf(32, 4, 5, 2), 1, &field)
                       : NewHashGrid({8, 2, 13, 8, 96, 32, 32}, 1, &field))
                  .ok());
  std::unique_ptr<Model> model;
  EXPECT_TRUE(Model::Make(std::move(field), Box(), 32, &model).ok());
  return model;
}

const std::vector<Picture>& Pictures() {
  static const std::vector<Picture>* pictures = [] {
    auto* made = new std::vector<Picture>;
    for (int i = 0; i < 20; ++i) {
      made->push_back(Draw(Orbit(static_cast<float>(i) * 2.399f,
                                 -0.5f + 1.2f * static_cast<float>(i % 5) / 4, 4, 64)));
    }
    return made;
  }();
  return *pictures;
}

std::unique_ptr<Trainer> TrainerOf(Model* model, const TrainOptions& options,
                                   int supervised_every) {
  std::unique_ptr<Trainer> trainer;
  EXPECT_TRUE(Trainer::Make(model, options, &trainer).ok());
  for (size_t i = 0; i < Pictures().size(); ++i) {
    const bool supervised = supervised_every > 0 && i % static_cast<size_t>(supervised_every) == 0;
    EXPECT_TRUE(trainer->AddView(AsView(Pictures()[i], supervised)).ok());
  }
  return trainer;
}

struct Score {
  double psnr, depth_error, silhouette;
};

Score ScoreOf(Model* model) {
  const Camera camera = Orbit(0.6f, 0.3f, 4, 96);
  const Picture truth = Draw(camera);
  const size_t pixels = 96 * 96;
  std::vector<float> color(pixels * 3), depth(pixels), opacity(pixels);
  Renderer renderer;
  RenderStats stats;
  EXPECT_TRUE(renderer
                  .Render(model, camera, {0, 0, 96, 96}, {},
                          {nullptr, color.data(), depth.data(), opacity.data(), nullptr},
                          TaskControl(), &stats)
                  .ok());
  double squares = 0, error = 0, both = 0, either = 0;
  size_t hits = 0;
  for (size_t i = 0; i < pixels; ++i) {
    for (size_t c = 0; c < 3; ++c)
      squares += std::pow(double{color[3 * i + c]} - truth.rgb[3 * i + c], 2);
    const bool a = truth.alpha[i] > 0, b = opacity[i] > 0.5f;
    both += a && b;
    either += a || b;
    if (!(a && b)) continue;
    error += std::fabs(depth[i] - truth.depth[i]);
    ++hits;
  }
  return {-10 * std::log10(squares / static_cast<double>(pixels * 3)),
          error / static_cast<double>(hits), both / either};
}

TEST(Train, RenderedViewsBecomeTheScene) {
  const auto model = SmallModel();
  TrainOptions options;
  options.total_steps = 400;
  const auto trainer = TrainerOf(model.get(), options, 1);
  TrainReport report;
  ASSERT_TRUE(trainer->Run(400, TaskControl(), &report).ok());
  const Score score = ScoreOf(model.get());
  EXPECT_GT(score.psnr, 26);
  EXPECT_LT(score.depth_error, 0.02);
  EXPECT_GT(score.silhouette, 0.96);
  EXPECT_LT(report.occupied, 0.3);  // carved
}

TEST(Train, PhotosWithMattesBecomeTheScene) {
  const auto model = SmallModel();
  TrainOptions options;
  options.total_steps = 400;
  const auto trainer = TrainerOf(model.get(), options, 0);
  TrainReport report;
  ASSERT_TRUE(trainer->Run(400, TaskControl(), &report).ok());
  const Score score = ScoreOf(model.get());
  EXPECT_GT(score.psnr, 24);
  EXPECT_GT(score.silhouette, 0.9);
}

TEST(Train, OnePhotoBesideRenderedViewsIsNoBillboard) {
  const auto model = SmallModel();
  std::unique_ptr<Trainer> trainer;
  TrainOptions options;
  options.total_steps = 400;
  ASSERT_TRUE(Trainer::Make(model.get(), options, &trainer).ok());
  ASSERT_TRUE(trainer->AddView(AsView(Pictures()[0], false)).ok());
  for (size_t i = 1; i < Pictures().size(); ++i)
    ASSERT_TRUE(trainer->AddView(AsView(Pictures()[i], true)).ok());
  TrainReport report;
  ASSERT_TRUE(trainer->Run(400, TaskControl(), &report).ok());
  const Score score = ScoreOf(model.get());
  EXPECT_GT(score.psnr, 24);
  EXPECT_LT(score.depth_error, 0.03);
}

TEST(Train, ClassicLearns) {
  const auto model = SmallModel(true);
  TrainOptions options;
  options.total_steps = 500;
  options.learning_rate = 0.02f;
  // A network without a table forgets the whole scene at once when geometry pulls too hard.
  options.opacity_weight = 0.1f;
  options.depth_weight = 0.02f;
  options.color_delay = 0;
  const auto trainer = TrainerOf(model.get(), options, 1);
  TrainReport first, last;
  ASSERT_TRUE(trainer->Run(20, TaskControl(), &first).ok());
  ASSERT_TRUE(trainer->Run(480, TaskControl(), &last).ok());
  EXPECT_LT(last.loss, first.loss / 2);
  EXPECT_GT(ScoreOf(model.get()).silhouette, 0.7);  // 32 wide and 500 steps: learns, not more
}

TEST(Train, DeterministicHoweverTheStepsAreDivided) {
  std::vector<float> weights[2];
  for (int i = 0; i < 2; ++i) {
    const auto model = SmallModel();
    const auto trainer = TrainerOf(model.get(), {}, 2);
    TrainReport report;
    for (const uint32_t steps :
         i == 0 ? std::vector<uint32_t>{40} : std::vector<uint32_t>{1, 15, 24}) {
      ASSERT_TRUE(trainer->Run(steps, TaskControl(), &report).ok());
    }
    EXPECT_EQ(report.step, 40u);
    weights[i].assign(model->field().parameters(),
                      model->field().parameters() + model->field().parameter_count());
  }
  EXPECT_EQ(std::memcmp(weights[0].data(), weights[1].data(), weights[0].size() * sizeof(float)),
            0);
}

TEST(Train, CancelsWithin50Milliseconds) {
  const auto model = SmallModel();
  TrainOptions options;
  options.samples_per_step = 200000;  // many passes a step
  const auto trainer = TrainerOf(model.get(), options, 2);
  TrainReport report;
  double best = 1e9;
  for (int attempt = 0; attempt < 8 && best > 0.05; ++attempt) {
    int32_t words[3] = {0, 0, 0};
    std::chrono::steady_clock::time_point raised;
    std::thread canceller([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(40));
      raised = std::chrono::steady_clock::now();
      __atomic_store_n(&words[0], 1, __ATOMIC_RELEASE);
    });
    EXPECT_EQ(trainer->Run(1000000, TaskControl(words), &report).code(), Code::kCancelled);
    const auto now = std::chrono::steady_clock::now();
    canceller.join();
    best = std::min(best, std::chrono::duration<double>(now - raised).count());
  }
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__)
  EXPECT_LT(best, 0.05);
#endif
}

TEST(Train, ACancelledRunLeavesNoTrace) {
  std::vector<float> weights[2];
  for (int i = 0; i < 2; ++i) {
    const auto model = SmallModel();
    const auto trainer = TrainerOf(model.get(), {}, 2);
    TrainReport report;
    ASSERT_TRUE(trainer->Run(3, TaskControl(), &report).ok());
    int32_t words[3] = {1, 0, 0};
    if (i == 1) {
      EXPECT_EQ(trainer->Run(5, TaskControl(words), &report).code(), Code::kCancelled);
    }
    ASSERT_TRUE(trainer->Run(3, TaskControl(), &report).ok());
    weights[i].assign(model->field().parameters(),
                      model->field().parameters() + model->field().parameter_count());
  }
  EXPECT_EQ(weights[0], weights[1]);
}

TEST(Train, StaysWithinItsBudget) {
  Budget& budget = Budget::Process();
  const size_t before = budget.used();
  {
    const auto model = SmallModel();
    const auto trainer = TrainerOf(model.get(), {}, 2);
    TrainReport report;
    ASSERT_TRUE(trainer->Run(2, TaskControl(), &report).ok());
    EXPECT_GT(budget.used(), before);
    const size_t steady = budget.used();
    ASSERT_TRUE(trainer->Run(20, TaskControl(), &report).ok());
    EXPECT_EQ(budget.used(), steady);  // steps allocate nothing
    budget.SetLimit(budget.used() + 1000);
    std::unique_ptr<Field> field;
    EXPECT_EQ(NewHashGrid({12, 2, 20, 8, 256, 64, 64}, 1, &field).code(), Code::kMemory);
    budget.SetLimit(0);
  }
  EXPECT_EQ(budget.used(), before);
}

TEST(Train, RefusesWhatCannotBeLearnt) {
  const auto model = SmallModel();
  std::unique_ptr<Trainer> trainer;
  TrainOptions bad;
  bad.learning_rate = NAN;
  EXPECT_EQ(Trainer::Make(model.get(), bad, &trainer).code(), Code::kBadArgument);
  ASSERT_TRUE(Trainer::Make(model.get(), {}, &trainer).ok());
  TrainReport report;
  EXPECT_EQ(trainer->Run(1, TaskControl(), &report).code(), Code::kBadArgument);  // no views
  ViewInput view = AsView(Pictures()[0], true);
  view.depth = nullptr;
  EXPECT_EQ(trainer->AddView(view).code(), Code::kBadArgument);
  view = AsView(Pictures()[0], true);
  view.camera.rotation[0] = 3;
  EXPECT_EQ(trainer->AddView(view).code(), Code::kBadArgument);
  view = AsView(Pictures()[0], false);
  view.camera.translation[2] = 100;  // everything is behind the camera
  ASSERT_TRUE(trainer->AddView(view).ok());
  EXPECT_EQ(trainer->Run(1, TaskControl(), &report).code(), Code::kBadData);
}

}  // namespace
}  // namespace daf::nerf

#include "native/nerf/training/scene_trainer.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "native/nerf/denormals.h"

namespace daf::nerf {
namespace {
// While the field forms, every cell is visited at steps 16, 32, 64, 128 and 256; after that some,
// each time that a step's samples have added up to so many: sweeps cost a few percent.
constexpr uint64_t kFirstSweep = 16, kWarmup = 256;
constexpr uint64_t kSweepSamples = 1u << 21;
constexpr float kSlack = 0.05f;  // of a picture's width, by which it may turn out to be elsewhere
}  // namespace

SceneTrainer::SceneTrainer(Model* model, const SceneTrainOptions& options)
    : model_(*model), options_(options), barrier_(options.threads) {}

Status SceneTrainer::Make(Model* model, const SceneTrainOptions& options,
                          std::unique_ptr<SceneTrainer>* out) {
  DAF_RETURN_IF_ERROR(options.Check());
  if (options.variation_weight > 0 && !model->field().has_table())
    return Status(Code::kUnsupported, "training: variationWeight needs a hash grid");
  out->reset(new SceneTrainer(model, options));
  return Status::Ok();
}

Status SceneTrainer::Prepare(const TaskControl& control) {
  if (prepared_) return Status(Code::kBadArgument, "training: already prepared");
  if (images_.all().empty()) return Status(Code::kBadArgument, "training: no images were given");
  const uint32_t codes = model_.field().appearance_images();
  if (codes > 0 && codes != images_.all().size())
    return Status(Code::kBadArgument, "training: the field has appearance codes for " +
                                          std::to_string(codes) + " images, not for " +
                                          std::to_string(images_.all().size()));
  DAF_RETURN_IF_ERROR(grid_.Make(model_.occupancy().resolution(), model_.box().unbounded));
  DAF_RETURN_IF_ERROR(images_.ForbidUnseen(model_.box(), options_.near,
                                           options_.refine_poses ? kSlack : 0.0f, &grid_, control));
  std::vector<Camera> cameras;
  for (const TrainingImage& image : images_.all()) cameras.push_back(image.camera);
  model_.SetCameras(std::move(cameras));
  // The variation's derivatives are added to the tables as it is found out.
  const uint32_t deferred = options_.variation_weight > 0 ? 0 : Share();
  DAF_RETURN_IF_ERROR(
      adam_.Reserve(model_.field(), options_.threads, deferred, options_.average_decay, &arena_));
  if (options_.average_decay > 0)
    DAF_RETURN_IF_ERROR(arena_.Allocate(model_.field().parameter_count(), &own_weights_));
  skips_ = !model_.box().unbounded && !model_.field().has_coarse();
  if (skips_) DAF_RETURN_IF_ERROR(skip_.Build(grid_));
  DAF_RETURN_IF_ERROR(shown_.Reserve(grid_, options_.threads, &arena_));
  if (options_.background_kind == TrainingBackground::kLearned) {
    if (model_.background() == nullptr) {
      float color[3];
      images_.MedianColor(options_.seed, color);
      model_.NewBackground(options_.seed);
      model_.background()->Begin(color);
    }
    background_.Begin(model_.background(), options_.threads, options_.average_decay);
  }
  if (options_.refine_poses)
    DAF_RETURN_IF_ERROR(poses_.Begin(images_, model_.box(), options_.threads, &arena_));
  for (uint32_t thread = 0; thread < options_.threads; ++thread) {
    workers_.push_back(std::make_unique<TrainingWorker>(&model_, &grid_, skips_ ? &skip_ : nullptr,
                                                        &shown_, &background_, &poses_, &images_,
                                                        options_, thread));
    DAF_RETURN_IF_ERROR(workers_.back()->Reserve(&arena_));
  }
  step_sums_.resize(options_.threads);
  run_sums_.resize(options_.threads);
  prepared_ = true;
  return Status::Ok();
}

float SceneTrainer::Rate(double progress) const {
  const double rise = std::min(1.0, (static_cast<double>(adam_.steps()) + 1) /
                                        (static_cast<double>(options_.warmup_steps) + 1));
  const double fall =
      std::max(0.0, (std::min(progress, 1.0) - options_.decay_begin) / (1 - options_.decay_begin));
  return static_cast<float>(options_.learning_rate * rise * std::pow(options_.final_rate, fall));
}

bool SceneTrainer::SweepsAll() const { return adam_.steps() <= kWarmup; }

bool SceneTrainer::SweepDue() const {
  const uint64_t step = adam_.steps();
  if (SweepsAll()) return step >= kFirstSweep && (step & (step - 1)) == 0;
  return step % std::max<uint64_t>(kFirstSweep, kSweepSamples / options_.samples_per_step) == 0;
}

Status SceneTrainer::Run(uint32_t thread, uint32_t steps, double begin, double end,
                         const TaskControl& control, SceneTrainReport* report) {
  if (!prepared_ || averaged_ || thread >= options_.threads)
    return Status(Code::kBadArgument, "training: not prepared, averaged, or no such thread");
  const FlushDenormals flush;
  workers_[thread]->clock().Start(Phase::kWait);
  Status status = Meet(thread, control, Phase::kRays);
  run_sums_[thread] = WorkSums();
  if (status.ok() && sweep_due_) status = SweepGrid(thread, control);
  for (uint32_t i = 0; status.ok() && i < steps; ++i) {
    const double progress = options_.total_steps > 0 ? static_cast<double>(adam_.steps()) /
                                                           static_cast<double>(options_.total_steps)
                                                     : begin + (end - begin) * i / steps;
    status = Step(thread, progress, control);
    if (status.ok()) control.Progress(static_cast<int32_t>(i + 1), static_cast<int32_t>(steps));
  }
  if (!status.ok()) {
    barrier_.Forget();
    return status;
  }
  workers_[thread]->clock().Enter(Phase::kWait);
  DAF_RETURN_IF_ERROR(barrier_.Wait(TaskControl()));  // for the others' clocks
  *report = SceneTrainReport();
  for (const auto& worker : workers_) report->seconds.Add(worker->clock().spent());
  report->step = adam_.steps();
  WorkSums all;
  for (const WorkSums& sums : run_sums_) all.Add(sums);
  report->rays = all.losses.rays;
  report->candidates = all.candidates;
  report->samples = all.samples;
  const double rays = static_cast<double>(std::max<uint64_t>(report->rays, 1));
  report->loss = all.losses.loss / rays;
  report->psnr = -10 * std::log10(std::max(all.losses.squared_error / (3 * rays), 1e-10));
  report->occupied = grid_.Fraction();
  return Status::Ok();
}

Status SceneTrainer::Step(uint32_t thread, double progress, const TaskControl& control) {
  TrainingWorker& worker = *workers_[thread];
  const Rng before = worker.rng();
  WorkSums sums;  // each thread's on its own stack: they are counted up ray by ray
  Status status =
      worker.Accumulate(Share(), adam_.gradients(thread), adam_.deltas(thread), control, &sums);
  step_sums_[thread] = sums;
  if (status.ok() && !std::isfinite(sums.losses.loss)) {
    status = Status(Code::kBadData, "training: the weights left the finite numbers",
                    "lower the learning rate");
  }
  if (!status.ok()) barrier_.Fail(status);
  status = Meet(thread, control, Phase::kUpdate);
  if (!status.ok()) {  // as if the step had not begun
    worker.rng() = before;
    adam_.ClearGradients(thread);
    if (background_.active()) background_.Clear(thread);
    if (poses_.active()) poses_.Clear(thread);
    return status;
  }
  // From here on nothing fails and nobody is cancelled until the step is whole.
  const TaskControl none;
  uint64_t rays = 0;
  for (const WorkSums& each : step_sums_) rays += each.losses.rays;
  run_sums_[thread].Add(step_sums_[thread]);
  const float scale = 1.0f / static_cast<float>(std::max<uint64_t>(rays, 1)), rate = Rate(progress);
  adam_.Update(thread, &model_.field(), rate, scale);
  DAF_RETURN_IF_ERROR(Meet(thread, none, Phase::kUpdate));
  if (thread == 0) {
    model_.Touch();
    adam_.Finish(&model_.field());
    if (background_.active()) background_.Update(rate / options_.learning_rate, scale);
    if (poses_.active()) poses_.Update(progress, &images_);
    sweep_due_ = SweepDue();
  }
  DAF_RETURN_IF_ERROR(Meet(thread, none, Phase::kGrid));
  return sweep_due_ ? SweepGrid(thread, control) : Status::Ok();
}

Status SceneTrainer::Meet(uint32_t thread, const TaskControl& control, Phase next) {
  PhaseClock& clock = workers_[thread]->clock();
  clock.Enter(Phase::kWait);
  const Status status = barrier_.Wait(control);
  clock.Enter(next);
  return status;
}

Status SceneTrainer::SweepGrid(uint32_t thread, const TaskControl& control) {
  const Status swept = workers_[thread]->Sweep(&grid_, {thread, options_.threads}, SweepsAll(),
                                               adam_.steps(), control);
  if (!swept.ok()) barrier_.Fail(swept);
  DAF_RETURN_IF_ERROR(Meet(thread, control, Phase::kGrid));
  if (thread == 0) {
    grid_.Threshold(false, options_.occupied_depth);
    if (!SweepsAll()) shown_.Sweep(&grid_);
    // In the room of the one before it.
    if (const Status built = skips_ ? skip_.Build(grid_) : Status::Ok(); !built.ok())
      barrier_.Fail(built);
    sweep_due_ = false;
  }
  return Meet(thread, TaskControl(), Phase::kRays);
}

// What no training picture shows is not rendered either.
void SceneTrainer::LimitModel() {
  std::vector<uint64_t> bits(grid_.byte_count() / sizeof(uint64_t));
  shown_.Certain(grid_, bits.data());
  model_.occupancy().AllowAround(bits.data());
  model_.Touch();
}

bool SceneTrainer::UseAverage(bool average) {
  if (!prepared_ || average == averaged_) return prepared_ && averaged_ == average;
  Field& field = model_.field();
  const size_t bytes = field.parameter_count() * sizeof(float);
  if (average) {
    LimitModel();
    if (own_weights_ == nullptr) return false;
    std::memcpy(own_weights_, field.parameters(), bytes);
    if (!adam_.Average(field.parameters())) return false;
  } else {
    std::memcpy(field.parameters(), own_weights_, bytes);
  }
  if (background_.active()) background_.UseAverage(average);
  averaged_ = average;
  field.Pack();
  model_.Touch();
  return true;
}

}  // namespace daf::nerf

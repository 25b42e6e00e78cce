#include "native/nerf/trainer.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "native/nerf/denormals.h"
#include "native/nerf/march.h"

namespace daf::nerf {
namespace {
constexpr uint32_t kMaxRays = 2048;       // of one pass
constexpr uint32_t kSurfaceSamples = 10;  // within the margin around a known surface
constexpr uint32_t kFrontSamples = 4;  // between the box and that margin: space known to be empty
constexpr uint32_t kEmptySamples = 6;  // along a ray that hits nothing
constexpr uint32_t kCarvedSamples =
    24;  // along one where only the shell around the surface is left, one a margin
constexpr uint32_t kGridEvery = 16, kGridWarmup = 256;  // steps
constexpr float kHuber = 0.1f;
constexpr float kLastRate = 0.05f;  // of the first, at the end of the schedule
constexpr float kDepthCap = 4;      // in squared margins
}  // namespace

struct Trainer::TargetRay {
  Ray ray;
  float near, far;  // within the box
  float color[3];   // straight
  float alpha;
  float surface;  // distance along the ray; 0: unknown
  bool supervised;
};

// What a pass works on: a structure of arrays of samples, and its rays.
struct Trainer::Lanes {
  float *x, *y, *z, *dx, *dy, *dz, *t, *step, *density, *r, *g, *b, *alpha, *weight;
  float *d_density, *d_r, *d_g, *d_b, *d_weight;
  float* out;    // [kMaxRays][6]
  float* d_out;  // [kMaxRays][4]
  uint32_t* first;
  TargetRay* rays;
  float* background;  // [kMaxRays][3]
  uint32_t ray_count, samples;

  Status Reserve(Arena* arena) {
    for (float** lane : {&x, &y, &z, &dx, &dy, &dz, &t, &step, &density, &r, &g, &b, &alpha,
                         &weight, &d_density, &d_r, &d_g, &d_b, &d_weight}) {
      DAF_RETURN_IF_ERROR(arena->Allocate(kPassSamples, lane));
      std::memset(*lane, 0, kPassSamples * sizeof(float));
    }
    DAF_RETURN_IF_ERROR(arena->Allocate(size_t{kMaxRays} * 6, &out));
    DAF_RETURN_IF_ERROR(arena->Allocate(size_t{kMaxRays} * 4, &d_out));
    DAF_RETURN_IF_ERROR(arena->Allocate(size_t{kMaxRays} * 3, &background));
    DAF_RETURN_IF_ERROR(arena->Allocate(kMaxRays + 1, &first));
    return arena->Allocate(kMaxRays, &rays);
  }
};

Trainer::Trainer(Model* model, const TrainOptions& options)
    : model_(*model), options_(options), rng_(options.seed, 3), views_(&views_arena_) {}
Trainer::~Trainer() = default;

Status Trainer::Make(Model* model, const TrainOptions& options, std::unique_ptr<Trainer>* out) {
  const auto bad = [](const char* what) {
    return Status(Code::kBadArgument, std::string("training: ") + what);
  };
  if (!(options.supervised_fraction >= 0 && options.supervised_fraction <= 1))
    return bad("supervisedFraction must be 0–1");
  if (options.samples_per_step < 256 || options.samples_per_step > (1u << 22))
    return bad("samplesPerStep must be 256–4194304");
  if (options.total_steps < 1 || options.total_steps > 100000000)
    return bad("totalSteps must be at least 1");
  if (!(options.learning_rate > 0 && options.learning_rate <= 1))
    return bad("learningRate must be above 0 and at most 1");
  if (!(options.opacity_weight >= 0 && options.opacity_weight <= 1000))
    return bad("opacityWeight must be 0–1000");
  if (!(options.depth_weight >= 0 && options.depth_weight <= 1000))
    return bad("depthWeight must be 0–1000");
  if (!(options.color_delay >= 0 && options.color_delay < 1))
    return bad("colorDelay must be at least 0 and below 1");
  if (!(options.surface_margin >= 0 && std::isfinite(options.surface_margin)))
    return bad("surfaceMargin must be 0 or more");
  if (options.max_samples_per_ray < 8 || options.max_samples_per_ray > 512)
    return bad("maxSamplesPerRay must be 8–512");
  std::unique_ptr<Trainer> trainer(new Trainer(model, options));
  if (trainer->options_.surface_margin == 0)
    trainer->options_.surface_margin = model->box().edge() / 32;
  *out = std::move(trainer);
  return Status::Ok();
}

Status Trainer::Prepare(const TaskControl& control) {
  if (prepared_) return Status::Ok();
  if (views_.empty()) return Status(Code::kBadArgument, "training: no views were given");
  arena_.Reset();
  DAF_RETURN_IF_ERROR(kernels::Chosen(&kernels_));
  DAF_RETURN_IF_ERROR(adam_.Reserve(model_.field(), &arena_));
  DAF_RETURN_IF_ERROR(model_.field().NewPass(PassKind::kTraining, &arena_, &pass_));
  lanes_ = std::make_unique<Lanes>();
  DAF_RETURN_IF_ERROR(lanes_->Reserve(&arena_));
  model_.occupancy().AllowAll();
  model_.occupancy().ResetToAllowed();
  if (!views_.supervised().empty()) {
    DAF_RETURN_IF_ERROR(
        views_.Carve(model_.box(), options_.surface_margin, &model_.occupancy(), control));
  } else {
    options_.color_delay = 0;
  }
  // Only rays of unknown depth walk the grid; without them it need not follow the training.
  for (const View& view : views_.photos()) marches_ = marches_ || view.depth == nullptr;
  prepared_ = true;
  return Status::Ok();
}

bool Trainer::DrawRay(TargetRay* out) {
  const bool both = !views_.photos().empty() && !views_.supervised().empty();
  const bool supervised =
      both ? rng_.Uniform() < options_.supervised_fraction : views_.photos().empty();
  const std::vector<View>& views = supervised ? views_.supervised() : views_.photos();
  const View& view = views[rng_.Below(static_cast<uint32_t>(views.size()))];
  const uint32_t x = rng_.Below(view.camera.width), y = rng_.Below(view.camera.height);
  const size_t at = size_t{y} * view.camera.width + x;
  const uint8_t* pixel = view.rgba + at * 4;
  // Empty pixels teach little after the first few: a quarter of them is enough. Where rendered
  // views have carved the grid, only rays that graze the head remain, and those draw its outline.
  if (pixel[3] == 0 && views_.supervised().empty() && rng_.Below(4) != 0) return false;
  out->ray = PixelRay(view.camera, static_cast<float>(x) + 0.5f, static_cast<float>(y) + 0.5f);
  if (!Clip(model_.box(), out->ray, &out->near, &out->far)) return false;
  for (int c = 0; c < 3; ++c) out->color[c] = pixel[c] / 255.0f;
  out->alpha = pixel[3] / 255.0f;
  out->supervised = supervised;
  out->surface = view.depth != nullptr ? view.depth[at] * out->ray.slant : 0.0f;
  if (out->surface >= out->far || out->surface <= out->near) out->surface = 0;
  return true;
}

void Trainer::Push(const TargetRay& ray, float t, float length, uint32_t at) {
  const Box& box = model_.box();
  Lanes& l = *lanes_;
  float* const position[3] = {l.x, l.y, l.z};
  for (int a = 0; a < 3; ++a) {
    const float p = (ray.ray.origin[a] + ray.ray.direction[a] * t - box.min[a]) / box.side(a);
    position[a][at] = std::min(std::max(p, 0.0f), 1.0f);
  }
  l.dx[at] = ray.ray.direction[0];
  l.dy[at] = ray.ray.direction[1];
  l.dz[at] = ray.ray.direction[2];
  l.t[at] = t;
  l.step[at] = length / box.edge();
  // How wrong it would be for light to end here.
  float error = 0;
  if (ray.supervised && ray.surface > 0) {
    const float margins = (t - ray.surface) / options_.surface_margin;
    error = std::min(margins * margins, kDepthCap);
  }
  l.d_weight[at] = options_.depth_weight * error;
}

// Appends the ray's samples at `at`; returns how many.
uint32_t Trainer::Place(const TargetRay& ray, uint32_t at) {
  uint32_t n = 0;
  const auto strata = [&](float begin, float end, uint32_t count) {
    const float length = (end - begin) / static_cast<float>(count);
    if (!(length > 0)) return;
    for (uint32_t i = 0; i < count; ++i, ++n)
      Push(ray, begin + (static_cast<float>(i) + rng_.Uniform()) * length, length, at + n);
  };
  // What the rendered views have carved away cannot be seen, whatever the field says there: samples
  // in it would be wasted.
  const auto allowed = [&](float end, float step, uint32_t most) {
    Marcher march;
    if (!march.Start(model_.box(), &model_.occupancy(), ray.ray, step, rng_.Uniform())) return;
    float t, position[3];
    for (uint32_t i = 0; i < most && march.Next(&t, position) && t < end; ++i, ++n)
      Push(ray, t, step, at + n);
  };
  const bool carved = !views_.supervised().empty();
  if (ray.surface > 0) {
    // Where the truth is a photo's, the model that gave the depth may be wrong by more: hair and
    // beard lie before it.
    const float before = options_.surface_margin * (ray.supervised ? 1.0f : 2.0f);
    const float begin = std::max(ray.near, ray.surface - before),
                end = std::min(ray.far, ray.surface + options_.surface_margin);
    if (carved) {
      allowed(begin, options_.surface_margin, kFrontSamples);
    } else {
      strata(ray.near, begin, kFrontSamples);
    }
    strata(begin, end, kSurfaceSamples);
  } else if (ray.alpha == 0) {
    if (carved) {
      allowed(ray.far, options_.surface_margin, kCarvedSamples);
    } else {
      strata(ray.near, ray.far, kEmptySamples);
    }
  } else {
    const float step =
        model_.box().edge() * 1.7320508f / static_cast<float>(options_.max_samples_per_ray);
    Marcher march;
    if (!march.Start(model_.box(), &model_.occupancy(), ray.ray, step, rng_.Uniform())) return 0;
    float t, position[3];
    while (n < options_.max_samples_per_ray && march.Next(&t, position))
      Push(ray, t, step, at + n++);
  }
  return n;
}

// From the composited rays: the report, and the derivative of each ray's loss in d_out and
// d_weight.
void Trainer::Losses(bool color, TrainReport* report) {
  Lanes& l = *lanes_;
  for (uint32_t i = 0; i < l.ray_count; ++i) {
    const TargetRay& ray = l.rays[i];
    const float* out = l.out + size_t{i} * 6;
    const float* background = l.background + size_t{i} * 3;
    float* d = l.d_out + size_t{i} * 4;
    const float off = out[3] - ray.alpha;
    double color_loss = 0, depth_loss = 0;
    d[3] = 2 * options_.opacity_weight * off;
    for (int c = 0; c < 3; ++c) {
      d[c] = 0;
      if (!color) continue;
      const float error = out[c] + (1 - out[3]) * background[c] -
                          (ray.alpha * ray.color[c] + (1 - ray.alpha) * background[c]);
      const float size = std::fabs(error);
      color_loss += size < kHuber ? error * error / (2 * kHuber) : size - kHuber / 2;
      squared_error_ += double{error} * error;
      d[c] = size < kHuber ? error / kHuber : std::copysign(1.0f, error);
      d[3] -= d[c] * background[c];
    }
    for (uint32_t s = l.first[i]; s < l.first[i + 1]; ++s)
      depth_loss += l.weight[s] * l.d_weight[s];
    const double opacity_loss = options_.opacity_weight * double{off} * off;
    report->color_loss += color_loss;
    report->opacity_loss += opacity_loss;
    report->depth_loss += depth_loss;
    report->loss += color_loss + opacity_loss + depth_loss;
  }
  if (color) colored_ += l.ray_count;
}

Status Trainer::Step(const TaskControl& control, TrainReport* report) {
  Lanes& l = *lanes_;
  const uint32_t longest =
      std::max({options_.max_samples_per_ray, kSurfaceSamples + kFrontSamples, kCarvedSamples});
  const bool color =
      static_cast<float>(step_) >= options_.color_delay * static_cast<float>(options_.total_steps);
  uint32_t samples = 0, rays = 0;
  while (samples < options_.samples_per_step) {
    DAF_RETURN_IF_ERROR(control.Check());
    const uint32_t room =
        std::min(pass_->capacity(), options_.samples_per_step - samples + longest);
    l.samples = l.ray_count = 0;
    for (uint32_t misses = 0; l.ray_count < kMaxRays && l.samples + longest <= room;) {
      if (misses > 100000)
        return Status(Code::kBadData, "training: hardly a ray of any view meets the field's box",
                      "check the cameras' convention and the box");
      TargetRay& ray = l.rays[l.ray_count];
      if (!DrawRay(&ray)) {
        ++misses;
        continue;
      }
      for (int c = 0; c < 3; ++c) l.background[l.ray_count * 3 + c] = rng_.Uniform();
      const uint32_t n = Place(ray, l.samples);
      if (n == 0) {
        ++misses;
        continue;
      }
      l.first[l.ray_count++] = l.samples;
      l.samples += n;
    }
    l.first[l.ray_count] = l.samples;
    const uint32_t padded = TilesOf(l.samples) * kernels::kTile;
    for (uint32_t i = l.samples; i < padded; ++i) {
      l.x[i] = l.y[i] = l.z[i] = 0.5f;
      l.d_density[i] = l.d_r[i] = l.d_g[i] = l.d_b[i] = 0;
    }
    const ColorArrays colors =
        color ? ColorArrays{l.r, l.g, l.b} : ColorArrays{nullptr, nullptr, nullptr};
    pass_->Forward({l.x, l.y, l.z}, {l.dx, l.dy, l.dz}, l.samples, l.density, colors);
    kernels::CompositeArgs args = {
        l.ray_count, l.first, l.density, l.step,     colors.r,    colors.g, colors.b, l.t,  l.alpha,
        l.weight,    l.out,   l.d_out,   l.d_weight, l.d_density, l.d_r,    l.d_g,    l.d_b};
    kernels_->composite(&args);
    Losses(color, report);
    kernels_->composite_backward(&args);
    pass_->Backward(l.d_density, {l.d_r, l.d_g, l.d_b}, adam_.gradients());
    samples += l.samples;
    rays += l.ray_count;
  }
  const float progress =
      std::min(1.0f, static_cast<float>(step_) / static_cast<float>(options_.total_steps));
  const float rate =
      options_.learning_rate *
      std::pow(kLastRate, std::max(0.0f, 2 * progress - 1));  // falls in the second half only
  adam_.Step(&model_.field(), rate, 1.0f / static_cast<float>(rays));
  report->rays += rays;
  report->samples += samples;
  ++step_;
  return Status::Ok();
}

Status Trainer::Run(uint32_t steps, const TaskControl& control, TrainReport* report) {
  const FlushDenormals flush;
  *report = TrainReport();
  squared_error_ = 0;
  colored_ = 0;
  DAF_RETURN_IF_ERROR(Prepare(control));
  for (uint32_t i = 0; i < steps; ++i) {
    DAF_RETURN_IF_ERROR(control.Check());
    model_.Touch();
    const Rng before = rng_;
    const Status stepped = Step(control, report);
    if (!stepped.ok()) {  // as if the step had not begun
      rng_ = before;
      std::memset(adam_.gradients(), 0, model_.field().parameter_count() * sizeof(float));
      return stepped;
    }
    if (marches_ && step_ % kGridEvery == 0) {
      Rng rng(options_.seed + step_, 5);
      DAF_RETURN_IF_ERROR(
          model_.occupancy().Update(pass_.get(), step_ <= kGridWarmup, false, &rng, control));
    }
    control.Progress(static_cast<int32_t>(i + 1), static_cast<int32_t>(steps));
  }
  report->step = step_;
  const double rays = static_cast<double>(std::max<uint64_t>(report->rays, 1));
  for (double* mean :
       {&report->loss, &report->color_loss, &report->opacity_loss, &report->depth_loss})
    *mean /= rays;
  report->psnr = colored_ > 0
                     ? -10 * std::log10(std::max(
                                 squared_error_ / (3.0 * static_cast<double>(colored_)), 1e-10))
                     : NAN;
  report->occupied = model_.occupancy().Fraction();
  return Status::Ok();
}

}  // namespace daf::nerf

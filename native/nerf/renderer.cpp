#include "native/nerf/renderer.h"

#include <algorithm>
#include <chrono>

#include "native/base/thread_clock.h"
#include "native/nerf/denormals.h"
#include "native/nerf/lattice_sampler.h"
#include "native/nerf/listed_ray.h"
#include "native/nerf/one_by_one.h"
#include "native/nerf/render_block.h"
#include "native/nerf/strata_sampler.h"
#include "native/nerf/unbounded_sampler.h"

namespace daf::nerf {
namespace {

Status CheckArguments(const Camera& camera, const Window& window, const RenderOptions& options) {
  const auto bad = [](const char* what) { return Status(Code::kBadArgument, what); };
  if (camera.width == 0 || camera.height == 0 || camera.width > 16384 || camera.height > 16384)
    return bad("a rendered image has 1–16384 pixels along each side");
  if (window.width == 0 || window.height == 0 || window.x >= camera.width ||
      window.y >= camera.height || window.width > camera.width - window.x ||
      window.height > camera.height - window.y)
    return bad("the window must be a part of the image, at least one pixel large");
  if (options.samples != 0 && (options.samples < 8 || options.samples > 4096))
    return bad("samples must be 8–4096");
  if (options.samples_per_ray > 4096) return bad("samplesPerRay must be at most 4096");
  if (options.importance.coarse > 1024 || options.importance.fine > 1024 ||
      (options.importance.coarse == 0) != (options.importance.fine == 0))
    return bad("importance: coarse and fine samples of a ray must be 1–1024");
  if (!(options.near >= 0) || !(options.far > options.near))
    return bad("near must be at least 0, and far beyond it");
  if (!(options.min_transmittance >= 0 && options.min_transmittance < 1))
    return bad("minTransmittance must be at least 0 and below 1");
  return Status::Ok();
}

template <typename Sampler>
Status RenderWindow(RenderBlock<Sampler>&& block, Arena* arena, const Window& window,
                    const RenderTargets& targets, const TaskControl& control, RenderStats* stats) {
  constexpr uint32_t kSide = RenderBlock<Sampler>::kSide;
  DAF_RETURN_IF_ERROR(block.Reserve(arena));
  for (uint32_t y = 0; y < window.height; y += kSide) {
    for (uint32_t x = 0; x < window.width; x += kSide) {
      DAF_RETURN_IF_ERROR(block.Render(window, window.x + x, window.y + y, control, stats));
      block.Store(window, targets);
    }
    control.Progress(static_cast<int32_t>(std::min(window.height, y + kSide)),
                     static_cast<int32_t>(window.height));
  }
  return Status::Ok();
}

}  // namespace

Status Renderer::Render(Model* model, const Camera& camera, const Window& window,
                        const RenderOptions& options, const RenderTargets& targets,
                        const TaskControl& control, RenderStats* stats) {
  const FlushDenormals flush;
  const double begin = ThreadSeconds();
  const auto start = std::chrono::steady_clock::now();
  DAF_RETURN_IF_ERROR(CheckArguments(camera, window, options));
  if (options.learned_background && model->background() == nullptr)
    return Status(Code::kBadArgument, "this field has no learned background");
  const kernels::Table* kernels;
  DAF_RETURN_IF_ERROR(kernels::Chosen(&kernels));
  if (!options.exhaustive) DAF_RETURN_IF_ERROR(model->PrepareSkipping(control));
  PassPool::Loan pass;
  DAF_RETURN_IF_ERROR(model->Borrow(options.pass, &pass));
  arena_.Reset();
  *stats = {};
  const bool normals = targets.normal != nullptr;
  if (options.importance.coarse > 0) {
    PassPool::Loan coarse;
    DAF_RETURN_IF_ERROR(model->BorrowCoarse(options.pass, &coarse));
    Proposals proposals(*model, &*coarse, options.importance);
    RenderBlock<OneByOne<ListedSampler>> block(*model, &*pass, *kernels, camera, options, normals);
    DAF_RETURN_IF_ERROR(proposals.Reserve(block.kSide * block.kSide, &arena_));
    block.Follow(&proposals);
    DAF_RETURN_IF_ERROR(RenderWindow(std::move(block), &arena_, window, targets, control, stats));
  } else if (options.samples_per_ray > 0) {
    DAF_RETURN_IF_ERROR(RenderWindow(
        RenderBlock<OneByOne<StrataSampler>>(*model, &*pass, *kernels, camera, options, normals),
        &arena_, window, targets, control, stats));
  } else if (model->box().unbounded) {
    DAF_RETURN_IF_ERROR(RenderWindow(
        RenderBlock<OneByOne<UnboundedSampler>>(*model, &*pass, *kernels, camera, options, normals),
        &arena_, window, targets, control, stats));
  } else {
    DAF_RETURN_IF_ERROR(RenderWindow(
        RenderBlock<LatticeSampler>(*model, &*pass, *kernels, camera, options, normals), &arena_,
        window, targets, control, stats));
  }
  // The parts were timed by the steady clock, as asking for a thread's own time costs a system
  // call: their shares are those of the elapsed time.
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  stats->seconds = ThreadSeconds() - begin;
  stats->field_seconds *= stats->seconds / elapsed.count();
  stats->march_seconds *= stats->seconds / elapsed.count();
  return Status::Ok();
}

}  // namespace daf::nerf

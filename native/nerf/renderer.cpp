#include "native/nerf/renderer.h"

#include <algorithm>

#include "native/base/thread_clock.h"
#include "native/nerf/denormals.h"
#include "native/nerf/render_block.h"

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
  if (options.samples < 8 || options.samples > 4096) return bad("samples must be 8–4096");
  if (options.samples_per_ray > 4096) return bad("samplesPerRay must be at most 4096");
  if (!(options.near >= 0) || !(options.far > options.near))
    return bad("near must be at least 0, and far beyond it");
  if (!(options.min_transmittance >= 0 && options.min_transmittance < 1))
    return bad("minTransmittance must be at least 0 and below 1");
  return Status::Ok();
}

}  // namespace

Status Renderer::Render(Model* model, const Camera& camera, const Window& window,
                        const RenderOptions& options, const RenderTargets& targets,
                        const TaskControl& control, RenderStats* stats) {
  const FlushDenormals flush;
  const double begin = ThreadSeconds();
  DAF_RETURN_IF_ERROR(CheckArguments(camera, window, options));
  if (!options.exhaustive) DAF_RETURN_IF_ERROR(model->RefreshOccupancy(control));
  PassPool::Loan pass;
  DAF_RETURN_IF_ERROR(model->Borrow(&pass));
  arena_.Reset();
  RenderBlock block(*model, &*pass, camera, options, targets.normal != nullptr);
  DAF_RETURN_IF_ERROR(block.Reserve(&arena_));
  *stats = {};
  for (uint32_t y = 0; y < window.height; y += RenderBlock::kSide) {
    for (uint32_t x = 0; x < window.width; x += RenderBlock::kSide) {
      DAF_RETURN_IF_ERROR(block.Render(window, window.x + x, window.y + y, control, stats));
      block.Store(window, targets);
    }
    control.Progress(static_cast<int32_t>(std::min(window.height, y + RenderBlock::kSide)),
                     static_cast<int32_t>(window.height));
  }
  stats->seconds = ThreadSeconds() - begin;
  return Status::Ok();
}

}  // namespace daf::nerf

#include "native/nerf/training/options.h"

#include <cmath>
#include <string>

namespace daf::nerf {

Status SceneTrainOptions::Check() const {
  const auto bad = [](const char* what) {
    return Status(Code::kBadArgument, std::string("training: ") + what);
  };
  const auto within = [](float v, float low, float high) { return v >= low && v <= high; };
  if (threads < 1 || threads > 64) return bad("threads must be 1–64");
  if (samples_per_step < 256 || samples_per_step > (1u << 22))
    return bad("samplesPerStep must be 256–4194304");
  if (samples_per_edge < 8 || samples_per_edge > 4096) return bad("samplesPerEdge must be 8–4096");
  if (!within(occupied_depth, 0, 1)) return bad("occupiedDepth must be 0–1");
  if (!within(min_weight, 0, 0.1f)) return bad("minWeight must be 0–0.1");
  if (!within(min_transmittance, 0, 0.5f)) return bad("minTransmittance must be 0–0.5");
  for (const float v : background) {
    if (!within(v, 0, 1)) return bad("the background's colour must be within 0–1");
  }
  if (!(learning_rate > 0 && learning_rate <= 1))
    return bad("learningRate must be above 0 and at most 1");
  if (!(final_rate > 0 && final_rate <= 1)) return bad("finalRate must be above 0 and at most 1");
  if (!(decay_begin >= 0 && decay_begin < 1))
    return bad("decayBegin must be at least 0 and below 1");
  if (warmup_steps > 100000) return bad("warmupSteps must be at most 100000");
  if (!(average_decay >= 0 && average_decay < 1))
    return bad("averageDecay must be at least 0 and below 1");
  if (!(huber > 0 && huber <= 10)) return bad("huber must be above 0 and at most 10");
  if (!within(distortion_weight, 0, 100)) return bad("distortionWeight must be 0–100");
  if (!within(opacity_weight, 0, 100)) return bad("opacityWeight must be 0–100");
  if (!(near >= 0 && std::isfinite(near))) return bad("near must be 0 or more");
  if (!within(variation_weight, 0, 100)) return bad("variationWeight must be 0–100");
  return Status::Ok();
}

}  // namespace daf::nerf

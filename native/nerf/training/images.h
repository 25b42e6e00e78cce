// The pictures that a scene is learnt from, and which part of the space they show.
#pragma once

#include <vector>

#include "native/base/control.h"
#include "native/base/rng.h"
#include "native/nerf/image_store.h"
#include "native/nerf/occupancy.h"
#include "native/nerf/space.h"

namespace daf::nerf {

struct TrainingImage {
  Camera camera;
  StoredImage pixels;
};

// A pixel of one of them.
struct TrainingRay {
  Ray ray;
  float color[3];  // straight
  float alpha;
  uint32_t image;
  float background[3];
};

class TrainingImages {
 public:
  // Borrows the pixels. Errors: kBadArgument for an impossible camera or one of another size.
  Status Add(const TrainingImage& image);
  const std::vector<TrainingImage>& all() const { return images_; }

  // From now on the i-th picture was taken by this camera, which differs by its pose alone.
  void Move(size_t i, const Camera& camera) { images_[i].camera = camera; }

  // A pixel drawn uniformly among all pictures' pixels; not its background. False for one that was
  // masked out.
  bool Draw(Rng* rng, TrainingRay* out) const;

  // Of each channel, of pixels drawn at random.
  void MedianColor(uint64_t seed, float out[3]) const;

  // Forbids the cells that no picture sees, and those that some picture shows less deep than
  // `near`, before which nothing is: whatever stood there would appear in other views. `slack`: how
  // far pictures may still move, as a share of their width. Errors: kBadData where no picture sees
  // any of the box; kCancelled.
  Status ForbidUnseen(const Box& box, float near, float slack, Occupancy* grid,
                      const TaskControl& control) const;

 private:
  bool ShownTooNear(const float point[3], float near) const;

  std::vector<TrainingImage> images_;
  std::vector<uint64_t> end_;  // of each picture's pixels among all
};

}  // namespace daf::nerf

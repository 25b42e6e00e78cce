#include "native/head/model/builtin.h"

#include <algorithm>
#include <mutex>

#include "native/head/model/build.h"

namespace daf::head {
namespace {

struct Built {
  std::shared_ptr<const HeadModel> head;
  std::shared_ptr<const HeadMarks> marks;
};

void Rectangle(const SkinTemplate& skin, const RingPatch& patch, float out[4]) {
  double low[2] = {2, 2}, high[2] = {-1, -1};
  for (uint32_t v : patch.rings[0]) {
    for (size_t c = 0; c < 2; ++c) {
      const double at = kSkinChart[c] + kSkinChart[c + 2] * skin.chart[v][c];
      low[c] = std::min(low[c], at);
      high[c] = std::max(high[c], at);
    }
  }
  // Rings shrink to the mean of the border, which the pole keeps.
  for (size_t c = 0; c < 2; ++c) {
    out[c] = static_cast<float>(kSkinChart[c] + kSkinChart[c + 2] * skin.chart[patch.pole][c]);
    out[c + 2] = static_cast<float>(0.5 * (high[c] - low[c]));
  }
}

std::shared_ptr<const HeadMarks> MakeMarks(const HeadBuild& build) {
  auto marks = std::make_shared<HeadMarks>();
  marks->hair.assign(build.positions.size(), 0);
  for (size_t i = 0; i < build.hair.scalp.size(); ++i) {
    const float inside = static_cast<float>(build.hair.inside[i]);
    marks->hair[build.hair.scalp[i]] = inside;
    marks->hair[build.first_hair + i] = inside;
  }
  Rectangle(build.skin, build.skin.mouth, marks->mouth);
  for (int side : {0, 1}) Rectangle(build.skin, build.skin.eye[side], marks->eye[side]);
  return marks;
}

Status GetBuilt(Built* out) {
  static std::mutex mutex;
  static Built built;
  const std::lock_guard<std::mutex> lock(mutex);
  if (built.head == nullptr) {
    const HeadBuild build;
    auto made = std::make_shared<HeadModel>(AssembleHead(build));
    const Status valid = made->Validate();
    if (!valid.ok())
      return Status(Code::kInternal, "the embedded head is broken: " + valid.message());
    built.marks = MakeMarks(build);
    built.head = std::move(made);
  }
  *out = built;
  return Status::Ok();
}

}  // namespace

Status BuiltinHead(std::shared_ptr<const HeadModel>* out) {
  Built built;
  DAF_RETURN_IF_ERROR(GetBuilt(&built));
  *out = built.head;
  return Status::Ok();
}

Status BuiltinMarks(std::shared_ptr<const HeadMarks>* out) {
  Built built;
  DAF_RETURN_IF_ERROR(GetBuilt(&built));
  *out = built.marks;
  return Status::Ok();
}

}  // namespace daf::head

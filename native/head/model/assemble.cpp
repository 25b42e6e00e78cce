// From the build to the model that everybody uses: parts as runs of triangles, charts cut at their
// seams.
#include <map>

#include "native/head/model/build.h"

namespace daf::head {
namespace {

class Assembler {
 public:
  explicit Assembler(HeadModel* out) : out_(*out) {}

  // One part from faces over positions that start at `first`; `chart` gives a vertex' place, `wrap`
  // the chart's middle where its left and right end are the same line (0: no seam).
  template <typename Chart>
  void Add(const std::string& name, const std::vector<std::array<uint32_t, 4>>& faces,
           uint32_t first, double wrap, double width, const Chart& chart) {
    Part part;
    part.name = name;
    part.first_triangle = out_.triangle_count();
    part.first_vertex = out_.render_count();
    std::map<std::pair<uint32_t, bool>, uint32_t> made;
    for (const auto& face : faces) {
      const size_t corners = face[3] == kNoVertex ? 3 : 4;
      uint32_t render[4];
      double low = 2;
      for (size_t i = 0; i < corners; ++i) low = std::min(low, chart(face[i])[0]);
      for (size_t i = 0; i < corners; ++i) {
        std::array<double, 2> at = chart(face[i]);
        // A corner on the back seam belongs to the side its face lies on.
        const bool moved = wrap > 0 && at[0] > wrap + 0.49 * width && low < wrap;
        if (moved) at[0] = 2 * wrap - at[0];
        const auto [it, fresh] = made.try_emplace({face[i], moved}, out_.render_count());
        if (fresh) {
          out_.source.push_back(first + face[i]);
          out_.uv.push_back(static_cast<float>(at[0]));
          out_.uv.push_back(static_cast<float>(at[1]));
        }
        render[i] = it->second;
      }
      for (size_t i = 2; i < corners; ++i)
        out_.triangles.insert(out_.triangles.end(), {render[0], render[i - 1], render[i]});
    }
    part.triangle_count = out_.triangle_count() - part.first_triangle;
    part.vertex_count = out_.render_count() - part.first_vertex;
    out_.parts.push_back(part);
  }

 private:
  HeadModel& out_;
};

void CopyModes(const std::vector<Mode>& modes, std::vector<std::string>* names,
               std::vector<float>* out) {
  for (const Mode& mode : modes) {
    names->push_back(mode.name);
    for (const Vec3& d : mode.delta) {
      for (double c : {d.x, d.y, d.z}) out->push_back(static_cast<float>(c));
    }
  }
}

}  // namespace

HeadModel AssembleHead(const HeadBuild& build) {
  HeadModel model;
  model.name = "daf-head-1";
  model.position_count = static_cast<uint32_t>(build.positions.size());
  for (const Vec3& p : build.positions) {
    for (double c : {p.x, p.y, p.z}) model.mean.push_back(static_cast<float>(c));
  }
  model.mirror = build.mirror;
  model.landmarks = build.landmarks;
  model.contour = build.contour;

  // Behind the lips' contact is the mouth's lining, behind the lids' margin the socket.
  const SkinTemplate& skin = build.skin;
  std::vector<int> lining(skin.count, 0);
  auto line = [&](const RingPatch& patch, size_t first, int kind) {
    for (size_t k = first; k < patch.rings.size(); ++k) {
      for (uint32_t v : patch.rings[k]) lining[v] = kind;
    }
    lining[patch.pole] = kind;
  };
  line(skin.mouth, 7, 1);
  for (int side : {0, 1}) line(skin.eye[side], 7, 2);
  std::vector<std::array<uint32_t, 4>> faces[3];
  for (const auto& face : skin.faces) {
    int kind = 0;
    for (uint32_t v : face) {
      if (v != kNoVertex && lining[v] != 0) kind = lining[v];
    }
    faces[kind].push_back(face);
  }
  Assembler assembler(&model);
  auto on_skin = [&](uint32_t v) -> std::array<double, 2> {
    return {kSkinChart[0] + kSkinChart[2] * skin.chart[v][0],
            kSkinChart[1] + kSkinChart[3] * skin.chart[v][1]};
  };
  assembler.Add("skin", faces[0], 0, 0.5, 1.0, on_skin);
  assembler.Add("mouth", faces[1], 0, 0, 0, on_skin);
  assembler.Add("socket", faces[2], 0, 0, 0, on_skin);
  auto add_part = [&](const PartMesh& part, uint32_t first, double wrap, double width) {
    assembler.Add(part.name, part.faces, first, wrap, width,
                  [&](uint32_t v) { return part.chart[v]; });
  };
  for (int side : {0, 1}) add_part(build.eyes[side], build.first_eye[side], 0, 0);
  for (int jaw : {0, 1}) add_part(build.teeth[jaw], build.first_teeth[jaw], 0, 0);
  add_part(build.tongue.mesh, build.first_tongue, kTongueChart[0] + 0.5 * kTongueChart[2],
           kTongueChart[2]);
  add_part(build.hair.mesh, build.first_hair, kHairChart[0] + 0.5 * kHairChart[2], kHairChart[2]);

  CopyModes(IdentityModes(build), &model.identity_names, &model.identity);
  CopyModes(ExpressionModes(build), &model.expression_names, &model.expression);
  return model;
}

}  // namespace daf::head

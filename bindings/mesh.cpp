// native/mesh on fields for TypeScript; declared again in src/core/addon/mesh.ts.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "bindings/head_values.h"
#include "bindings/nerf_values.h"
#include "native/mesh/atlas.h"
#include "native/mesh/bake.h"
#include "native/mesh/band_surface.h"
#include "native/mesh/components.h"
#include "native/mesh/iso_surface.h"
#include "native/mesh/level_fit.h"
#include "native/mesh/normals.h"
#include "native/mesh/number_text.h"
#include "native/mesh/simplify.h"
#include "native/mesh/smooth.h"
#include "native/nerf/level_set.h"

namespace daf::node {
namespace {

constexpr napi_type_tag kSurfaceTag = {0x2f86c1d97ae0435bull, 0xb1579e3c04d8f26aull};

struct SurfaceHandle {
  mesh::Mesh mesh;
  std::vector<mesh::Point> normals;
  mesh::Atlas atlas;
  mesh::IsoGrid grid;
  float level = 1;
  std::unique_ptr<nerf::SeenSpace> seen;  // null: what no picture sees is meshed too
  uint64_t queries = 0;
  size_t components = 0;
  uint64_t surface_triangles = 0;  // of the components kept, before simplification
};

SurfaceHandle* ReadSurface(const Napi::Value& value) {
  if (value.IsExternal()) {
    const auto external = value.As<Napi::External<SurfaceHandle>>();
    if (external.CheckTypeTag(&kSurfaceTag)) return external.Data();
  }
  ThrowArgument(value.Env(), "surface must be what surfaceExtract returned");
  return nullptr;
}

// The field's level set as native/mesh asks for it; what it asked is added to the surface's
// queries.
class Asking {
 public:
  Asking(FieldHandle* field, SurfaceHandle* surface, const TaskControl& control)
      : set_(field->model.get(), surface->level, control), surface_(*surface) {}
  ~Asking() { surface_.queries += set_.queries(); }
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;

  Status Open() { return set_.Open(surface_.seen.get()); }
  mesh::Sampler values() {
    return [this](const float* points, size_t count, float* values) {
      return set_.Values(points, count, values);
    };
  }
  mesh::ColorSampler colors() {
    return [this](const float* points, size_t count, const float* directions, size_t views,
                  float* colors) { return set_.Colors(points, count, directions, views, colors); };
  }
  // Empty where pictures show all of the surface.
  std::function<bool(const mesh::Point&, const mesh::Point&)> shown() {
    if (surface_.seen == nullptr || !surface_.seen->knows_shown()) return {};
    return [this](const mesh::Point& point, const mesh::Point& normal) {
      return set_.Shown(point.data(), normal.data());
    };
  }

 private:
  nerf::LevelSet set_;
  SurfaceHandle& surface_;
};

// Of the grid's longest cell edge.
float InCells(const SurfaceHandle& surface, float cells) {
  const mesh::IsoGrid& grid = surface.grid;
  return cells * std::max({grid.CellEdge(0), grid.CellEdge(1), grid.CellEdge(2)});
}

// Cells along the box in which is looked what pictures see: fewer than the mesh's, and enough.
constexpr uint32_t kLeastSeen = 16, kMostSeen = 96;

// What pictures see of the surface's box, and the level where none is given.
Status Look(FieldHandle* field, bool solid, const TaskControl& control, SurfaceHandle* surface) {
  DAF_RETURN_IF_ERROR(surface->grid.Check());
  DAF_RETURN_IF_ERROR(field->model->RefreshOccupancy(control));
  surface->seen = std::make_unique<nerf::SeenSpace>();
  nerf::SeenSpace::Region region;
  std::copy_n(surface->grid.low, 3, region.low);
  std::copy_n(surface->grid.high, 3, region.high);
  region.cells = std::min(
      std::max(static_cast<uint32_t>(surface->grid.resolution) * 3 / 8, kLeastSeen), kMostSeen);
  DAF_RETURN_IF_ERROR(surface->seen->Find(field->model.get(), region, control, &surface->queries));
  if (surface->level == 0) {
    DAF_RETURN_IF_ERROR(
        surface->seen->SurfaceDensity(field->model.get(), control, &surface->level));
    if (surface->level == 0)
      return Status(Code::kBadData, "nothing in the field is opaque from outside",
                    "was it trained? a level can be given: --level DENSITY");
  }
  if (!solid) surface->seen.reset();
  return Status::Ok();
}

// Of `band` every point of the grid is asked instead where `exhaustive`.
Status Extract(FieldHandle* field, const mesh::BandOptions& band, bool exhaustive,
               const TaskControl& control, SurfaceHandle* surface) {
  Asking field_values(field, surface, control);
  DAF_RETURN_IF_ERROR(field_values.Open());
  if (exhaustive) {
    DAF_RETURN_IF_ERROR(
        mesh::ExtractIsoSurface(surface->grid, field_values.values(), control, &surface->mesh));
    DAF_RETURN_IF_ERROR(
        mesh::KeepComponents(band.keep_share, control, &surface->mesh, &surface->components));
    surface->surface_triangles = surface->mesh.triangles.size();
  } else {
    mesh::BandReport report;
    DAF_RETURN_IF_ERROR(mesh::ExtractBandSurface(surface->grid, field_values.values(), band,
                                                 control, &surface->mesh, &report));
    surface->components = report.pieces;
    surface->surface_triangles = report.triangles;
  }
  surface->mesh.Shrink();
  return Status::Ok();
}

Napi::Value SurfaceExtract(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  FieldHandle* field = ReadField(info[0]);
  TaskControl control;
  if (field == nullptr) return env.Undefined();
  if (!info[1].IsObject()) {
    ThrowArgument(env, "surfaceExtract: options must be an object");
    return env.Undefined();
  }
  const Napi::Object options = info[1].As<Napi::Object>();
  auto surface = std::make_unique<SurfaceHandle>();
  uint32_t resolution, faces;
  mesh::BandOptions band;
  float keep;
  if (!ReadCount(options, "resolution", &resolution) ||
      !ReadTriple(options.Get("low"), "low", surface->grid.low) ||
      !ReadTriple(options.Get("high"), "high", surface->grid.high) ||
      !ReadFloat(options, "level", &surface->level) || !ReadFloat(options, "guard", &band.guard) ||
      !ReadFloat(options, "keepShare", &keep) || !ReadCount(options, "faces", &faces) ||
      !ReadControl(info[2], &control))
    return env.Undefined();
  surface->grid.resolution = static_cast<int>(std::min(resolution, 65536u));
  surface->grid.iso = 0;
  band.keep_share = keep;
  band.faces = faces;
  if (!Check(env, field->model->RefreshOccupancy(control))) return env.Undefined();
  if (!Check(env, Look(field, options.Get("solid").ToBoolean().Value(), control, surface.get())))
    return env.Undefined();
  const bool exhaustive = options.Get("exhaustive").ToBoolean().Value();
  if (!Check(env, Extract(field, band, exhaustive, control, surface.get()))) return env.Undefined();
  auto external = Napi::External<SurfaceHandle>::New(
      env, surface.release(), [](Napi::BasicEnv, SurfaceHandle* held) { delete held; });
  external.TypeTag(&kSurfaceTag);
  return external;
}

Napi::Value SurfaceSmooth(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  SurfaceHandle* surface = ReadSurface(info[0]);
  TaskControl control;
  if (surface == nullptr || !ReadControl(info[2], &control)) return env.Undefined();
  (void)Check(env, mesh::Smooth(info[1].ToNumber().Int32Value(), control, &surface->mesh));
  return env.Undefined();
}

Napi::Value SurfaceSimplify(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  SurfaceHandle* surface = ReadSurface(info[0]);
  TaskControl control;
  if (surface == nullptr || !ReadControl(info[2], &control)) return env.Undefined();
  (void)Check(env, mesh::Simplify(info[1].ToNumber().Uint32Value(), control, &surface->mesh));
  surface->mesh.Shrink();
  return env.Undefined();
}

Napi::Value SurfaceFit(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  SurfaceHandle* surface = ReadSurface(info[0]);
  FieldHandle* field = surface == nullptr ? nullptr : ReadField(info[1]);
  TaskControl control;
  if (field == nullptr || !ReadControl(info[3], &control)) return env.Undefined();
  const float reach = InCells(*surface, info[2].ToNumber().FloatValue());
  Asking field_values(field, surface, control);
  if (!Check(env, field_values.Open())) return env.Undefined();
  if (reach > 0 &&
      !Check(env, mesh::FitToLevel(field_values.values(), 0, reach, control, &surface->mesh)))
    return env.Undefined();
  (void)Check(env, mesh::GradientNormals(field_values.values(), InCells(*surface, 1), control,
                                         surface->mesh, &surface->normals));
  return env.Undefined();
}

Napi::Value SurfaceUnwrap(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  SurfaceHandle* surface = ReadSurface(info[0]);
  TaskControl control;
  if (surface == nullptr || !ReadControl(info[3], &control)) return env.Undefined();
  const mesh::AtlasOptions options = {info[1].ToNumber().Uint32Value(),
                                      info[2].ToNumber().Uint32Value()};
  (void)Check(env, mesh::BuildAtlas(surface->mesh, options, control, &surface->atlas));
  return env.Undefined();
}

Napi::Value SurfaceBake(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  SurfaceHandle* surface = ReadSurface(info[0]);
  FieldHandle* field = surface == nullptr ? nullptr : ReadField(info[1]);
  TaskControl control;
  Span<uint8_t> rgb;
  if (field == nullptr || !ReadControl(info[4], &control) || !ReadBytes(info[5], "rgb", &rgb))
    return env.Undefined();
  const uint32_t size = std::min(info[2].ToNumber().Uint32Value(), 8192u);
  if (!CheckSize(env, "rgb", rgb.size, size_t{3} * size * size)) return env.Undefined();
  if (surface->normals.size() != surface->mesh.positions.size())
    surface->normals = mesh::VertexNormals(surface->mesh);
  Asking field_values(field, surface, control);
  if (!Check(env, field_values.Open())) return env.Undefined();
  const mesh::BakeSource source = {field_values.values(), field_values.colors(), 0,
                                   InCells(*surface, info[3].ToNumber().FloatValue()),
                                   field_values.shown()};
  (void)Check(env, mesh::BakeTexture(surface->mesh, surface->normals, surface->atlas, size, source,
                                     control, rgb.data));
  return env.Undefined();
}

Napi::Value SurfaceInfo(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  SurfaceHandle* surface = ReadSurface(info[0]);
  if (surface == nullptr) return env.Undefined();
  Napi::Object out = Napi::Object::New(env);
  const auto set = [&](const char* name, double value) {
    out.Set(name, Napi::Number::New(env, value));
  };
  set("level", surface->level);
  set("vertices", static_cast<double>(surface->mesh.positions.size()));
  set("triangles", static_cast<double>(surface->mesh.triangles.size()));
  set("surfaceTriangles", static_cast<double>(surface->surface_triangles));
  set("components", static_cast<double>(surface->components));
  set("queries", static_cast<double>(surface->queries));
  set("atlasVertices", static_cast<double>(surface->atlas.source.size()));
  set("charts", surface->atlas.charts);
  set("texel", surface->atlas.texel);
  set("stretch", surface->atlas.stretch);
  return out;
}

Napi::Value SurfaceRead(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  SurfaceHandle* surface = ReadSurface(info[0]);
  Span<float> positions, normals, uvs;
  Span<uint32_t> triangles;
  if (surface == nullptr || !ReadFloats(info[1], "positions", &positions) ||
      !ReadFloats(info[2], "normals", &normals) || !ReadFloats(info[3], "uvs", &uvs) ||
      !ReadUint32s(info[4], "triangles", &triangles))
    return env.Undefined();
  const mesh::Mesh& m = surface->mesh;
  const mesh::Atlas& atlas = surface->atlas;
  const bool unwrapped = !atlas.source.empty();
  const size_t vertices = unwrapped ? atlas.source.size() : m.positions.size();
  if (!CheckSize(env, "positions", positions.size, 3 * vertices) ||
      !CheckSize(env, "normals", normals.size, 3 * vertices) ||
      !CheckSize(env, "uvs", uvs.size, unwrapped ? 2 * vertices : 0) ||
      !CheckSize(env, "triangles", triangles.size, 3 * m.triangles.size()))
    return env.Undefined();
  if (surface->normals.size() != m.positions.size()) surface->normals = mesh::VertexNormals(m);
  for (size_t v = 0; v < vertices; ++v) {
    const size_t from = unwrapped ? atlas.source[v] : v;
    std::memcpy(positions.data + 3 * v, &m.positions[from], sizeof(mesh::Point));
    std::memcpy(normals.data + 3 * v, &surface->normals[from], sizeof(mesh::Point));
    if (unwrapped) std::memcpy(uvs.data + 2 * v, &atlas.uvs[v], sizeof(mesh::Point2));
  }
  const auto& faces = unwrapped ? atlas.triangles : m.triangles;
  if (!faces.empty())
    std::memcpy(triangles.data, faces.data(), faces.size() * sizeof(mesh::Triangle));
  return env.Undefined();
}

// floatLines(prefix, values, width): see AppendLines.
Napi::Value FloatLines(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Span<float> values;
  if (!info[0].IsString() || !info[2].IsNumber()) {
    ThrowArgument(env, "floatLines: a prefix, values and the numbers of a line are needed");
    return env.Undefined();
  }
  if (!ReadFloats(info[1], "floatLines: values", &values)) return env.Undefined();
  const int64_t width = info[2].As<Napi::Number>().Int64Value();
  if (width < 1 || values.size % static_cast<size_t>(width) != 0 ||
      !std::all_of(values.data, values.data + values.size,
                   [](float v) { return std::isfinite(v); })) {
    ThrowArgument(env, "floatLines: whole lines of finite numbers are needed");
    return env.Undefined();
  }
  std::string out;
  mesh::AppendLines(info[0].As<Napi::String>().Utf8Value().c_str(), values.data, values.size,
                    static_cast<size_t>(width), &out);
  return Napi::String::New(env, out);
}

Napi::Value SurfaceDispose(const Napi::CallbackInfo& info) {
  SurfaceHandle* surface = ReadSurface(info[0]);
  if (surface != nullptr) *surface = SurfaceHandle();
  return info.Env().Undefined();
}

}  // namespace

void RegisterMesh(Napi::Env env, Napi::Object exports) {
  exports.Set("surfaceExtract", Napi::Function::New(env, SurfaceExtract, "surfaceExtract"));
  exports.Set("surfaceSmooth", Napi::Function::New(env, SurfaceSmooth, "surfaceSmooth"));
  exports.Set("surfaceSimplify", Napi::Function::New(env, SurfaceSimplify, "surfaceSimplify"));
  exports.Set("surfaceFit", Napi::Function::New(env, SurfaceFit, "surfaceFit"));
  exports.Set("surfaceUnwrap", Napi::Function::New(env, SurfaceUnwrap, "surfaceUnwrap"));
  exports.Set("surfaceBake", Napi::Function::New(env, SurfaceBake, "surfaceBake"));
  exports.Set("surfaceInfo", Napi::Function::New(env, SurfaceInfo, "surfaceInfo"));
  exports.Set("surfaceRead", Napi::Function::New(env, SurfaceRead, "surfaceRead"));
  exports.Set("floatLines", Napi::Function::New(env, FloatLines, "floatLines"));
  exports.Set("surfaceDispose", Napi::Function::New(env, SurfaceDispose, "surfaceDispose"));
}

}  // namespace daf::node

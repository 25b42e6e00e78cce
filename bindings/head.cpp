// native/head for TypeScript; declared again in src/core/addon/head.ts.
#include <algorithm>
#include <cstring>
#include <string>

#include "bindings/head_values.h"
#include "native/head/model/builtin.h"
#include "native/head/raster/shade.h"
#include "native/head/raster/warp.h"

namespace daf::node {
namespace {

Napi::Value HeadLoad(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::shared_ptr<const head::HeadModel> model;
  if (info[0].IsNull()) {
    if (!Check(env, head::BuiltinHead(&model))) return env.Undefined();
  } else if (info[0].IsString()) {
    auto loaded = std::make_shared<head::HeadModel>();
    if (!Check(env, head::HeadModel::Load(info[0].As<Napi::String>().Utf8Value(), loaded.get())))
      return env.Undefined();
    model = std::move(loaded);
  } else {
    ThrowArgument(env, "headLoad: path must be a string or null");
    return env.Undefined();
  }
  return WrapHead(env, std::move(model));
}

Napi::Value HeadSave(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const head::HeadModel* model = ReadHead(info[0]);
  if (model == nullptr) return env.Undefined();
  if (!info[1].IsString()) {
    ThrowArgument(env, "headSave: path must be a string");
    return env.Undefined();
  }
  (void)Check(env, model->Save(info[1].As<Napi::String>().Utf8Value()));
  return env.Undefined();
}

Napi::Array Names(Napi::Env env, const std::vector<std::string>& names) {
  Napi::Array out = Napi::Array::New(env, names.size());
  for (uint32_t i = 0; i < names.size(); ++i) out.Set(i, Napi::String::New(env, names[i]));
  return out;
}

Napi::Value HeadInfo(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const head::HeadModel* model = ReadHead(info[0]);
  if (model == nullptr) return env.Undefined();
  Napi::Array parts = Napi::Array::New(env, model->parts.size());
  for (uint32_t i = 0; i < model->parts.size(); ++i) {
    const head::Part& part = model->parts[i];
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", Napi::String::New(env, part.name));
    object.Set("firstTriangle", Napi::Number::New(env, part.first_triangle));
    object.Set("triangleCount", Napi::Number::New(env, part.triangle_count));
    object.Set("firstVertex", Napi::Number::New(env, part.first_vertex));
    object.Set("vertexCount", Napi::Number::New(env, part.vertex_count));
    parts.Set(i, object);
  }
  Napi::Array landmarks = Napi::Array::New(env, model->landmarks.size());
  for (uint32_t i = 0; i < model->landmarks.size(); ++i)
    landmarks.Set(i, Napi::Number::New(env, model->landmarks[i]));
  Napi::Object out = Napi::Object::New(env);
  out.Set("name", Napi::String::New(env, model->name));
  out.Set("positionCount", Napi::Number::New(env, model->position_count));
  out.Set("vertexCount", Napi::Number::New(env, model->render_count()));
  out.Set("triangleCount", Napi::Number::New(env, model->triangle_count()));
  out.Set("identityNames", Names(env, model->identity_names));
  out.Set("expressionNames", Names(env, model->expression_names));
  out.Set("parts", parts);
  out.Set("landmarks", landmarks);
  return out;
}

template <typename T>
void CopyOut(const std::vector<T>& from, T* to) {
  std::copy(from.begin(), from.end(), to);
}

Napi::Value HeadTopology(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const head::HeadModel* model = ReadHead(info[0]);
  Span<uint32_t> source, triangles, mirror;
  Span<float> uv;
  if (model == nullptr || !ReadUint32s(info[1], "headTopology: source", &source) ||
      !CheckSize(env, "headTopology: source", source.size, model->source.size()) ||
      !ReadFloats(info[2], "headTopology: uv", &uv) ||
      !CheckSize(env, "headTopology: uv", uv.size, model->uv.size()) ||
      !ReadUint32s(info[3], "headTopology: triangles", &triangles) ||
      !CheckSize(env, "headTopology: triangles", triangles.size, model->triangles.size()) ||
      !ReadUint32s(info[4], "headTopology: mirror", &mirror) ||
      !CheckSize(env, "headTopology: mirror", mirror.size, model->mirror.size())) {
    return env.Undefined();
  }
  CopyOut(model->source, source.data);
  CopyOut(model->uv, uv.data);
  CopyOut(model->triangles, triangles.data);
  CopyOut(model->mirror, mirror.data);
  return env.Undefined();
}

Napi::Value HeadMode(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const head::HeadModel* model = ReadHead(info[0]);
  if (model == nullptr) return env.Undefined();
  const std::string kind = info[1].IsString() ? info[1].As<Napi::String>().Utf8Value() : "";
  if ((kind != "identity" && kind != "expression") || !info[2].IsNumber()) {
    ThrowArgument(env, "headMode: kind is 'identity' or 'expression', index a number");
    return env.Undefined();
  }
  const std::vector<float>& modes = kind == "identity" ? model->identity : model->expression;
  const int64_t index = info[2].As<Napi::Number>().Int64Value();
  const size_t floats = size_t{model->position_count} * 3;
  Span<float> out;
  if (index < 0 || static_cast<size_t>(index) >= modes.size() / floats) {
    ThrowArgument(env, "headMode: there is no " + kind + " mode " + std::to_string(index));
    return env.Undefined();
  }
  if (!ReadFloats(info[3], "headMode: out", &out) ||
      !CheckSize(env, "headMode: out", out.size, floats))
    return env.Undefined();
  std::copy_n(modes.data() + static_cast<size_t>(index) * floats, floats, out.data);
  return env.Undefined();
}

Napi::Value HeadShape(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const head::HeadModel* model = ReadHead(info[0]);
  Span<float> alpha, beta, out;
  if (model == nullptr || !ReadFloats(info[1], "headShape: alpha", &alpha) ||
      !ReadFloats(info[2], "headShape: beta", &beta) ||
      !ReadFloats(info[3], "headShape: out", &out) ||
      !CheckSize(env, "headShape: out", out.size, size_t{model->position_count} * 3)) {
    return env.Undefined();
  }
  model->Shape(alpha.data, alpha.size, beta.data, beta.size, out.data);
  return env.Undefined();
}

Napi::Value MeshNormals(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  head::MeshView mesh;
  Span<float> out;
  if (!ReadMesh(info[0], &mesh) || !ReadFloats(info[1], "meshNormals: out", &out) ||
      !CheckSize(env, "meshNormals: out", out.size, 3 * mesh.position_count)) {
    return env.Undefined();
  }
  head::VertexNormals(mesh, out.data);
  return env.Undefined();
}

bool ReadShading(Napi::Env env, const Napi::Value& value, head::Shading* out) {
  const std::string name = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  const std::pair<const char*, head::Shading> known[] = {
      {"clay", head::Shading::kClay},
      {"normal", head::Shading::kNormal},
      {"colour", head::Shading::kVertexColour},
      {"texture", head::Shading::kTexture},
      {"lit-texture", head::Shading::kLitTexture}};
  for (const auto& [text, shading] : known) {
    if (name == text) {
      *out = shading;
      return true;
    }
  }
  ThrowArgument(env, "look.shading is 'clay', 'normal', 'colour', 'texture' or 'lit-texture'");
  return false;
}

// look: see MeshLook in head.ts. The texture's mip levels live in *texture for the call.
bool ReadLook(const Napi::Value& value, const head::MeshView& mesh, head::PictureStyle* style,
              head::MeshLook* look, head::MipTexture* texture) {
  Napi::Env env = value.Env();
  if (!value.IsObject()) {
    ThrowArgument(env, "look must be an object");
    return false;
  }
  const Napi::Object object = value.As<Napi::Object>();
  double supersample;
  if (!ReadShading(env, object.Get("shading"), &style->shading) ||
      !ReadNumber(object, "supersample", &supersample))
    return false;
  style->supersample = static_cast<int>(supersample);
  if (!object.Get("cullBack").IsBoolean()) {
    ThrowArgument(env, "look.cullBack must be a boolean");
    return false;
  }
  style->cull_back = object.Get("cullBack").As<Napi::Boolean>();
  Span<uint8_t> background, colours, texels;
  if (!ReadBytes(object.Get("background"), "look.background", &background) ||
      !CheckSize(env, "look.background", background.size, 4)) {
    return false;
  }
  std::memcpy(style->background, background.data, 4);
  if (!object.Get("colours").IsNull()) {
    if (!ReadBytes(object.Get("colours"), "look.colours", &colours) ||
        !CheckSize(env, "look.colours", colours.size, 4 * mesh.position_count)) {
      return false;
    }
    look->colours = colours.data;
  }
  if (!object.Get("texture").IsNull()) {
    double width, height;
    if (!ReadBytes(object.Get("texture"), "look.texture", &texels) ||
        !ReadNumber(object, "textureWidth", &width) ||
        !ReadNumber(object, "textureHeight", &height)) {
      return false;
    }
    if (!(width >= 1 && height >= 1 && width <= 8192 && height <= 8192)) {
      ThrowArgument(env, "look.texture is between 1 and 8192 texels a side");
      return false;
    }
    const int w = static_cast<int>(width), h = static_cast<int>(height);
    if (!CheckSize(env, "look.texture", texels.size,
                   size_t{4} * static_cast<size_t>(w) * static_cast<size_t>(h)) ||
        !Check(env, texture->Build(texels.data, w, h))) {
      return false;
    }
    look->texture = texture;
  }
  return true;
}

Napi::Value RenderMesh(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  head::MeshView mesh;
  head::Camera camera;
  head::PictureStyle style;
  head::MeshLook look;
  head::MipTexture texture;
  TaskControl control;
  Span<uint8_t> rgba;
  Span<float> depth;
  if (!ReadMesh(info[0], &mesh) || !ReadCamera(info[1], &camera) ||
      !ReadLook(info[2], mesh, &style, &look, &texture) || !ReadControl(info[3], &control) ||
      !ReadBytes(info[4], "renderMesh: rgba", &rgba)) {
    return env.Undefined();
  }
  const size_t pixels = static_cast<size_t>(camera.width) * static_cast<size_t>(camera.height);
  if (!CheckSize(env, "renderMesh: rgba", rgba.size, 4 * pixels)) return env.Undefined();
  if (!info[5].IsNull() && (!ReadFloats(info[5], "renderMesh: depth", &depth) ||
                            !CheckSize(env, "renderMesh: depth", depth.size, pixels))) {
    return env.Undefined();
  }
  (void)Check(env, head::RenderPicture(camera, mesh, look, style, control, rgba.data, depth.data));
  return env.Undefined();
}

Napi::Value RenderMeshMask(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  head::MeshView mesh;
  head::Camera camera;
  TaskControl control;
  Span<uint8_t> mask;
  if (!ReadMesh(info[0], &mesh) || !ReadCamera(info[1], &camera) ||
      !ReadControl(info[2], &control) || !ReadBytes(info[3], "renderMeshMask: mask", &mask) ||
      !CheckSize(env, "renderMeshMask: mask", mask.size,
                 static_cast<size_t>(camera.width) * static_cast<size_t>(camera.height))) {
    return env.Undefined();
  }
  (void)Check(env, head::RenderMask(camera, mesh, control, mask.data));
  return env.Undefined();
}

// warpToPlanes(pixels, width, height, box, columns, rows, norm, planes): see head.ts.
Napi::Value WarpToPlanes(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Span<uint8_t> pixels;
  Span<float> planes;
  if (!ReadBytes(info[0], "warpToPlanes: pixels", &pixels) ||
      !ReadFloats(info[7], "warpToPlanes: planes", &planes))
    return env.Undefined();
  double sizes[4];
  for (size_t i = 0; i < 4; ++i) {
    const Napi::Value value = info[i < 2 ? i + 1 : i + 2];
    sizes[i] = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : 0;
    if (!(sizes[i] >= 1 && sizes[i] <= 65535)) {
      ThrowArgument(env, "warpToPlanes: a side is between 1 and 65535 pixels");
      return env.Undefined();
    }
  }
  head::PhotoPixels photo;
  photo.data = pixels.data;
  photo.width = static_cast<int>(sizes[0]);
  photo.height = static_cast<int>(sizes[1]);
  const int columns = static_cast<int>(sizes[2]), rows = static_cast<int>(sizes[3]);
  if (!info[3].IsObject() || !info[6].IsObject()) {
    ThrowArgument(env, "warpToPlanes: box and norm must be objects");
    return env.Undefined();
  }
  const Napi::Object box = info[3].As<Napi::Object>(), norm = info[6].As<Napi::Object>();
  head::TurnedBox turned;
  head::PlaneNorm scale;
  if (!ReadNumber(box, "centerX", &turned.center[0]) ||
      !ReadNumber(box, "centerY", &turned.center[1]) || !ReadNumber(box, "width", &turned.width) ||
      !ReadNumber(box, "height", &turned.height) || !ReadNumber(box, "cosine", &turned.cosine) ||
      !ReadNumber(box, "sine", &turned.sine) || !ReadNumber(norm, "mean", &scale.mean) ||
      !ReadNumber(norm, "factor", &scale.factor) || !ReadNumber(norm, "outside", &scale.outside) ||
      !CheckSize(
          env, "warpToPlanes: pixels", pixels.size,
          size_t{3} * static_cast<size_t>(photo.width) * static_cast<size_t>(photo.height)) ||
      !CheckSize(env, "warpToPlanes: planes", planes.size,
                 size_t{3} * static_cast<size_t>(columns) * static_cast<size_t>(rows)))
    return env.Undefined();
  const Napi::Value order = norm.Get("order");
  scale.bgr = order.IsString() && order.As<Napi::String>().Utf8Value() == "bgr";
  head::WarpToPlanes(photo, turned, columns, rows, scale, planes.data);
  return env.Undefined();
}

}  // namespace

void RegisterHead(Napi::Env env, Napi::Object exports) {
  exports.Set("headLoad", Napi::Function::New(env, HeadLoad, "headLoad"));
  exports.Set("headSave", Napi::Function::New(env, HeadSave, "headSave"));
  exports.Set("headInfo", Napi::Function::New(env, HeadInfo, "headInfo"));
  exports.Set("headTopology", Napi::Function::New(env, HeadTopology, "headTopology"));
  exports.Set("headMode", Napi::Function::New(env, HeadMode, "headMode"));
  exports.Set("headShape", Napi::Function::New(env, HeadShape, "headShape"));
  exports.Set("meshNormals", Napi::Function::New(env, MeshNormals, "meshNormals"));
  exports.Set("renderMesh", Napi::Function::New(env, RenderMesh, "renderMesh"));
  exports.Set("renderMeshMask", Napi::Function::New(env, RenderMeshMask, "renderMeshMask"));
  exports.Set("warpToPlanes", Napi::Function::New(env, WarpToPlanes, "warpToPlanes"));
}

}  // namespace daf::node

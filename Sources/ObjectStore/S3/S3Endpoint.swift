/// Where an S3 provider answers, and what its name tells about it.
struct S3Endpoint: Hashable, Sendable {
  /// `https` or `http`.
  let scheme: String
  /// With the port, where it is not the scheme's own.
  let authority: String
  /// A path before the bucket's, encoded, without a slash at its end; mostly empty.
  let basePath: String
  let region: String
  let pathStyle: Bool
  let partCap: Int
  /// Whether all parts of an upload but the last must have one size.
  let wantsEqualParts: Bool

  /// Throws ``ObjectStoreError/Code/invalidLocation`` for an endpoint that is no URL.
  init(_ settings: S3Settings, bucket: String) throws {
    let fallback = "https://s3.\(settings.region ?? "us-east-1").amazonaws.com"
    var text = settings.endpoint ?? fallback
    if !text.contains("://") { text = "https://" + text }
    guard let mark = text.range(of: "://"), ["https", "http"].contains(text[..<mark.lowerBound])
    else {
      throw ObjectStoreError(
        .invalidLocation,
        "the S3 endpoint \"\(text)\" is no http or https URL; it is written "
          + "https://s3.fr-par.scw.cloud")
    }
    scheme = String(text[..<mark.lowerBound])
    let rest = text[mark.upperBound...]
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    var path = rest[slash...]
    while path.hasSuffix("/") { path.removeLast() }
    basePath = String(path)
    let defaultPort = scheme == "https" ? ":443" : ":80"
    var authority = rest[..<slash].lowercased()
    if authority.hasSuffix(defaultPort) { authority.removeLast(defaultPort.count) }
    guard !authority.isEmpty, !authority.hasPrefix(":"),
      authority.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !authority.contains("@")
    else {
      throw ObjectStoreError(.invalidLocation, "the S3 endpoint \"\(text)\" names no host")
    }
    self.authority = authority
    let known = Self.knowledge(of: String(authority.prefix { $0 != ":" }))
    region = settings.region ?? known.region ?? "us-east-1"
    partCap = min(max(settings.partCap ?? known.partCap, 1), 10_000)
    wantsEqualParts = authority.contains(".r2.cloudflarestorage.com")
    // A certificate for *.host does not cover a bucket with dots.
    pathStyle = settings.pathStyle ?? (known.pathStyle || bucket.contains("."))
  }

  /// The host that requests for a bucket go to.
  func host(bucket: String) -> String { pathStyle ? authority : "\(bucket).\(authority)" }

  /// The encoded path of an object; of the bucket for nil.
  func path(bucket: String, key: String?) -> String {
    var path = basePath
    if pathStyle { path += "/" + URIEncoding.encode(bucket) }
    if let key { return path + "/" + URIEncoding.encode(key, keepingSlashes: true) }
    return path.isEmpty ? "/" : path
  }

  /// What is known of providers by their hosts' names.
  private static func knowledge(
    of host: String
  ) -> (region: String?, pathStyle: Bool, partCap: Int) {
    let labels = host.split(separator: ".").map(String.init)
    if host.hasSuffix(".amazonaws.com") || host.hasSuffix(".amazonaws.com.cn") {
      let isRegional = labels.count >= 4 && labels[0] == "s3"
      return (
        isRegional ? labels[labels.lastIndex(of: "amazonaws").map { $0 - 1 } ?? 1] : nil,
        false, 10_000
      )
    }
    // s3.fr-par.scw.cloud; an upload has 1,000 parts at most.
    if host.hasSuffix(".scw.cloud") { return (labels.count == 4 ? labels[1] : nil, true, 1000) }
    // s3.gra.io.cloud.ovh.net, s3.eu-central-003.backblazeb2.com
    if host.hasSuffix(".cloud.ovh.net") || host.hasSuffix(".backblazeb2.com") {
      return (labels.count >= 4 ? labels[1] : nil, true, 10_000)
    }
    if host.hasSuffix(".r2.cloudflarestorage.com") { return ("auto", true, 10_000) }
    return (nil, true, 10_000)
  }
}

extension String {
  fileprivate func range(of text: String) -> Range<String.Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(text) {
        return start..<index(start, offsetBy: text.count)
      }
      start = index(after: start)
    }
    return nil
  }
}

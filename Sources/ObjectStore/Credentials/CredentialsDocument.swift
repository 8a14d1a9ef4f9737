import FoundationEssentials

/// The JSON that metadata services and credential processes answer with.
struct CredentialsDocument: Decodable {
  private enum CodingKeys: String, CodingKey {
    case accessKey = "AccessKeyId"
    case secretKey = "SecretAccessKey"
    case token = "Token"
    case sessionToken = "SessionToken"
    case expiration = "Expiration"
    case code = "Code"
    case message = "Message"
    case version = "Version"
  }

  private let accessKey: String?
  private let secretKey: String?
  private let token: String?
  private let sessionToken: String?
  private let expiration: String?
  private let code: String?
  private let message: String?
  private let version: Int?

  /// Reads an answer.
  ///
  /// - Parameter what: who gave it, for the error's words. The answer itself is in no error: it
  ///   may hold half of a secret.
  static func credentials(_ bytes: [UInt8], from what: String) throws -> Credentials {
    guard let document = try? JSONDecoder().decode(Self.self, from: Data(bytes)) else {
      throw ObjectStoreError.credentials("\(what) gave something other than credentials in JSON")
    }
    if let version = document.version, version != 1 {
      throw ObjectStoreError.credentials("\(what) gave credentials in the unknown form \(version)")
    }
    if let code = document.code, code != "Success" {
      throw ObjectStoreError.credentials(
        "\(what) gave no credentials: \(code)" + (document.message.map { ", \($0)" } ?? ""))
    }
    guard let accessKey = document.accessKey, let secretKey = document.secretKey,
      !accessKey.isEmpty, !secretKey.isEmpty
    else { throw ObjectStoreError.credentials("\(what) gave no access key and secret key") }
    var expires: UTCTime?
    if let text = document.expiration {
      expires = UTCTime(text)
      guard expires != nil else {
        throw ObjectStoreError.credentials("\(what) gave an expiry that is no time: \(text)")
      }
    }
    return Credentials(
      accessKey: accessKey, secretKey: secretKey,
      sessionToken: document.token ?? document.sessionToken, expires: expires)
  }
}

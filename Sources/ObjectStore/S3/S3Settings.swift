/// How to speak to an S3 provider. A plain value without secrets.
public struct S3Settings: Hashable, Sendable {
  /// `https://s3.fr-par.scw.cloud`; nil for AWS in ``region``.
  public var endpoint: String?
  /// What requests are signed for; nil when the endpoint's name tells it, or else `us-east-1`.
  public var region: String?
  /// Whether the bucket stands in the path and not in the host's name; nil for whatever the
  /// provider is known to take: the host's name on AWS, the path elsewhere.
  public var pathStyle: Bool?
  /// Bytes of a part; at least 5 MiB.
  public var partSize: Int
  /// Parts that an upload may have; nil for what the provider is known to allow.
  public var partCap: Int?
  /// Parts of one upload that are under way at once.
  public var uploads: Int
  /// Ranges of one large object that are read at once.
  public var downloads: Int
  /// Bytes of such a range.
  public var downloadSize: Int
  /// Parts larger than this wait in a file, not in memory.
  public var largestPartInMemory: Int
  /// The folder for such files.
  public var spoolDirectory: String
  /// Whether Content-MD5 is sent. One provider refuses it; object lock needs it.
  public var contentMD5: Bool
  /// `x-amz-storage-class`, such as `ONEZONE_IA`; nil for the bucket's default.
  public var storageClass: String?
  /// `x-amz-server-side-encryption`: `AES256` or `aws:kms`; nil for the bucket's default.
  public var serverSideEncryption: String?
  /// The key for `aws:kms`.
  public var kmsKey: String?
  /// Days for which object lock keeps each object from being deleted; nil for none.
  public var lockDays: Int?
  /// Whether a lock can be lifted by those with a special right (`GOVERNANCE`) or by nobody.
  public var lockMode: String
  /// Seconds in which one request, with all its retries, must have succeeded.
  public var deadline: Double
  /// Seconds without a byte moving after which a request has failed.
  public var stallTimeout: Double
  /// How often one request is tried.
  public var attempts: Int
  /// Seconds before the second try; later ones wait longer, up to 20 seconds.
  public var firstRetryDelay: Double
  /// A file with certificates to trust in place of the system's.
  public var caFile: String?

  public init(endpoint: String? = nil, region: String? = nil, pathStyle: Bool? = nil) {
    self.endpoint = endpoint
    self.region = region
    self.pathStyle = pathStyle
    partSize = 8 << 20
    uploads = 3
    downloads = 4
    downloadSize = 8 << 20
    largestPartInMemory = 8 << 20
    spoolDirectory = "/var/tmp"
    contentMD5 = true
    lockMode = "GOVERNANCE"
    deadline = 600
    stallTimeout = 60
    attempts = 10
    firstRetryDelay = 0.2
  }
}

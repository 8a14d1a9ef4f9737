import Foundation
import TestSupport
import Testing

/// The ready texts of docs/security.md and docs/storage.md give the rights that are needed, and no
/// others.
@Suite struct SecurityPageTests {
  /// The blocks of a page that are in one language.
  private func blocks(_ language: String, of page: String) throws -> [String] {
    let text = try String(contentsOfFile: ProjectRoot.path + "/docs/" + page, encoding: .utf8)
    return text.components(separatedBy: "```\(language)\n").dropFirst()
      .compactMap { $0.components(separatedBy: "```").first }
  }

  // MARK: The database's role

  @Test func theRoleReadsEverythingAndDoesNothingElse() throws {
    let bench = try Bench(rows: 200)
    let role = TemporaryCluster.uniqueName("page")
    try bench.database.psql(
      """
      CREATE SCHEMA hidden;
      CREATE TABLE hidden.salaries (id serial PRIMARY KEY, amount numeric);
      INSERT INTO hidden.salaries (amount) SELECT n FROM generate_series(1, 50) n;
      ALTER TABLE hidden.salaries ENABLE ROW LEVEL SECURITY;
      ALTER TABLE hidden.salaries FORCE ROW LEVEL SECURITY;
      REVOKE ALL ON ALL TABLES IN SCHEMA hidden FROM PUBLIC;
      SELECT lo_from_bytea(0, 'a large object');
      """)
    // The role, and what large objects need besides.
    let texts = try blocks("sql", of: "security.md")
    #expect(texts.count == 2)
    let text = texts.joined()
    #expect(text.contains("CREATE ROLE backup "))
    try bench.database.psql(text.replacing(#/\bbackup\b/#, with: role))
    let url = "postgresql://\(role):\(Bench.secret)@127.0.0.1:\(bench.cluster.port)/"
    let backup = bench.backup.with(["DATABASE_URL": url + bench.database.name])
    try backup("run").expectSuccess()
    try bench.restore("latest", "--verify").expectSuccess()
    #expect(
      try bench.cluster.psql(
        """
        SELECT count(*), sum(amount) FROM hidden.salaries;
        SELECT count(*), min(encode(lo_get(oid), 'escape')) FROM pg_largeobject_metadata;
        """, database: bench.target) == "50|1275\n1|a large object")

    for statement in [
      "INSERT INTO shop.orders (customer, note) VALUES (1, 'x')",
      "UPDATE shop.orders SET note = ''",
      "DELETE FROM hidden.salaries", "TRUNCATE shop.orders", "DROP TABLE shop.orders",
      "ALTER TABLE shop.orders ADD x int", "CREATE TABLE shop.t (id int)",
      "CREATE TABLE public.t (id int)", "CREATE SCHEMA mine", "CREATE ROLE another",
      "CREATE DATABASE another", "ALTER ROLE \(role) SUPERUSER", "SET ROLE \(bench.role)",
      "SELECT setval('hidden.salaries_id_seq', 9)", "SELECT pg_read_file('/etc/passwd')",
      "COPY shop.orders TO '/tmp/x'", "COPY shop.orders TO PROGRAM 'true'",
      "SELECT lo_unlink(oid) FROM pg_largeobject_metadata",
      "SELECT lo_put(oid, 0, 'x') FROM pg_largeobject_metadata",
      "UPDATE pg_authid SET rolsuper = true", "ALTER SYSTEM SET work_mem = '1MB'",
      "SELECT pg_reload_conf()", "CREATE EXTENSION file_fdw",
      "CREATE FUNCTION shop.f() RETURNS int "
        + "LANGUAGE sql AS 'SELECT 1'",
    ] {
      let result = try Command.run(
        bench.cluster.binaries + "/psql",
        ["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", url + bench.database.name, "-c", statement])
      #expect(result.exitCode != 0, "\(statement) was allowed")
      #expect(
        result.errorText.contains("permission denied") || result.errorText.contains("must be")
          || result.errorText.contains("only roles"), "\(statement): \(result.errorText)")
    }
  }

  // MARK: The bucket's policies

  /// A bucket on a server that checks each request against the policies of who signed it.
  private struct GuardedBucket {
    let server: S3Server
    let bucket = "guarded"
    /// For the executables, by the policies' order.
    private(set) var users: [[String: String]] = []

    /// - Parameter prepare: what is done before anything is checked.
    init(_ policies: [String], prepare: ([String: String]) throws -> Void = { _ in }) throws {
      server = try S3Server(.moto)
      try server.python("s3.create_bucket(Bucket='\(bucket)')")
      let open = server.environment.merging(["BACKUP_STORE": "s3://\(bucket)/nightly"]) { $1 }
      try prepare(open)
      let documents = policies.map {
        Data(
          $0.replacing("BUCKET", with: bucket).replacing("PREFIX", with: "nightly").utf8
        ).base64EncodedString()
      }
      let keys = try server.python(
        """
        import base64, json, urllib.request
        iam = boto3.client('iam', endpoint_url='\(server.endpoint)', region_name='us-east-1',
          aws_access_key_id='x', aws_secret_access_key='x')
        for number, text in enumerate(\(documents)):
          policy = base64.b64decode(text).decode()
          json.loads(policy)
          name = f'user{number}'
          iam.create_user(UserName=name)
          iam.put_user_policy(UserName=name, PolicyName='p', PolicyDocument=policy)
          key = iam.create_access_key(UserName=name)['AccessKey']
          print(key['AccessKeyId'], key['SecretAccessKey'])
        urllib.request.urlopen(urllib.request.Request('\(server.endpoint)/moto-api/reset-auth',
          data=b'0', method='POST', headers={'Content-Type': 'text/plain'})).read()
        """)
      for line in keys.split(separator: "\n") {
        let words = line.split(separator: " ").map(String.init)
        users.append(
          open.merging(["AWS_ACCESS_KEY_ID": words[0], "AWS_SECRET_ACCESS_KEY": words[1]]) { $1 })
      }
    }

    /// Which of some calls another client may make as that user, one a line: name, then what it
    /// does.
    func allowed(_ user: [String: String], _ calls: [(String, String)]) throws -> [String] {
      let code = calls.map { name, call in
        """
        try:
          \(call)
          print('\(name)')
        except c.exceptions.ClientError as e:
          assert e.response['ResponseMetadata']['HTTPStatusCode'] == 403, e

        """
      }.joined()
      return try server.python(
        """
        c = boto3.client('s3', endpoint_url='\(server.endpoint)', region_name='us-east-1',
          aws_access_key_id='\(user["AWS_ACCESS_KEY_ID"] ?? "")',
          aws_secret_access_key='\(user["AWS_SECRET_ACCESS_KEY"] ?? "")',
          config=botocore.config.Config(s3={'addressing_style': 'path'}))
        b = '\(bucket)'
        \(code)
        """
      ).split(separator: "\n").map(String.init)
    }
  }

  /// In AWS's form: the backup host's, and that of a host that only restores. Another provider's
  /// form must at least be JSON.
  private func policies() throws -> [String] {
    let all = try blocks("json", of: "storage.md")
    for text in all { _ = try JSONSerialization.jsonObject(with: Data(text.utf8)) }
    let found = all.filter { $0.contains("2012-10-17") }
    #expect(found.count == 2)
    return found
  }

  private let calls = [
    ("write elsewhere", "c.put_object(Bucket=b, Key='other/x', Body=b'1')"),
    ("read elsewhere", "c.get_object(Bucket=b, Key='other/x')"),
    ("delete elsewhere", "c.delete_object(Bucket=b, Key='other/x')"),
    ("make a bucket", "c.create_bucket(Bucket='another')"),
    ("delete the bucket", "c.delete_bucket(Bucket=b)"),
    ("change the policy", "c.put_bucket_policy(Bucket=b, Policy='{}')"),
    ("make it public", "c.put_object_acl(Bucket=b, Key='nightly/x', ACL='public-read')"),
    (
      "change versions",
      "c.put_bucket_versioning(Bucket=b, "
        + "VersioningConfiguration={'Status': 'Suspended'})"
    ),
    ("list all buckets", "c.list_buckets()"),
  ]

  @Test func thePolicyOfTheBackupHost() throws {
    let bench = try Bench(rows: 50)
    let policies = try policies()
    let bucket = try GuardedBucket([policies[0]])
    let backup = bench.backup.with(bucket.users[0])
    for _ in 0..<2 { try backup("run").expectSuccess() }
    try backup("list").expectSuccess()
    try backup("verify").expectSuccess()
    try bench.restore.with(bucket.users[0])("latest", "--verify").expectSuccess()
    try backup("prune", "--keep-days", "0", "--keep-last", "1").expectSuccess()
    #expect((try backup("list", "--json").json()["backups"] as? [Any])?.count == 1)
    try backup.with(["BACKUP_STORE": "s3://\(bucket.bucket)/other"])("run")
      .expectFailure(8, "AccessDenied")
    #expect(try bucket.allowed(bucket.users[0], calls) == [])
  }

  @Test func thePolicyOfAHostThatOnlyRestores() throws {
    let bench = try Bench(rows: 50)
    let policies = try policies()
    let bucket = try GuardedBucket([policies[1]]) { open in
      for _ in 0..<2 { try bench.backup.with(open)("run").expectSuccess() }
    }
    let backup = bench.backup.with(bucket.users[0])
    try backup("list").expectSuccess()
    try bench.restore.with(bucket.users[0])("latest", "--verify").expectSuccess()
    try backup("run").expectFailure(8, "AccessDenied")
    let prune = try backup("prune", "--keep-days", "0", "--keep-last", "1")
    #expect(prune.code == 8)
    #expect(prune.text == "Nothing deleted; 2 kept, 1 of them against the plan.\n")
    #expect(prune.errorText.contains("could not be deleted"), "\(prune.errorText)")
    #expect((try backup("list", "--json").json()["backups"] as? [Any])?.count == 2)
    let more = [
      ("write", "c.put_object(Bucket=b, Key='nightly/x', Body=b'1')"),
      ("delete", "c.delete_object(Bucket=b, Key='nightly/x')"),
      ("begin", "c.create_multipart_upload(Bucket=b, Key='nightly/x')"),
    ]
    #expect(try bucket.allowed(bucket.users[0], calls + more) == [])
  }

  @Test func withoutTheRightToDeleteBackupsAreTaken() throws {
    let bench = try Bench(rows: 50)
    let policy = try policies()[0]
      .replacing(#/,\s*"s3:DeleteObject"/#, with: "")
    #expect(!policy.contains("DeleteObject"))
    let bucket = try GuardedBucket([policy])
    let backup = bench.backup.with(bucket.users[0])
    for _ in 0..<2 { try backup("run").expectSuccess() }
    let prune = try backup("prune", "--keep-days", "0", "--keep-last", "1")
    #expect(prune.code == 8)
    #expect(
      prune.errorText.contains("could not be deleted") && prune.errorText.contains("AccessDenied"))
    #expect((try backup("list", "--json").json()["backups"] as? [Any])?.count == 2)
  }
}

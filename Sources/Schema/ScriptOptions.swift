/// What a schema script leaves out.
public struct ScriptOptions: Sendable {
  /// `ALTER … OWNER TO`; without it, everything belongs to who runs the script.
  public var includesOwners: Bool
  /// `GRANT`, `REVOKE` and default privileges.
  public var includesPrivileges: Bool

  public init(includesOwners: Bool = true, includesPrivileges: Bool = true) {
    self.includesOwners = includesOwners
    self.includesPrivileges = includesPrivileges
  }
}
